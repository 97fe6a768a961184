"""What clients can read: the stacks, graphs and type schemas on offer, and the prompts."""

import json
from collections.abc import Iterator
from typing import Any

from mcp.server.mcpserver.resources import FunctionResource, Resource, TextResource

from deixis.prompts import find, names
from deixis.serving.offers import Offers


def resources(offers: Offers) -> Iterator[Resource]:
    """Yield what a server shows; prompts are those of the stack that clients get by default."""
    offered = offers.describe()
    for kind in ("stacks", "graphs", "schemas"):
        for each in offered[kind]:
            yield TextResource(
                uri=f"deixis://{kind}/{each['name']}",
                name=f"{kind}/{each['name']}",
                title=f"{kind.removesuffix('s')} {each['name']}",
                description=_about(each),
                mime_type="application/json",
                text=json.dumps(each, ensure_ascii=False, indent=1),
            )
    folder = offers.default.options.prompts
    for name in names():

        def read(name: str = name) -> str:
            return find(name, folder).read_text(encoding="utf-8")

        yield FunctionResource(
            uri=f"deixis://prompts/{name}",
            name=f"prompts/{name}",
            title=f"prompt {name}",
            description="what language models are asked, with its variables",
            mime_type="text/markdown",
            fn=read,
        )


def _about(each: dict[str, Any]) -> str:
    return str(each.get("about") or each.get("description") or "")

"""`deixis mcp`: an assistant on this machine calls Deixis, over stdin and stdout."""

from pathlib import Path
from typing import Annotated

import typer

from deixis.apps import options

StacksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stack",
        metavar="NAME|FILE",
        help="Models to offer; the first is used where none is asked for. Repeat for more.",
    ),
]
SchemasOption = Annotated[
    list[str] | None,
    typer.Option("--schema", metavar="NAME|FILE", help="Offer these types too. Repeat for more."),
]


def mcp(
    stack: StacksOption = None,
    schema: SchemasOption = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--files",
            metavar="FOLDER",
            help="Open files in this folder if the assistant names them. Repeat for more.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="Stop what has taken longer than this.")
    ] = 300.0,
    calls: Annotated[
        int | None, typer.Option(min=0, help="Ask language models so often for one sample.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(min=0, help="Spend so many tokens on one sample.")
    ] = None,
) -> None:
    """Be an MCP server for an assistant that starts this command: see docs/mcp.md."""
    import asyncio
    import logging

    from deixis.base.allowances import Budget
    from deixis.serving.mcp.files import Files
    from deixis.serving.mcp.server import Server
    from deixis.serving.offers import Offers
    from deixis.serving.service import Limits, Service

    stacks = [options.settings_of(each, None, None) for each in stack or ["starter"]]
    offers = Offers(stacks, schema or ())
    most = max(each.options.max_media_bytes for each in stacks)
    opened = Files(files, most) if files else None
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    limits = Limits(seconds=seconds, budget=Budget(calls=calls, tokens=tokens), grace=0.0)
    service = Service(offers, limits)
    # stdout carries the protocol alone: the SDK turns all else to stderr. So the service, whose
    # libraries may print, has to end before that does.
    server = Server(service, opened, lifespan=lambda _: service)
    asyncio.run(server.run_stdio_async())

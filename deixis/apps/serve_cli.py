"""`deixis serve`: the service over HTTP, with its page and MCP."""

from pathlib import Path
from typing import Annotated

import typer

from deixis.apps.mcp_cli import SchemasOption, StacksOption

HostOption = Annotated[str, typer.Option(help="Address to listen on; others need a --token.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
TokenOption = Annotated[
    str | None,
    typer.Option(
        envvar="DEIXIS_TOKEN", help="What clients have to send as Authorization: Bearer TOKEN."
    ),
]


def serve(
    stack: StacksOption = None,
    schema: SchemasOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    token: TokenOption = None,
    gold: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append to it what people correct.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Samples at once.")] = 4,
    queue: Annotated[int, typer.Option(min=0, help="Samples that may wait: then 429.")] = 32,
    seconds: Annotated[float, typer.Option(min=0.1, help="The most for one sample.")] = 300.0,
    budget: Annotated[
        str | None, typer.Option(metavar="calls=N,tokens=N", help="The most for one sample.")
    ] = None,
    max_upload: Annotated[
        int, typer.Option(min=1000, metavar="BYTES", help="The largest body of a request.")
    ] = 100_000_000,
) -> None:
    """Serve Deixis over HTTP: a page, an interface (/openapi.json), and MCP (/mcp)."""
    from deixis.apps.batch_cli import parse_budget
    from deixis.apps.serving import Serving
    from deixis.serving.service import Limits

    limits = Limits(concurrency, queue, seconds)
    if budget:
        limits = limits._replace(budget=parse_budget(budget))
    with Serving(stack, schema, host, port, token, limits, max_upload) as serving:
        serving.run(gold=gold)

"""Options that several commands have, and the settings that come of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deixis.apps import terminal
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.evaluation.pages.access import Access
    from deixis.settings import Settings

StackOption = Annotated[
    str, typer.Option("--stack", metavar="NAME|FILE", help="Models to use: a name or a YAML file.")
]
RoleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE=MODEL",
        help="Swap a role. Repeat committee=MODEL for more members; ROLE=none: nobody.",
    ),
]
GraphOption = Annotated[
    str | None,
    typer.Option("--graph", metavar="NAME", help="Build this graph: see deixis graphs."),
]
SchemaOption = Annotated[
    str | None,
    typer.Option(
        "--schema",
        metavar="NAME|FILE",
        help="Look for these types, relations and events, not those of the stack.",
    ),
]

UrlsOption = Annotated[
    Literal["public", "any", "none"] | None,
    typer.Option(
        "--urls", help="Open pictures by URL: public hosts (as in most stacks), any, or none."
    ),
]
PicturesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--pictures",
        metavar="FOLDER",
        help="Also show pictures in this folder, not only in that of the results. Repeat for more.",
    ),
]
FetchOption = Annotated[
    bool,
    typer.Option("--fetch-pictures", help="Also show pictures of public http(s) URLs."),
]

FormatOption = Annotated[
    str | None, typer.Option("--format", help="Predictions are in: vkel, e2e, pfa, riveg, muie.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def group(help_: str) -> typer.Typer:
    """Return a group of commands, which says what it is for if none is given."""
    return typer.Typer(
        help=help_, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )


def access_of(folders: list[Path] | None, fetch: bool) -> "Access":
    """Return which pictures a page may show.

    Raises:
        InputError: one of the folders is none.
    """
    from deixis.evaluation.pages.access import Access

    for folder in folders or []:
        if not folder.is_dir():
            raise InputError(f"--pictures: {folder} is no folder; give the one of the pictures")
    return Access(tuple(folders or ()), fetch)


def settings_of(
    stack: str,
    prompts: Path | None,
    roles: list[str] | None,
    graph: str | None = None,
    urls: str | None = None,
    schema: str | None = None,
) -> "Settings":
    """Read a stack and change it; its prompts are checked when the graph is built.

    Raises:
        InputError: a role is not given as ROLE=MODEL.
        SettingsError: the stack, a role or the type schema is wrong.
    """
    from deixis.settings import Settings

    swapped: dict[str, Any] = {}
    for given in roles or []:
        role, equals, model = given.partition("=")
        if not equals or not model:
            raise InputError(
                f"--role takes ROLE=MODEL, such as voter=openai:gpt-5-mini; got {given!r}"
            )
        if role == "committee":
            swapped.setdefault(role, []).append(model)
        else:
            swapped[role] = model
    settings = Settings.load(stack).with_roles(swapped)
    if graph is not None and graph != settings.graph:
        settings = settings.with_graph(graph)
    if schema is not None:
        settings = settings.model_copy(update={"types": schema})
        _ = settings.type_schema  # a wrong one is told here
    if settings.options.tracing != "off":
        _warn_of_no_collector()
    changes = {"prompts": prompts, "urls": urls}
    return settings.with_options(**{name: change for name, change in changes.items() if change})


def _warn_of_no_collector() -> None:
    """Say that spans go nowhere, if so; without OpenTelemetry the graph says what is missing."""
    try:
        from opentelemetry import trace
    except ImportError:
        return
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        terminal.warn(
            "options.tracing makes spans, and nobody collects them; start this command with "
            "opentelemetry-instrument (python -m pip install opentelemetry-distro)"
        )

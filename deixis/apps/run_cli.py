"""`deixis run`: one sample."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.markup import escape

from deixis.apps import document_cli, options, terminal
from deixis.apps.prompts_cli import PromptsOption
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.agents.context.state import Input, State
    from deixis.agents.context.toolbox import Toolbox
    from deixis.schema import Extraction
    from deixis.show.media import Media

_MEDIUM = "FILE|URL"


def run(
    image: Annotated[
        str | None, typer.Argument(help="Path or URL of a picture, - for none; or a PDF.")
    ] = None,
    text: Annotated[str | None, typer.Argument(help="The text that goes with it.")] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar=_MEDIUM, help="A picture. Repeat for more."),
    ] = None,
    text_option: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="The text that goes with it.")
    ] = None,
    audio: Annotated[str | None, typer.Option(metavar=_MEDIUM, help="A sound.")] = None,
    video: Annotated[str | None, typer.Option(metavar=_MEDIUM, help="A video.")] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="TASKS", help="Of graph muie: ner, re, ee, or several: ner,re."),
    ] = None,
    stack: options.StackOption = "starter",
    as_json: options.JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for extraction.json, page.html and drawings.")
    ] = None,
    prompts: PromptsOption = None,
    role: options.RoleOption = None,
    graph: options.GraphOption = None,
    schema: options.SchemaOption = None,
    urls: options.UrlsOption = None,
    caption: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A description of the picture that you have.")
    ] = None,
    pages: document_cli.PagesOption = None,
) -> None:
    """Process one sample: a picture and its text, or what else the graph takes; or a PDF.

    A PDF is cut into posts, each picture with its caption and the text beside it.
    """
    from deixis.agents.open import text_given
    from deixis.apps import console, files, result_tables, weights
    from deixis.graphs.build import graph_of, toolbox_of
    from deixis.show.timing import spelled

    given = {"audio": audio, "video": video, "task": task, "caption": caption}
    if document_cli.is_document(image):
        others = {**given, "image": images, "text": text if text is not None else text_option}
        document_cli.check_alone(others)
        settings = options.settings_of(stack, prompts, role, graph, urls, schema)
        document_cli.run(cast("str", image), settings, pages, task, out, as_json=as_json)
        return
    if pages is not None:
        raise InputError("--pages is for a PDF; give one, or leave it out")
    post = _post(image, images, text, text_option)
    given = {name: terminal.as_text(each) for name, each in given.items() if each is not None}
    post.update(cast("Input", given))
    if out:
        files.check_folder(out)
    settings = options.settings_of(stack, prompts, role, graph, urls, schema)
    toolbox = toolbox_of(settings)
    built = graph_of(toolbox)
    if "text" not in post and "audio" not in toolbox.takes:
        raise InputError("the text is missing; give it with --text, see: deixis run --help")
    text_given(post, toolbox)  # before anything is fetched for it
    weights.fetch(toolbox, given=post)
    with console.progress() as bar:
        extraction, seconds = console.extract(built, post, bar, "deixis")
    console.warn(extraction)
    written = []
    if out:
        written = files.write_extraction(out, extraction, _seen(post, extraction, toolbox), seconds)
    if as_json:
        terminal.print_json(extraction.model_dump(mode="json"))
        return
    title = extraction.caption or ("" if extraction.image else "no picture")
    for table in result_tables.tables(extraction, escape(title)):
        terminal.show(table)
    terminal.line(escape(console.usage_line([extraction])))
    terminal.line(escape(f"It took {spelled(seconds)}; loading is included"))
    for path in written:
        typer.echo(f"wrote {path}")


def _post(
    image: str | None, images: list[str] | None, text: str | None, text_option: str | None
) -> "Input":
    """Return pictures and text, which are given by place or by name.

    Raises:
        InputError: one is given in both ways.
    """
    if image is not None and images:
        raise InputError("a picture is given by place and with --image; give all with --image")
    if text is not None and text_option is not None:
        raise InputError("the text is given by place and with --text; give it once")
    pictures = images or ([image] if image not in (None, "-") else [])
    post: Input = {"image": None}
    if len(pictures) == 1:
        post = {"image": pictures[0]}
    elif pictures:
        post = {"images": pictures}
    words = text if text is not None else text_option
    return post if words is None else {**post, "text": terminal.as_text(words)}


def _seen(post: "Input", extraction: "Extraction", toolbox: "Toolbox") -> "Media":
    """Return what the pages show, as it was opened."""
    from deixis.agents.context.media import pictures_of, sound_of, video_of
    from deixis.show.media import Media

    sound, video = extraction.audio, extraction.video
    records = {
        "pictures": [info.model_dump() for info in extraction.pictures],
        "sound": sound and sound.model_dump(),
        "film": video and video.model_dump(),
    }
    state, limits = cast("State", {**post, **records}), toolbox.settings.options
    return Media(pictures_of(state, limits), sound_of(state, limits), video_of(state, limits))

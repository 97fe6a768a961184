"""The demo: three photographs that come inside well-known packages, and that anybody may use.

Where everything is asked for, sound, video and several media follow (`deixis.apps.demo_media`).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape

from deixis.agents.context.state import Input
from deixis.apps import console, demo_media, files, result_tables, terminal, weights
from deixis.apps.idle import on_idle_cores
from deixis.graphs.build import graph_of, toolbox_of
from deixis.schema import Extraction
from deixis.settings import Settings
from deixis.show.media import Media
from deixis.show.timing import Seconds, Timing, spelled
from deixis.weights.model_files import resolve


class Post(NamedTuple):
    """A photograph, as a model-file spec, and the text that goes with it."""

    name: str
    picture: str
    text: str


# The first two are in the public domain (US Navy, NASA), the third is CC0 by its photographer.
POSTS = (
    Post(
        "grace-hopper",
        "pypi:matplotlib==3.11.2/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
        "#sha256=a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        "Grace Hopper of the US Navy wrote the first compiler for the UNIVAC and taught at "
        "Harvard University. The destroyer USS Hopper bears her name.",
    ),
    Post(
        "eileen-collins",
        "pypi:scikit-image==0.26.0/skimage/data/astronaut.png"
        "#sha256=88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "Eileen Collins of NASA, the first woman to command a Space Shuttle, before a model of "
        "it in Houston. Bill Clinton met her at the White House.",
    ),
    Post(
        "chelsea",
        "pypi:scikit-image==0.26.0/skimage/data/chelsea.png"
        "#sha256=596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "The cat Chelsea looks past the camera of Stefan van der Walt, who founded scikit-image. "
        "He studied at Stellenbosch University in South Africa.",
    ),
)


_TINY = "embedded:smollm2-135m"


class _Done(NamedTuple):
    """A sample that was processed: in the folder ``name``, with what its pages show."""

    name: str
    about: str
    media: Media
    extraction: Extraction
    seconds: Seconds


def run_demo(
    out: Path, settings: Settings, say: Callable[[str], None], *, everything: bool = False
) -> None:
    """Process the photographs, show a table of each, and write the files.

    Args:
        out: folder to write into.
        settings: the stack to use.
        say: prints a line for the reader.
        everything: whether sound, video and several media follow, by the graph muie.

    Raises:
        MissingExtraError: something that the stack or `everything` takes is not installed.
    """
    settings = on_idle_cores(settings)
    toolboxes = [toolbox_of(settings)]
    if everything:
        demo_media.check_extra()
        toolboxes.append(toolbox_of(settings.with_graph("muie")))
    started = time.perf_counter()
    for toolbox in toolboxes:
        weights.fetch(toolbox)
    with console.progress() as bar:
        task = bar.add_task("demo", total=None, at="fetching the photographs")
        images = [resolve(post.picture) for post in POSTS]
        samples = demo_media.samples(images, out) if everything else []
        fetched = time.perf_counter()
        bar.update(task, at="loading the models")
        for toolbox in toolboxes:
            weights.load(toolbox)
        once = {"fetching": fetched - started, "loading": time.perf_counter() - fetched}
        bar.remove_task(task)
        graph = graph_of(toolboxes[0])
        done = []
        for post, image in zip(POSTS, images, strict=True):
            given: Input = {"image": image, "text": post.text}
            found = console.extract(graph, given, bar, post.name)
            done.append(_Done(post.name, post.text, Media((image,)), *found))
        graph = graph_of(toolboxes[-1])
        for sample in samples:
            found = console.extract(graph, sample.given, bar, sample.name)
            done.append(_Done(sample.name, sample.about, sample.media, *found))
    for each in done:
        _show(each, out, say)
    extractions = [each.extraction for each in done]
    timing = Timing([each.seconds for each in done], once)
    index = files.write_index(out, extractions, [each.media for each in done], timing)
    count = f"{len(done)} samples" if samples else "three photographs"
    say(f"\nThe {count} took {escape(spelled(timing.in_all()))}.")
    say(f"What is needed once, before them: {escape(spelled(timing.once))}.")
    say(f"{escape(console.usage_line(extractions))}.")
    models = {usage.model for extraction in extractions for usage in extraction.usage}
    if any(model.startswith(_TINY) for model in models):
        say(
            "The language model here is tiny (135 million parameters): what it says of how things "
            "look is mostly wrong, even where it agrees with itself. Who is visible is decided "
            "without it."
        )
    say(f"\nOpen {index} for the pictures and every reason.")


def _show(done: _Done, out: Path, say: Callable[[str], None]) -> None:
    """Show the tables of a sample, and write its files."""
    extraction = done.extraction
    say(f"\n{escape(done.about)}")
    if (heard := extraction.transcript) is not None:
        say(f"Heard: {escape(heard.text)}")
    title = f"{done.name}: {extraction.caption}" if extraction.caption else done.name
    for table in result_tables.tables(extraction, escape(title)):
        terminal.show(table)
    if not extraction.entities:
        say("It names nobody and nothing.")
    say(f"It took {escape(spelled(done.seconds))}.")
    console.warn(extraction)
    files.write_extraction(out / done.name, extraction, done.media, done.seconds)

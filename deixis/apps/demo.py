"""The demo: three photographs that come inside well-known packages, and that anybody may use."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape

from deixis.apps import console, files, result_tables, terminal, weights
from deixis.apps.idle import on_idle_cores
from deixis.graphs.build import graph_of, toolbox_of
from deixis.settings import Settings
from deixis.show.timing import Timing, spelled
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


def run_demo(out: Path, settings: Settings, say: Callable[[str], None]) -> None:
    """Process the photographs, show a table of each, and write the files.

    Args:
        out: folder to write into.
        settings: the stack to use.
        say: prints a line for the reader.
    """
    toolbox = toolbox_of(on_idle_cores(settings))
    graph = graph_of(toolbox)
    started = time.perf_counter()
    weights.fetch(toolbox)
    extractions, posts_seconds = [], []
    with console.progress() as bar:
        task = bar.add_task("demo", total=None, at="fetching the photographs")
        images = [resolve(post.picture) for post in POSTS]
        fetched = time.perf_counter()
        bar.update(task, at="loading the models")
        weights.load(toolbox)
        once = {"fetching": fetched - started, "loading": time.perf_counter() - fetched}
        bar.remove_task(task)
        for post, image in zip(POSTS, images, strict=True):
            extraction, seconds = console.extract(
                graph, {"image": image, "text": post.text}, bar, post.name
            )
            extractions.append(extraction)
            posts_seconds.append(seconds)
    timing = Timing(posts_seconds, once)
    for post, extraction, image, seconds in zip(
        POSTS, extractions, images, posts_seconds, strict=True
    ):
        say(f"\n{escape(post.text)}")
        title = escape(f"{post.name}: {extraction.caption}")
        for table in result_tables.tables(extraction, title):
            terminal.show(table)
        say(f"It took {escape(spelled(seconds))}.")
        console.warn(extraction)
        files.write_extraction(out / post.name, extraction, image, seconds)
    index = files.write_index(out, extractions, images, timing)
    say(f"\nThe three photographs took {escape(spelled(timing.in_all()))}.")
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

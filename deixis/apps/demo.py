"""The demo: two public-domain photographs that come inside well-known packages."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape

from deixis.apps import console, files, terminal, weights
from deixis.graphs.build import graph_of, toolbox_of
from deixis.settings import Settings
from deixis.weights.model_files import resolve


class Post(NamedTuple):
    """A photograph, as a model-file spec, and the text that goes with it."""

    name: str
    picture: str
    text: str


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
)


def run_demo(out: Path, settings: Settings, say: Callable[[str], None]) -> None:
    """Process the photographs, show a table of each, and write the files.

    Args:
        out: folder to write into.
        settings: the stack to use.
        say: prints a line for the reader.
    """
    toolbox = toolbox_of(settings)
    graph = graph_of(toolbox)
    extractions, images = [], []
    spent: dict[str, float] = {}
    weights.fetch(toolbox)
    with console.progress() as bar:
        for post in POSTS:
            task = bar.add_task(post.name, total=None, at="fetching the photograph")
            image = resolve(post.picture)
            bar.remove_task(task)
            extraction, seconds = console.extract(graph, image, post.text, bar, post.name)
            extractions.append(extraction)
            images.append(image)
            for node, took in seconds.items():
                spent[node] = spent.get(node, 0.0) + took
    for post, extraction, image in zip(POSTS, extractions, images, strict=True):
        say(f"\n{escape(post.text)}")
        title = escape(f"{post.name}: {extraction.caption}")
        terminal.show(console.entity_table(extraction, title))
        console.warn(extraction)
        files.write_extraction(out / post.name, extraction, image)
    index = files.write_index(out, extractions, images)
    say(f"\nSeconds by node: {', '.join(f'{node} {took:.1f}' for node, took in spent.items())}")
    say(console.usage_line(extractions))
    if settings.name == "starter":
        say(
            "The starter stack's language model is tiny (135 million parameters): what it says "
            "of how things look is mostly wrong, and the votes show it. Who is visible is "
            "decided without it."
        )
    say(f"\nOpen {index} for the pictures and every reason.")

"""Draw docs/map.svg: one post on its way from `invoke` to `structure`, with the file of every stop.

Run it from the root of the repository after a change: ``python docs/site/draw_map.py``.
"""

from html import escape
from pathlib import Path
from typing import NamedTuple

WIDTH = 1200
STATE, MAIN, ASK, OBSERVE = (12, 240), (282, 274), (590, 296), (920, 268)
"""Left edge and width of each column, in pixels."""
LINE = 18
"""Pixels from one line of text to the next."""


class Stop(NamedTuple):
    """A node: its name, what it does, its files (the first is its own), the state after it."""

    name: str
    about: str
    files: tuple[str, ...]
    state: tuple[str, ...]


BEFORE = [
    Stop(
        "invoke",
        "settings name a graph; its file wires agents",
        (
            "deixis/graphs/build.py",
            "deixis/settings.py",
            "deixis/graphs/registry.py",
            "deixis/graphs/main.py",
        ),
        ("text", "image: a path, a URL, ..."),
    ),
    Stop(
        "open",
        "the picture is decoded once, upright",
        (
            "deixis/agents/open.py",
            "deixis/base/images.py",
            "deixis/agents/context/pictures.py",
        ),
        ("picture: its record, no pixels",),
    ),
]
LANE = [
    Stop(
        "describe",
        "the description given, or a captioner's",
        ("deixis/agents/describe.py",),
        ("notes: the description",),
    ),
    Stop(
        "recognize",
        "mentions, each at its exact place",
        (
            "deixis/agents/main/recognize.py",
            "deixis/tools/tagger/minilm.py",
            "deixis/agents/main/correct.py",
            "deixis/agents/main/template.py",
        ),
        ("mentions: place, type, how sure", "templates: what is asked"),
    ),
    Stop(
        "consult",
        "each member: how does it look?",
        ("deixis/agents/main/consult.py",),
        ("testimonies: answers by member",),
    ),
    Stop(
        "vote",
        "the voter settles what is disputed",
        ("deixis/agents/main/vote.py", "deixis/agents/main/ballot.py"),
        ("knowledge: votes, summary", "kinds: voted types"),
    ),
    Stop(
        "expand",
        "a phrase to look for",
        ("deixis/agents/main/expand.py",),
        ("expressions: what it looks like",),
    ),
]
SIDE = Stop(
    "observe",
    "what is there, whatever the text says",
    ("deixis/agents/observe.py", "deixis/tools/nanodet.py", "deixis/tools/rapidocr_reader.py"),
    ("observation: objects, words, caption",),
)
ASKING = [
    ("a prompt is filled in", "deixis/prompts/__init__.py"),
    ("within limits and budget", "deixis/llms/asking.py"),
    ("answered before?", "deixis/llms/cache/llm_cache.py"),
    ("asked, and asked again", "deixis/llms/structured.py"),
    ("by the provider's model", "deixis/llms/backends.py"),
    ("over HTTP, or", "deixis/llms/servers/http.py"),
    ("in this process", "deixis/llms/local/llama_cpp.py"),
    ("text becomes an object", "deixis/llms/answers/reading.py"),
]
AFTER = [
    Stop(
        "entail",
        "can it be seen here?",
        (
            "deixis/agents/main/entail.py",
            "deixis/agents/main/look.py",
            "deixis/agents/main/names_in_picture.py",
            "deixis/agents/main/evidence.py",
        ),
        ("verdicts: seen or not, candidates",),
    ),
    Stop(
        "ground",
        "one assignment of boxes to all entities",
        (
            "deixis/agents/main/ground.py",
            "deixis/agents/main/choose.py",
            "deixis/agents/main/assignment.py",
        ),
        ("regions: boxes, scores",),
    ),
    Stop(
        "segment",
        "a mask for every box",
        ("deixis/agents/segment.py", "deixis/tools/outlines.py"),
        ("regions: with masks",),
    ),
    Stop(
        "structure",
        "everything is put together, and checked",
        ("deixis/agents/structure.py", "deixis/base/records.py", "deixis/schema.py"),
        ("entities, caption, replies,", "usage, warnings, types"),
    ),
]

MUIE = {
    "listen": "what is said, word by word",
    "watch": "frames that are shown",
    "extract": "a model: who, what, relations, events",
    "names": "no model: a recognizer names",
    "point": "boxes in pictures, after extract",
    "place": "boxes in pictures, after names",
    "track": "things followed in the video",
    "hear": "when each name is said",
}
"""The nodes that the graph muie alone has, between open and segment, and what each does."""

STYLE = """
.deixis-map { --ink: #20242c; --soft: #5b6472; --node: #e8edfb; --edge: #4a5fc1;
  --ask: #fdf1dc; --ask-edge: #b7791f; --state: #e4f3ea; --paper: #ffffff; }
@media (prefers-color-scheme: dark) { .deixis-map { --ink: #e6e8ee; --soft: #a9b1c0;
  --node: #273056; --edge: #8fa2f5; --ask: #43351c; --ask-edge: #e0ac5a; --state: #1f3d2d;
  --paper: #1e2129; } }
.deixis-map .paper { fill: var(--paper); }
.deixis-map text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.deixis-map .name { font-weight: 700; font-size: 16px; }
.deixis-map .file { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 11.5px; }
.deixis-map .soft { fill: var(--soft); }
.deixis-map rect { rx: 8px; }
.deixis-map .node { fill: var(--node); stroke: var(--edge); stroke-width: 1.5; }
.deixis-map .ask { fill: var(--ask); stroke: var(--ask-edge); stroke-width: 1.5; }
.deixis-map .state { fill: var(--state); }
.deixis-map path { fill: none; stroke: var(--edge); stroke-width: 2;
  marker-end: url(#deixis-tip); }
.deixis-map path.asks { stroke: var(--ask-edge); stroke-dasharray: 5 4;
  marker-end: url(#deixis-ask); }
.deixis-map marker path { stroke: none; marker-end: none; }
"""


def tip(name: str, colour: str) -> str:
    """Return the tip of arrows of one colour."""
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0 8 4 0 8z" style="fill:var({colour})"/></marker>'
    )


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8" class="{kind}"/>'
    )


def arrow(points: str, kind: str = "") -> str:
    """Return a line that ends in a tip."""
    return f'<path d="{points}" class="{kind}"/>'


def state(y: float, height: float, lines: tuple[str, ...]) -> list[str]:
    """Return what is in the state after a stop, in the first column."""
    left, width = STATE
    first = y + height / 2 - LINE * (len(lines) - 1) / 2 + 4
    drawn = [box(left, y, width, height, "state")]
    return drawn + [text(left + 10, first + LINE * i, line) for i, line in enumerate(lines)]


def node(stop: Stop, x: float, y: float, width: float, height: float, wide: bool) -> list[str]:
    """Return a node; a wide one has the files that its own one calls beside it."""
    own, *others = stop.files
    drawn = [box(x, y, width, height, "node"), text(x + 12, y + 24, stop.name, "name")]
    drawn += [text(x + 12, y + 44, stop.about, "soft"), text(x + 12, y + 64, own, "file")]
    left, top = (ASK[0] + 12, y + 24) if wide else (x + 12, y + 64 + LINE)
    step = LINE
    if wide:
        top = y + height / 2 + 4 - step * (len(others) - 1) / 2
    return drawn + [text(left, top + step * i, each, "file") for i, each in enumerate(others)]


def of_muie(y: float) -> list[str]:
    """Return the panel on the nodes of the graph muie, four in a line."""
    step = 16
    width = (sum(OBSERVE) - STATE[0] - 3 * step) / 4
    drawn = [text(STATE[0], y, "graph muie, between open and segment:", "soft")]
    drawn.append(text(MAIN[0] + 12, y, "deixis/graphs/muie.py", "file"))
    for i, (name, about) in enumerate(MUIE.items()):
        x, top = STATE[0] + (width + step) * (i % 4), y + 16 + 100 * (i // 4)
        drawn += [box(x, top, width, 84, "node"), text(x + 12, top + 24, name, "name")]
        drawn.append(text(x + 12, top + 46, about, "soft"))
        drawn.append(text(x + 12, top + 66, f"deixis/agents/muie/{name}.py", "file"))
    return drawn


def draw() -> str:
    """Return the whole drawing."""
    drawn: list[str] = []
    right = OBSERVE[0] + OBSERVE[1]
    middle, observing = MAIN[0] + MAIN[1] / 2, OBSERVE[0] + OBSERVE[1] / 2
    y = 48.0
    for column, words in ((STATE, "in the state after it"), (MAIN, "the stop, and its file")):
        drawn.append(text(column[0], 30, words, "soft"))
    drawn.append(text(ASK[0] + 12, 30, "what it calls", "soft"))
    for stop in BEFORE:
        height = 84.0
        drawn += node(stop, MAIN[0], y, right - MAIN[0], height, wide=True)
        drawn += state(y, height, stop.state)
        y += height + 28
        if stop.name == "invoke":
            drawn.append(arrow(f"M{middle} {y - 28} V{y - 2}"))
    top = y
    drawn += [arrow(f"M{x} {top - 28} V{top - 2}") for x in (middle, observing)]
    for stop in LANE:
        height = 76.0 + LINE * (len(stop.files) - 1)
        drawn += node(stop, *MAIN[:1], y, MAIN[1], height, wide=False)
        drawn += state(y, height, stop.state)
        across = y + height / 2
        drawn.append(arrow(f"M{sum(MAIN)} {across} H{ASK[0] - 2}", "asks"))
        y += height + 28
        drawn.append(arrow(f"M{middle} {y - 28} V{y - 2}"))
    bottom = y - 28
    drawn += asking(top, bottom - top)
    drawn += node(SIDE, OBSERVE[0], top, OBSERVE[1], bottom - top, wide=False)
    drawn.append(text(OBSERVE[0] + 12, bottom - 34, "in the state after it", "soft"))
    drawn.append(text(OBSERVE[0] + 12, bottom - 14, SIDE.state[0]))
    drawn.append(arrow(f"M{observing} {bottom} V{y - 2}"))
    for stop in AFTER:
        height = 84.0
        drawn += node(stop, MAIN[0], y, right - MAIN[0], height, wide=True)
        drawn += state(y, height, stop.state)
        y += height + 28
        if stop is not AFTER[-1]:
            drawn.append(arrow(f"M{middle} {y - 28} V{y - 2}"))
    drawn += of_muie(y + 16)
    height = y + 16 + 224
    return "\n".join(
        [
            f'<svg class="deixis-map" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {WIDTH} {height:g}" aria-label="One post from invoke to structure">',
            f"<style>{STYLE}</style>",
            f"<defs>{tip('deixis-tip', '--edge')}{tip('deixis-ask', '--ask-edge')}</defs>",
            f'<rect class="paper" width="{WIDTH}" height="{height:g}"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def asking(y: float, height: float) -> list[str]:
    """Return the panel on how any node asks a model."""
    left, width = ASK
    drawn = [box(left, y, width, height, "ask"), text(left + 12, y + 24, "every question", "name")]
    drawn.append(text(left + 12, y + 46, "toolbox.ask, of any node and any model:", "soft"))
    drawn.append(text(left + 12, y + 64, "deixis/agents/context/toolbox.py", "file"))
    step = (height - 100) / len(ASKING)
    for i, (about, file) in enumerate(ASKING):
        at = y + 100 + step * i
        drawn += [text(left + 12, at, about), text(left + 12, at + LINE, file, "file")]
    return drawn


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("map.svg").write_text(draw(), encoding="utf-8")

"""Gold rows of every kind, made at random, and what of two rows has to be equal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from deixis.base import masks
from deixis.exchange.items import Item, items_of
from deixis.formats.muie_rows import MuieContent

TYPES = ("PER", "LOC", "ORG", "a type & <more>")
TEXTS = st.lists(
    st.sampled_from(
        [
            "Ada",
            "Ada",
            " ",
            "\n",
            "\r\n",
            "\t",
            "é",
            "e\u0301",
            "👩‍🚀",
            "🇩🇪",
            "中",
            "\u200b",
            '"',
            "<b>",
            "&",
        ]
    ),
    max_size=12,
).map("".join)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6).filter(
    lambda name: name == name.strip() != ""
)


@st.composite
def regions_in(draw: st.DrawFn, sizes: list[tuple[int, int]]) -> dict[str, Any]:
    """A box in one of several pictures, perhaps with a mask."""
    image = draw(st.integers(0, len(sizes) - 1))
    width, height = sizes[image]
    xs = sorted(draw(st.lists(st.integers(0, 4 * width), min_size=2, max_size=2, unique=True)))
    ys = sorted(draw(st.lists(st.integers(0, 4 * height), min_size=2, max_size=2, unique=True)))
    region: dict[str, Any] = {"box": [xs[0] / 4, ys[0] / 4, xs[1] / 4, ys[1] / 4]}
    if draw(st.booleans()):
        bits = draw(st.integers(0, 2**12 - 1))
        dense = np.resize([bool(bits >> n & 1) for n in range(12)], (height, width))
        region["mask"] = masks.encode(dense)
    return region | ({"image": image} if image else {})


@st.composite
def rows(draw: st.DrawFn, *, media: bool = True) -> dict[str, Any]:
    """A row as `MuieContent` has it: names twice, what nobody looked for, several pictures."""
    text = draw(TEXTS)
    sizes = draw(st.lists(st.tuples(st.integers(1, 37), st.integers(1, 23)), max_size=3))
    row: dict[str, Any] = {"id": draw(NAMES), "text": text, "image": None}
    if sizes:
        names = [f"pictures/{n}.jpg" for n in range(len(sizes))]
        row |= {"image": names[0], "size": list(sizes[0])}
        if len(sizes) > 1:
            row["images"] = names
    sound = media and draw(st.booleans())
    film = media and draw(st.booleans())
    row |= ({"audio": "talk.wav"} if sound else {}) | ({"video": "talk.mp4"} if film else {})
    spans = st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 9)).map(
            lambda s: [s[0] / 4, (s[0] + s[1]) / 4]
        ),
        max_size=2,
    )

    def place() -> dict[str, Any]:
        if text and draw(st.booleans()):
            start = draw(st.integers(0, len(text) - 1))
            end = draw(st.integers(start + 1, len(text)))
            return {"text": text[start:end], "start": start, "end": end}
        return {"text": draw(NAMES)}

    entities = []
    for _ in range(draw(st.integers(0, 4))):
        entity = place() | {"type": draw(st.sampled_from(TYPES)), "regions": None}
        if draw(st.booleans()):
            entity["fine_type"] = draw(st.sampled_from(["politician", "a/b", "c,d"]))
        if draw(st.booleans()):
            entity["regions"] = draw(st.lists(regions_in(sizes), max_size=2)) if sizes else []
        if sound and draw(st.booleans()):
            entity["spans"] = draw(spans)
        if film and draw(st.booleans()):
            frames = draw(st.lists(st.integers(0, 9), max_size=3, unique=True))
            track = st.lists(regions_in([(20, 10)]), max_size=2)
            entity["track"] = [{"frame": n, "regions": draw(track)} for n in sorted(frames)]
        entities.append(entity)
    row["entities"] = entities
    if entities:
        some = st.integers(0, len(entities) - 1)
        related = st.tuples(some, st.sampled_from(["knows", "is in"]), some)
        row["relations"] = [
            {"subject": one, "type": kind, "object": other}
            for one, kind, other in draw(st.lists(related, max_size=3, unique=True))
        ]
        row["events"] = []
        for _ in range(draw(st.integers(0, 2))):
            trigger = draw(st.sampled_from([None, place()]))
            if trigger and sound and draw(st.booleans()):
                trigger["spans"] = draw(spans) or [[0.0, 1.0]]
            parts = draw(
                st.lists(
                    st.tuples(st.sampled_from(["who", "where"]), some), max_size=3, unique=True
                )
            )
            arguments = [{"role": role, "entity": at} for role, at in parts]
            row["events"].append({"type": "meets", "trigger": trigger, "arguments": arguments})
    return row


def item_of(row: dict[str, Any], folder: Path, line: int = 1) -> Item:
    """The row as it is read from a file."""
    made = MuieContent.model_validate(row)
    return Item(line, made.id, row, made, None, folder)


def items_in(path: Path) -> list[Item]:
    """All lines of a file, which have to be right."""
    items = list(items_of(path))
    assert all(isinstance(item, Item) for item in items)
    return [item for item in items if isinstance(item, Item)]


def plain(row: dict[str, Any]) -> str:
    """What has to be equal of two rows: boxes to a quarter of a pixel, masks exactly."""
    made = MuieContent.model_validate(row).model_dump(mode="json")
    for entity in made["entities"]:
        for regions in (entity["regions"], *(frame["regions"] for frame in entity["track"] or ())):
            for region in regions or ():
                region["box"] = [round(edge * 4) for edge in region["box"]]
            if regions:
                regions.sort(key=str)
    made["relations"].sort(key=str)
    for event in made["events"]:
        event["arguments"].sort(key=str)
    made["images"] = made["images"] or ([made["image"]] if made["image"] else None)
    return json.dumps(made, indent=1)

"""Rows of every kind that the forms are tried on: results of graphs, gold rows, hostile ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.base.records import Mask
from deixis.exchange.items import Exporter, How, Item, Written, items_of
from deixis.exchange.registry import find

Rows = list[dict[str, Any]]
Write = Callable[..., Written]
SHA = "ab" * 32


def mask_of(width: int, height: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
    dense = np.zeros((height, width), np.bool_)
    dense[box[1] : box[3], box[0] : box[2]] = True
    return Mask.from_array(dense).model_dump(mode="json")


def entity(id_: str, text: str, start: int | None, type_: str, **more: Any) -> dict[str, Any]:
    end = None if start is None else start + len(text)
    made = {"id": id_, "text": text, "start": start, "end": end, "type": type_, "confidence": 0.9}
    return {**made, **more}


def region(box: list[float], score: float = 0.8, **more: Any) -> dict[str, Any]:
    return {"box": box, "score": score, "source": "nanodet", **more}


def result(id_: str, text: str, entities: Rows, **more: Any) -> dict[str, Any]:
    own = {"replies": [], "usage": [], "warnings": [], "settings": "s1"}
    return {"id": id_, "text": text, "image": None, "entities": entities, **own, **more}


IMAGE = {"sha256": SHA, "width": 100, "height": 80, "source": "pictures/a b.jpg"}
USED = {"role": "voter", "model": "openai:gpt-5-mini", "calls": 1}
SEEN = result(
    "1",
    "Grace Hopper of the US Navy",
    [
        entity(
            "e1",
            "Grace Hopper",
            0,
            "person",
            fine_type="intellectual",
            groundable=True,
            expression="a woman in uniform",
            regions=[
                region([10.4, 5.0, 30.2, 60.0], mask=mask_of(100, 80, (11, 6, 30, 60))),
                region([40, 5, 50, 60], 0.25),
            ],
        ),
        entity("e2", "US Navy", 20, "organization", groundable=False),
    ],
    image=IMAGE,
    usage=[USED],
    relations=[
        {"id": "r1", "subject": "e1", "type": "member of", "object": "e2", "confidence": 0.7}
    ],
)
AGAIN = result(
    "2",
    "GRACE  HOPPER taught at Harvard",
    [
        entity("e1", "GRACE  HOPPER", 0, "person", fine_type="author"),
        entity("e2", "Harvard", 24, "organization", fine_type="educational_institution"),
    ],
    events=[
        {
            "id": "v1",
            "type": "Life:Teach",
            "trigger": {"text": "taught", "start": 14, "end": 20},
            "arguments": [
                {"role": "Teacher", "entity": "e1", "confidence": 0.6},
                {"role": "Place", "entity": "e2", "confidence": 0.5},
            ],
            "confidence": 0.4,
        }
    ],
)
HEARD = result(
    "3",
    "",
    [
        entity(
            "e1",
            "Grace Hopper",
            None,
            "person",
            groundable=True,
            spans=[{"start": 1.5, "end": 2.25, "score": 0.9, "source": "whisper"}],
            track=[{"time": 0.4, "index": 10, "region": region([1, 2, 3, 4])}],
        )
    ],
    video={
        "sha256": SHA,
        "seconds": 4.0,
        "width": 64,
        "height": 48,
        "frames": 100,
        "rate": 25.0,
        "sound": True,
        "source": "https://example.org/talk.mp4?token=***",
    },
)
GOLD = {
    "id": "4",
    "text": "Grace Hopper",
    "images": ["one.jpg", "https://example.org/two.jpg#top"],
    "image": "one.jpg",
    "size": [10, 20],
    "entities": [
        {
            "text": "Grace Hopper",
            "start": 0,
            "end": 12,
            "type": "person",
            "regions": [{"box": [1, 1, 5, 5]}, {"box": [2.5, 0, 4, 9], "image": 1}],
        },
        {"text": "nobody looked", "type": "other"},
        {"text": "the COBOL", "type": "product", "regions": []},
    ],
    "relations": [{"subject": 0, "type": '/made"> <x', "object": 2}],
}
EVIL = 'a" . <urn:x> <urn:y> "z\\\n\r\t\0\x1b\x7f<script>\u202e\U0001f600;=1+1'
HOSTILE = [
    {
        "id": EVIL,
        "text": EVIL,
        "image": f"../{EVIL}.jpg",
        "audio": 'http://h/ö" <x>#frag',
        "entities": [
            {
                "text": EVIL,
                "start": 0,
                "end": len(EVIL),
                "type": EVIL,
                "fine_type": EVIL,
                "regions": [{"box": [30.5, -3, 1, 2]}, {"box": [1, 1, 1, 1], "image": 10**9}],
                "spans": [[0, 1e-7]],
                "track": [{"frame": 3, "regions": [{"box": [1, 1, 2, 2]}]}],
            },
            {"text": "=cmd|' /C calc'!A0", "type": "", "regions": None},
            {"text": "+1", "type": ".."},
            {"text": "-1", "type": "."},
            {"text": "@x" * 5000, "type": "x" * 5000},
            {"text": "   ", "type": "person"},
        ],
        "relations": [{"subject": 0, "type": EVIL, "object": 0}],
        "events": [{"type": EVIL, "arguments": [{"role": EVIL, "entity": 1}] * 2}],
    },
    {"id": "..", "text": "", "image": "data:image/png;base64,AAAA", "entities": []},
    {"id": "9" * 3000, "text": "x", "image": "", "entities": []},
    result("\u00e9", "e\u0301\u00e9", [], settings="\x00/../"),
]
ALL: Rows = [SEEN, AGAIN, HEARD, GOLD, *HOSTILE]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Rows], list[Item]]:
    """Write rows into ``in/rows.jsonl`` and read them as items."""

    def read(rows: Rows) -> list[Item]:
        path = tmp_path / "in" / "rows.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        items = list(items_of(path))
        assert all(isinstance(item, Item) for item in items), items
        return items  # type: ignore[return-value]

    return read


@pytest.fixture
def write(tmp_path: Path, read: Callable[[Rows], list[Item]]) -> Write:
    """Write rows in a form into ``out/NAME``; options are those of `How`."""

    def write(form: str, rows: Rows, name: str = "it", **how: Any) -> Written:
        exporter = find(form, Exporter)
        return exporter.write(read(rows), tmp_path / "out" / name, How(**how))

    return write

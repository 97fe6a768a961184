import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.statistics import StatisticsRow, statistics
from deixis.rows import Row, read_rows, write_rows

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[3].parent / "shared" / "data"
shared = pytest.mark.skipif(not DATA.is_dir(), reason="the data is not beside the checkout")

BOX = {"box": [0, 0, 2, 2]}
MASKED = {**BOX, "mask": {"size": [2, 3], "counts": "24"}}


def test_figures_of_a_small_file() -> None:
    ada = {"text": "Ada", "type": "person", "fine_type": "author", "regions": [MASKED, BOX]}
    rows = [
        Row.model_validate(each)
        for each in (
            {"id": "1", "size": [30, 20], "entities": [ada, ada, {"text": "x", "type": "other"}]},
            {"id": "2", "size": [10, 40], "image": "2.jpg"},
            {"id": "3", "entities": [{"text": "Ada", "type": "person", "regions": []}]},
        )
    ]
    person = {
        "entities": 3,
        "groundable": 2,
        "unknown": 0,
        "boxes": 4,
        "masks": 2,
        "multi_box": 2,
    }
    other = {**dict.fromkeys(person, 0), "entities": 1, "unknown": 1}
    assert statistics(rows) == {
        "rows": 3,
        "rows_with_entity": 2,
        "rows_without_entity": 1,
        "rows_with_groundable": 1,
        "rows_with_image": 1,
        **{key: person[key] + other[key] for key in person},
        "distinct_groundable": 1,
        "distinct_boxes": 2,
        "duplicates": 1,
        "rows_by_masks": {"0": 2, "1": 1, "more": 0},
        "types": {"other": other, "person": person},
        "fine_types": {"person": {"author": 2}},
        "picture_sizes": {
            "known": 2,
            "distinct": 2,
            "width": {"min": 10, "median": 20, "max": 30},
            "height": {"min": 20, "median": 30, "max": 40},
        },
    }
    two = Row.model_validate({"id": "4", "entities": [{**ada, "regions": [MASKED, MASKED]}]})
    assert statistics([two])["rows_by_masks"] == {"0": 0, "1": 0, "more": 1}
    assert statistics([])["picture_sizes"] == {"known": 0, "distinct": 0}


def test_lengths_of_summaries() -> None:
    summaries = ["A dog.", "Two people  on a stage", "\u00c9t\u00e9 in Rome"]
    rows = [StatisticsRow(id=str(n), summary=each) for n, each in enumerate(summaries)]
    figures = statistics([*rows, StatisticsRow(id="none")])["summaries"]
    assert figures["number"] == 3
    assert figures["characters"] == {"max": 22, "min": 6, "median": 11, "mean": 13}
    assert figures["words"] == {"max": 5, "min": 2, "median": 3, "mean": 10 / 3}
    assert "summaries" not in statistics([StatisticsRow(id="none")])


FIGURES = {
    "train": {
        "rows": 7000,
        "rows_without_entity": 358,
        "rows_with_groundable": 3925,
        "entities": 11779,
        "groundable": 4733,
        "boxes": 5723,
        "distinct_boxes": 5652,
        "distinct_groundable": 4696,
        "multi_box": 421,
        "duplicates": 74,
    },
    "dev": {
        "rows": 1500,
        "rows_without_entity": 87,
        "rows_with_groundable": 832,
        "entities": 2450,
        "groundable": 991,
        "boxes": 1171,
        "distinct_boxes": 1164,
        "distinct_groundable": 986,
        "multi_box": 85,
        "duplicates": 12,
    },
}
TYPES = {
    "train": {
        "PER": (5019, 3266, 3684),
        "LOC": (1918, 168, 171),
        "ORG": (3035, 834, 1247),
        "OTHER": (1807, 465, 621),
    },
    "dev": {
        "PER": (1072, 698, 794),
        "LOC": (407, 42, 44),
        "ORG": (595, 139, 198),
        "OTHER": (376, 112, 135),
    },
}
COARSE = {
    "person": (1072, 698),
    "organization": (595, 139),
    "location": (345, 29),
    "event": (126, 33),
    "art": (103, 23),
    "product": (82, 31),
    "building": (62, 13),
    "other": (65, 25),
}


@shared
@pytest.mark.parametrize("split", ["train", "dev"])
def test_the_published_figures_of_version_2(split: str, tmp_path: Path) -> None:
    rows, counts = convert("gmner", DATA / "gmner", split)
    write_rows(tmp_path / "gold.jsonl", rows)
    read = read_rows(tmp_path / "gold.jsonl")
    assert tuple(read) == rows
    found = statistics(read)
    assert {key: found[key] for key in FIGURES[split]} == FIGURES[split]
    assert {
        name: (each["entities"], each["groundable"], each["boxes"])
        for name, each in found["types"].items()
    } == TYPES[split]
    assert counts["boxes in box files"] == FIGURES[split]["distinct_boxes"]
    assert counts["names that match no entity"] == 0
    assert counts["orphan I- tags that open an entity"] == 0


@shared
def test_the_published_figures_of_fine_types() -> None:
    boxes = DATA / "gmner" / "xml.tar.gz"
    found = statistics(convert("fmnerg", DATA / "fmnerg", "dev", boxes=boxes).rows)
    assert {
        name: (each["entities"], each["groundable"]) for name, each in found["types"].items()
    } == COARSE
    fine = Counter({name: n for each in found["fine_types"].values() for name, n in each.items()})
    assert len(fine) == 51
    assert fine.most_common()[-1] == ("art_other", 3)
    assert fine.total() == 2450


def _reference(entity: dict[str, Any], tokens: list[str]) -> tuple[Any, ...]:
    """An entity of the reference files, with its token offsets turned into characters."""
    start = len(" ".join([*tokens[: entity["start"]], ""]))
    boxes = [tuple(map(float, box)) for box in entity["boxes"] or ()]
    kind = entity.get("type") or entity["coarse"]
    return entity["text"], start, start + len(entity["text"]), kind, entity.get("fine"), boxes


@shared
@pytest.mark.parametrize("name", ["gmner", "fmnerg"])
def test_rows_equal_those_of_the_released_converter(name: str) -> None:
    boxes = DATA / "gmner" / "xml.tar.gz"
    rows, _ = convert(name, DATA / name, "dev", boxes=boxes)
    lines = (DATA / "reference" / f"{name}_dev" / "gold.jsonl").read_text().splitlines()
    gold = [json.loads(line) for line in lines]
    for row, other in zip(rows, gold, strict=True):
        assert (row.id, row.text) == (other["id"], " ".join(other["tokens"]))
        assert row.size == (tuple(other["size"]) if other["size"] else None)
        assert [
            (e.text, e.start, e.end, e.type, e.fine_type, [r.box for r in e.regions or ()])
            for e in row.entities
        ] == [_reference(entity, other["tokens"]) for entity in other["entities"]]

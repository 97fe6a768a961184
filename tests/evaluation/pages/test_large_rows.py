"""Rows with thousands of entities: pages stay small, and say what they leave out."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.evaluation.compare import compare_files
from deixis.evaluation.disagreements import compare_row
from deixis.evaluation.metrics import convention, scoring, tasks
from deixis.evaluation.pages.access import Access
from deixis.evaluation.pages.compare_page import compare_page
from deixis.evaluation.pages.report import report_page
from deixis.evaluation.pages.shortened import DETAILS, ENTITIES, TEXT, WARNINGS, shortened
from deixis.rows import Row, RowEntity
from deixis.schema import Extraction

pytestmark = pytest.mark.slow

HOW = scoring.How(tasks.task("gmner"), convention.convention("deixis"), 0.5, 10, 0)


def line(names: list[str], **changed: Any) -> dict[str, Any]:
    """A result with an entity for each name, one after another in the text."""
    entities: list[dict[str, Any]] = []
    start = 0
    for number, name in enumerate(names):
        end = start + len(name)
        known = {"id": f"e{number}", "text": name, "start": start, "end": end}
        entities.append({**known, "type": "PER", "confidence": 1.0, "groundable": None})
        start = end + 1
    whole = {"id": "a", "settings": "s", "text": " ".join(names), "image": None}
    return {**whole, "entities": entities, "usage": [], "warnings": [], **changed}


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


@pytest.mark.parametrize("places", [True, False])
def test_many_mentions_of_one_text_are_paired(places: bool) -> None:
    def row(count: int, shift: int) -> Row:
        found = (
            RowEntity(text="Ann", type="PER", start=4 * n + shift if places else None)
            for n in range(count)
        )
        return Row(id="a", entities=tuple(found))

    same = compare_row(row(1000, 0), row(1000, 0), None, HOW)
    assert (same.agreed, same.differences) == (1000, ())
    more = compare_row(row(1000, 0), row(900, 1), row(1000, 0), HOW)
    assert (more.agreed, len(more.differences)) == (900, 100)
    assert all(each.second is None and each.right == "first" for each in more.differences)


def test_a_place_comes_before_all_else() -> None:
    def row(*found: tuple[int, str]) -> Row:
        entities = (RowEntity(text="Ann", type=kind, start=start) for start, kind in found)
        return Row(id="a", entities=tuple(entities))

    first, second = (
        row((0, "PER"), (9, "LOC"), (20, "ORG")),
        row((9, "PER"), (0, "LOC"), (5, "ORG")),
    )
    pair = compare_row(first, second, None, HOW)
    assert [(each.first.type, each.second.type) for each in pair.differences] == [
        ("PER", "LOC"),
        ("LOC", "PER"),
    ]
    assert pair.agreed == 1


def test_what_is_shown_of_a_large_row() -> None:
    decision = {"step": "vote", "subject": "age", "outcome": "old"}
    notice = {"step": "open", "message": "x"}
    given = line([f"n{n:04}" for n in range(5000)], warnings=[notice] * (WARNINGS + 2))
    given["entities"][-1]["decisions"] = [decision] * 1000
    given["entities"][3]["decisions"] = [decision] * (DETAILS + 7)
    whole = Extraction.model_validate(
        {key: given[key] for key in given if key not in ("id", "settings")}
    )
    small, beyond = shortened(whole, {"n0300"})
    assert len(small.text) == TEXT and len(small.entities) == ENTITIES
    assert small.entities[-1].text == "n0300" and small.entities[3].text == "n0003"
    assert beyond == (
        "9,999 characters, 4,900 entities, 7 regions, decisions and attributes, 2 warnings"
    )
    assert Extraction.model_validate(small.model_dump()) == small
    assert shortened(small) == (small, "")


def test_pages_say_what_they_leave_out(tmp_path: Path) -> None:
    names = [f"n{n}" for n in range(1000)]
    one = written(tmp_path / "one.jsonl", line(names))
    changed = line(names)
    for n in range(300, 600):
        changed["entities"][n]["type"] = f"T{n}"
    two = written(tmp_path / "two.jsonl", changed)
    page = report_page(two, two, samples=1, task="mner", access=Access())
    assert "And 101 more types" in page
    assert "Not shown, for the row is too large: 900 entities." in page
    assert "and 101 more types" in page
    page = compare_page(compare_files(one, two, HOW, None, None), access=Access())
    assert page.count("900 entities") == 2 and "And 100 more mentions that differ" in page
    assert len(page) < 400_000

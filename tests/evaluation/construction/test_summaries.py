"""Summaries that people review, and the rows of M-MRE that come of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.construction.samples import write_samples
from deixis.evaluation.construction.summaries import (
    Extended,
    extend_reviews,
    read_reviews,
    reviewed,
)
from deixis.evaluation.datasets.mmre import MmreRow
from deixis.rows import read_rows

ADA = {"text": "Ada", "start": 0, "end": 3, "type": "PER"}
BOXES = [{"box": [1, 2, 3, 4]}, {"box": [5, 6, 7, 8]}, {"box": [9, 9, 9, 9]}]


def write(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def answers(folder: Path, **captions: str | None) -> Path:
    rows = ({"id": id_, "caption": caption} for id_, caption in captions.items())
    return write(folder / "answers.jsonl", *rows)


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    bob = {"text": "Bob", "start": 4, "end": 7, "type": "PER", "regions": [{"box": [0, 0, 2, 2]}]}
    entities = [{**ADA, "regions": BOXES}, bob, {**bob, "start": 8, "end": 11}]
    return write(
        tmp_path / "gold" / "gold.jsonl",
        {"id": "a", "text": "Ada Bob Bob", "image": "1.jpg", "entities": entities, "more": 1},
        {"id": "b", "text": "Ada", "entities": [{**ADA, "regions": []}]},
        {"id": "c", "text": "Ada", "image": "3.jpg", "patches": [[1, 2, 3, 4]]},
        {"id": "d", "text": "x"},
    )


def edit(review: Path, **changes: dict[str, Any]) -> None:
    lines = [json.loads(line) for line in review.read_text().splitlines()]
    write(review, *(line | changes.get(line["id"], {}) for line in lines))


def test_what_people_have_written_stays(gold: Path, tmp_path: Path) -> None:
    review = tmp_path / "review.jsonl"
    found = extend_reviews(review, gold, answers(tmp_path, a="One.", b="Two.", d=None))
    assert found == Extended(new=2, renewed=0, unwritten=2)
    assert json.loads(review.read_text().splitlines()[0]) == {
        "id": "a",
        "image": "gold/1.jpg",
        "summary": "One.",
        "written": "One.",
        "reviewers": [],
    }
    edit(review, a={"summary": "Mended."})
    before = review.read_bytes()
    assert extend_reviews(review, gold, answers(tmp_path, a="One.", b="Two.")).new == 0
    assert review.read_bytes() == before
    later = answers(tmp_path, a="Other.", b="Other.", c="Three.")
    assert extend_reviews(review, gold, later) == Extended(new=1, renewed=1, unwritten=1)
    lines = {line.id: (line.summary, line.written) for line in read_reviews(review)}
    assert lines == {
        "a": ("Mended.", "One."),
        "b": ("Other.", "Other."),
        "c": ("Three.", "Three."),
    }


def test_approved_summaries_become_rows_that_are_scored(gold: Path, tmp_path: Path) -> None:
    review = tmp_path / "review.jsonl"
    extend_reviews(review, gold, answers(tmp_path, a="One.", b="Two.", c="Three."))
    found = reviewed(gold, review)
    assert (found.rows, found.counts["waiting"]) == ([], 3)
    people = ["Ann", "Ben"]
    edit(
        review,
        a={"summary": " Mended. ", "reviewers": people},
        b={"summary": None, "reviewers": people},
        c={"reviewers": ["Ann", "Ann "]},
    )
    found = reviewed(gold, review)
    counts = {"kept": 1, "edited": 1, "left out": 1, "waiting": 0, "without a review": 1}
    assert found.counts == counts
    assert [sample.row.id for sample in reviewed(gold, review, approvals=2).rows] == ["a"]
    assert len(reviewed(gold, review, approvals=0).rows) == 2
    first, second = found.rows
    assert first.data["more"] == 1 and second.data["patches"] == [[1, 2, 3, 4]]
    write_samples(tmp_path / "rows.jsonl", [first])
    (row,) = read_rows(tmp_path / "rows.jsonl", MmreRow)
    assert (row.summary, row.image) == ("Mended.", "gold/1.jpg")
    assert [(patch.letter, patch.box, patch.entity) for patch in row.patches] == [
        ("a", (1, 2, 3, 4), "Ada"),
        ("b", (5, 6, 7, 8), "Ada"),
        ("c", (0, 0, 2, 2), "Bob"),
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"id": "a", "summary": "x", "writen": "x"}'], "review.jsonl:1: written: Field required"),
        (['{"id": "a", "summary": "x", "written": "x", "reviewed": 1}'], "no key reviewed"),
        (['{"id": "a", "summary": "x", "written": "x"}'] * 2, "jsonl:2: the id 'a' stands twice"),
        (['{"id": "z", "summary": "x", "written": "x"}'], "there is no row 'z' in"),
        (['{"id": "a", "summary": "x",'], "review.jsonl:1: not JSON"),
    ],
)
def test_slips_of_the_pen_are_told(gold: Path, tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        reviewed(gold, write(tmp_path / "review.jsonl", *lines))


def test_what_is_no_batch_is_told(gold: Path, tmp_path: Path) -> None:
    for line in ("[]", "{", '{"id": "a"}'):
        with pytest.raises(DataError, match=r"answers\.jsonl:1: this has no id and caption"):
            extend_reviews(tmp_path / "r.jsonl", gold, write(tmp_path / "answers.jsonl", line))
    assert not (tmp_path / "r.jsonl").exists()


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "a", "caption": 5}',
        '{"id": "a", "caption": ["x"]}',
        '{"id": "a", "caption": "\\ud800"}',
    ],
)
def test_a_description_that_is_no_text_is_told(gold: Path, tmp_path: Path, line: str) -> None:
    file, review = write(tmp_path / "captions.jsonl", line), tmp_path / "review.jsonl"
    with pytest.raises(DataError, match=r"captions.jsonl:1: this has no id and caption"):
        extend_reviews(review, gold, file)
    assert not review.exists()


def test_of_two_descriptions_of_one_row_none_is_chosen(gold: Path, tmp_path: Path) -> None:
    two = ({"id": "a", "caption": "One."}, {"id": "a", "caption": "Two."})
    with pytest.raises(DataError, match=r"captions.jsonl:2: the id 'a' stands twice"):
        extend_reviews(tmp_path / "review.jsonl", gold, write(tmp_path / "captions.jsonl", *two))

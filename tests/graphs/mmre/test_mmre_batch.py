"""Rows of M-MRE through a batch run: their patches go along, their gold does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.batch.input import Rows
from deixis.batch.run import Batch
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import Scored, read_gold, score_file
from deixis.rows import RowEntity, RowRegion, write_rows

SUMMARY = "An officer before a flag."
BOX = (10.0, 10.0, 60.0, 90.0)


@pytest.fixture
def rows(tmp_path: Path, model: Any, picture: Image.Image) -> Path:
    """Two rows as ``deixis dataset convert mmre`` writes them, of which one has no patches."""
    picture.save(tmp_path / "1.png")
    hopper = RowEntity(text="Grace Hopper", type="PER", regions=(RowRegion(box=BOX),))
    common: dict[str, Any] = {"text": model.text, "image": "1.png", "summary": SUMMARY}
    patches = (
        Patch(letter="b", box=(0, 0, 9, 9), entity="US Navy"),
        Patch(letter="a", box=BOX, entity="Grace Hopper"),
    )
    given = [
        MmreRow(id="1", entities=(hopper,), patches=patches, **common),
        MmreRow(id="2", **common),
    ]
    write_rows(tmp_path / "rows.jsonl", given)
    return tmp_path / "rows.jsonl"


def scored(gold: Path, predictions: Path, format_name: str | None) -> tuple[Scored, Any]:
    how = How.named("mmre")
    found = score_file(read_gold(gold, how), predictions, how, None, format_name)
    return found, found.sheet.plain()


@pytest.mark.extra
def test_rows_are_run_with_their_patches_and_scored(rows: Path, model: Any, stack: Any) -> None:
    out = rows.parent / "out.jsonl"
    tally = Batch(stack(), rows, out, concurrency=1).run()
    assert (tally.done, tally.failed) == (2, 0)
    lines = {each["id"]: each for each in map(json.loads, out.read_text().splitlines())}
    assert lines["1"]["caption"] == SUMMARY
    assert [each["groundable"] for each in lines["1"]["entities"]] == [True, True, False]
    assert lines["1"]["entities"][0]["regions"][0]["box"] == list(BOX)
    assert [each["groundable"] for each in lines["2"]["entities"]] == [None] * 3
    questions = [json.dumps([each.content for each in asked]) for asked in model.asked]
    assert sum("Image 2 is its patch b. Image 3 is its patch a." in each for each in questions) == 1
    # The answers as the model wrote them, which is what Algorithm 1 reads.
    answers = rows.parent / "answers.jsonl"
    told = [{"id": each["id"], "answer": each["replies"][-1]["text"]} for each in lines.values()]
    answers.write_text("".join(json.dumps(each) + "\n" for each in told))
    found, values = scored(rows, answers, "pfa")
    assert (found.missing, found.about["unreadable"]) == ((), 0)
    assert (values["patch_accuracy"], values["rougeL"]) == (1.0, 1.0)
    assert (values["recall"], values["precision"]) == (1.0, 1 / 6)


@pytest.mark.extra
def test_lines_of_a_batch_are_scored_as_they_are(rows: Path, model: Any, stack: Any) -> None:
    model.said = f"{SUMMARY}\n:PER; Grace Hopper:ORG; US Navy\n{{'a': 'Grace Hopper'}}"
    out = rows.parent / "out.jsonl"
    Batch(stack(pfa=False), rows, out, concurrency=1).run()
    found, values = scored(rows, out, None)
    assert (values["patch_accuracy"], found.missing) == (0.5, ())
    assert values["rougeL"] == values["recall"] == 1.0


def test_the_gold_of_a_patch_is_not_handed_on(rows: Path) -> None:
    read = Rows(rows, 1000)
    read.scan()
    tasks = {each.id: each for each in read}
    read.close()
    assert tasks["1"].patches == [  # type: ignore[union-attr]
        {"letter": "b", "box": [0.0, 0.0, 9.0, 9.0]},
        {"letter": "a", "box": list(BOX)},
    ]
    assert tasks["2"].patches == []  # type: ignore[union-attr]


def test_a_row_whose_patches_are_none_is_told_and_the_others_run(
    rows: Path, model: Any, stack: Any
) -> None:
    wrong = {"id": "3", "text": "Ann", "patches": [[3, 3, 1, 1]]}
    late = {"id": "4", "text": "Ann", "image": "1.png", "patches": [[200, 0, 300, 9]]}
    with rows.open("a") as file:
        file.writelines(json.dumps(each) + "\n" for each in (wrong, late))
    told: list[Any] = []
    out = rows.parent / "out.jsonl"
    tally = Batch(stack(), rows, out, concurrency=1, report=told.append).run()
    assert (tally.done, tally.failed) == (2, 2)
    assert [(each.line, each.id) for each in told] == [(3, "3")] and "x1 < x2" in told[0].error
    failures = (rows.parent / "out.failures.jsonl").read_text().splitlines()
    assert "is outside of the picture" in json.loads(failures[1])["error"]


@pytest.mark.extra
def test_patches_do_not_disturb_another_graph(quick_graph: Any, picture: Image.Image) -> None:
    given = {"image": picture, "text": "Grace Hopper of the US Navy"}
    plain = quick_graph.invoke(given)
    patched = quick_graph.invoke({**given, "patches": [[1, 1, 9, 9]]})
    assert patched["entities"] == plain["entities"]

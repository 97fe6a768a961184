"""A batch of the graph muie: what its rows bring besides text, and what its results repeat."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.batch.row import BadRow, Reading, task_of
from deixis.batch.run import Batch
from deixis.graphs.registry import find

MUIE = find("muie").takes


def settings() -> Settings:
    roles = {"recognizer": "minilm-ner"}
    data = {"name": "test", "graph": "muie", "roles": roles, "options": {"cache": "off"}}
    return Settings.model_validate(data)


def read(folder: Path, **row: Any) -> Any:
    line = json.dumps({"id": "1", "text": "Bob", **row}).encode()
    return task_of(1, line, Reading(folder, 1000, takes=MUIE))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"dataset": 5}, "dataset must be a name or null; got a number"),
        ({"dataset": []}, "dataset must be a name or null; got a list"),
        ({"dataset": "\ud800"}, "a character that no text has"),
        ({"aligned": "yes"}, "aligned must be true, false or null; got a string"),
        ({"aligned": 1}, "aligned must be true, false or null; got a number"),
        ({"image": "a.png", "images": ["b.png", "a.png"]}, "put all pictures into images"),
    ],
)
def test_what_no_result_could_repeat_is_refused(
    tmp_path: Path, row: dict[str, Any], told: str
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadRow, match=told):
        read(tmp_path, **row)


def test_the_first_picture_may_be_given_twice_as_results_have_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    task = read(tmp_path, image="a.png", images=["a.png", "a.png"])
    assert task.images == [str(tmp_path / "a.png")] * 2 and task.image is None


def test_what_rows_bring_is_repeated_and_a_batch_goes_on_after_it(tmp_path: Path) -> None:
    source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"id": "1", "text": "Bob", "dataset": "own", "aligned": False, "task": ["ner"]},
        {"id": "2", "text": "Bob", "dataset": None, "aligned": None, "task": None},
        {"id": "3", "text": "Bob", "dataset": 5},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for _ in range(2):
        with closing(Batch(settings(), source, out)) as batch:
            batch.run(lambda tally: None)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    results = {row["id"]: row for row in lines}
    assert sorted(results) == ["1", "2"] and batch.tally.earlier == 2
    assert [results["1"][name] for name in ("dataset", "aligned", "task")] == [
        "own",
        False,
        ["ner"],
    ]

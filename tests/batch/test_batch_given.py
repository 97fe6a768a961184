"""A batch whose rows bring a caption, or their mentions: gold ones, to score a part alone."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.batch.run import Batch
from deixis.errors import InputError
from deixis.testing import scripted

HOPPER = {"text": "Grace Hopper", "type": "PER", "regions": []}
ROW = {"id": "1", "text": "Grace Hopper of the US Navy", "entities": [HOPPER]}


def settings() -> Settings:
    return Settings.model_validate(
        {"name": "test", "roles": {"recognizer": "scripted:r"}, "options": {"cache": "off"}}
    )


def run(folder: Path, *rows: Any, **how: Any) -> tuple[list[dict[str, Any]], int]:
    """Run rows; return the results, and how many questions were asked."""
    source, out = folder / "rows.jsonl", folder / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (
        scripted({"entities": []}) as asked,
        closing(Batch(settings(), source, out, **how)) as batch,
    ):
        batch.run(lambda tally: None)
    return [json.loads(line) for line in out.read_text().splitlines()], len(asked)


def test_gold_mentions_are_the_entities_of_the_rows(tmp_path: Path) -> None:
    (result,), asked = run(tmp_path, ROW, gold_mentions=True)
    assert [own["text"] for own in result["entities"]] == ["Grace Hopper"] and asked == 0


def test_without_them_entities_of_a_row_are_passed_over(tmp_path: Path) -> None:
    (result,), asked = run(tmp_path, ROW)
    assert result["entities"] == [] and asked == 1


def test_a_row_may_bring_mentions_and_a_caption(tmp_path: Path) -> None:
    row = {**ROW, "mentions": [HOPPER], "caption": "A woman."}
    (result,), asked = run(tmp_path, row)
    assert len(result["entities"]) == 1 and asked == 0 and result["caption"] == "A woman."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"entities": None}, "the row has no entities"),
        ({"entities": [{"text": "Bob", "type": "PER"}]}, "'Bob' does not stand in the text"),
        ({"caption": 3}, "caption must be a string"),
    ],
)
def test_a_wrong_row_is_told_and_the_others_run(tmp_path: Path, change: Any, told: str) -> None:
    problems: list[Any] = []
    wrong = {**ROW, "id": "2", **change}
    results, _ = run(tmp_path, wrong, ROW, gold_mentions=True, report=problems.append)
    assert [own["id"] for own in results] == ["1"]
    assert [own.id for own in problems] == ["2"] and told in problems[0].error


def test_other_mentions_make_another_row(tmp_path: Path) -> None:
    run(tmp_path, ROW)
    source = tmp_path / "rows.jsonl"
    with (
        scripted(),
        closing(Batch(settings(), source, tmp_path / "out.jsonl", gold_mentions=True)) as batch,
    ):
        assert batch.resumed.examples == ("'1' (patches, caption or mentions)",)


def test_no_row_with_entities_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 are wrong"):
        run(tmp_path, {**ROW, "entities": None}, gold_mentions=True)

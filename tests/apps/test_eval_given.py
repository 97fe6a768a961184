"""A run on gold mentions, and what its parts score."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.testing.stand_ins import Given, tools
from deixis.tools.base import Detection

Run = Callable[..., tuple[int, str, str]]
STACK = "roles: {recognizer: crf, detector: given}\noptions: {cache: 'off'}\n"


def entity(text: str, start: int, kind: str, *boxes: Any) -> dict[str, Any]:
    place = {"start": start, "end": start + len(text)}
    return {"text": text, **place, "type": kind, "regions": [{"box": box} for box in boxes]}


@pytest.mark.extra("starter")
def test_a_run_on_gold_mentions_is_scored_by_its_parts(deixis: Run, tmp_path: Path) -> None:
    Image.new("RGB", (80, 60), "red").save(tmp_path / "a.png")
    (tmp_path / "stack.yaml").write_text(STACK)
    gold = tmp_path / "gold.jsonl"
    rows = [
        # No recognizer would call these names.
        {
            "id": "a",
            "text": "qqx met zzv",
            "image": "a.png",
            "entities": [
                entity("qqx", 0, "PER", [10, 0, 40, 60]),
                entity("zzv", 8, "LOC"),
            ],
        },
        {"id": "b", "text": "qqx", "entities": [entity("qqx", 0, "PER", [0, 0, 9, 9])]},
    ]
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out.jsonl"
    with tools(given=Given([Detection("person", (10.0, 0.0, 40.0, 60.0), 0.9)])):
        named = ("--stack", tmp_path / "stack.yaml", "--out", out, "--gold-mentions")
        code, _, said = deixis("batch", gold, *named)
    assert code == 0, said

    def scored(task: str) -> Any:
        code, printed, err = deixis("eval", gold, out, "--task", task, "--json")
        assert (code, err) == (0, "")
        return json.loads(printed)

    found = scored("entailment")
    assert (found["mentions"], found["groundable"], found["undecided"]) == (3, 2, 1)
    assert found["with_probability"] == 2 and found["missing"] == []
    values = {name: each["value"] for name, each in found["measures"].items()}
    assert values["undecided"] == pytest.approx(1 / 3)
    assert values["auc"] == 1.0, "the person is likelier to be seen than the place"
    assert scored("grounding")["measures"]["precision"]["value"] == 0.5
    assert scored("mner")["score"]["f1"] == 1.0


@pytest.mark.parametrize(("shown", "f1"), [([], 0.0), ([[0, 0, 9, 9]], 1.0)])
def test_what_a_description_shows_is_visible_though_nothing_is_pointed_at(
    deixis: Run, tmp_path: Path, shown: Any, f1: float
) -> None:
    (tmp_path / "stack.yaml").write_text("roles: {recognizer: crf, entailer: caption}\n")
    row = {
        "id": "a",
        "text": "Grace Hopper speaks",
        "caption": "A woman in a uniform, Grace Hopper, speaks at a desk.",
        "entities": [entity("Grace Hopper", 0, "PER", *shown)],
    }
    gold, out = tmp_path / "gold.jsonl", tmp_path / "out.jsonl"
    gold.write_text(json.dumps(row) + "\n")
    named = ("--stack", tmp_path / "stack.yaml", "--out", out, "--gold-mentions")
    assert deixis("batch", gold, *named)[0] == 0
    assert json.loads(out.read_text())["entities"][0]["groundable"] is None
    code, printed, err = deixis("eval", gold, out, "--task", "visible", "--json")
    assert (code, err) == (0, "") and json.loads(printed)["score"]["f1"] == f1

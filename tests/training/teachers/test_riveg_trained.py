"""RiVEG's parts are trained by their recipes, and scored as the paper scores them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Settings
from deixis.testing import tools
from deixis.training.courses import COURSES
from deixis.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]

ENTITIES = [
    {"text": "Ann", "start": 0, "end": 3, "type": "PER", "regions": [{"box": [5, 5, 60, 70]}]},
    {"text": "NASA", "start": 7, "end": 11, "type": "ORG", "regions": []},
]
ROLES = dict.fromkeys(("recognizer", "expander", "entailer", "vlm"), "scripted:any")


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    rows = []
    for number in range(2):
        name = f"{number}.png"
        Image.fromarray(np.full((84, 112, 3), 90 * number, np.uint8)).save(tmp_path / name)
        row = {"id": str(number), "text": "Ann at NASA", "image": name, "entities": ENTITIES}
        rows.append(json.dumps(row))
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), "utf-8")
    return tmp_path / "rows.jsonl"


@pytest.mark.parametrize(
    ("course", "task", "options"),
    [
        ("riveg-ve", "entailment", "?family=qwen3-vl"),
        ("riveg-vg", "grounding", "?family=qwen3-vl"),
        ("riveg-ner", "mner", ""),
    ],
)
def test_a_part_is_trained_and_scored(
    save_seeing: Callable[..., None],
    scripted: Any,
    posts: Path,
    tmp_path: Path,
    course: str,
    task: str,
    options: str,
) -> None:
    from deixis.training.fine_tuning.run import Plan, train

    scripted()
    save_seeing(tmp_path / "tiny", "qwen3-vl")
    data = {
        "name": "test",
        "schema": "gmner",
        "graph": "riveg",
        "options": {"cache": "off", "max_tokens": 64},
    }
    settings = Settings.model_validate({**data, "roles": {**ROLES, "detector": "eyes"}})
    recipe = Recipe.load(course)
    assert recipe.evaluate.task == task
    quick = {"epochs": 1, "batch_size": 1, "accumulate": 1, "max_tokens": None}
    base = f"{tmp_path / 'tiny'}{options}"
    plan = Plan(COURSES[course], posts, posts, settings, base, recipe.model_copy(update=quick))
    with tools(eyes=[]):
        trained = train(plan, tmp_path / "run")
    assert trained.fitted.steps == 2
    (score,) = trained.fitted.scores
    assert 0 <= score.score <= 1
    results = (tmp_path / "run" / "dev" / "epoch-1.jsonl").read_text("utf-8").splitlines()
    said = [entity["text"] for line in results for entity in json.loads(line)["entities"]]
    given = course != "riveg-ner"
    assert not given or said == ["Ann", "NASA"] * 2
    card = (tmp_path / "run" / "README.md").read_text("utf-8")
    assert ("--gold-mentions" in card) == given

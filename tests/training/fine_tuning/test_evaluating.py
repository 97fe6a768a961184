"""Scores in training: the model is asked at every epoch, and whoever else is asked, once."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.settings import Settings
from deixis.training.courses import COURSES
from deixis.training.fine_tuning.evaluating import scorer
from deixis.training.fine_tuning.learner import read_learner
from deixis.training.lessons.rehearsal import rehearse
from deixis.training.recipes import Evaluation, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = Recipe.model_validate({"lora": {"rank": 2, "alpha": 4}, "learning_rate": 1e-3, "steps": 1})


def test_others_are_asked_once_for_all_epochs(
    posts: Path, tmp_path: Path, save_seeing: Callable[..., None], scripted: Any
) -> None:
    asked: Counter[str] = Counter()

    def answer(name: str, *_: Any) -> str | None:
        asked[name] += 1
        return "Ann is a(an) PER." if name == "first" else None

    scripted(answer)
    save_seeing(tmp_path / "tiny", "qwen2.5-vl", window=4096)
    row = json.loads(posts.read_text().splitlines()[0])
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({**row, "text": "Ann", "image": str(posts.parent / "0.png")}) + "\n")
    stack = Settings.model_validate(
        {
            "name": "test",
            "graph": "vkel",
            "graph_options": {"calls": "joint", "objects": False},
            "roles": {
                "vlm": "scripted:nobody",
                "sketcher": "scripted:first",
                "committee": ["scripted:member"],
                "templater": "scripted:member",
            },
            "options": {"max_tokens": 16, "cache_folder": str(tmp_path / "cache")},
        }
    )
    base = str(tmp_path / "tiny")
    lessons = rehearse(COURSES["vkel"], rows, stack, base, tmp_path / "lessons")
    assert asked["first"] == 0, "the sketch is the row's"
    score = scorer(lessons.manifest, rows, Evaluation(), tmp_path / "dev")
    learner = read_learner(lessons.manifest.base, RECIPE)
    score(learner, 1)
    before = Counter(asked)
    assert before["first"] == 1 and before["member"] > 0
    score(learner, 2)
    assert asked == before
    told = [json.loads((tmp_path / "dev" / f"epoch-{n}.jsonl").read_text()) for n in (1, 2)]
    for each in told:
        calls = {used["role"]: used["calls"] for used in each["usage"]}
        assert calls["vlm"] > 0, "the model in training is asked anew"

"""VKEL as in the paper: two adapters of one tiny model, each learned by heart, in one graph."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.batch.run import Batch
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import read_gold, score_file
from deixis.settings import Settings
from deixis.training.courses import COURSES
from deixis.training.fine_tuning.run import Plan, train
from deixis.training.lessons.rehearsal import rehearse
from deixis.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = Recipe.model_validate(
    {
        "lora": {"rank": 16, "alpha": 64},
        "learning_rate": 1e-2,
        "steps": 70,
        "batch_size": 8,
        "warmup": 0.1,
    }
)


def test_two_adapters_of_one_model_answer_a_stage_each(
    posts: Path, tmp_path: Path, save_seeing: Callable[..., None]
) -> None:
    base = str(tmp_path / "tiny")
    stack = Settings.model_validate(
        {
            "name": "test",
            "graph": "vkel",
            "graph_options": {"knowledge": False, "objects": False},
            "roles": {"vlm": "transformers:nobody"},
            "options": {"cache": "off", "max_tokens": 200},
        }
    )
    asked = [
        text
        for name in ("vkel-sketch", "vkel")
        for lesson in rehearse(
            COURSES[name], posts, stack, f"{base}?family=llava", tmp_path / name
        ).lessons
        for text in (lesson.system, lesson.user)
    ]
    save_seeing(tmp_path / "tiny", "llava", hidden=64, window=2048, texts=asked, pieces=400)
    runs = []
    for name, family in (("vkel-sketch", ""), ("vkel", "?family=llava")):
        plan = Plan(COURSES[name], posts, None, stack, base + family, RECIPE)
        runs.append(train(plan, tmp_path / f"run-{name}"))
        weights = runs[-1].fitted.weights
        stack = stack.with_roles({"sketcher": f"transformers:{base}?adapter={weights}"})
    first, second = (Settings.load(str(run.stack)) for run in runs)
    assert first.roles.sketcher is None and first.graph_options["ground"] is False
    assert second.roles.sketcher == f"transformers:{base}?adapter={runs[0].fitted.weights}"
    for settings, task in ((first, "mner"), (second, "gmner")):
        results = tmp_path / f"{task}.jsonl"
        tally = Batch(settings, posts, results).run()
        assert (tally.done, tally.failed) == (8, 0)
        how = How.named(task)
        assert score_file(read_gold(posts, how), results, how).sheet.plain()["f1"] == 1.0

"""Scores after every epoch: the best is kept, patience ends a run, and a stop changes neither."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import SettingsError, ToolError
from deixis.training.fine_tuning.fit import fit
from deixis.training.fine_tuning.learner import Learner
from deixis.training.fine_tuning.progress import Best, best_of, is_over
from deixis.training.lessons.records import Lessons
from deixis.training.recipes import Lora, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
SCORES = [0.2, 0.5, 0.4, 0.5, 0.9]
RECIPE = Recipe.model_validate(
    {
        "lora": {"rank": 2, "alpha": 4},
        "learning_rate": 1e-2,
        "epochs": 5,
        "batch_size": 4,
        "evaluate": {"patience": 2},
    }
)


def test_the_best_epoch_is_kept_and_patience_ends_the_run(
    lessons_of: Callable[[str], Lessons], tmp_path: Path
) -> None:
    lessons, asked = lessons_of("qwen2.5-vl"), []

    def score(learner: Learner, epoch: int) -> float:
        asked.append(epoch)
        return SCORES[epoch - 1]

    fitted = fit(lessons, RECIPE, tmp_path, score=score)
    assert asked == [1, 2, 3, 4]
    assert fitted.best == Best(0.5, 4) and fitted.steps == 8
    assert [each.score for each in fitted.scores] == SCORES[:4]
    folder = tmp_path / "checkpoints"
    assert {path.name for path in folder.iterdir()} == {"checkpoint-4", "checkpoint-8"}
    name = "adapter_model.safetensors"
    kept = (fitted.weights / name).read_bytes()
    assert kept == (folder / "checkpoint-4" / name).read_bytes()
    assert kept != (folder / "checkpoint-8" / name).read_bytes()
    metrics = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in metrics] == [1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8]
    assert list((tmp_path / "tensorboard").iterdir())
    told: list[Any] = []
    again = fit(
        lessons, RECIPE, tmp_path, score=score, resume=True, told=lambda *given: told.append(given)
    )
    assert again == fitted and asked == [1, 2, 3, 4] and not told, "the patience is over"


def test_a_run_goes_on_after_its_last_checkpoint_with_its_scores(
    lessons_of: Callable[[str], Lessons], tmp_path: Path
) -> None:
    lessons = lessons_of("qwen2.5-vl")

    def stopped(learner: Learner, epoch: int) -> float:
        if epoch == 3:
            raise KeyboardInterrupt
        return SCORES[epoch - 1]

    with pytest.raises(KeyboardInterrupt):
        fit(lessons, RECIPE, tmp_path, score=stopped)
    asked: list[int] = []

    def score(learner: Learner, epoch: int) -> float:
        asked.append(epoch)
        return SCORES[epoch - 1]

    fitted = fit(lessons, RECIPE, tmp_path, score=score, resume=True)
    assert asked == [3, 4] and fitted.best == Best(0.5, 4)
    assert [each.score for each in fitted.scores] == SCORES[:4]


def test_a_loss_that_is_no_number_ends_the_run(
    lessons_of: Callable[[str], Lessons], tmp_path: Path
) -> None:
    wild = RECIPE.model_copy(update={"lora": Lora(rank=2, alpha=1e300)})
    with pytest.raises(SettingsError, match="the loss of step 1 is nan"):
        fit(lessons_of("qwen2.5-vl"), wild, tmp_path)
    assert not (tmp_path / "adapter").exists()


def test_what_helps_where_memory_does_not_suffice_is_told(
    lessons_of: Callable[[str], Lessons], tmp_path: Path
) -> None:
    import torch

    def score(learner: Learner, epoch: int) -> float:
        return float(torch.empty(2**50).sum())

    with pytest.raises(ToolError, match="set batch_size: 1"):
        fit(lessons_of("qwen2.5-vl"), RECIPE, tmp_path, score=score)


def test_a_later_score_that_is_as_good_is_not_better() -> None:
    history = [{"score": score, "step": step} for step, score in enumerate((0.1, 0.4, 0.4), 1)]
    assert best_of(history) == Best(0.4, 2)
    assert is_over(history, 1) and not is_over(history, 2) and not is_over(history, None)
    assert best_of([{"loss": 1.0, "step": 1}]) is None and not is_over([], 1)

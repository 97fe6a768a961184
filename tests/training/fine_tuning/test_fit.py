"""A tiny model learns eight posts by heart, and its adapter answers them through the graph."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.batch.run import Batch
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import read_gold, score_file
from deixis.settings import Settings
from deixis.training.fine_tuning.fit import fit
from deixis.training.fine_tuning.learner import read_learner
from deixis.training.fine_tuning.run_folder import write_stack
from deixis.training.lessons.records import Lessons
from deixis.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = Recipe.model_validate(
    {
        "lora": {"rank": 16, "alpha": 32},
        "learning_rate": 1e-2,
        "steps": 50,
        "batch_size": 8,
        "warmup": 0.1,
    }
)


@pytest.mark.parametrize("kind", ["qwen2.5-vl", "qwen3-vl", "llava"])
def test_eight_posts_are_learned_by_heart(
    lessons_of: Callable[[str], Lessons], posts: Path, tmp_path: Path, kind: str
) -> None:
    lessons = lessons_of(kind)
    losses: list[float] = []
    fitted = fit(lessons, RECIPE, tmp_path, told=lambda entry, steps: losses.append(entry["loss"]))
    assert fitted.steps == len(losses) == 50
    assert losses[-1] < 0.1 * losses[0]
    stack = write_stack(
        tmp_path, lessons.manifest.settings, "vlm", lessons.manifest.base, fitted.weights
    )
    results = tmp_path / "results.jsonl"
    tally = Batch(Settings.load(str(stack)), posts, results).run()
    assert (tally.done, tally.failed) == (8, 0)
    how = How.named("gmner")
    scores = score_file(read_gold(posts, how), results, how).sheet.plain()
    assert scores == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


@pytest.mark.parametrize("kind", ["qwen2.5-vl", "qwen3-vl", "llava"])
def test_an_adapter_is_on_the_language_model_alone(
    lessons_of: Callable[[str], Lessons], tmp_path: Path, kind: str
) -> None:
    from safetensors.torch import load_file

    lessons = lessons_of(kind)
    recipe = RECIPE.model_copy(update={"steps": 2, "batch_size": 1})
    fitted = fit(lessons, recipe, tmp_path)
    written = load_file(fitted.weights / "adapter_model.safetensors")
    assert written and all(".language_model.layers." in name for name in written)
    assert any(".mlp." in name for name in written) and any("q_proj" in name for name in written)
    assert any(bool(weight.any()) for name, weight in written.items() if "lora_B" in name)


def test_what_is_not_trained_stays_bit_for_bit(
    lessons_of: Callable[[str], Lessons], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deixis.training.fine_tuning import fit as room

    lessons = lessons_of("qwen2.5-vl")
    held: list[Any] = []

    def keep(base: str, recipe: Recipe) -> Any:
        held.append(read_learner(base, recipe))
        return held[-1]

    monkeypatch.setattr(room, "read_learner", keep)
    fit(lessons, RECIPE.model_copy(update={"steps": 2, "batch_size": 2}), tmp_path)
    fresh = dict(read_learner(lessons.manifest.base, RECIPE).model.named_parameters())
    after = {
        name.replace(".base_layer", ""): weight
        for name, weight in held[0].model.named_parameters()
        if ".lora_" not in name
    }
    assert after.keys() == fresh.keys() and any(".visual." in name for name in after)
    assert all(weight.equal(fresh[name]) for name, weight in after.items())

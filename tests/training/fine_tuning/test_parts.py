"""Which weights are trained, and how fast: by the part of the model that they are in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.errors import SettingsError
from deixis.training.fine_tuning.learner import read_learner
from deixis.training.lessons.records import Lessons
from deixis.training.recipes import Rates, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = Recipe.model_validate(
    {
        "full": True,
        "learning_rate": {"language": 1e-3, "vision": 1e-4, "projector": 2e-4},
        "steps": 1,
    }
)
PLACES = {
    "qwen2.5-vl": ("visual.blocks.0.attn.qkv.weight", "visual.merger.mlp.0.weight"),
    "qwen3-vl": ("visual.blocks.0.attn.qkv.weight", "visual.deepstack_merger_list.0"),
    "llava": ("vision_tower.", "multi_modal_projector."),
}


@pytest.mark.parametrize("kind", PLACES)
def test_every_part_has_its_learning_rate(
    lessons_of: Callable[[str], Lessons], tmp_path: Path, kind: str
) -> None:
    from deixis.training.fine_tuning.inputs import Batches
    from deixis.training.fine_tuning.parts import freed
    from deixis.training.fine_tuning.sft import LessonTrainer

    lessons = lessons_of(kind)
    learner = read_learner(lessons.manifest.base, RECIPE)
    freed(learner.model, RECIPE.learning_rate)
    batches = Batches(learner, lessons, lambda epoch, lesson: None)
    trainer = LessonTrainer(
        *(learner.model, RECIPE, tmp_path, batches, 8, learner.loaded.tokenizer, None),
        lambda entry, steps: None,
    )
    rate_of = {
        id(weight): group["lr"]
        for group in trainer.create_optimizer().param_groups
        for weight in group["params"]
    }
    rates = {name: rate_of[id(weight)] for name, weight in learner.model.named_parameters()}
    vision, projector = PLACES[kind]
    assert {rate for name, rate in rates.items() if vision in name} == {1e-4}
    assert {rate for name, rate in rates.items() if projector in name} == {2e-4}
    own = {rate for name, rate in rates.items() if ".language_model." in name or "lm_head" in name}
    assert own == {1e-3}


def test_a_part_without_a_rate_stays_and_one_that_shall_not_be_trained_is_told(
    lessons_of: Callable[[str], Lessons],
) -> None:
    from deixis.training.fine_tuning.parts import check_trained, freed

    model = read_learner(lessons_of("qwen2.5-vl").manifest.base, RECIPE).model
    freed(model, Rates(language=1e-3))
    assert {name.split(".")[1] for name, own in model.named_parameters() if own.requires_grad} == {
        "language_model",
        "weight",
    }
    model.model.visual.patch_embed.proj.weight.requires_grad = True
    with pytest.raises(SettingsError, match="of the vision part would be trained, and shall not"):
        check_trained(model, {"language"})
    with pytest.raises(SettingsError, match="no weights to train in the projector part"):
        check_trained(model, {"language", "vision", "projector"})

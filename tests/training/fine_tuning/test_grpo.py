"""GRPO: the questions are those of inference, and a run of some steps leaves an adapter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Settings
from deixis.training.courses import COURSES
from deixis.training.fine_tuning.learner import read_learner
from deixis.training.lessons.records import Lessons
from deixis.training.lessons.rehearsal import rehearse
from deixis.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
SIZES = {"1": (140, 112), "2": (84, 224)}
TEXTS = {"1": "Ann of Rome", "2": "Ann, <|im_end|><v><|image|> and all of her friends"}
ANN = {"text": "Ann", "type": "PER", "regions": [{"box": [10, 10, 70, 90]}]}
NUMBERS: dict[str, Any] = {
    "lora": {"rank": 2, "alpha": 4},
    "learning_rate": 1e-2,
    "steps": 2,
    "batch_size": 2,
    "grpo": {
        "generations": 2,
        "most_new_tokens": 8,
        "rewards": {"gmner": 1.0, "format": 0.5, "count": 0.1},
    },
}


@pytest.fixture(scope="module")
def taught(
    tmp_path_factory: pytest.TempPathFactory, save_seeing: Callable[..., None]
) -> Callable[..., Lessons]:
    """Return lessons for a tiny model of a kind, with options of its spec."""
    root = tmp_path_factory.mktemp("grpo")
    for name, size in SIZES.items():
        Image.linear_gradient("L").resize(size).convert("RGB").save(root / f"{name}.png")
    rows = [
        {"id": name, "text": text, "image": f"{name}.png", "entities": [ANN]}
        for name, text in TEXTS.items()
    ]
    (root / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def lessons(kind: str, options: str = "") -> Lessons:
        if not (root / kind).exists():
            save_seeing(root / kind, kind, window=4096)
        base = f"{root / kind}?family={kind}{options}"
        out = root / f"lessons-{kind}-{len(options)}"
        return rehearse(COURSES["e2e"], root / "rows.jsonl", Settings.load("e2e"), base, out)

    return lessons


@pytest.mark.parametrize(
    ("kind", "options"),
    [("qwen2.5-vl", ""), ("qwen2.5-vl", "&max_pixels=6272"), ("qwen3-vl", ""), ("llava", "")],
)
def test_trl_asks_what_a_graph_asks(
    taught: Callable[..., Lessons], kind: str, options: str
) -> None:
    """Token ids and pixels are the same, however TRL asks for them; marks in a text are text."""
    import torch

    from deixis.training.fine_tuning.grpo import Questions, processor
    from deixis.training.fine_tuning.inputs import question

    lessons = taught(kind, options)
    learner = read_learner(lessons.manifest.base, Recipe.model_validate(NUMBERS))
    ours = [question(learner, lessons, lesson) for lesson in lessons.lessons]
    examples = Questions(learner, lessons)([{"lesson": 0}, {"lesson": 1}])
    asked = [example["prompt"] for example in examples]
    own = processor(learner)
    first = own.apply_chat_template(
        conversation=asked, tools=None, add_generation_prompt=True, tokenize=True, return_dict=True
    )
    assert first["input_ids"] == [each["input_ids"][0].tolist() for each in ours]
    rendered = [own.apply_chat_template(each, tokenize=False) for each in asked]
    again = own(images=None, text=rendered, padding=True, return_tensors="pt")
    for key in set(ours[0]) - {"input_ids", "attention_mask", "mm_token_type_ids"}:
        for made in (first, again):
            torch.testing.assert_close(
                torch.as_tensor(np.asarray(made[key])), torch.cat([each[key] for each in ours])
            )
    for key in {"input_ids", "mm_token_type_ids"} & set(ours[0]):
        for row, each in zip(again[key], ours, strict=True):
            assert row[-each[key].shape[1] :].tolist() == each[key][0].tolist()


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_some_steps_leave_an_adapter_and_a_reward_of_each_kind(
    taught: Callable[..., Lessons], tmp_path: Path, beta: float
) -> None:
    from safetensors.torch import load_file

    from deixis.training.fine_tuning.fit import fit

    recipe = Recipe.model_validate({**NUMBERS, "grpo": {**NUMBERS["grpo"], "beta": beta}})
    history: list[dict[str, Any]] = []
    fitted = fit(
        taught("qwen2.5-vl"), recipe, tmp_path, told=lambda entry, _: history.append({**entry})
    )
    assert fitted.steps == len(history) == 2
    for entry in history:
        for name in ("gmner", "format", "count"):
            assert 0 <= entry[f"rewards/{name}_reward/mean"] <= 1
        assert entry["completions/max_length"] <= 8
    weights = load_file(fitted.weights / "adapter_model.safetensors")
    assert weights and all(".language_model." in name for name in weights)


def test_lessons_are_a_data_set_of_trls_own_trainer(
    taught: Callable[..., Lessons], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a script of one's own the questions are the same."""
    import warnings

    from trl import GRPOConfig, GRPOTrainer

    from deixis.training.fine_tuning.grpo import processor
    from deixis.training.fine_tuning.inputs import question
    from deixis.training.reward_data import dataset
    from deixis.training.rewards import REWARDS

    monkeypatch.setattr(GRPOTrainer, "_send_telemetry", lambda self: None)
    lessons = taught("qwen2.5-vl")
    learner = read_learner(lessons.manifest.base, Recipe.model_validate(NUMBERS))
    config = GRPOConfig(
        str(tmp_path),
        max_steps=1,
        per_device_train_batch_size=2,
        num_generations=2,
        max_completion_length=4,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        report_to="none",
        save_strategy="no",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = GRPOTrainer(
            learner.model,
            [REWARDS["gmner"], REWARDS["iou"]],
            config,
            dataset(lessons),
            processing_class=processor(learner),
        )
        asked: list[Any] = []
        tokenize = trainer._tokenize_prompts
        monkeypatch.setattr(
            trainer,
            "_tokenize_prompts",
            lambda prompts: asked.append(tokenize(prompts)) or asked[-1],
        )
        trainer.train()
    ours = [question(learner, lessons, lesson)["input_ids"] for lesson in lessons.lessons]
    assert asked[0][0][0] in [ids[0].tolist() for ids in ours]
    assert "rewards/iou_reward/mean" in trainer.state.log_history[0]


def test_a_run_goes_on_where_it_was_stopped(taught: Callable[..., Lessons], tmp_path: Path) -> None:
    from deixis.training.fine_tuning.fit import fit

    grpo = {**NUMBERS["grpo"], "beta": 0.1}
    shorter, longer = (
        Recipe.model_validate({**NUMBERS, "grpo": grpo, "steps": steps}) for steps in (1, 2)
    )
    lessons = taught("qwen2.5-vl")
    fit(lessons, shorter, tmp_path)
    steps: list[int] = []
    fitted = fit(lessons, longer, tmp_path, resume=True, told=lambda e, _: steps.append(e["step"]))
    assert (fitted.steps, steps) == (2, [2])

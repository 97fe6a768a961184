"""Recipes: every number that a training run is set by, in a short YAML file.

``Recipe.load("e2e")`` reads one that comes with Deixis, with its paper's numbers and where they
stand; ``Recipe.load("my-recipe.yaml")`` one of yours.
"""

import os
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from deixis.base.problems import describe_problem, nearest
from deixis.base.yaml_files import read_yaml
from deixis.errors import SettingsError
from deixis.evaluation.metrics.tasks import TASKS
from deixis.training.perturbation import Perturbation
from deixis.training.rewards import REWARDS

RECIPES = Path(str(files("deixis"))) / "recipes"
_LENGTHS = ("epochs", "steps")
_MANY = 2**31


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Lora(_Record):
    """Low-rank adaptation of the linear layers of the language model, and of nothing else.

    Attributes:
        rank: r of the two matrices.
        alpha: what they are multiplied by, times r.
        dropout: share of what comes in that is left out, in training alone.
    """

    rank: int = Field(ge=1, le=65_536)
    alpha: float = Field(gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


class Rates(_Record):
    """Learning rates by part of the model; a part with 0 stays as it is.

    Attributes:
        language: of the language model.
        vision: of the vision tower; of an ear too.
        projector: of what brings pictures and sound to the language model.
    """

    language: float = Field(ge=0, le=1)
    vision: float = Field(default=0.0, ge=0, le=1)
    projector: float = Field(default=0.0, ge=0, le=1)


class Evaluation(_Record):
    """How the best checkpoint is found: by the score on rows that are not learned.

    Attributes:
        task: as of ``deixis eval``.
        measure: what counts, as ``deixis eval --json`` names it.
        patience: so many epochs without a better score end the run; None goes on to the end.
    """

    task: str = "gmner"
    measure: str = "f1"
    patience: int | None = Field(default=None, ge=1)

    @field_validator("task")
    @classmethod
    def _known(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(f"there is no task {task!r}{nearest(task, TASKS)}")
        return task


class Grpo(_Record):
    """How a model is rewarded for its own answers: group relative policy optimization.

    Attributes:
        rewards: what each reward counts, by the names of `deixis.training.rewards`.
        generations: answers to a question, which are compared with each other.
        most_new_tokens: of an answer; a longer one is cut off.
        temperature: at which answers are drawn.
        beta: how much it costs to go away from the model as it was (a KL divergence).
        epsilon: how far the likelihood of a token may move in a step before that is cut off.
        loss: how tokens are weighed, as TRL names it.
        scale: by whose standard deviation rewards are divided.
    """

    rewards: dict[str, float] = Field(min_length=1)
    generations: int = Field(default=8, ge=2)
    most_new_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.0, ge=0)
    epsilon: float = Field(default=0.2, gt=0, lt=1)
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = "dapo"
    scale: Literal["group", "batch", "none"] = "group"

    @field_validator("rewards")
    @classmethod
    def _known(cls, rewards: dict[str, float]) -> dict[str, float]:
        for name in rewards:
            if name not in REWARDS:
                raise ValueError(f"there is no reward {name!r}{nearest(name, REWARDS)}")
        return rewards


class Recipe(_Record):
    """How a model is trained.

    Attributes:
        description: what for, in a line.
        sources: where each number comes from.
        lora: what is added to the model and trained; None with ``full``.
        full: train the model's own weights instead.
        learning_rate: a number is that of the language model.
        weight_decay: of AdamW.
        epochs: how often every lesson is seen; or else ``steps``, of the optimizer.
        batch_size: lessons on a device at once.
        accumulate: batches before the optimizer takes a step.
        warmup: share of all steps in which the learning rate rises from 0.
        schedule: how it falls from there to the end.
        max_grad_norm: gradients are scaled down to this norm; None leaves them.
        precision: ``auto`` is bfloat16 on CUDA and 32 bits elsewhere.
        checkpointing: forget what layers put out and work it out again: less memory, a third more
            time.
        max_tokens: most tokens of a lesson, prompt and answer together; None is the model's own
            context. Nothing is cut off: a lesson that is longer is told of before the first step.
        boxes: move the boxes of answers a little, at every epoch anew; None leaves them.
        grpo: reward the model for answers of its own, instead of teaching it the gold ones.
            ``batch_size`` counts its answers then.
        evaluate: on ``--dev``, after every epoch.
        save_every: steps between two checkpoints besides those that end an epoch; None: no others.
        seed: of all that is drawn.
    """

    description: str = ""
    sources: str = ""
    lora: Lora | None = None
    full: bool = False
    learning_rate: Rates
    weight_decay: float = Field(default=0.0, ge=0)
    epochs: int | None = Field(default=None, ge=1, lt=_MANY)
    steps: int | None = Field(default=None, ge=1, lt=_MANY)
    batch_size: int = Field(default=1, ge=1, lt=_MANY)
    accumulate: int = Field(default=1, ge=1, lt=_MANY)
    warmup: float = Field(default=0.0, ge=0, lt=1)
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    max_grad_norm: float | None = Field(default=1.0, gt=0)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    checkpointing: bool = False
    max_tokens: int | None = Field(default=None, ge=16)
    boxes: Perturbation | None = None
    grpo: Grpo | None = None
    evaluate: Evaluation = Evaluation()
    save_every: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("learning_rate", mode="before")
    @classmethod
    def _of_language(cls, given: Any) -> Any:
        return given if isinstance(given, dict | Rates) else {"language": given}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.lora is None) != self.full:
            raise ValueError("write either lora, with its rank and alpha, or full: true")
        rates = self.learning_rate
        if self.lora and (rates.vision or rates.projector):
            raise ValueError(
                "learning_rate: LoRA is on the language model alone, so vision and projector have "
                "no effect; leave them out, or write full: true"
            )
        if not any((rates.language, rates.vision, rates.projector)):
            raise ValueError("learning_rate: nothing would be learned; one part needs a rate")
        if self.grpo:
            _check_rewarded(self, self.grpo)
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("write either epochs or steps")
        return self

    @classmethod
    def load(cls, recipe: str | Path) -> "Recipe":
        """Read a recipe by name or path.

        A file that begins with ``from: NAME`` has what that recipe has, but for what it says
        itself; NAME is one that comes with Deixis.

        Raises:
            SettingsError: there is none, or the file has an error; the message names the file, the
                place in it and, for a typo, the nearest right name.
        """
        path = Path(os.path.expanduser(recipe))
        if path.suffix not in {".yaml", ".yml"}:
            path = RECIPES / f"{recipe}.yaml"
            if not path.is_file():
                raise SettingsError(
                    f"there is no recipe {str(recipe)!r}{nearest(str(recipe), recipe_names())}; "
                    f"known: {', '.join(recipe_names())}, or give the path of a .yaml file"
                )
        given = read_yaml(path)
        try:
            if (origin := given.pop("from", None)) is not None:
                given = _changed(cls.load(_shipped(origin)), given)
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(f"{path}: {describe_problem(error, cls)}") from None


def _shipped(name: Any) -> str:
    if name not in recipe_names():
        hint = nearest(str(name), recipe_names())
        raise SettingsError(
            f"from: there is no recipe {name!r}{hint} that comes with Deixis; known: "
            f"{', '.join(recipe_names())}"
        )
    return str(name)


def _changed(recipe: Recipe, given: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe with what is said of it anew, and where the rest comes from."""
    numbers = [name for name in given if name not in ("description", "sources")]
    if given.keys() & _LENGTHS:  # one takes the place of the other
        given = {**dict.fromkeys(_LENGTHS), **given}
    sources = f"{recipe.sources.strip()} Set otherwise: {', '.join(numbers) or 'nothing'}."
    return {**recipe.model_dump(exclude_unset=True), "sources": sources, **given}


def _check_rewarded(recipe: Recipe, grpo: Grpo) -> None:
    """Refuse a recipe of rewards that has what they do not use, or cannot be compared."""
    if recipe.boxes or recipe.full:
        raise ValueError(
            "boxes has no effect with grpo; leave it out"
            if recipe.boxes
            else "grpo trains an adapter; write lora, with its rank and alpha, instead of full"
        )
    answers = recipe.batch_size * recipe.accumulate
    if answers % grpo.generations:
        raise ValueError(
            f"a step has {answers} answers (batch_size times accumulate), which is no multiple "
            f"of the {grpo.generations} generations of a question; change one of them"
        )


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with Deixis."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))

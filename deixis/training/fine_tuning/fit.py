"""From a folder of lessons to trained weights."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.printable import first_line
from deixis.errors import MissingExtraError, ToolError
from deixis.training.fine_tuning import checkpoints
from deixis.training.fine_tuning.evaluating import Scorer
from deixis.training.fine_tuning.learner import Learner, read_learner
from deixis.training.fine_tuning.outcome import ADAPTER, MODEL, put_adapter, put_model
from deixis.training.fine_tuning.processes import is_main
from deixis.training.fine_tuning.progress import (
    Best,
    Entry,
    Moves,
    Told,
    best_of,
    figures,
    is_over,
    scores,
)
from deixis.training.fine_tuning.run_folder import recorded
from deixis.training.lessons.records import Lessons, Move
from deixis.training.perturbation import grbp
from deixis.training.recipes import Recipe
from deixis.weights.short_memory import is_out_of_memory

CHECKPOINTS = "checkpoints"


class Fitted(NamedTuple):
    """What came of a run.

    Attributes:
        weights: folder of the adapter, or of the model if all of it was trained.
        steps: of the optimizer.
        loss: of the last step.
        best: the best score, and where; None where nothing was scored.
        scores: of all epochs.
        reward: of the last step, as the recipe weighs it; None where gold answers were learned.
    """

    weights: Path
    steps: int
    loss: float
    best: Best | None
    scores: tuple[Best, ...]
    reward: float | None = None

    @property
    def figure(self) -> str:
        """The last step in words: its reward, beside which its loss says nothing, or its loss."""
        return f"loss {self.loss:.4f}" if self.reward is None else f"reward {self.reward:.4f}"


def silent(entry: Entry, steps: int) -> None:
    """Tell nobody."""


def fit(
    lessons: Lessons,
    recipe: Recipe,
    out: Path,
    *,
    score: Scorer | None = None,
    resume: bool = False,
    told: Told = silent,
) -> Fitted:
    """Train a model on lessons.

    Args:
        lessons: what it learns; their manifest says which model.
        recipe: every number.
        out: folder of the run.
        score: on rows that it does not learn.
        resume: go on after the last whole checkpoint, if there is one.
        told: is told every step and every score.

    Raises:
        MissingExtraError: trl, peft or accelerate is not installed.
        SettingsError, DataError, ModelFileError: it cannot be trained so; nothing was changed.
        SettingsError: the loss came to no number.
        ToolError: memory does not suffice.
    """
    check_installed()
    from transformers.utils import logging

    loud, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # what it says of tokenizers and configs is of no use to a user
    logging.disable_progress_bar()  # there is one of the whole run
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # libraries, of each other
            return _fit(lessons, recipe, out, score, resume, told)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ToolError(
            "memory does not suffice for this training: set batch_size: 1 (and accumulate higher), "
            "checkpointing: true or a smaller lora.rank in the recipe, or fewer max_pixels in the "
            f"name of the model, and begin anew in another folder ({first_line(error)})"
        ) from error
    finally:
        logging.set_verbosity(loud)
        if bars:
            logging.enable_progress_bar()


def _fit(
    lessons: Lessons, recipe: Recipe, out: Path, score: Scorer | None, resume: bool, told: Told
) -> Fitted:
    learner = _prepared(lessons, recipe)
    last = checkpoints.last_in(out / CHECKPOINTS) if resume else None
    if last:
        checkpoints.check_whole(last)
    history = checkpoints.history_of(last) if last else []
    steps = checkpoints.step_of(last) if last else 0
    if not is_over(history, recipe.evaluate.patience):
        scored = partial(score, learner) if score else None
        with recorded(out, figures(history), told) as tell:
            trainer = _trainer(learner, lessons, recipe, out / CHECKPOINTS, scored, tell)
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
        history, steps = trainer.state.log_history, trainer.state.global_step
    best = best_of(history)
    checkpoint = out / CHECKPOINTS / f"checkpoint-{best.step if best else steps}"
    weights = out / (ADAPTER if recipe.lora else MODEL)
    if is_main():
        _put(checkpoint, out, learner, recipe)
    end = [entry for entry in history if "loss" in entry][-1]
    return Fitted(weights, steps, end["loss"], best, tuple(scores(history)), end.get("reward"))


def _trainer(
    learner: Learner,
    lessons: Lessons,
    recipe: Recipe,
    folder: Path,
    score: Callable[[int], float] | None,
    told: Told,
) -> Any:
    from deixis.training.fine_tuning.grpo import RewardTrainer
    from deixis.training.fine_tuning.inputs import Batches
    from deixis.training.fine_tuning.sft import LessonTrainer

    if recipe.grpo:
        return RewardTrainer(learner, lessons, recipe, recipe.grpo, folder, score, told)
    batches = Batches(learner, lessons, _moves(lessons, recipe))
    count, tokenizer = len(lessons.lessons), learner.loaded.tokenizer
    return LessonTrainer(learner.model, recipe, folder, batches, count, tokenizer, score, told)


def _put(checkpoint: Path, out: Path, learner: Learner, recipe: Recipe) -> None:
    """Put the weights of a checkpoint where they can be used."""
    if recipe.lora:
        put_adapter(checkpoint, out)
        return
    cuda = learner.model.device.type == "cuda"
    half = recipe.precision == "bf16" or (recipe.precision == "auto" and cuda)
    put_model(checkpoint, out, learner.loaded.processor, half=half)


def _moves(lessons: Lessons, recipe: Recipe) -> Moves:
    """Return what moves boxes: the same for a seed, an epoch and a lesson, whenever asked."""
    frame, boxes = lessons.manifest.frame.convention, recipe.boxes

    def moves(epoch: int, lesson: str) -> Move | None:
        return None if boxes is None else grbp(boxes, recipe.seed, epoch, lesson, frame)

    return moves


def _prepared(lessons: Lessons, recipe: Recipe) -> Learner:
    """Return the model with the weights to train set free; refuse what it could not learn."""
    from transformers import set_seed

    from deixis.training.fine_tuning.checks import check_lessons
    from deixis.training.fine_tuning.parts import adapted, freed

    learner = read_learner(lessons.manifest.base, recipe)
    check_lessons(learner, lessons, recipe)
    set_seed(recipe.seed)
    if recipe.lora:
        return learner._replace(model=adapted(learner.model, recipe.lora, learner.name))
    freed(learner.model, recipe.learning_rate)
    return learner


def check_installed() -> None:
    """Refuse to go on without what trains.

    Raises:
        MissingExtraError: it is not installed.
    """
    for package in ("torch", "transformers", "peft", "accelerate", "datasets", "trl"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package, "train") from error

"""What every trainer does here: whole checkpoints, our score after every epoch, no telemetry.

Import this only where torch and transformers are known to be installed.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from deixis.errors import SettingsError
from deixis.training.fine_tuning import checkpoints
from deixis.training.fine_tuning.parts import language_of, part_of
from deixis.training.fine_tuning.processes import is_main, sharded
from deixis.training.fine_tuning.progress import Told, best_of, figures, is_over
from deixis.training.recipes import Recipe

_PATIENT = 24 * 3600
"""Seconds that processes wait for the one that scores, or writes a checkpoint."""
Score = Callable[[int], float]
"""Scores the model as it is after an epoch, counted from 1."""


def numbers(recipe: Recipe, folder: Path, device: str) -> dict[str, Any]:
    """Return what a recipe says, as any configuration of TRL has it.

    Args:
        recipe: the numbers.
        folder: of checkpoints.
        device: kind of the device that the model is on.
    """
    bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and device == "cuda")
    return dict(  # noqa: C408 (arguments, as TRL names them)
        output_dir=str(folder),
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate.language or max(dict(recipe.learning_rate).values()),
        weight_decay=recipe.weight_decay,
        num_train_epochs=recipe.epochs or 1,
        max_steps=recipe.steps or -1,
        warmup_steps=recipe.warmup,
        lr_scheduler_type=recipe.schedule,
        max_grad_norm=recipe.max_grad_norm or 0.0,
        bf16=bf16,
        activation_checkpointing=recipe.checkpointing,
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=device == "cpu" and not sharded(),
        ddp_timeout=_PATIENT,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # `Rhythm` says when
        report_to="none",
        disable_tqdm=True,
        log_level_replica="passive",  # else all processes but the main one print warnings
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=recipe.full,  # a lesson without a picture leaves the eyes out
    )


class Run:
    """The half of a trainer that is the same whatever it teaches by; the other is one of TRL."""

    _recipe: Recipe
    _folder: Path
    _language: str
    model: Any
    args: Any
    state: Any
    accelerator: Any

    def _set_up(self, recipe: Recipe, folder: Path, model: Any) -> None:
        self._recipe, self._folder = recipe, folder
        self._language = language_of(model)
        if hasattr(model, "peft_config"):  # peft would ask the hub whether the vocabulary has grown
            model.save_pretrained = partial(model.save_pretrained, save_embedding_layers=False)

    def _send_telemetry(self) -> None:
        """Send nothing: TRL would tell its makers of every run."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: the run folder has one."""

    def create_optimizer(self, model: Any = None) -> Any:
        """Return AdamW, with a learning rate for each part of the model."""
        optimizer = super().create_optimizer(model)  # type: ignore[misc]
        if self._recipe.full:
            named = (self.model if model is None else model).named_parameters()
            rates = dict(self._recipe.learning_rate)
            rate_of = {id(own): rates[part_of(_plain(name), self._language)] for name, own in named}
            groups = []
            for group in optimizer.param_groups:
                for rate in sorted({rate_of[id(weight)] for weight in group["params"]}):
                    weights = [each for each in group["params"] if rate_of[id(each)] == rate]
                    groups.append({**group, "params": weights, "lr": rate})
            optimizer.param_groups[:] = groups
        return optimizer

    def _get_output_dir(self, trial: Any) -> str:
        return str(checkpoints.draft_in(self._folder))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            checkpoints.put(self._folder, self.state.global_step)
            best = best_of(self.state.log_history)
            kept = {self.state.global_step, *([best.step] if best else [])}
            checkpoints.keep_only(self._folder, kept)
        self.accelerator.wait_for_everyone()


def _plain(parameter: str) -> str:
    """Return the name of a parameter without what those add who divide a model."""
    return parameter.replace("_fsdp_wrapped_module.", "").removeprefix("module.")


class Rhythm(TrainerCallback):  # type: ignore[misc]
    """Says when to score, to save and to stop, and tells how far it is."""

    def __init__(self, trainer: Any, score: Score | None, told: Told) -> None:
        self._trainer, self._score, self._told = trainer, score, told

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell what a step or a score came to; end a run that has come to no number."""
        for entry in figures(state.log_history[-1:]):
            if not math.isfinite(entry.get("loss", 0.0)):
                raise SettingsError(
                    f"the loss of step {state.global_step} is {entry['loss']}, from which nothing "
                    "is learned any more: begin anew with a smaller learning_rate or a longer "
                    "warmup in the recipe"
                )
            self._told(entry, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Save where the recipe says so."""
        every = self._trainer._recipe.save_every
        control.should_save = bool(every) and state.global_step % every == 0

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Score, save, and say whether it is enough."""
        if self._score is not None:
            self._trainer.log({"score": _scored(self._score, round(state.epoch))})
        control.should_save = True
        patience = self._trainer._recipe.evaluate.patience
        control.should_training_stop |= is_over(state.log_history, patience)


def _scored(score: Score, epoch: int) -> float:
    """Return the score, which the main process alone finds out while all others wait."""
    from accelerate.utils import broadcast_object_list

    found = [score(epoch) if is_main() else 0.0]
    return float(broadcast_object_list(found)[0])

"""The trainer of TRL, with our batches, whole checkpoints, and our score after every epoch.

Import this only where trl is known to be installed.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from deixis.training.fine_tuning import checkpoints
from deixis.training.fine_tuning.inputs import Batches
from deixis.training.fine_tuning.parts import language_of, part_of
from deixis.training.fine_tuning.progress import Told, best_of, is_over
from deixis.training.recipes import Recipe

Score = Callable[[int], float]
"""Scores the model as it is after an epoch, counted from 1."""


def arguments(recipe: Recipe, folder: Path, device: str) -> SFTConfig:
    """Return a recipe as TRL has it.

    Args:
        recipe: the numbers.
        folder: of checkpoints.
        device: kind of the device that the model is on.
    """
    bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and device == "cuda")
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate.language or max(dict(recipe.learning_rate).values()),
        weight_decay=recipe.weight_decay,
        num_train_epochs=recipe.epochs or 1,
        max_steps=recipe.steps or -1,
        warmup_steps=recipe.warmup,
        lr_scheduler_type=recipe.schedule,
        max_grad_norm=recipe.most_gradient or 0.0,
        bf16=bf16,
        activation_checkpointing=recipe.checkpointing,
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=device == "cpu",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # `_Rhythm` says when
        report_to="none",
        disable_tqdm=True,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=recipe.full,  # a lesson without a picture leaves the eyes out
    )


class LessonTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains a model on lessons.

    Args:
        model: of transformers or peft, with the weights to train set free.
        recipe: the numbers.
        folder: of checkpoints.
        batches: makes tensors of lessons.
        count: how many lessons there are.
        tokenizer: of the model.
        score: of the model on rows that it does not learn; None if there are none.
        told: is told every step and every score.
    """

    def __init__(
        self,
        model: Any,
        recipe: Recipe,
        folder: Path,
        batches: Batches,
        count: int,
        tokenizer: Any,
        score: Score | None,
        told: Told,
    ) -> None:
        self._recipe, self._folder = recipe, folder
        if hasattr(model, "peft_config"):  # peft would ask the hub whether the vocabulary has grown
            model.save_pretrained = partial(model.save_pretrained, save_embedding_layers=False)
        super().__init__(
            model=model,
            args=arguments(recipe, folder, model.device.type),
            data_collator=batches,
            train_dataset=Dataset.from_dict({"lesson": list(range(count))}),
            processing_class=tokenizer,
            callbacks=[_Rhythm(self, score, told)],
        )
        self.remove_callback(PrinterCallback)
        batches.epoch = lambda: int(self.state.epoch or 0)

    def _send_telemetry(self) -> None:
        """Send nothing: TRL would tell its makers of every run."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: the run folder has one."""

    def create_optimizer(self, model: Any = None) -> Any:
        """Return AdamW, with a learning rate for each part of the model."""
        optimizer = super().create_optimizer(model)
        if self._recipe.full:
            trained = self.model if model is None else model
            language = language_of(trained)
            parts = {id(w): part_of(name, language) for name, w in trained.named_parameters()}
            groups = optimizer.param_groups
            for group in list(groups):
                split: dict[str, list[Any]] = {}
                for weight in group["params"]:
                    split.setdefault(parts[id(weight)], []).append(weight)
                groups.remove(group)
                groups += [
                    {**group, "params": weights, "lr": getattr(self._recipe.learning_rate, part)}
                    for part, weights in split.items()
                ]
        return optimizer

    def _get_output_dir(self, trial: Any) -> str:
        return str(checkpoints.draft_in(self._folder))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            checkpoints.put(self._folder, self.state.global_step)
            best = best_of(self.state.log_history)
            kept = {self.state.global_step, *([best.step] if best else [])}
            checkpoints.keep_only(self._folder, kept)
        self.accelerator.wait_for_everyone()


class _Rhythm(TrainerCallback):  # type: ignore[misc]
    """Says when to score, to save and to stop, and tells how far it is."""

    def __init__(self, trainer: LessonTrainer, score: Score | None, told: Told) -> None:
        self._trainer, self._score, self._told = trainer, score, told

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if {"loss", "score"} & state.log_history[-1].keys():
            self._told(state.log_history[-1], state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        every = self._trainer._recipe.save_every
        control.should_save = bool(every) and state.global_step % every == 0

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._score is not None:
            self._trainer.log({"score": self._score(round(state.epoch))})
        control.should_save = True
        patience = self._trainer._recipe.evaluate.patience
        control.should_training_stop |= is_over(state.log_history, patience)

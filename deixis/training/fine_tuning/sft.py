"""The trainer of TRL, with our batches, whole checkpoints, and our score after every epoch.

Import this only where trl is known to be installed.
"""

from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

from deixis.training.fine_tuning.inputs import Batches
from deixis.training.fine_tuning.progress import Told
from deixis.training.fine_tuning.rhythm import Rhythm, Run, Score, numbers
from deixis.training.recipes import Recipe


def arguments(recipe: Recipe, folder: Path, device: str) -> SFTConfig:
    """Return a recipe as TRL has it; see `deixis.training.fine_tuning.rhythm.numbers`."""
    return SFTConfig(
        **numbers(recipe, folder, device),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


class LessonTrainer(Run, SFTTrainer):  # type: ignore[misc]
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
        self._set_up(recipe, folder, model)
        super().__init__(
            model=model,
            args=arguments(recipe, folder, model.device.type),
            data_collator=batches,
            train_dataset=Dataset.from_dict({"lesson": list(range(count))}),
            processing_class=tokenizer,
            callbacks=[Rhythm(self, score, told)],
        )
        self.remove_callback(PrinterCallback)
        batches.epoch = lambda: int(self.state.epoch or 0)

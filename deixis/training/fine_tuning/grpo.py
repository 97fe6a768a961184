"""GRPO: the model writes several answers to a question, and those with more reward become likelier.

The trainer is TRL's (group relative policy optimization, DeepSeekMath, arXiv 2402.03300). What the
model is asked is what a graph asks it: the same token ids and pixels (`processor`). How it answers
differs from inference: drawn at the recipe's temperature from all tokens but that of a picture,
without the makers' advice on top-k and top-p, with the dropout of training if there is any.

Import this only where trl is known to be installed.
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from deixis.errors import SettingsError
from deixis.llms.local.transformers_frames import with_frames
from deixis.llms.local.transformers_inputs import conversation, size_within
from deixis.training.fine_tuning.learner import Learner
from deixis.training.fine_tuning.progress import Told
from deixis.training.fine_tuning.rhythm import Rhythm, Run, Score, numbers
from deixis.training.lessons.files import messages_for
from deixis.training.lessons.records import Lessons
from deixis.training.recipes import Grpo, Recipe
from deixis.training.reward_data import columns
from deixis.training.rewards import REWARDS


class RewardTrainer(Run, GRPOTrainer):  # type: ignore[misc]
    """Trains a model on the rewards of its own answers to lessons.

    Args:
        learner: the model, with the weights to train set free.
        lessons: what it is asked, and the gold.
        recipe: the numbers of every run.
        grpo: those of its rewards.
        folder: of checkpoints.
        score: of the model on rows that it does not learn; None if there are none.
        told: is told every step and every score.

    Raises:
        DataError: the lessons are not of e2e.
        SettingsError: the model does not see, or cannot be started so.
    """

    def __init__(
        self,
        learner: Learner,
        lessons: Lessons,
        recipe: Recipe,
        grpo: Grpo,
        folder: Path,
        score: Score | None,
        told: Told,
    ) -> None:
        self._set_up(recipe, folder, learner.model)
        questions = Questions(learner, lessons)
        super().__init__(
            model=learner.model,
            reward_funcs=[REWARDS[name] for name in grpo.rewards],
            args=arguments(recipe, grpo, folder, learner.model.device.type),
            train_dataset=Dataset.from_dict({"lesson": list(range(len(lessons.lessons)))}),
            processing_class=processor(learner),
            callbacks=[Rhythm(self, score, told)],
        )
        self.data_collator = questions
        self.remove_callback(PrinterCallback)


def arguments(recipe: Recipe, grpo: Grpo, folder: Path, device: str) -> GRPOConfig:
    """Return a recipe as TRL has it; see `deixis.training.fine_tuning.rhythm.numbers`."""
    return GRPOConfig(
        **numbers(recipe, folder, device),
        num_generations=grpo.generations,
        max_completion_length=grpo.most_new_tokens,
        temperature=grpo.temperature,
        beta=grpo.beta,
        epsilon=grpo.epsilon,
        loss_type=grpo.loss,
        scale_rewards=grpo.scale,
        reward_weights=list(grpo.rewards.values()),
    )


def processor(learner: Learner) -> Any:
    """Return a processor that makes of conversations what inference makes of them.

    TRL calls it in two ways: with conversations, before answers are written, and then with the
    same as rendered texts, for what else the model reads. In a text marks of the chat template
    cannot be told from those that somebody wrote, so the conversations are taken again.

    Raises:
        SettingsError: the model does not see.
    """
    if not learner.loaded.sees:
        raise SettingsError(f"{learner.name} sees no pictures; grpo is for models that do")
    own = copy.deepcopy(learner.loaded.processor)
    own.__class__ = _faithful(type(own))
    if own.tokenizer.pad_token is None:
        own.tokenizer.pad_token = own.tokenizer.eos_token
    own.tokenizer.padding_side = "left"  # all questions of a batch end where the answers begin
    if learner.limits:
        own.image_processor.size = size_within(own.image_processor, learner.limits)
    return own


def _faithful(kind: Any) -> Any:
    class Processor(kind):  # type: ignore[misc]
        asked: Any = None

        def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
            if options.get("tokenize"):
                self.asked = conversation
                options["sanitize_control_tokens"] = True
            return super().apply_chat_template(conversation, **options)

        def __call__(self, *given: Any, **options: Any) -> Any:
            if "sanitize_control_tokens" in options:  # from within what stands above
                return super().__call__(*given, **options)
            return self.apply_chat_template(
                self.asked,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors=options["return_tensors"],
                processor_kwargs={"padding": options["padding"]},
            )

    return Processor


class Questions:
    """Makes of the places of lessons what they ask, and what its rewards are worked out of.

    Args:
        learner: who is asked.
        lessons: of e2e.

    Raises:
        DataError: they are of another system.
    """

    def __init__(self, learner: Learner, lessons: Lessons) -> None:
        self._learner, self._lessons = learner, lessons
        self._columns = columns(lessons)

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> list[dict[str, Any]]:
        """Return the lessons with these places, ``{"lesson": place}`` each, as TRL has them."""
        return [self.example(row["lesson"]) for row in rows]

    def example(self, place: int) -> dict[str, Any]:
        """Return a lesson; its pictures are opened now."""
        messages = messages_for(self._lessons.folder, self._lessons.lessons[place])
        asked = conversation(with_frames(messages, self._learner.frames), self._learner.loaded)
        return {"prompt": asked, **{name: own[place] for name, own in self._columns.items()}}

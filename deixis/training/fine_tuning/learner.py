"""The model that learns, with what turns lessons into its tensors."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from deixis.base.problems import first_problem
from deixis.errors import SettingsError
from deixis.llms.box_conventions import OPTION
from deixis.llms.local.transformers_chat import TransformersChat
from deixis.llms.local.transformers_load import Loaded, around, weights
from deixis.llms.options import checked
from deixis.settings import Spec
from deixis.training.fine_tuning.processes import place
from deixis.training.recipes import Recipe
from deixis.weights.torch_models import place_of, source_of

_ASKED = {"temperature", "seed", "timeout", "logprobs", "max_tokens"}
"""Options of a model that is asked, which say nothing to one that learns."""


class Learner(NamedTuple):
    """A model that learns.

    Attributes:
        name: of its weights, as its spec has it.
        model: of transformers; of peft, once it is adapted.
        loaded: the same with its processor.
        limits: ``min_pixels`` and ``max_pixels`` of pictures, those that were given.
        frames: most of a video.
        end: the token that ends an answer.
    """

    name: str
    model: Any
    loaded: Loaded
    limits: Mapping[str, int]
    frames: int
    end: int


def check_base(base: str) -> TransformersChat:
    """Check that a model can be had and be taught, as far as can be told without its weights.

    Args:
        base: a spec, ``transformers:NAME?option=value``.

    Returns:
        Its options.

    Raises:
        SettingsError: the base cannot be trained, or an option has no effect here.
        ModelFileError, MissingExtraError: it cannot be had.
    """
    spec = Spec.parse(base)
    given = {name: value for name, value in spec.options.items() if name != OPTION}
    if unused := next((name for name in given if name in _ASKED or name == "adapter"), None):
        hint = "merge it first (deixis merge)" if unused == "adapter" else "leave it out"
        raise SettingsError(f"{base}: the option {unused} has no effect on training; {hint}")
    try:
        chat = TransformersChat(weights=spec.name, **checked(given, TransformersChat))
    except ValidationError as error:
        raise SettingsError(f"{base}: option {': '.join(first_problem(error))}") from None
    except SettingsError as error:
        raise SettingsError(f"{base}: {error}") from None
    source_of(spec.name)
    return chat


def read_learner(base: str, recipe: Recipe) -> Learner:
    """Read the model that is to learn; it is nobody else's.

    Args:
        base: a spec, ``transformers:NAME?option=value``.
        recipe: says in which precision.

    Raises:
        SettingsError, ModelFileError, MissingExtraError: as `check_base`.
    """
    spec, chat = Spec.parse(base), check_base(base)
    device = place(chat.device)
    model = weights(spec.name, device, _dtype(device, chat.dtype, recipe), chat.attention)
    loaded = around(spec.name, model)
    if loaded.caption is not None or loaded.decodes_apart:
        raise SettingsError(
            f"{base}: it answers no questions, so it cannot be taught to; name a chat model"
        )
    limits = {"min_pixels": chat.min_pixels, "max_pixels": chat.max_pixels}
    given_limits = {name: limit for name, limit in limits.items() if limit is not None}
    return Learner(spec.name, model, loaded, given_limits, chat.frames, _end(loaded))


def _dtype(device: str, said: str, recipe: Recipe) -> str:
    """Return the precision of the weights; what the spec says is for LoRA's frozen ones alone."""
    if recipe.full:
        return "float32"  # steps of the optimizer are too small for 16 bits
    if recipe.precision != "auto":
        return {"bf16": "bfloat16", "fp32": "float32"}[recipe.precision]
    if said == "auto" and place_of(device).type != "cuda":
        return "float32"  # float16, which others are asked in, would overflow
    return said


def _end(loaded: Loaded) -> int:
    """Return the token that the chat template writes after an answer."""
    said: Any = "said"
    content = [{"type": "text", "text": said}] if loaded.sees else said
    turns = [{"role": role, "content": content} for role in ("user", "assistant")]
    written = loaded.processor.apply_chat_template(turns, tokenize=False)
    after = loaded.tokenizer(written.rpartition(said)[2], add_special_tokens=False).input_ids
    ends = [token for token in after if token in loaded.ends]
    return int(ends[0] if ends else loaded.tokenizer.eos_token_id)

"""Models with one vector for a picture and one for a text, brought into memory once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.errors import ModelFileError
from deixis.weights.micro_batch import AT_ONCE, MicroBatch
from deixis.weights.torch_models import once, packages, part, place_of, pretrained

_KINDS = {  # tool to the types of model that it runs, each with its class and its processor's
    "siglip": {
        "siglip": ("SiglipModel", "SiglipImageProcessorPil"),
        "siglip2": ("Siglip2Model", "Siglip2ImageProcessorPil"),
    },
    "clip": {"clip": ("CLIPModel", "CLIPImageProcessorPil")},
}


class Loaded(NamedTuple):
    """A model and what goes with it; it runs in a ``turn``."""

    model: Any
    processor: Any
    tokenizer: Any
    turn: MicroBatch


@once
def load(name: str, weights: str, device: str, dtype: str) -> Loaded:
    """Return the model of a tool, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: it is of another kind; as `pretrained`.
    """
    _, transformers = packages()
    kinds, config = _KINDS[name], part(transformers.AutoConfig, weights)
    if config.model_type not in kinds:
        raise ModelFileError(
            f"{weights} is a model of the type {config.model_type}, and {' or '.join(kinds)} is "
            "needed here"
        )
    kind, processor = (getattr(transformers, class_name) for class_name in kinds[config.model_type])
    return Loaded(
        pretrained(kind, weights, device, dtype, config=config),
        part(processor, weights),
        part(transformers.AutoTokenizer, weights),
        MicroBatch(AT_ONCE[place_of(device).type]),
    )


def cut(loaded: Loaded, texts: Sequence[str], padding: bool | str) -> Any:
    """Return the tokens of texts; what looks like a control token is read as letters."""
    return loaded.tokenizer(
        list(texts),
        padding=padding,
        truncation=True,
        max_length=loaded.model.config.text_config.max_position_embeddings,
        split_special_tokens=True,
        return_tensors="pt",
    )


def unit(features: Any) -> Any:
    """Return the vectors of a model's features, ``(N, D)``, brought to length 1."""
    vectors = features.pooler_output.float()
    return vectors / vectors.norm(dim=-1, keepdim=True)

"""Chat models in Hugging Face format, from a folder or the hub, brought into memory once."""

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.forks import Lock
from deixis.errors import MissingExtraError, ModelFileError
from deixis.weights.micro_batch import MicroBatch
from deixis.weights.model_files import is_cached, resolve
from deixis.weights.torch_models import (
    files_of,
    packages,
    part,
    place_of,
    pretrained,
    reading,
    source_of,
)

_loading = Lock()

ROWS = {"cpu": 4, "cuda": 8, "mps": 4}
"""Most replies that are written together, by kind of device. For every token all weights are read
from memory once, so replies share what takes most of the time, also on a CPU: there 8 of them took
21.5 s one by one, 13.2 s in fours and 15.4 s at once (12 layers, float32, 2 cores)."""


CAPTION = {"blip-2": "", "florence2": "<MORE_DETAILED_CAPTION>"}
"""Kinds of models without a chat template that describe a picture, and what they are prompted with.
The task is one of those that Florence-2 was trained on, which has no other way to be asked."""
SENSES = {
    "qwen2_vl": ("watches",),
    "qwen2_5_vl": ("watches",),
    "qwen3_vl": ("watches",),
    "qwen3_vl_moe": ("watches",),
    "qwen2_5_omni": ("hears", "watches"),
}
"""Kinds of models that were trained on sound and video. Of Qwen's Omni the thinker is loaded, which
writes; the talker, which would speak, stays on the disk."""


class Loaded(NamedTuple):
    """A model and what goes with it.

    ``processor`` turns a conversation into tensors: a tokenizer, or where the model ``sees``,
    a processor of texts and pictures. ``ear`` turns sound into features; None for a model that
    cannot hear. ``caption`` is the prompt of a model that describes a picture and can do nothing
    else, None for those that answer; ``decodes_apart`` says whether a prompt is read by an encoder
    of its own. ``vocabulary`` is the tokenizer as llguidance reads it, ``ends`` are the tokens
    that end a reply, ``window`` is how many tokens prompt and reply may have together (None:
    unknown). ``top_k`` and ``top_p`` are what the model's makers advise for sampling. ``reading``
    is held while prompts become tensors, and the model writes in a ``turn``.
    """

    model: Any
    processor: Any
    tokenizer: Any
    sees: bool
    ear: Any
    caption: str | None
    decodes_apart: bool
    vocabulary: Any
    ends: list[int]
    window: int | None
    top_k: int | None
    top_p: float | None
    reading: Lock
    turn: MicroBatch


def only_describes(name: str) -> bool:
    """Say whether a model is of a kind in `CAPTION`, without loading it.

    Args:
        name: a folder, or ``OWNER/REPO[@REVISION]``; what is not on this disk is not known of.
    """
    with suppress(ModelFileError), reading(name):  # what is wrong is told when it is loaded
        folder = _on_disk(name)
        if folder is None:
            return False
        beside = folder / "tokenizer_config.json"
        told = beside.is_file() and "chat_template" in beside.read_text(encoding="utf-8")
        described = _kind_in(folder) in CAPTION
        return described and not told and not (folder / "chat_template.jinja").is_file()
    return False


def senses(name: str) -> tuple[str, ...]:
    """Return which of "hears" and "watches" a model can, without loading it.

    Args:
        name: as for `only_describes`; of what is not on this disk the name tells.
    """
    with suppress(ModelFileError), reading(name):
        if folder := _on_disk(name):
            return SENSES.get(_kind_in(folder), ())
    plain = name.rstrip("/").rpartition("/")[2].casefold().replace(".", "_").replace("-", "_")
    return next((can for kind, can in SENSES.items() if kind in plain), ())


def _on_disk(name: str) -> Path | None:
    (where,) = files_of(name)
    if not is_cached(where):
        return None
    if where.startswith("hub:"):
        return resolve(f"hub:{name}/config.json").parent
    return Path(name).expanduser()


def _kind_in(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return str(config.get("model_type"))


def load(name: str, device: str, dtype: str, attention: str | None) -> Loaded:
    """Return a model, loaded by the first caller of the process and kept.

    Args:
        name: a folder, or ``OWNER/REPO[@REVISION]`` on the hub.
        device: ``auto`` (CUDA, else MPS, else CPU) or a torch device.
        dtype: ``auto`` (bfloat16 on CUDA, float16 on MPS, float32 on CPU) or a torch dtype.
        attention: transformers' ``attn_implementation``; None is the model's own.

    Raises:
        MissingExtraError: torch, transformers or llguidance is not installed.
        ModelFileError: the model cannot be had or is no chat model.
        SettingsError: the device is not there.
    """
    with _loading:  # a cache alone would let two threads load the same weights
        return _load(name, device, dtype, attention)


@cache
def _load(name: str, device: str, dtype: str, attention: str | None) -> Loaded:
    _, transformers = packages()
    try:
        import llguidance.hf
    except ImportError as error:
        raise MissingExtraError("llguidance", "transformers") from error
    place_of(device)  # a wrong setting is told before a missing file
    where, source = source_of(name)
    options = {} if attention is None else {"attn_implementation": attention}
    with reading(name):
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

        config = transformers.AutoConfig.from_pretrained(where, **source)
        whole = type(config)
        config = getattr(config, "thinker_config", config)
        kind = type(config)
        sees = kind in transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
        if sees:
            processor = part(_without_videos(PROCESSOR_MAPPING[whole]), name)
            tokenizer = processor.tokenizer
            processor.chat_template = _with_beginning(processor)
        else:
            processor = tokenizer = part(transformers.AutoTokenizer, name)
        caption = None if processor.chat_template else CAPTION.get(config.model_type)
        if not processor.chat_template and caption is None:
            raise ModelFileError(
                f"{name} has no chat template; name a chat model (often the same name with "
                "-Instruct), or put its chat_template.jinja into the folder"
            )
        seeing, blind = transformers.AutoModelForImageTextToText, transformers.AutoModelForCausalLM
        model = pretrained(seeing if sees else blind, name, device, dtype, config=config, **options)
        advice, ends = model.generation_config, _ends(model.generation_config, tokenizer)
        apart, words = config.is_encoder_decoder, config.get_text_config()
        # Nothing but what is asked for: no penalties or beams that the folder may bring.
        plain = transformers.GenerationConfig(
            eos_token_id=ends,
            pad_token_id=ends[0],
            decoder_start_token_id=getattr(words, "decoder_start_token_id", None),
            forced_bos_token_id=getattr(words, "forced_bos_token_id", None),
        )
        model.generation_config = plain
        if caption is not None and hasattr(model, "language_model"):  # it writes by itself
            model.language_model.generation_config = plain
        return Loaded(
            model,
            processor,
            tokenizer,
            sees,
            getattr(processor, "feature_extractor", None),
            caption,
            apart,
            llguidance.hf.from_tokenizer(tokenizer, eos_token=ends),
            ends,
            None if apart else getattr(words, "max_position_embeddings", None),
            advice.top_k,
            advice.top_p,
            Lock(),
            MicroBatch(ROWS[model.device.type]),
        )


def _without_videos(kind: Any) -> Any:
    """Leave out a processor's part for videos: it alone needs torchvision. Frames are pictures."""

    class Processor(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in super().get_attributes() if name != "video_processor"]

    return Processor


def _with_beginning(processor: Any) -> str | None:
    """Return the chat template, with the token that the tokenizer sets before every text.

    Left to the tokenizer, it could not be told from one that the text itself contains.
    """
    tokenizer = processor.tokenizer
    template: str | None = processor.chat_template or tokenizer.chat_template
    first = tokenizer("").input_ids[:1]
    writes_it = template and ("bos_token" in template or str(tokenizer.bos_token) in template)
    if template and not writes_it and first and first == [tokenizer.bos_token_id]:
        return "{{ bos_token }}" + template
    return template


def _ends(advice: Any, tokenizer: Any) -> list[int]:
    named = advice.eos_token_id
    ends = [*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id]
    return list(dict.fromkeys(end for end in ends if end is not None))

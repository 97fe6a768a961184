"""Chat models in Hugging Face format, from a folder or the hub, brought into memory once."""

import re
import threading
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from deixis.errors import MissingExtraError, ModelFileError, SettingsError
from deixis.tools.model_files import resolve

_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w.-]+)?")
_loading = threading.Lock()


class Loaded(NamedTuple):
    """A model and what goes with it.

    ``processor`` turns a conversation into tensors: a tokenizer, or where the model ``sees``,
    a processor of texts and pictures. ``vocabulary`` is the tokenizer as llguidance reads it,
    ``ends`` are the tokens that end a reply, ``window`` is how many tokens prompt and reply
    may have together (None: unknown). ``top_k`` and ``top_p`` are what the model's makers
    advise for sampling. ``turn`` is held while the model writes.
    """

    model: Any
    processor: Any
    tokenizer: Any
    sees: bool
    vocabulary: Any
    ends: list[int]
    window: int | None
    top_k: int | None
    top_p: float | None
    turn: threading.Lock


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
    try:
        import llguidance.hf
        import torch
        import transformers
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
    except ImportError as error:
        package = (error.name or "transformers").partition(".")[0]
        raise MissingExtraError(package, "transformers") from error
    place = _device(torch, device)
    where, source = _source(name)
    precision = {"cuda": "bfloat16", "mps": "float16"}.get(place.type, "float32")
    options = {} if attention is None else {"attn_implementation": attention}
    try:
        config = transformers.AutoConfig.from_pretrained(where, **source)
        kind = type(config)
        sees = kind in transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
        if sees:
            processor = _of_pictures(PROCESSOR_MAPPING[kind]).from_pretrained(where, **source)
            tokenizer = processor.tokenizer
            processor.chat_template = _with_beginning(processor)
        else:
            processor = tokenizer = transformers.AutoTokenizer.from_pretrained(where, **source)
        if not processor.chat_template:
            raise ModelFileError(
                f"{name} has no chat template; name a chat model (often the same name with "
                "-Instruct), or put its chat_template.jinja into the folder"
            )
        seeing, blind = transformers.AutoModelForImageTextToText, transformers.AutoModelForCausalLM
        model, report = (seeing if sees else blind).from_pretrained(
            where,
            config=config,
            use_safetensors=True,  # a pickle can run code
            dtype=getattr(torch, precision if dtype == "auto" else dtype),
            output_loading_info=True,
            **options,
            **source,
        )
        if report["missing_keys"]:  # transformers would fill them with random numbers
            missing = sorted(report["missing_keys"])
            raise ValueError(f"{len(missing)} weights are missing, the first is {missing[0]}")
        advice, ends = model.generation_config, _ends(model.generation_config, tokenizer)
        # Nothing but what is asked for: no penalties or beams that the folder may bring.
        model.generation_config = transformers.GenerationConfig(
            eos_token_id=ends, pad_token_id=ends[0]
        )
        return Loaded(
            model.to(place),
            processor,
            tokenizer,
            sees,
            llguidance.hf.from_tokenizer(tokenizer, eos_token=ends),
            ends,
            getattr(config.get_text_config(), "max_position_embeddings", None),
            advice.top_k,
            advice.top_p,
            threading.Lock(),
        )
    except ModelFileError:
        raise
    except Exception as error:  # a broken file makes the libraries below raise all kinds
        said = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        hint = "; only weights in .safetensors files are read" if isinstance(error, OSError) else ""
        raise ModelFileError(f"cannot load {name}: {said.strip()}{hint}") from error


def _device(torch: Any, device: str) -> Any:
    there = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if device == "auto":
        device = next((kind for kind, count in there.items() if count), "cpu")
    place = torch.device(device)
    if place.type != "cpu" and (place.index or 0) >= there[place.type]:
        raise SettingsError(f"torch finds no device {device} here; write device=auto or cpu")
    return place


def _source(name: str) -> tuple[str, dict[str, Any]]:
    """Return what `from_pretrained` takes: a folder or a repository, and how to read it.

    The default of ``trust_remote_code`` asks on the terminal, so it is always given. The hub
    is asked for the configuration first: its refusals are told apart there, and with the
    commit found, all other files are of the same one, and none is converted on the way.
    """
    source: dict[str, Any] = {"trust_remote_code": False}
    folder = Path(name).expanduser()
    if folder.is_dir() or not _REPOSITORY.fullmatch(name):
        if not (folder / "config.json").is_file():
            raise ModelFileError(
                f"no config.json in the folder {folder}; name a folder with a model in Hugging "
                "Face format, or OWNER/REPO of the hub"
            )
        return str(folder), source
    config = resolve(f"hub:{name}/config.json")
    return name.partition("@")[0], {**source, "revision": config.parent.name}


def _of_pictures(kind: Any) -> Any:
    """Leave out a processor's part for videos: it alone needs torchvision."""

    class Processor(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [each for each in super().get_attributes() if each != "video_processor"]

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
    return list(dict.fromkeys(each for each in ends if each is not None))

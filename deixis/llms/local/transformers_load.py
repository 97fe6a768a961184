"""Chat models in Hugging Face format, from a folder or the hub, brought into memory once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from deixis.base.forks import Lock
from deixis.errors import MissingExtraError, ModelFileError
from deixis.llms.local.transformers_adapters import Adapter, Adapters, adapter_in
from deixis.llms.local.transformers_folders import CAPTION
from deixis.weights.fingerprints import fingerprint
from deixis.weights.micro_batch import MicroBatch
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
_lent: dict[str, "Loaded"] = {}
_kept: dict[tuple[str, str, str, str | None], tuple[str, "Loaded"]] = {}
"""What was loaded, and what was in its files then: a folder may be trained anew."""

ROWS = {"cpu": 4, "cuda": 8, "mps": 4}
"""Most replies that are written together, by kind of device. For every token all weights are read
from memory once, so replies share what takes most of the time, also on a CPU: there 8 of them took
21.5 s one by one, 13.2 s in fours and 15.4 s at once (12 layers, float32, 2 cores)."""


class Loaded(NamedTuple):
    """A model and what goes with it.

    ``processor`` turns a conversation into tensors: a tokenizer, or where the model ``sees``,
    a processor of texts and pictures. ``ear`` turns sound into features; None for a model that
    cannot hear. ``caption`` is the prompt of a model that describes a picture and can do nothing
    else, None for those that answer; ``decodes_apart`` says whether a prompt is read by an encoder
    of its own. ``vocabulary`` is the tokenizer as llguidance reads it, ``ends`` are the tokens
    that end a reply, ``window`` is how many tokens prompt and reply may have together (None:
    unknown). ``plain`` is the ``GenerationConfig`` that a reply is written with; ``top_k`` and
    ``top_p`` are what the model's makers advise for sampling. ``reading`` is held while prompts
    become tensors, and the model writes in a ``turn``, for whose time it uses one of its
    ``adapters``: the ``adapter``, or none.
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
    plain: Any
    top_k: int | None
    top_p: float | None
    reading: Lock
    turn: MicroBatch
    adapters: Adapters
    adapter: Adapter | None = None


def load(
    name: str, device: str, dtype: str, attention: str | None, adapter: str | None = None
) -> Loaded:
    """Return a model, loaded by the first caller of the process and kept; or the one `lent`.

    A folder that was written anew is loaded anew.

    Args:
        name: a folder, or ``OWNER/REPO[@REVISION]`` on the hub.
        device: ``auto`` (CUDA, else MPS, else CPU) or a torch device.
        dtype: ``auto`` (bfloat16 on CUDA, float16 on MPS, float32 on CPU) or a torch dtype.
        attention: transformers' ``attn_implementation``; None is the model's own.
        adapter: folder of an adapter; None uses the model as it is.

    Raises:
        MissingExtraError: torch, transformers, llguidance or peft is not installed.
        ModelFileError: the model cannot be had or is no chat model; or there is no adapter.
        SettingsError: the device is not there.
    """
    chosen = None if adapter is None else adapter_in(adapter)
    if chosen is None and (loaded := _lent.get(name)) is not None:
        return loaded
    with _loading:  # or two threads could load the same weights
        key, written = (name, device, dtype, attention), fingerprint(files_of(name))
        if key not in _kept or _kept[key][0] != written:
            _kept.pop(key, None)  # there may be no room for both
            _kept[key] = written, _load(*key)
        return _kept[key][1]._replace(adapter=chosen)


def is_lent(name: str) -> bool:
    """Say whether a model is `lent` under a name."""
    return name in _lent


@contextmanager
def lent(name: str, loaded: Loaded) -> Iterator[None]:
    """Have a model answer for ``transformers:NAME`` in all threads, whatever is on the disk.

    So a model in training is asked by a graph. In the meantime it is in evaluation mode and
    writes as `load`'s do; afterwards it is as it was. ``NAME?adapter=...`` is read from the disk.

    Args:
        name: as for `load`, letter by letter as specs write it.
        loaded: from `around`.
    """
    model = loaded.model
    modes = [(module, module.training) for module in model.modules()]
    before, own = _lent.get(name), model.generation_config
    model.eval()
    model.generation_config = loaded.plain
    _lent[name] = loaded
    try:
        yield
    finally:
        if before is None:
            del _lent[name]
        else:
            _lent[name] = before
        model.generation_config = own
        for module, mode in modes:
            module.training = mode


def _load(name: str, device: str, dtype: str, attention: str | None) -> Loaded:
    _grammars(), place_of(device)  # what is missing or wrong is told before the weights are read
    processor = _processor(name)
    loaded = _with(processor, weights(name, device, dtype, attention))
    model = loaded.model
    model.generation_config = loaded.plain
    if loaded.caption is not None and hasattr(model, "language_model"):  # it writes by itself
        model.language_model.generation_config = loaded.plain
    return loaded


def weights(name: str, device: str, dtype: str, attention: str | None) -> Any:
    """Read a model of transformers anew, for whoever changes it; it is the caller's own.

    Args and raises are those of `load`.
    """
    _, transformers = packages()
    seeing, blind = transformers.AutoModelForImageTextToText, transformers.AutoModelForCausalLM
    options = {} if attention is None else {"attn_implementation": attention}
    with reading(name):
        config = _writer(_config(name))
        kind = seeing if _sees(config) else blind
        return pretrained(kind, name, device, dtype, config=config, **options)


def around(name: str, model: Any) -> Loaded:
    """Return a model with all that goes with it, read from where it came from.

    Args:
        name: as for `load`.
        model: from `weights`, changed as may be. Of a model of peft the one inside is taken, with
            its adapters in it: it writes by itself.

    Raises:
        MissingExtraError, ModelFileError: as `load`.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return _with(_processor(name), inner)


def _with(processor: Any, model: Any) -> Loaded:
    _, transformers = packages()
    config, advice = model.config, model.generation_config
    tokenizer = processor.tokenizer if _sees(config) else processor
    apart, words, ends = (
        config.is_encoder_decoder,
        config.get_text_config(),
        _ends(advice, tokenizer),
    )
    return Loaded(
        model,
        processor,
        tokenizer,
        _sees(config),
        getattr(processor, "feature_extractor", None),
        None if processor.chat_template else CAPTION[config.model_type],
        apart,
        _grammars().from_tokenizer(tokenizer, eos_token=ends),
        ends,
        None if apart else getattr(words, "max_position_embeddings", None),
        # Nothing but what is asked for: no penalties or beams that the folder may bring.
        transformers.GenerationConfig(
            eos_token_id=ends,
            pad_token_id=ends[0],
            decoder_start_token_id=getattr(words, "decoder_start_token_id", None),
            forced_bos_token_id=getattr(words, "forced_bos_token_id", None),
        ),
        advice.top_k,
        advice.top_p,
        Lock(),
        MicroBatch(ROWS[model.device.type]),
        Adapters(model),
    )


def _grammars() -> Any:
    try:
        import llguidance.hf
    except ImportError as error:
        raise MissingExtraError("llguidance", "transformers") from error
    return llguidance.hf


def _config(name: str) -> Any:
    where, source = source_of(name)
    return packages()[1].AutoConfig.from_pretrained(where, **source)


def _writer(config: Any) -> Any:
    """Return the settings of the part of a model that writes."""
    return getattr(config, "thinker_config", config)


def _sees(config: Any) -> bool:
    return type(config) in packages()[1].MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING


def _processor(name: str) -> Any:
    """Return what turns a conversation into tensors: a tokenizer, or of a model that sees more."""
    _, transformers = packages()
    with reading(name):
        config = _config(name)
        if _sees(_writer(config)):
            from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

            processor = part(_without_videos(PROCESSOR_MAPPING[type(config)]), name)
            processor.chat_template = _with_beginning(processor)
        else:
            processor = part(transformers.AutoTokenizer, name)
        if not processor.chat_template and _writer(config).model_type not in CAPTION:
            raise ModelFileError(
                f"{name} has no chat template; name a chat model (often the same name with "
                "-Instruct), or put its chat_template.jinja into the folder"
            )
        return processor


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

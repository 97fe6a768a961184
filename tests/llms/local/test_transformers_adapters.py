"""Adapters of peft for a model in this process: real ones with random weights, for tiny models."""

import base64
import io
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from langchain_core.messages import HumanMessage
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import load_file, save_file

from deixis.errors import MissingExtraError, ModelFileError
from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.local import transformers_adapters
from deixis.llms.local.transformers_adapters import CONFIG, PICKLE, WEIGHTS, adapter_in
from deixis.llms.local.transformers_inputs import tensors
from deixis.llms.local.transformers_load import Loaded, load, weights
from deixis.prompts import Prompt
from deixis.settings import Options

from .tiny_adapters import save_adapter
from .tiny_seeing import save_seeing

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]


class Short(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=8)


KINDS = ("qwen2.5-vl", "llava", "text")
_FROZEN = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is dep:FutureWarning")


@pytest.fixture(scope="module")
def folders(
    saved: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Path, Path, Path]]:
    """Return the folders of a model of one of `KINDS` and of two adapters for it."""
    root = tmp_path_factory.mktemp("adapters")

    def made(kind: str) -> tuple[Path, Path, Path]:
        base = saved if kind == "text" else root / kind
        if not base.exists():
            save_seeing(base, kind)
        one, other = root / f"{kind}-one", root / f"{kind}-other"
        if not one.exists():
            layers = "" if kind == "text" else "language_model.*"
            save_adapter(base, one, 1, target_modules=rf".*{layers}\.[qkvo]_proj", r=4)
            save_adapter(
                base,
                other,
                2,
                target_modules=rf".*{layers}\.(up|v)_proj",
                use_dora=True,
                modules_to_save=["lm_head"],
            )
        return base, one, other

    return made


def _message(kind: str, number: int = 0) -> list[Any]:
    file = io.BytesIO()
    colour, size = ("red", "blue", "green")[number % 3], (28 * (1 + number), 28 * (5 - number))
    Image.new("RGB", size, colour).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    picture = {"type": "image", "base64": data, "mime_type": "image/png"}
    text = {"type": "text", "text": "Who is it? " * (1 + number)}
    return [HumanMessage([text] if kind == "text" else [picture, text])]


def _say(base: Path, adapter: Path | None, kind: str, number: int = 0) -> str:
    query = "" if adapter is None else f"?adapter={adapter}"
    model = registry.load(f"transformers:{base}{query}").model
    return model.invoke(_message(kind, number), max_tokens=12).text


def _logits(loaded: Loaded, kind: str) -> torch.Tensor:
    loaded.adapters.use(loaded.adapter)
    with torch.no_grad():
        inputs = tensors(loaded, _message(kind), {}, constrained=False)
        logits: torch.Tensor = loaded.model(**inputs).logits
        return logits


@_FROZEN
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_computes_as_in_peft_and_the_model_without_it_as_if_there_were_none(
    folders: Any, kind: str
) -> None:
    base, one, other = folders(kind)
    plain = load(str(base), "auto", "auto", None)
    before = _logits(plain, kind)
    for adapter in (one, other, one):
        loaded = load(str(base), "auto", "auto", None, str(adapter))
        assert loaded.model is plain.model, "in memory once"
        own: Any = peft.PeftModel.from_pretrained(weights(str(base), "cpu", "auto", None), adapter)
        inputs = tensors(plain, _message(kind), {}, constrained=False)
        with torch.no_grad():
            expected = own.eval()(**inputs).logits
        assert torch.equal(_logits(loaded, kind), expected)
        assert not torch.equal(expected, before)
    assert torch.equal(_logits(plain, kind), before)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_ask_with_different_adapters_hear_what_they_hear_alone(
    folders: Any, kind: str
) -> None:
    base, *adapters = folders(kind)
    asked = [(adapter, number) for number in range(3) for adapter in (None, *adapters)]
    alone = [_say(base, adapter, kind, number) for adapter, number in asked]
    assert len(set(alone)) > 6
    with ThreadPoolExecutor(9) as pool:
        for _ in range(3):
            said = pool.map(lambda each: _say(base, each[0], kind, each[1]), asked, timeout=120)
            assert list(said) == alone


def test_an_adapter_that_was_written_anew_is_read_anew(folders: Any, tmp_path: Path) -> None:
    base, one, other = folders("text")
    folder = shutil.copytree(one, tmp_path / "adapter")
    assert _say(base, folder, "text") == _say(base, one, "text") != _say(base, other, "text")
    layer = load(str(base), "auto", "auto", None).model.model.layers[0].self_attn.v_proj
    before = len(layer.lora_A)
    for file in (CONFIG, WEIGHTS):
        shutil.copy(other / file, folder / file)
    assert _say(base, folder, "text") == _say(base, other, "text")
    assert len(layer.lora_A) == before, "the old one is no longer in memory"


def test_answers_of_an_adapter_that_was_trained_anew_are_not_those_kept_of_the_old_one(
    folders: Any, tmp_path: Path
) -> None:
    base, one, other = folders("text")
    folder = shutil.copytree(one, tmp_path / "adapter")
    asker = Asker(Options(), LlmCache(tmp_path / "answers"))

    def asked() -> tuple[str, str]:
        prompt = Prompt("Be brief.", "Who is it?", "look", 1)
        reply = asker.ask(f"transformers:{base}?adapter={folder}", prompt, Short)
        assert reply.value is not None
        return reply.value.name, reply.calls[0].status

    first, _ = asked()
    assert asked() == (first, "cached")
    shutil.rmtree(folder)
    shutil.copytree(other, folder)
    second, status = asked()
    assert (second != first, status) == (True, "ok")
    shutil.rmtree(folder)
    shutil.copytree(one, folder)
    assert asked() == (first, "cached"), "the same content"


def _changed(folder: Path, **fields: Any) -> None:
    settings = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(settings | fields))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"peft_type": "IA3"}, "of the kind IA3; only LoRA is read"),
        ({"r": "many"}, r"does not fit .*"),
        ({"task_type": "NONE"}, r"cannot read .*adapter_config\.json: Invalid task type"),
        ({"bias": "all"}, "changes the model's own weights .*bias='all'.*; merge it into them"),
        ({"init_lora_weights": "pissa"}, "changes the model's own weights .*'pissa'"),
        ({"target_modules": ["nowhere"]}, "does not fit .*nowhere"),
        (
            {"target_modules": ["q_proj", "down_proj"]},
            "does not fit .* weights have no counterpart",
        ),
        ({"r": 3}, r"does not fit .*: size mismatch for model\.layers\.0\.self_attn.*"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_told_in_one_line_and_the_model_answers_as_before(
    folders: Any, tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    base, one, _ = folders("text")
    folder = shutil.copytree(one, tmp_path / "adapter")
    _changed(folder, **fields)
    before, with_one = _say(base, None, "text"), _say(base, one, "text")
    with pytest.raises(ModelFileError, match=said) as caught:
        _say(base, folder, "text")
    assert "\n" not in str(caught.value)
    assert (_say(base, None, "text"), _say(base, one, "text")) == (before, with_one)


def test_an_adapter_of_another_model_does_not_fit(folders: Any) -> None:
    base, *_ = folders("text")
    with pytest.raises(ModelFileError, match=r"the adapter in .*llava-one does not fit .*llama"):
        _say(base, folders("llava")[1], "text")


def test_weights_that_the_model_has_no_place_for_are_told(folders: Any, tmp_path: Path) -> None:
    base, one, _ = folders("text")
    folder = shutil.copytree(one, tmp_path / "adapter")
    state = load_file(folder / WEIGHTS)
    state["base_model.model.model.layers.99.self_attn.q_proj.lora_A.weight"] = torch.ones(4, 4)
    save_file(state, folder / WEIGHTS)
    with pytest.raises(ModelFileError, match=r"1 weights have no counterpart.*layers\.99"):
        _say(base, folder, "text")


def test_an_adapter_of_the_days_before_parts_were_renamed_is_read(
    folders: Any, tmp_path: Path
) -> None:
    base, _, _ = folders("qwen2.5-vl")
    new = save_adapter(base, tmp_path / "new", 1, target_modules=["q_proj", "qkv", "down_proj"])
    old = shutil.copytree(new, tmp_path / "old")
    shorter = {
        name.replace(".model.language_model.", ".model.").replace(
            ".model.visual.", ".visual."
        ): each
        for name, each in load_file(new / WEIGHTS).items()
    }
    assert {"base_model.model.model.layers", "base_model.model.visual.blocks"} <= {
        name.partition(".0.")[0] for name in shorter
    }
    save_file(shorter, old / WEIGHTS)
    said = _say(base, old, "qwen2.5-vl")
    assert said == _say(base, new, "qwen2.5-vl") != _say(base, None, "qwen2.5-vl")


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, "no folder .*; an adapter is a folder with adapter_config.json and adapter_model"),
        ((), "no adapter_config.json in .*; an adapter is a folder"),
        ((CONFIG,), "no adapter_model.safetensors in "),
        ((CONFIG, PICKLE), "is a pickle, which can run code; write it as adapter_model.safe"),
    ],
)
def test_what_is_no_adapter_is_told_before_the_model_is_read(
    tmp_path: Path, left: tuple[str, ...] | None, said: str
) -> None:
    folder = tmp_path / "adapter"
    if left is not None:
        folder.mkdir()
        for name in left:
            (folder / name).touch()
    with pytest.raises(ModelFileError, match=said):
        _say(tmp_path / "no-model", folder, "text")
    with pytest.raises(ModelFileError, match=said):
        registry.provider_of("transformers:a/b").files(f"transformers:a/b?adapter={folder}")


def test_without_peft_the_line_that_brings_it_is_told(
    folders: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, one, _ = folders("text")
    monkeypatch.setattr(transformers_adapters, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "deixis\[train\]"'):
        adapter_in(str(one))


def test_both_folders_are_told_to_those_who_look_for_weights(folders: Any) -> None:
    base, one, _ = folders("text")
    spec = f"transformers:{base}?adapter={one}"
    assert registry.provider_of(spec).files(spec) == [str(base), str(one)]

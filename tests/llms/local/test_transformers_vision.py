"""Models that see, in this process: tiny ones with random weights, saved as real ones are."""

import base64
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from PIL import Image
from pydantic import BaseModel, ConfigDict

from deixis.errors import InputError, ModelCallError, SettingsError
from deixis.llms import registry
from deixis.llms.local.transformers_load import load
from deixis.llms.structured import ask
from deixis.prompts import Prompt
from deixis.tools.base import listening
from deixis.weights import micro_batch

from .tiny_seeing import KINDS, QWEN, save_seeing, tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.extra]


class Look(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hair: Literal["black", "red", "grey"]
    tall: bool


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a tiny model, one of `KINDS`."""
    root = tmp_path_factory.mktemp("models")

    def folder(kind: str) -> Path:
        if not (root / kind).exists():
            save_seeing(root / kind, kind)
        return root / kind

    return folder


@pytest.fixture
def model(saved: Callable[[str], Path]) -> Callable[..., BaseChatModel]:
    """Make the chat model of a kind with some options."""
    return lambda kind, query="": registry.load(f"transformers:{saved(kind)}?{query}").model


def _picture(colour: str, size: tuple[int, int] = (112, 84)) -> dict[str, str]:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return {"type": "image", "base64": data, "mime_type": "image/png"}


def _shown(*pictures: dict[str, str], text: str = "What?") -> list[Any]:
    return [SystemMessage("Be brief."), HumanMessage([*pictures, {"type": "text", "text": text}])]


def _given(reply: AIMessage) -> int:
    assert reply.usage_metadata is not None
    return reply.usage_metadata["input_tokens"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_constrained_reply_fits_its_schema(saved: Any, kind: str) -> None:
    backend = registry.load(f"transformers:{saved(kind)}")
    reply = ask(backend, Prompt("Be brief.", "Who is it?", "look", 1), Look, max_tokens=40)
    assert reply.status == "ok" and isinstance(reply.value, Look)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_reach_the_model(model: Any, kind: str) -> None:
    def say(*pictures: dict[str, str]) -> AIMessage:
        reply: AIMessage = model(kind).invoke(_shown(*pictures), max_tokens=12)
        return reply

    none, red, two = say(), say(_picture("red")), say(_picture("red"), _picture("red"))
    # 28 x 28 pixels a token in the Qwen family, 14 x 14 of 28 x 28 in this LLaVA; <v> and </v>
    assert _given(red) - _given(none) == (12 if kind in QWEN else 4) + 2
    assert _given(two) - _given(red) == _given(red) - _given(none)
    assert say(_picture("blue")).text != red.text, "the same tokens with other pixels"


@pytest.mark.parametrize("kind", KINDS)
def test_a_constrained_reply_about_a_picture_fits_too(model: Any, kind: str) -> None:
    bound = model(kind, "temperature=1").bind(json_schema=Look.model_json_schema(), max_tokens=40)
    assert Look.model_validate_json(bound.invoke(_shown(_picture("red"))).text)


@pytest.mark.parametrize(("kind", "room"), [*((kind, 4) for kind in KINDS), ("llava", 3)])
def test_replies_written_together_are_those_written_alone(
    saved: Any, model: Any, kind: str, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts of different lengths, with pictures of different sizes, and some with a grammar."""
    loaded = load(str(saved(kind)), "auto", "auto", None)
    turns, generate = loaded.turn, loaded.model.generate
    schema, served, serve = Look.model_json_schema(), [], micro_batch._serve

    def short(**inputs: Any) -> Any:
        if len(inputs["input_ids"]) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return generate(**inputs)

    def gated(group: list[Any], run_all: Any) -> None:
        end = time.monotonic() + 60
        while not served and len(turns._requests) < 8:
            assert time.monotonic() < end
            time.sleep(0.001)
        served.append(len(group))
        serve(group, run_all)

    def ask(number: int) -> tuple[AIMessage, list[str]]:
        colour, size = ("red", "blue", "green")[number % 3], (28 * (1 + number), 28 * (9 - number))
        shown = _shown(_picture(colour, size), text="What is it? " * number)
        made = model(kind)
        bound = made.bind(json_schema=schema, max_tokens=40) if number % 2 else made
        with listening() as warned:
            return bound.invoke(shown, max_tokens=40), warned

    alone = [ask(number) for number in range(8)]
    monkeypatch.setattr(micro_batch, "_serve", gated)
    monkeypatch.setattr(loaded.model, "generate", short)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(8), timeout=120))
    assert served == [1, 4, 3]
    for (one, _), (other, _) in zip(together, alone, strict=True):
        assert one.text == other.text and one.usage_metadata == other.usage_metadata
        assert one.response_metadata == other.response_metadata
    assert len({reply.text for reply, _ in alone}) > 4
    heard = [warned[0].partition(": ")[2] for _, warned in together if warned]
    assert heard == ["out of memory with 4 items; went on with 2"] * (4 if room == 3 else 0)


def test_a_reply_for_which_there_is_no_memory_is_a_failed_call(
    saved: Any, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(**_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    loaded = load(str(saved("llava")), "auto", "auto", None)
    monkeypatch.setattr(loaded.model, "generate", short)
    with pytest.raises(ModelCallError, match="out of memory with one item"):
        model("llava").invoke("Hi")


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_only_text(model: Any, kind: str) -> None:
    odd = "<|im_end|>\n<|im_start|>system <|image|><s><v>"
    more = _given(model(kind).invoke(odd, max_tokens=1)) - _given(
        model(kind).invoke("", max_tokens=1)
    )
    assert more == len(odd), "every letter is a token of its own"


@pytest.mark.parametrize("kind", KINDS)
def test_the_token_before_every_text_is_there_once(model: Any, kind: str) -> None:
    text = "<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant"
    expected = tokenizer().encode(text, add_special_tokens=False)
    assert _given(model(kind).invoke("Hi", max_tokens=1)) == len(expected)


@pytest.mark.parametrize("kind", QWEN)
def test_pictures_can_be_made_smaller(model: Any, kind: str) -> None:
    large = _shown(_picture("red", (560, 560)))
    whole = _given(model(kind).invoke(large, max_tokens=1))
    small = _given(model(kind, "max_pixels=12544").invoke(large, max_tokens=1))
    assert whole - small == 20 * 20 - 4 * 4  # tokens of 28 x 28 pixels


@pytest.mark.parametrize("kind", QWEN)
def test_pictures_can_be_made_larger(model: Any, kind: str) -> None:
    small = _shown(_picture("red", (56, 56)))
    whole = _given(model(kind).invoke(small, max_tokens=1))
    large = _given(model(kind, "min_pixels=12544&max_pixels=50176").invoke(small, max_tokens=1))
    assert large - whole == 4 * 4 - 2 * 2


def test_a_limit_on_pixels_is_refused_where_there_is_none(model: Any) -> None:
    with pytest.raises(SettingsError, match="max_pixels: the model has no such limit"):
        model("llava", "max_pixels=12544").invoke("Hi")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"base64": "A"}, ModelCallError, "base64 of a picture is damaged"),
        ({"base64": "AAAA"}, InputError, "the bytes"),
        ({"base64": None, "url": "http://127.0.0.1/a.png"}, ModelCallError, "must be in the mess"),
        ({"base64": None, "url": "file:///etc/passwd"}, ModelCallError, "must be in the message"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_told(
    model: Any, change: dict[str, Any], error: type[Exception], said: str
) -> None:
    block = {key: value for key, value in {**_picture("red"), **change}.items() if value}
    with pytest.raises(error, match=said):
        model("llava").invoke(_shown(block))

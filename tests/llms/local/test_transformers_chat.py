"""Hugging Face models in this process: a tiny one with random weights, saved as real ones are.

What it says means nothing, but everything around it is real: tokenizer, chat template, grammar,
files on disk. Models that see are in the file beside this one.
"""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from safetensors.torch import load_file, save_file

from deixis.errors import ModelCallError, ModelFileError, SettingsError
from deixis.llms import registry
from deixis.llms.local import transformers_load

pytestmark = [pytest.mark.slow, pytest.mark.extra]


@pytest.fixture
def model(saved: Path) -> Callable[..., BaseChatModel]:
    """Make the chat model with some options."""
    return lambda query="": registry.load(f"transformers:{saved}?{query}").model


def _changed(saved: Path, tmp_path: Path, name: str, change: dict[str, Any]) -> Path:
    folder = shutil.copytree(saved, tmp_path / "model")
    settings = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(settings | change))
    return folder


def _counted(reply: AIMessage) -> tuple[int, int]:
    assert reply.usage_metadata is not None
    return reply.usage_metadata["input_tokens"], reply.usage_metadata["output_tokens"]


def test_a_schema_that_no_grammar_can_hold_is_a_failed_call(model: Any) -> None:
    bound = model().bind(json_schema={"type": "string", "pattern": "(?=a)(?<=b"}, max_tokens=9)
    with pytest.raises(ModelCallError, match="schema: "):
        bound.invoke("Hi")


def test_a_reply_is_what_was_written_and_no_more(model: Any) -> None:
    told = [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Yes?"), HumanMessage("Hi")]
    reply = model().invoke(told, max_tokens=20)
    given, written = _counted(reply)
    assert given > _counted(model().invoke("Hi", max_tokens=1))[0]
    assert reply.text and 0 < written <= 20, "nothing of the prompt"
    assert not any(each in reply.text for each in ("<|", "<s>"))


def test_it_stops_before_a_stop_word(model: Any) -> None:
    whole = model().invoke("Hi", max_tokens=12).text
    reply = model().invoke("Hi", max_tokens=12, stop=[whole[3:5]])
    assert reply.text == whole[: whole.index(whole[3:5])]
    assert reply.response_metadata["finish_reason"] == "stop"


def test_the_same_seed_says_the_same_and_the_random_state_is_left_alone(model: Any) -> None:
    before = torch.get_rng_state()
    said = [
        model(query=f"temperature=1&seed={seed}").invoke("Hi", max_tokens=12).text
        for seed in (1, 2)
    ]
    again = model(query="temperature=1&seed=1&max_tokens=12").invoke("Hi").text
    assert again == said[0] != said[1]
    assert torch.equal(before, torch.get_rng_state())


def test_a_prompt_longer_than_the_context_is_a_failed_call(model: Any) -> None:
    with pytest.raises(ModelCallError, match=r"the prompt has \d+ tokens, the context 512"):
        model().invoke("word " * 600)
    assert model().invoke("Hi", max_tokens=2).text, "it still answers"


def test_a_reply_that_fills_the_context_is_cut_off(model: Any) -> None:
    endless = {"type": "array", "items": {"const": 1}, "minItems": 300}
    reply = model().bind(json_schema=endless, max_tokens=9999).invoke("Hi")
    assert sum(_counted(reply)) == 512
    assert reply.response_metadata["finish_reason"] == "length"


def test_a_picture_for_a_model_that_cannot_see_is_a_failed_call(model: Any) -> None:
    picture = {"type": "image", "base64": "AAAA", "mime_type": "image/png"}
    with pytest.raises(ModelCallError, match="this model cannot see; leave the picture out"):
        model().invoke([HumanMessage([{"type": "text", "text": "Who is it?"}, picture])])


def test_a_reply_that_takes_too_long_is_not_taken_for_a_whole_one(model: Any) -> None:
    with pytest.raises(TimeoutError, match=r"within 1e-06 seconds"):
        model(query="timeout=0.000001").invoke("Hi", max_tokens=50)


def test_thoughts_are_left_out_where_the_grammar_would_forbid_them(model: Any) -> None:
    free, _ = _counted(model().invoke("Hi", max_tokens=1))
    bound, _ = _counted(model().bind(json_schema={"type": "boolean"}).invoke("Hi", max_tokens=1))
    assert bound > free


@pytest.mark.parametrize("odd", ["<|im_end|>", "<|im_start|>", "<s>", "<|pad|>"])
def test_a_text_cannot_write_control_tokens(model: Any, odd: str) -> None:
    without, _ = _counted(model().invoke("", max_tokens=1))
    given, _ = _counted(model().invoke(odd, max_tokens=1))
    assert given - without > 1, "spelled out"


def test_threads_load_a_model_once_and_all_get_an_answer(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, read = [], transformers_load.weights
    monkeypatch.setattr(
        transformers_load, "weights", lambda *given: loaded.append(given) or read(*given)
    )
    monkeypatch.setattr(transformers_load, "_kept", {})
    with ThreadPoolExecutor(4) as pool:
        said = list(
            pool.map(lambda i: model(query=f"seed={i}&max_tokens=4").invoke("Hi").text, range(4))
        )
    assert len(set(said)) == 1
    assert len(loaded) == 1


def test_a_folder_that_was_written_anew_is_read_anew(saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "model")
    model = registry.load(f"transformers:{folder}?max_tokens=12").model
    first = model.invoke("Hi").text
    assert model.invoke("Hi").text == first
    state = load_file(folder / "model.safetensors")
    state["lm_head.weight"] = state["lm_head.weight"].flip(0)
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    assert model.invoke("Hi").text != first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"chat_template.jinja": None}, "has no chat template; name a chat model"),
        ({"model.safetensors": None}, r"no file named model\.safetensors.*; only weights in \.s"),
        ({"model.safetensors": b"<html>not found</html>"}, "cannot load .*eader"),
        ({"config.json": None}, r"no config\.json in the folder"),
        ({"config.json": b"{"}, "cannot load .* not a valid JSON file"),
        ({"config.json": b'{"model_type": "none"}'}, "model type `none`"),
        ({"config.json": b'{"model_type": "resnet"}'}, "cannot load .*ResNetConfig"),
        ({"tokenizer.json": b"{"}, "cannot load .*Expecting property"),
    ],
)
def test_a_folder_that_is_no_chat_model_is_told(
    saved: Path, tmp_path: Path, change: dict[str, bytes | None], said: str
) -> None:
    folder = shutil.copytree(saved, tmp_path / "model")
    torch.save({}, folder / "pytorch_model.bin")  # pickles are never read
    for name, content in change.items():
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=f"(?s){said}"):
        registry.load(f"transformers:{folder}").model.invoke("Hi")


def test_weights_with_holes_are_not_filled_with_random_numbers(saved: Path, tmp_path: Path) -> None:
    folder = _changed(saved, tmp_path, "config.json", {"num_hidden_layers": 3})
    with pytest.raises(ModelFileError, match=r"weights are missing, the first is model\.layers\.2"):
        registry.load(f"transformers:{folder}").model.invoke("Hi")


@pytest.mark.parametrize("advice", [{"top_k": 1}, {"top_p": 1e-6}])
def test_the_advice_of_a_model_for_sampling_is_followed(
    saved: Path, tmp_path: Path, model: Any, advice: dict[str, float]
) -> None:
    folder = _changed(saved, tmp_path, "generation_config.json", {**advice, "do_sample": True})
    hot = registry.load(f"transformers:{folder}?temperature=2&max_tokens=12").model
    assert hot.invoke("Hi").text == model().invoke("Hi", max_tokens=12).text


def test_a_repository_of_the_hub_that_is_on_this_disk_needs_no_network(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, home = "0123456789" * 4, tmp_path / "models--owner--tiny"
    shutil.copytree(saved, home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "v1").write_text(commit)
    (home / "refs" / "main").write_text("f" * 40)  # of which nothing is here
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    def asked(*_: Any, **__: Any) -> None:
        raise AssertionError("the hub was asked")

    with monkeypatch.context() as unreached:
        unreached.setattr("huggingface_hub.file_download.get_hf_file_metadata", asked)
        assert registry.load("transformers:owner/tiny@v1").model.invoke("Hi", max_tokens=2).text
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelFileError, match="cannot fetch owner/none"):
        registry.load("transformers:owner/none").model.invoke("Hi")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("temprature=0", "there is no option 'temprature' (did you mean 'temperature'?"),
        (
            "weights=x",
            "known: adapter, attention, device, dtype, frames, logprobs, max_pixels, max_tokens, ",
        ),
        ("dtype=int8", "option dtype: Input should be 'auto', 'bfloat16', 'float16'"),
        ("device=gpu", "option device: String should match"),
        ("timeout=0", "option timeout: Input should be greater than 0"),
        ("device=cuda:99", "torch finds no device cuda:99 here"),
    ],
)
def test_a_wrong_option_is_told(saved: Path, query: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        registry.load(f"transformers:{saved}?{query}").model.invoke("Hi")
    assert said in str(caught.value)


def test_limits_of_pixels_the_wrong_way_round_are_told(model: Any) -> None:
    with pytest.raises(SettingsError, match="min_pixels 9 is above max_pixels 8"):
        model("min_pixels=9&max_pixels=8")

"""Models that hear and watch, in this process: a tiny Qwen2.5-Omni, saved as the real one is."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel, ConfigDict

from deixis.errors import ModelCallError, SettingsError
from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.local.transformers_load import load
from deixis.llms.media import Clip, Medium, Recording, clip, recording
from deixis.llms.photos import photo
from deixis.llms.structured import ask
from deixis.prompts import Prompt
from deixis.settings import Options
from deixis.testing.media import boxes, wav
from deixis.testing.media import film as made_film

from .tiny_omni import save_omni
from .tiny_seeing import QWEN, save_seeing

pytestmark = [pytest.mark.slow, pytest.mark.extra]

PROMPT = Prompt("Be brief.", "Who speaks?", "listen", 1)
TOKENS_A_SECOND = 25
"""Of sound, as Qwen2.5-Omni's report has it (arXiv 2503.20215, section 2.2): 40 ms a token."""


class Heard(BaseModel):
    model_config = ConfigDict(extra="forbid")

    voice: Literal["low", "high", "none"]


@pytest.fixture(scope="module")
def omni(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "omni"
    save_omni(folder)
    return folder


@pytest.fixture
def say(omni: Path) -> Callable[..., AIMessage]:
    model = registry.load(f"transformers:{omni}").model

    def said(*media: Medium, text: str = "What?") -> AIMessage:
        shown: list[Any] = [*(each.block() for each in media), {"type": "text", "text": text}]
        reply: AIMessage = model.invoke([HumanMessage(shown)], max_tokens=12)
        return reply

    return said


def tone(seconds: float, pitch: float = 220.0) -> Recording:
    return recording(wav(seconds, pitch), seconds)


def film(seconds: float, level: int = 0) -> Clip:
    pytest.importorskip("av")
    frames = np.clip(boxes(int(seconds * 10), 112, 84) + np.uint8(level), 0, 255)
    return clip(made_film(frames, 10), seconds)


def given(reply: AIMessage) -> int:
    assert reply.usage_metadata is not None
    return reply.usage_metadata["input_tokens"]


def test_sound_reaches_the_model(say: Callable[..., AIMessage]) -> None:
    none, one, two = say(), say(tone(1.0)), say(tone(2.0))
    assert given(one) - given(none) == TOKENS_A_SECOND + 2, "and one before and after"
    assert given(two) - given(one) == TOKENS_A_SECOND
    assert say(tone(1.0, 1500.0)).text != one.text, "the same tokens of another sound"


def test_a_video_is_shown_as_pictures_with_their_times(
    say: Callable[..., AIMessage], omni: Path
) -> None:
    """Two frames a second, each with its time; 12 tokens a frame and one before and after."""
    none, second, two = say(), say(film(1.0)), say(film(2.0))
    assert given(second) - given(none) == 2 * (12 + 2 + len("0.2 s:"))
    assert given(two) - given(second) == given(second) - given(none)
    assert say(film(1.0, 128)).text != second.text
    few = registry.load(f"transformers:{omni}?frames=3").model
    block = [film(10.0).block(), {"type": "text", "text": "What?"}]
    reply = few.invoke([HumanMessage(block)], max_tokens=1)
    assert given(reply) - given(none) == 3 * (12 + 2 + len("1.6 s:"))


@pytest.mark.parametrize("kind", QWEN)
def test_qwen_vl_watches_and_does_not_hear(kind: str, tmp_path: Path) -> None:
    """Two frames of 12 tokens, each between two more and after its time."""
    save_seeing(tmp_path / "model", kind)
    spec = f"transformers:{tmp_path / 'model'}"
    assert registry.watches(spec) and not registry.hears(spec)
    model = registry.load(spec).model

    def asked(*media: Medium) -> AIMessage:
        blocks: list[Any] = [*(each.block() for each in media), {"type": "text", "text": "What?"}]
        reply: AIMessage = model.invoke([HumanMessage(blocks)], max_tokens=8)
        return reply

    none, moving, other = asked(), asked(film(1.0)), asked(film(1.0, 100))
    assert given(moving) - given(none) == 2 * (12 + 2 + len("0.2 s:"))
    assert moving.text != other.text, "the same tokens with other pixels"
    with pytest.raises(ModelCallError, match="cannot hear"):
        asked(tone(0.5))


def test_all_media_in_one_question(omni: Path, tmp_path: Path) -> None:
    asker = Asker(Options(), LlmCache(tmp_path / "answers"))
    picture = photo(np.zeros((84, 112, 3), np.uint8), 200)
    spec = f"transformers:{omni}"
    assert registry.hears(spec) and registry.watches(spec), "as its folder says"
    media = [picture, film(1.0), tone(1.0)]
    reply = asker.ask(spec, PROMPT, Heard, images=media)
    assert reply.status == "ok" and isinstance(reply.value, Heard)
    again = Asker(Options(), LlmCache(tmp_path / "answers", "replay"))
    assert again.ask(spec, PROMPT, Heard, images=media).value == reply.value


def test_replies_written_together_are_those_written_alone(say: Callable[..., AIMessage]) -> None:
    """Prompts of different lengths, with one or two sounds."""
    questions = [
        ((tone(0.5 + number / 3),) * (1 + number % 2), "Who? " * number) for number in range(6)
    ]
    alone = [say(*media, text=text).text for media, text in questions]
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(say, *media, text=text) for media, text in questions]
    assert [each.result().text for each in asked] == alone
    assert len(set(alone)) > 3


def test_sound_that_is_too_long_for_the_model_is_told_and_not_cut(
    say: Callable[..., AIMessage],
) -> None:
    assert given(say(tone(30.0)))
    with pytest.raises(ModelCallError, match=r"has 30\.5 s, and the model hears 30 s at once"):
        say(tone(30.5))


@pytest.mark.parametrize(
    ("medium", "words"),
    [
        (recording(b"RIFF, and no more", 1.0), "sound"),
        (clip(b"no video at all", 1.0), "video"),
    ],
)
def test_what_cannot_be_decoded_is_a_failed_call(omni: Path, medium: Medium, words: str) -> None:
    reply = ask(
        registry.load(f"transformers:{omni}"), PROMPT, Heard, max_tokens=20, images=[medium]
    )
    assert reply.status == "failed" and words in reply.detail


def test_of_the_whole_model_the_part_that_writes_is_loaded(omni: Path) -> None:
    loaded = load(str(omni), "auto", "auto", None)
    assert type(loaded.model).__name__ == "Qwen2_5OmniThinkerForConditionalGeneration"


def test_names_tell_of_what_is_not_on_this_disk() -> None:
    hears = registry.hears
    assert hears("transformers:Qwen/Qwen2.5-Omni-7B") and hears("transformers:/x?hears=true")
    assert not hears("transformers:Qwen/Qwen2.5-VL-7B-Instruct")
    assert registry.watches("transformers:Qwen/Qwen2.5-VL-7B-Instruct")
    assert not registry.watches("transformers:Qwen/Qwen2.5-7B-Instruct")


def test_the_folder_tells_and_not_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "qwen2.5-omni"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert not registry.hears(f"transformers:{folder}")
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3_vl"}))
    assert registry.watches(f"transformers:{folder}")


def test_an_option_of_videos_has_no_effect_on_a_model_without_eyes(saved: Path) -> None:
    model = registry.load(f"transformers:{saved}?frames=4").model
    with pytest.raises(SettingsError, match="option frames: the model takes no pictures"):
        model.invoke("Hi")
    deaf = registry.load(f"transformers:{saved}").model
    with pytest.raises(ModelCallError, match="cannot hear"):
        deaf.invoke([HumanMessage([tone(0.5).block()])])

"""Sound and video in requests: sent as each provider's API documents it, part of the key."""

import base64
import io
import json
import re
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

from deixis.errors import CacheMissError
from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.cache.records import Request, identify
from deixis.llms.media import Clip, Medium, Recording, clip, recording
from deixis.llms.photos import Photo, photo
from deixis.prompts import Prompt
from deixis.settings import Budget, Options
from deixis.testing import Response, fault, openai_server
from deixis.testing.media import wav

from .servers.protocols import google, openai

PROMPT = Prompt("Listen.", "Who speaks in audio 1?", "listen", 1)
GOOD = '{"speaker": "Ann"}'


class Heard(BaseModel):
    model_config = ConfigDict(extra="forbid")

    speaker: str


SOUND = recording(wav(0.5), 0.5)
FILM = clip(b"\x00\x00\x00\x18ftypisom and what an encoder makes", 2.0)
PICTURE = photo(np.zeros((20, 30, 3), np.uint8), 100)
ALL: list[Medium] = [PICTURE, FILM, SOUND, PICTURE]


def _encoded(medium: Medium) -> str:
    return base64.b64encode(medium.data).decode()


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(Options(), LlmCache(tmp_path / "cache"))


@pytest.mark.extra
def test_openai_gets_input_audio_and_what_vllm_documents_for_video(asker: Asker) -> None:
    """OpenAI's reference, chat completions, audio content part; vLLM, multimodal inputs."""
    with openai_server(GOOD) as server:
        spec = server.spec("any", hears="true", watches="true")
        got = asker.ask(spec, PROMPT, Heard, images=ALL)
    assert got.value == Heard(speaker="Ann"), got
    (sent,) = server.requests
    assert sent.body["messages"][1]["content"] == [
        {"type": "text", "text": "Image 1:"},
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/jpeg;base64,{_encoded(PICTURE)}"},
        },
        {"type": "text", "text": "Video 1:"},
        {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{_encoded(FILM)}"}},
        {"type": "text", "text": "Audio 1:"},
        {"type": "input_audio", "input_audio": {"data": _encoded(SOUND), "format": "wav"}},
        {"type": "text", "text": "Image 2:"},
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/jpeg;base64,{_encoded(PICTURE)}"},
        },
        {"type": "text", "text": PROMPT.user},
    ]
    (question,) = server.asked
    assert question.images == (PICTURE.data, PICTURE.data)
    assert (question.sounds, question.clips) == ((SOUND.data,), (FILM.data,))
    assert sent.body["model"] == "any" and "hears" not in json.dumps(sent.body)


@pytest.mark.extra
def test_gemini_gets_inline_data(asker: Asker, provider: Any, monkeypatch: Any) -> None:
    """Gemini API reference, generateContent: a part with a Blob of mimeType and data."""
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    provider.replies[:] = [Response(200, google(GOOD))]
    spec = f"google_genai:gemini-test?base_url={provider.url}"
    assert asker.ask(spec, PROMPT, Heard, images=[FILM, SOUND]).value == Heard(speaker="Ann")
    (sent,) = provider.requests
    texts, blobs = [], []
    for part in sent.body["contents"][0]["parts"]:
        if "text" in part:
            texts.append(part["text"])
        else:
            blob = part["inlineData"]
            data = blob["data"].replace("-", "+").replace("_", "/")  # either alphabet is read
            blobs.append((blob.get("mimeType", blob.get("mime_type")), base64.b64decode(data)))
    assert texts == ["Video 1:", "Audio 1:", PROMPT.user]
    assert blobs == [("video/mp4", FILM.data), ("audio/wav", SOUND.data)]


@pytest.mark.extra
def test_a_repair_sends_the_sound_again(asker: Asker) -> None:
    with openai_server("no JSON", GOOD) as server:
        got = asker.ask(server.spec("gpt-audio"), PROMPT, Heard, images=[SOUND])
    assert got.status == "ok" and len(server.requests) == 2
    for sent in server.requests:
        assert sent.body["messages"][1]["content"][1]["type"] == "input_audio"


@pytest.mark.extra
def test_openais_second_interface_takes_no_sound_and_nothing_is_left_out_unsaid(
    asker: Asker,
) -> None:
    with openai_server(GOOD) as server:
        spec = server.spec("gpt-audio", use_responses_api="true")
        got = asker.ask(spec, PROMPT, Heard, images=[SOUND])
    assert got.status == "failed" and "Responses API takes neither sound" in got.detail
    assert server.requests == []


REFUSALS = {
    "openai": "Invalid 'messages[1]'. Content blocks are expected to be either text or image_url "
    "type.",
    "vllm": "At most 0 audio(s) may be provided in one prompt.",
    "llama.cpp": "audio input is not supported - hint: if this is unexpected, you may need to "
    "provide the mmproj",
}


@pytest.mark.extra
@pytest.mark.parametrize("words", REFUSALS.values(), ids=REFUSALS)
def test_a_server_that_refuses_sound_is_asked_once_and_quoted(asker: Asker, words: str) -> None:
    with openai_server(fault(400, words)) as server:
        spec = server.spec(f"refuses-{len(words)}", hears="true")
        got = asker.ask(spec, PROMPT, Heard, images=[SOUND])
        again = asker.ask(spec, PROMPT, Heard, images=[SOUND])
    assert (got.value, got.status) == (None, "failed") and words[:60] in got.detail
    assert [call.status for call in got.calls] == ["failed"] and len(server.requests) == 1
    assert not registry.hears(spec) and again.calls == ()
    assert "takes no sound" in again.detail


@pytest.mark.extra
def test_a_model_that_hears_and_knows_no_schema_is_told_it_in_words(asker: Asker) -> None:
    """As OpenAI's audio models, which refuse the schema and not the sound."""
    words = (
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
        "model."
    )

    def rule(question: Any) -> Any:
        return fault(400, words) if question.schema else GOOD

    with openai_server(rule) as server:
        got = asker.ask(server.spec("gpt-audio-schemaless"), PROMPT, Heard, images=[SOUND])
    assert got.value == Heard(speaker="Ann")
    last = server.requests[-1].body["messages"]
    assert "JSON Schema" in last[0]["content"]
    assert last[1]["content"][1]["type"] == "input_audio"


@pytest.mark.parametrize(
    ("spec", "medium", "words"),
    [
        ("openai:gpt-5-mini", SOUND, "openai:gpt-5-mini takes no sound; if it does.*hears=true"),
        ("openai:gpt-audio", FILM, "takes no video; if it does, say so in its spec: .watches=true"),
        ("embedded:smollm2-135m", SOUND, "takes no sound"),
        ("anthropic:claude-haiku-4-5", SOUND, "takes no sound"),
        ("ollama:qwen", FILM, "takes no video"),
    ],
)
def test_what_a_model_cannot_take_it_is_not_sent(
    asker: Asker, spec: str, medium: Medium, words: str
) -> None:
    reply = asker.ask(spec, PROMPT, Heard, images=[medium])
    assert (reply.status, reply.calls) == ("failed", ())
    assert re.search(words, reply.detail)


def test_keys_of_questions_with_pictures_alone_are_what_they_were() -> None:
    asked = Request("openai:gpt-5-mini?temperature=0&seed=1", "You see.", "What?", {}, ("ab",))
    key = "f5cfb60bf23b27d2ebc91cf5dd22e678013c3ed80a4915f03c0e276e04f99145"
    assert identify(asked)[0] == key


def test_sound_and_video_are_part_of_the_key_and_a_recorded_run_replays(
    scripted: Callable[..., None], tmp_path: Path
) -> None:
    asked: list[Any] = []

    def script(_name: str, messages: list[Any], _options: Any) -> str:
        asked.append(messages)
        return GOOD

    scripted(script, hears=True, watches=True)
    folder = tmp_path / "answers"
    asker = Asker(Options(), LlmCache(folder))
    same = b"RIFF and so on"  # one file, given as each of three kinds
    kinds: list[Medium] = [
        Photo(same, "ab", 1, 1),
        Recording(same, "ab", 1.0),
        Clip(same, "ab", 1.0),
    ]
    questions: list[list[Medium]] = [[each] for each in kinds]
    questions += [[], [SOUND], [recording(wav(0.5, 220.0), 0.5)], [SOUND, FILM], [FILM, SOUND]]
    for question in questions + questions:
        assert asker.ask("scripted:a", PROMPT, Heard, images=question).value is not None
    assert len(asked) == len(questions), "each once"
    replay = Asker(Options(), LlmCache(folder, "replay"))
    # What a model can be sent is no part of the question: the recorded answer is found.
    heard = replay.ask("scripted:a?hears=true", PROMPT, Heard, images=[SOUND])
    assert heard.value is not None and heard.calls[0].status == "cached"
    with pytest.raises(CacheMissError):
        replay.ask("scripted:a", PROMPT, Heard, images=[SOUND, SOUND])
    stored = {entry.images for entry in asker.cache.entries()}
    assert ("ab",) in stored and ("audio:ab",) in stored and ("video:ab",) in stored


@pytest.mark.extra
def test_sound_counts_against_the_budget_where_the_server_counts_nothing(tmp_path: Path) -> None:
    """32 tokens a second of sound and 300 of video, about; as Gemini counts."""
    silent = {**openai(GOOD), "usage": None}
    long = SOUND._replace(seconds=100.0)
    options = Options(budget=Budget(tokens=3200 + 600))
    for images, enough in (([long, FILM], True), ([SOUND], False)):
        asker = Asker(options, LlmCache(tmp_path / "cache", "off"))
        with openai_server(Response(200, silent)) as server:
            spec = server.spec("omni")
            assert asker.ask(spec, PROMPT, Heard, images=images).value is not None
            left = asker.spending.left().tokens
        assert left is not None and (left < 200) == enough


def test_blocks_are_langchains_own() -> None:
    message = HumanMessage([SOUND.block(), FILM.block()])  # type: ignore[list-item]
    assert [block["type"] for block in message.content_blocks] == ["audio", "video"]
    with wave.open(io.BytesIO(SOUND.data)) as sound:
        assert sound.getparams()[:3] == (1, 2, 16_000)

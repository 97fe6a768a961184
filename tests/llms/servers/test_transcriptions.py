"""A transcriber behind a server, asked over HTTP on loopback."""

import io
import wave
from typing import Any

import numpy as np
import pytest

from deixis.errors import MissingKeyError, SettingsError, ToolError
from deixis.llms.servers.transcriptions import TranscriptionServer
from deixis.testing import Response, fault, transcription, transcription_server
from deixis.tools import registry
from deixis.tools.base import Samples, TimedWord, listening

SOUND: Samples = np.full(32_000, 0.25, np.float32)
WORDS = (("Ann", 0.1, 0.4), ("met", 0.5, 0.7), ("NASA.", 0.8, 1.4))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-default")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def load(spec: str) -> TranscriptionServer:
    tool: TranscriptionServer = registry.load(spec, "transcriber")
    return tool


def test_it_is_asked_as_the_protocol_says() -> None:
    with transcription_server(transcription(*WORDS)) as server:
        heard = load(server.spec(language="en")).transcribe(SOUND)
    assert heard.words == [TimedWord(word, start, end, 1.0) for word, start, end in WORDS]
    assert heard.language == "en"
    (asked,) = server.asked
    assert asked.fields == {
        "model": "whisper-1",
        "language": "en",
        "response_format": "verbose_json",
        "timestamp_granularities[]": "word",
    }
    assert asked.headers["authorization"] == "Bearer sk-of-the-default"
    with wave.open(io.BytesIO(asked.sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 32_000)
        assert file.readframes(1) == np.array([8192], "<i2").tobytes()


def test_another_variable_has_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-of-another")
    with transcription_server(transcription(*WORDS)) as server:
        load(server.spec(variable="GROQ_API_KEY")).transcribe(SOUND)
        load(server.spec(variable="NOT_SET")).transcribe(SOUND)
    assert server.asked[0].headers["authorization"] == "Bearer gsk-of-another"
    assert "authorization" not in server.asked[1].headers
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(MissingKeyError, match="set the variable OPENAI_API_KEY"):
        TranscriptionServer().transcribe(SOUND)


def test_how_sure_it_is_comes_from_the_word_or_its_segment() -> None:
    answer: Any = transcription(*WORDS, language="de")
    answer["words"][0]["probability"] = 0.25
    answer["segments"] = [
        {"id": 0, "text": "Ann met", "start": 0.0, "end": 0.75, "avg_logprob": np.log(0.5)}
    ]
    with transcription_server(answer) as server:
        heard = load(server.spec()).transcribe(SOUND)
    assert [word.score for word in heard.words] == pytest.approx([0.25, 0.5, 1.0])
    assert heard.language == "de"
    inside = {"text": "Ann", "segments": [{**answer["segments"][0], "words": answer["words"]}]}
    with transcription_server(inside) as server:
        assert len(load(server.spec()).transcribe(SOUND).words) == 3


def test_times_of_segments_alone_are_shared_and_it_is_told() -> None:
    segments = [
        {"text": " Ann met", "start": 0.0, "end": 0.8},
        {"text": " NASA.", "start": 1.0, "end": 1.5, "avg_logprob": 0.0},
    ]
    answer = {"text": "Ann met NASA.", "segments": segments}
    with transcription_server(answer) as server, listening() as warned:
        words = load(server.spec()).transcribe(SOUND).words
    assert [word[:3] for word in words] == [
        ("Ann", 0.0, 0.4),
        ("met", 0.4, 0.8),
        ("NASA.", 1.0, 1.5),
    ]
    assert "no times of words" in warned[0]


def test_a_server_without_times_is_asked_for_the_text_alone() -> None:
    refusal = fault(400, "response_format 'verbose_json' is not compatible with model 'gpt-4o'")
    with transcription_server(refusal, {"text": "Ann met"}) as server, listening() as warned:
        words = load(server.spec("gpt-4o")).transcribe(SOUND).words
    assert [(word.text, word.start, word.end) for word in words] == [
        ("Ann", 0.0, 1.0),
        ("met", 1.0, 2.0),
    ]
    assert [asked.fields["response_format"] for asked in server.asked] == ["verbose_json", "json"]
    assert "tells no times" in warned[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fault(401, "Incorrect API key provided: sk-of-the-default"), r"answers 401: .*\*\*\*"),
        (fault(404, "the model whisper-9 does not exist"), "answers 404: the model whisper-9"),
        (fault(503), "answers 503: not now"),
        (Response(503), "answers 503: it says nothing of why"),
        (Response(200, "<html>Welcome</html>"), "begins with '<html>Welcome"),
        (Response(200, {"error": {"message": "overloaded", "code": 503}}), "503: overloaded"),
        (Response(302, headers={"Location": "http://127.0.0.1:9/v1"}), "redirects to"),
        ({"text": 3}, "no chat completion|no transcription"),
        ({"text": "a", "words": [{"word": "a", "start": -1, "end": 2}]}, "no transcription: words"),
        ({"text": "a", "words": [{"word": "a", "start": 0}]}, "no transcription: words"),
        ({"text": "a", "words": "none"}, "no transcription: words"),
    ],
)
def test_faults_are_told_without_keys(answer: Any, reason: str) -> None:
    with (
        transcription_server(answer) as server,
        pytest.raises(ToolError, match=reason) as caught,
    ):
        load(server.spec()).transcribe(SOUND)
    said = str(caught.value)
    assert said.startswith("transcription-server whisper-1: ") and "\n" not in said
    assert "sk-of-the-default" not in said


def test_a_server_that_is_not_there_or_slow_is_told() -> None:
    with transcription_server(transcription(*WORDS)) as server:
        tool = load(server.spec())
        slow = load(server.spec(timeout=0.001))
        with pytest.raises(ToolError, match=r"timed out|no whole reply"):
            slow.transcribe(np.tile(SOUND, 100))
    with pytest.raises(ToolError, match="transcription-server whisper-1: "):
        tool.transcribe(SOUND)


def test_long_sound_goes_in_pieces_and_silence_not_at_all() -> None:
    sound = np.concatenate([np.tile(SOUND, 301), np.zeros(16_000 * 1200, np.float32)])
    with transcription_server(transcription(*WORDS)) as server:
        tool = load(server.spec())
        words = tool.transcribe(sound).words
        assert tool.transcribe(np.zeros(16_000, np.float32)).words == []
        assert len(server.asked) == 2
        assert max(len(asked.sound) for asked in server.asked) < 25_000_000
        assert words[3].start > 490 and [word.text for word in words[3:]] == ["Ann", "met", "NASA."]
        assert tool.transcribe(SOUND).words
        aligned = tool.align(SOUND, ["Ann", "met", "them"])
        assert len(server.asked) == 3  # once for both
    assert [(word.text, word.score) for word in aligned] == [
        ("Ann", 1.0),
        ("met", 1.0),
        ("them", 0.0),
    ]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("base_url=http://user:secret@127.0.0.1/v1", "credentials and parameters stay out"),
        ("base_url=http://127.0.0.1/v1%3Fapi_key=secret", "credentials and parameters stay out"),
        ("language=English", "language"),
        ("timeout=0", "timeout"),
        ("api_key=secret", "keys stay out"),
    ],
)
def test_wrong_options_are_told(query: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        load(f"transcription-server:whisper-1?{query}")
    assert "secret" not in str(caught.value)

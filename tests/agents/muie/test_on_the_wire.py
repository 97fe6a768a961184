"""A sample of sound and video on its way to servers that speak the providers' protocols."""

import base64
import io
import json
import wave
from typing import Any

import numpy as np
import pytest

from deixis.agents.muie.extract import extract
from deixis.base.video import open_video
from deixis.testing import Question, Request, Response, fault, openai_server, serving
from deixis.testing import media as made

pytestmark = [pytest.mark.extra("av"), pytest.mark.extra("openai")]
SAID = "ann lee joined acme"


def _sample() -> dict[str, Any]:
    return {
        "audio": made.wav(2.0, rate=44_100, channels=2),
        "video": made.film(made.boxes(20), 10),
        "watched": (0.0, 1.0),
        "said": SAID,
    }


def _named(question: Question) -> dict[str, Any]:
    assert question.schema is not None
    fields = question.schema["$defs"]["NamedEntity"]["properties"]
    places = {medium: None for medium in ("image", "video", "audio") if medium in fields}
    return {"entities": [{**places, "name": "ann lee", "type": "PER"}]}


def _check_sound(data: bytes) -> None:
    with wave.open(io.BytesIO(data)) as file:
        assert file.getparams()[:3] == (1, 2, 16_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    assert len(samples) == pytest.approx(2 * 16_000, abs=100)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.fft.rfftfreq(len(samples), 1 / 16_000)[spectrum.argmax()] == pytest.approx(440, abs=1)


def _check_film(data: bytes) -> None:
    seen = open_video(data, max_seconds=10, max_bytes=10**7, max_pixels=10**7)
    assert (seen.width, seen.height, seen.sound) == (96, 64, False)
    assert seen.seconds == pytest.approx(2.0, abs=0.3)
    (first,) = seen.at([0.0])
    red = first.pixels[12:20, 4:12].astype(int)
    assert (red[..., 0] > red[..., 1] + 80).all(), "the box stands where it stood"


def test_what_a_server_of_openais_protocol_gets(asked: Any) -> None:
    with openai_server(_named) as server:
        setup = {"model": server.spec("omni-wire")}
        found, _ = asked(extract, setup=setup, **_sample())
    (question,) = server.asked
    (sound,), (film,) = question.sounds, question.clips
    _check_sound(sound)
    _check_film(film)
    assert "Video 1: the video\nAudio 1: the sound" in question.user
    assert question.images == () and SAID not in question.user
    assert [call["status"] for call in found["calls"].values()] == ["ok"]


def test_what_gemini_gets(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langchain_google_genai")
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    answer = {"entities": []}

    def gemini(_: Request) -> Response:
        parts = [{"text": json.dumps(answer)}]
        content = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
        return Response(200, {"candidates": [{**content, "index": 0}]})

    with serving(gemini) as server:
        model = f"google_genai:gemini-wire?base_url={server.url}"
        found, _ = asked(extract, setup={"model": model}, **_sample())
    assert [call["status"] for call in found["calls"].values()] == ["ok"]
    (request,) = server.requests
    blobs = {}
    for part in request.body["contents"][0]["parts"]:
        if blob := part.get("inlineData"):
            data = blob["data"].replace("-", "+").replace("_", "/")
            blobs[blob.get("mimeType", blob.get("mime_type"))] = base64.b64decode(data)
    assert set(blobs) == {"audio/wav", "video/mp4"}
    _check_sound(blobs["audio/wav"])
    _check_film(blobs["video/mp4"])


def test_a_server_that_takes_neither_is_asked_again_with_words_and_frames(asked: Any) -> None:
    """It refuses one after the other; what it refused once is not sent again."""

    def text_and_pictures(question: Question) -> Any:
        if question.sounds:
            return fault(400, "audio input is not supported - hint: you may need the mmproj")
        if question.clips:
            return fault(400, "At most 0 video(s) may be provided in one prompt.")
        return _named(question)

    with openai_server(text_and_pictures) as server:
        setup = {"model": server.spec("plain-wire", hears="true", watches="true")}
        found, _ = asked(extract, setup=setup, **_sample())
        asked(extract, setup=setup, **_sample())
    first, second, third, next_sample = server.asked
    assert (len(first.sounds), len(first.clips), first.images) == (1, 1, ())
    assert (len(second.sounds), len(second.clips)) == (0, 1) and SAID in second.user
    assert not third.sounds and not third.clips and len(third.images) == 2
    assert next_sample.messages == third.messages, "the next sample is sent neither"
    assert [mention["text"] for mention in found["mentions"].values()] == ["ann lee"]
    said = [each["message"] for each in found["notices"].values()]
    assert any("audio input is not supported" in message for message in said)


def test_a_refusal_of_one_recording_is_no_refusal_of_all(asked: Any) -> None:
    with openai_server(fault(400, "Failed to decode the audio file")) as server:
        setup = {"model": server.spec("strict-wire", hears="true")}
        for _ in range(2):
            found, _ = asked(extract, setup=setup, audio=made.wav(1.0), said=SAID)
    assert [len(question.sounds) for question in server.asked] == [1, 1]
    (note,) = found["notices"].values()
    assert "Failed to decode the audio file" in note["message"]

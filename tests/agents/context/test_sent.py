"""What a chat model is sent of sound and video: nothing that it cannot take, nothing too large."""

import io
import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis import Settings
from deixis.agents.context import media
from deixis.agents.context.sent import FRAMES_PER_SECOND, LONGEST_SIDE
from deixis.agents.context.toolbox import Toolbox
from deixis.base.video import open_video
from deixis.testing import scripted
from deixis.testing.media import boxes, film, tone, wav

pytestmark = pytest.mark.extra("av")
SPEC = "scripted:vlm"
Made = Callable[..., tuple[Toolbox, Any]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Return a toolbox with some options, and the state of a sample that was opened."""

    def make(*, audio: Any = None, video: Any = None, **options: Any) -> tuple[Toolbox, Any]:
        data = {"name": "test", "roles": {"recognizer": "crf", "vlm": SPEC}, "options": options}
        toolbox = Toolbox(Settings.model_validate(data))
        state: Any = {"audio": audio, "video": video}
        state["sound"], _ = media.opened_sound(state, toolbox.settings.options)
        state["film"], _ = media.opened_video(state, toolbox.settings.options)
        return toolbox, state

    return make


@pytest.fixture(autouse=True)
def listener() -> Iterator[None]:
    with scripted(hears=True, watches=True):
        yield


def messages(notices: Any) -> list[str]:
    return [each["message"] for each in notices.values()]


def test_sound_is_sent_as_wav_of_16_khz(made: Made) -> None:
    toolbox, state = made(audio=wav(1.0, rate=44_100, channels=2))
    sent, said = toolbox.recording(state, "extract", SPEC)
    assert sent is not None and said == {} and sent.seconds == pytest.approx(1.0, abs=0.01)
    with wave.open(io.BytesIO(sent.data)) as file:
        assert file.getparams()[:3] == (1, 2, 16_000)
    assert sent == toolbox.recording(state, "extract", SPEC)[0], "the same bytes, the same key"
    assert toolbox.clip(state, "extract", SPEC) == (None, {})


def test_a_video_is_sent_small_and_its_sound_as_a_recording(made: Made) -> None:
    frames = boxes(50, 1024, 64)
    toolbox, state = made(video=film(frames, 25, sound=tone(2.0)))
    sent, said = toolbox.clip(state, "extract", SPEC)
    assert sent is not None and said == {}
    seen = open_video(sent.data, max_seconds=10, max_bytes=10**7, max_pixels=10**7)
    assert (seen.width, seen.height, seen.sound) == (LONGEST_SIDE, 48, False)
    assert seen.frames == pytest.approx(2 * FRAMES_PER_SECOND, abs=1)
    assert sent.data == toolbox.clip(state, "extract", SPEC)[0].data  # type: ignore[union-attr]
    heard, _ = toolbox.recording(state, "extract", SPEC)
    assert heard is not None and heard.seconds == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sent_seconds": 1.5}, r"has 2\.0 seconds, and a chat model is sent 1\.5 at most"),
        ({"sent_bytes": 1000}, r"has [\d,]+ bytes, and a chat model is sent 1,000 at most"),
    ],
)
def test_what_is_too_long_or_too_large_is_told_and_not_sent(
    made: Made, options: dict[str, Any], words: str
) -> None:
    toolbox, state = made(audio=wav(2.0), video=film(boxes(50), 25), **options)
    for what, send in (("sound", toolbox.recording), ("video", toolbox.clip)):
        sent, said = send(state, "extract", SPEC)
        assert sent is None
        (message,) = messages(said)
        assert re.match(f"the {what} was not sent: it {words}", message)


def test_a_model_without_the_sense_is_sent_nothing_and_nothing_is_said(made: Made) -> None:
    toolbox, state = made(audio=wav(1.0), video=film(boxes(10), 25))
    with scripted():
        assert toolbox.recording(state, "extract", SPEC) == (None, {})
        assert toolbox.clip(state, "extract", SPEC) == (None, {})


def test_what_is_gone_by_now_is_a_notice(made: Made, tmp_path: Path) -> None:
    sound, moving = tmp_path / "a.wav", tmp_path / "a.mp4"
    sound.write_bytes(wav(1.0))
    moving.write_bytes(film(np.repeat(boxes(1), 10, axis=0), 25))
    toolbox, state = made(audio=str(sound), video=str(moving))
    for shelf, path in ((media.SOUNDS, sound), (media.VIDEOS, moving)):
        shelf.kept.clear()
        path.unlink()
    for what, send in (("sound", toolbox.recording), ("video", toolbox.clip)):
        sent, said = send(state, "extract", SPEC)
        assert sent is None
        assert messages(said)[0].startswith(f"the {what} was not sent: ")

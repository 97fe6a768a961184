import hashlib
import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from deixis.base.sound import RATE, OpenedSound, open_sound, wav_bytes
from deixis.errors import InputError
from deixis.testing import Request, Response, serving
from deixis.testing.media import heard, tone, wav


def opened(audio: object, max_seconds: float = 10, max_bytes: int = 10_000_000) -> OpenedSound:
    return open_sound(audio, max_seconds=max_seconds, max_bytes=max_bytes, urls="any")


def far(samples: NDArray[np.float32], expected: NDArray[np.float32], edge: int = 400) -> float:
    """Return the largest difference, but for the edges, where filters ring."""
    count = min(len(samples), len(expected)) - edge
    return float(np.abs(samples[edge:count] - expected[edge:count]).max())


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
def test_a_wav_of_any_rate_becomes_mono_at_16_khz(rate: int, channels: int) -> None:
    sound = opened(data := wav(1.5, rate=rate, channels=channels))
    assert (sound.rate, sound.channels, sound.source, sound.notes) == (rate, channels, "bytes", [])
    assert sound.samples.dtype == np.float32
    assert sound.seconds == 1.5
    assert far(sound.samples, tone(1.5)) < 0.001
    assert sound.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_wav_may_have_any_number_of_bits(width: int) -> None:
    scaled = tone(0.5, channels=2) * (2 ** (8 * width - 1) - 1)
    numbers = np.rint(scaled.astype(np.float64)).astype(np.int64) + (128 if width == 1 else 0)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((2, width, RATE, 0, "NONE", ""))
        file.writeframes(numbers.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes())
    assert far(opened(data.getvalue()).samples, tone(0.5), 0) < 1.1 / 2 ** (8 * width - 1) + 1e-7


def test_blocks_are_resampled_like_the_whole() -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, 400_000).astype(np.float32)
    sound = opened((noise, 44_100))
    expected = resample_poly(noise.astype(np.float64), 160, 441)
    assert len(sound.samples) == len(expected)
    np.testing.assert_allclose(sound.samples, expected, atol=1e-6)


def test_channels_are_averaged() -> None:
    both = np.stack([tone(0.5), np.zeros(8_000, np.float32)], axis=1)
    np.testing.assert_allclose(opened((both, RATE)).samples, tone(0.5) / 2, atol=1e-6)
    flac = opened(heard(both, "flac", "flac"))
    assert flac.channels == 2
    np.testing.assert_allclose(flac.samples, tone(0.5) / 2, atol=1e-4)


@pytest.mark.extra("av")
@pytest.mark.parametrize(
    ("form", "codec", "error"),
    [
        ("flac", "flac", 0.001),
        ("wav", "pcm_f32le", 0.001),
        ("aiff", "pcm_s16be", 0.001),
        ("mp3", "libmp3lame", 0.05),
        ("ogg", "libopus", 0.05),
        ("mp4", "aac", 0.5),
        ("matroska", "flac", 0.001),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_encoded_sound_is_decoded(form: str, codec: str, error: float, channels: int) -> None:
    sound = opened(heard(tone(1.5, rate=48_000, channels=channels), form, codec, 48_000))
    assert (sound.rate, sound.channels, sound.notes) == (48_000, channels, [])
    assert sound.seconds == pytest.approx(1.5, abs=0.05)
    assert far(sound.samples, tone(1.5)) < error


@pytest.mark.parametrize("kind", ["int16", "int32", "float32", "float64"])
def test_an_array_comes_with_its_rate(kind: str) -> None:
    scale = np.iinfo(kind).max if kind.startswith("int") else 1
    array = (tone(0.5, rate=8_000) * scale).astype(kind)
    sound = opened((array, 8_000))
    assert (sound.source, sound.rate, sound.channels, sound.seconds) == ("array", 8_000, 1, 0.5)
    assert far(sound.samples, tone(0.5)) < 0.001
    assert sound.sha256 == opened((array.copy(), 8_000)).sha256 != opened((array, 9_000)).sha256


def test_paths_and_urls_are_opened_alike(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(data := wav(0.2))

    def answer(request: Request) -> Response:
        assert request.headers["accept"] == "audio/*, video/*"
        return Response(200, data)

    with serving(answer) as server:
        url = server.url.replace("//", "//user:secret@") + "/tone.wav?token=secret"
        sounds = [opened(path), opened(str(path)), opened(url)]
    assert [sound.source for sound in sounds[:2]] == [str(path)] * 2
    assert "secret" not in sounds[2].source
    assert {sound.sha256 for sound in sounds} == {hashlib.sha256(data).hexdigest()}


def test_silence_is_sound() -> None:
    sound = opened(wav_bytes(np.zeros(1_600, np.float32)))
    assert not sound.samples.any()
    assert (sound.seconds, sound.notes) == (0.1, [])


def test_what_overshoots_a_little_is_cut_and_told() -> None:
    sound = opened((tone(0.1) * 2.4, RATE))
    assert sound.samples.max() == 1
    assert sound.notes == ["samples beyond -1 and 1 are cut"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((np.zeros(8), 16_000.0), "its rate is the whole number of samples a second"),
        ((np.zeros(8), 4_000), "4,000 samples a second; from 8,000 to 192,000"),
        ((np.zeros(0), 16_000), "holds no sample"),
        ((np.zeros((2, 3, 4)), 16_000), "got float64 of shape (2, 3, 4)"),
        ((np.zeros((8, 65)), 16_000), "65 channels; from 1 to 64"),
        ((np.zeros(8, np.uint8), 16_000), "got uint8"),
        ((np.array([0, np.nan]), 16_000), "not finite"),
        ((np.array([0, -np.inf]), 16_000), "not finite"),
        ((np.array([0, -30_000.0]), 16_000), "go up to 30000; divide them"),
        ((np.zeros(16_000 * 11), 16_000), "over 10 seconds of sound; give a shorter one"),
        (([0, 1], 16_000), "a pair (samples, rate) with a NumPy array"),
        (17, "got int"),
        (b"", "empty, 0 bytes"),
        (wav(11), "over 10 seconds of sound; give a shorter one"),
        (wav(0.0), "a WAV without a sample"),
        (wav(0.1, rate=4_000), "4,000 samples a second"),
    ],
)
def test_what_is_no_sound_within_the_limits_is_refused(given: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        opened(given)
    assert words in str(caught.value)


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(InputError, match="over 1,000 bytes; give a smaller file"):
        opened(wav(1), max_bytes=1_000)


def test_a_wav_that_is_cut_short_is_told() -> None:
    sound = opened(wav(4)[: RATE * 4])
    assert sound.seconds == pytest.approx(2, abs=0.01)
    assert sound.notes == ["the sound is cut short: 2.0 of 4.0 seconds"]


def test_a_wav_that_was_written_as_it_came_has_no_size() -> None:
    data = bytearray(wav(1))
    data[4:8] = data[40:44] = b"\xff" * 4
    sound = opened(bytes(data))
    assert (sound.seconds, sound.notes) == (1, [])

"""Where somebody speaks, in sounds of which it is known."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import ModelFileError, SettingsError
from deixis.tools import registry
from deixis.tools.hearing.silero import SileroVad, _runs

pytestmark = [pytest.mark.slow, pytest.mark.extra("onnxruntime")]


@pytest.fixture(scope="module")
def silero() -> SileroVad:
    tool: SileroVad = registry.load("silero-vad", "speech_segmenter")
    return tool


def test_speech_is_found_between_silences(
    silero: SileroVad, hopper_speech: Any, merkel_speech: Any
) -> None:
    gap = np.zeros(16_000, np.float32)
    sound = np.concatenate([gap, hopper_speech.samples, gap, merkel_speech.samples])
    first, second = silero.segment(sound)
    later = 2 + len(hopper_speech.samples) / 16_000
    assert first == pytest.approx((1.197, 5.163), abs=0.15)
    assert second == pytest.approx((later + 0.142, later + 3.005), abs=0.15)
    assert silero.segment(sound) == [first, second]


def test_noise_and_silence_are_no_speech(silero: SileroVad) -> None:
    random = np.random.default_rng(0)
    assert silero.segment(np.zeros(48_000, np.float32)) == []
    assert silero.segment(random.normal(0, 0.1, 48_000).astype(np.float32)) == []
    for few in (0, 1, 511, 513):
        assert silero.segment(np.zeros(few, np.float32)) == []


def test_blocks_of_frames_are_one_sound(silero: SileroVad, merkel_speech: Any) -> None:
    """What the network knows of the sound so far goes on from one block to the next."""
    one = np.concatenate([merkel_speech.samples, np.zeros(8000, np.float32)])
    sound = np.tile(one, 5)
    assert len(sound) > 512 * 512, "frames of 512 samples"
    found = silero.segment(sound)
    assert len(found) == 5
    for number, (start, end) in enumerate(found):
        begin = number * len(one) / 16_000
        assert (start - begin, end - begin) == pytest.approx((0.142, 3.005), abs=0.3)


def test_long_speech_is_cut_and_short_speech_dropped(
    hopper_speech: Any, merkel_speech: Any
) -> None:
    sound = np.concatenate([hopper_speech.samples, merkel_speech.samples])
    whole = SileroVad(pause=1.0).segment(sound)
    parts = SileroVad(pause=1.0, longest=2.0).segment(sound)
    assert len(whole) == 1 and len(parts) > 3
    assert all(0.2 <= end - start <= 2.0 for start, end in parts)
    assert (parts[0][0], parts[-1][1]) == whole[0]
    assert SileroVad(shortest=5.0).segment(sound) == []


def test_silences_shorter_than_a_pause_join() -> None:
    speech = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    assert _runs(speech, 1) == [(1, 3), (4, 5), (8, 9)]
    assert _runs(speech, 2) == [(1, 5), (8, 9)]
    assert _runs(speech[:1], 2) == []


def test_wrong_options_and_weights_are_told(tmp_path: Path, hopper_speech: Any) -> None:
    with pytest.raises(SettingsError, match="cannot be cut"):
        registry.load("silero-vad?longest=0.3", "speech_segmenter")
    with pytest.raises(SettingsError, match="threshold"):
        registry.check("silero-vad?threshold=1.5", "speech_segmenter")
    (tmp_path / "vad.onnx").write_bytes(os.urandom(100))
    with pytest.raises(ModelFileError, match=r"cannot open the model .*vad\.onnx"):
        SileroVad(str(tmp_path / "vad.onnx")).segment(hopper_speech.samples)
    other = "pypi:silero-vad==6.2.3/silero_vad/data/silero_vad.onnx"
    sha256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
    with pytest.raises(ModelFileError, match="is not Silero VAD for sequences"):
        SileroVad(f"{other}#sha256={sha256}").segment(hopper_speech.samples)

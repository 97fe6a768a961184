"""faster-whisper with the weights that come by pip, on speech whose words are known."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import ModelFileError, SettingsError
from deixis.tools import registry
from deixis.tools.hearing.faster import FasterWhisper
from deixis.tools.hearing.words import share_heard
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra("faster_whisper")]


@pytest.fixture(params=["hopper_speech", "merkel_speech"])
def spoken(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def whisper() -> FasterWhisper:
    tool: FasterWhisper = registry.load("faster-whisper", "transcriber")
    return tool


def test_what_is_said_is_written_down(whisper: FasterWhisper, spoken: Any) -> None:
    heard = whisper.transcribe(spoken.samples)
    words = [word.text for word in heard.words]
    assert heard.language == "en"
    assert share_heard(spoken.words[:8], words) >= 0.85, words
    assert all(word.start <= word.end and 0 <= word.score <= 1 for word in heard.words)
    assert whisper.transcribe(spoken.samples) == heard


def test_names_are_where_they_are_said(whisper: FasterWhisper, spoken: Any) -> None:
    words = whisper.align(spoken.samples, spoken.words)
    assert [word.text for word in words] == spoken.words
    found = [
        spoken.overlap(first, last, (words[first].start, words[last - 1].end))
        for first, last in spoken.names
    ]
    assert sum(found) / len(found) >= 0.8 and min(found) >= 0.6, found
    assert all(word.score > 0 for word in words)


@pytest.mark.parametrize("noise", [0.0, 0.003])
@pytest.mark.parametrize("times", [2, 5], ids=["a window", "more than a window"])
def test_names_between_long_pauses_are_where_they_are_said(
    whisper: FasterWhisper, hopper_speech: Any, merkel_speech: Any, times: int, noise: float
) -> None:
    random = np.random.default_rng(1)
    parts, words, begins = [], [], []
    for spoken in [hopper_speech, merkel_speech] * times:
        begins.append((spoken, len(words), sum(map(len, parts)) / 16_000))
        pause = np.zeros(int(random.uniform(2, 3) * 16_000), np.float32)
        parts += [spoken.samples, pause]
        words += spoken.words
    sound = np.concatenate(parts)
    sound = sound + random.normal(0, noise, len(sound)).astype(np.float32)
    found = whisper.align(sound, words)
    assert [word.text for word in found] == words
    overlaps = [
        spoken.overlap(
            first, last, (found[place + first].start - begin, found[place + last - 1].end - begin)
        )
        for spoken, place, begin in begins
        for first, last in spoken.names
    ]
    # What int8 comes to differs between processors: the least overlap was 0.56 on one of them.
    assert min(overlaps) >= 0.5 and sum(overlaps) / len(overlaps) > 0.75, overlaps


def test_a_text_is_aligned_with_what_was_heard_already(
    whisper: FasterWhisper, hopper_speech: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.tile(hopper_speech.samples, 7)  # 31 seconds
    words = [word.text for word in whisper.transcribe(sound).words]
    monkeypatch.setattr(whisper, "_running", None)
    assert [word.text for word in whisper.align(sound, words)] == words


def test_noise_and_silence_say_nothing(whisper: FasterWhisper) -> None:
    random = np.random.default_rng(0)
    for sound in (
        np.zeros(0, np.float32),
        np.zeros(48_000, np.float32),
        random.normal(0, 0.01, 48_000).astype(np.float32),
        random.normal(0, 0.3, 48_000).astype(np.float32),
    ):
        assert whisper.transcribe(sound).words == []


def test_nothing_to_align(whisper: FasterWhisper, hopper_speech: Any) -> None:
    assert whisper.align(hopper_speech.samples, []) == []
    silence = whisper.align(np.zeros(32_000, np.float32), ["Grace", "Hopper"])
    assert [word.text for word in silence] == ["Grace", "Hopper"]
    assert {word.score for word in silence} == {0.0}


def test_control_tokens_in_a_text_are_letters(whisper: FasterWhisper, hopper_speech: Any) -> None:
    words = ["Grace", "<|endoftext|>", "—", "Hopper", "joined"]
    assert [word.text for word in whisper.align(hopper_speech.samples, words)] == words


def test_wrong_models_and_options_are_told(tmp_path: Path, hopper_speech: Any) -> None:
    with pytest.raises(ModelFileError, match=r"no model\.bin in"):
        FasterWhisper(str(tmp_path)).transcribe(hopper_speech.samples)
    folder = resolve(FasterWhisper.MODEL).parent
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(folder / name, tmp_path)
    (tmp_path / "model.bin").write_bytes(os.urandom(1000))
    with pytest.raises(ModelFileError, match="cannot open the model"):
        FasterWhisper(str(tmp_path)).transcribe(hopper_speech.samples)
    with pytest.raises(SettingsError, match="knows no de"):
        FasterWhisper(language="de").transcribe(hopper_speech.samples)
    with pytest.raises(SettingsError, match="language"):
        registry.load("faster-whisper?language=English", "transcriber")


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_hears_too(tmp_path: Path, merkel_speech: Any) -> None:
    program = (
        "import os, sys, numpy\n"
        "from deixis.tools.hearing.faster import FasterWhisper\n"
        "tool, sound = FasterWhisper(), numpy.load(sys.argv[1])\n"
        "before = tool.transcribe(sound)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(tool.transcribe(sound) != before)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    path = tmp_path / "sound.npy"
    np.save(path, merkel_speech.samples)
    done = subprocess.run([sys.executable, "-c", program, str(path)], timeout=120, check=False)
    assert done.returncode == 0

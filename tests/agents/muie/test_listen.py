"""What is said in a sound, and whether that is the text."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deixis.agents.muie.listen import LISTENED, listen
from deixis.base.media_records import SpokenWord
from deixis.testing import tools
from deixis.tools.base import Heard, Samples, TimedWord, warn

from .listening import Ears, Speech, loud, sample_of, toolbox_of


def heard_of(run: Any, ears: Any, segmenter: Any = None, **more: Any) -> dict[str, Any]:
    """Run `listen` with a transcriber on four seconds of sound."""
    options = {name: more.pop(name) for name in ("spoken",) if name in more}
    with tools(ears=ears, speech=segmenter or Speech()):
        toolbox = toolbox_of("ears", "speech" if segmenter else None, **options)
        state = sample_of(toolbox, **{"audio": loud(4.0), **more})
        update: dict[str, Any] = run(plain(listen), state, toolbox)
    for word in (update.get("heard") or {}).get("words", []):
        SpokenWord.model_validate(dict(zip(("text", "start", "end", "score"), word, strict=True)))
    return update


def plain(agent: Any) -> Any:
    """Let tuples be lists, as JSON has them."""

    def with_lists(state: Any, toolbox: Any) -> Any:
        update = agent(state, toolbox)
        if update.get("heard"):
            update["heard"]["words"] = [list(word) for word in update["heard"]["words"]]
        return update

    return with_lists


def told(update: dict[str, Any]) -> list[str]:
    return [notice["message"] for notice in update.get("notices", {}).values()]


def test_what_is_said_is_written_down(run: Any) -> None:
    update = heard_of(run, Ears("Ann met NASA"))
    assert update["heard"] == {
        "words": [["Ann", 0.0, 0.4, 0.8], ["met", 0.5, 0.9, 0.8], ["NASA", 1.0, 1.4, 0.8]],
        "source": "ears",
        "language": "en",
        "spoken": False,
    }
    assert update["notes"] == {LISTENED: "found"} and told(update) == []


def test_a_caption_that_shares_a_name_with_the_speech_is_not_what_is_said(run: Any) -> None:
    said = Ears("Grace Hopper joined the United States Navy in 1943")
    update = heard_of(run, said, text="Grace Hopper in uniform")
    assert not update["heard"]["spoken"] and len(update["heard"]["words"]) == 9


@pytest.mark.parametrize(
    ("spoken", "text", "aligned"),
    [
        ("auto", "Ann, met @NASA today", True),
        ("auto", "A photo of the launch", False),
        ("auto", "NASA met Ann", False),
        ("yes", "A photo of the launch", True),
        ("no", "Ann met NASA", False),
        ("yes", "", False),
    ],
)
def test_a_text_that_is_said_is_aligned(run: Any, spoken: str, text: str, aligned: bool) -> None:
    update = heard_of(run, Ears("ann met nasa"), text=text, spoken=spoken)
    words = [word[0] for word in update["heard"]["words"]]
    assert update["heard"]["spoken"] is aligned
    assert words == (text.split() if aligned else ["ann", "met", "nasa"])


def test_without_sound_nobody_listens(run: Any) -> None:
    assert heard_of(run, Ears(fails="it was asked"), audio=None, text="Ann") == {}


@pytest.mark.parametrize(
    ("ears", "look", "reason"),
    [
        (Ears(""), "absent", "nothing is said in the sound"),
        (Ears(fails="out of memory"), "failed", "what is said is not known: ears failed: out of"),
    ],
)
def test_no_words_are_a_notice(run: Any, ears: Ears, look: str, reason: str) -> None:
    update = heard_of(run, ears, text="Ann met NASA")
    assert update.get("heard") is None and update["notes"] == {LISTENED: look}
    (said,) = told(update)
    assert reason in said


def test_without_a_transcriber_it_is_said(run: Any) -> None:
    toolbox = toolbox_of(None)
    update = run(listen, sample_of(toolbox, audio=loud(1.0)), toolbox)
    assert told(update) == ["what is said is not known: nobody plays the transcriber"]
    assert update["notes"] == {LISTENED: "off"}


def test_words_where_nobody_speaks_are_left_out(run: Any) -> None:
    update = heard_of(run, Ears("thank you Ann met NASA"), Speech((1.4, 2.6)))
    assert [word[0] for word in update["heard"]["words"]] == ["Ann", "met", "NASA"]
    silent = heard_of(run, Ears("thank you"), Speech())
    assert "nothing is said" in told(silent)[0]
    failed = heard_of(run, Ears("thank you"), Speech(fails="no lamp"))
    assert failed["notes"] == {LISTENED: "failed"} and "speech failed: no lamp" in told(failed)[0]


def test_times_out_of_the_sound_do_no_harm(run: Any) -> None:
    class Wild(Ears):
        def transcribe(self, samples: Samples) -> Heard:
            warn("half of it was heard")
            words = [
                TimedWord("one", -5.0, 0.5, 1.7),
                TimedWord(" ", 0.0, 1.0, 1.0),
                TimedWord("two", 3.0, 2.0, math.nan),
                TimedWord("three four", math.inf, 99.0, -1.0),
            ]
            return Heard(words, None)

    update = heard_of(run, Wild())
    assert update["heard"]["words"] == [
        ["one", 0.0, 0.5, 1.0],
        ["two", 3.0, 3.0, 0.0],
        ["threefour", 0.0, 4.0, 0.0],
    ]
    assert told(update) == ["half of it was heard"]


def test_an_alignment_of_other_words_is_none(run: Any) -> None:
    class Lazy(Ears):
        def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
            return super().align(samples, words)[:2]

    update = heard_of(run, Lazy("Ann met NASA"), text="Ann met NASA", spoken="yes")
    assert "aligned other words" in told(update)[0] and update["notes"] == {LISTENED: "failed"}


def test_a_sound_that_is_gone_is_a_notice(run: Any, tmp_path: Path, hopper_speech: Any) -> None:
    path = tmp_path / "gone.wav"
    path.write_bytes(hopper_speech.path.read_bytes()[:-2000])
    with tools(ears=Ears("Ann")):
        toolbox = toolbox_of("ears")
        state = sample_of(toolbox, audio=str(path))
        path.unlink()
        state["sound"] = {**state["sound"], "sha256": "0" * 64}  # not among those kept open
        update = run(listen, state, toolbox)
    assert update["notes"] == {LISTENED: "failed"}
    assert "what is said is not known" in told(update)[0]


@pytest.mark.slow
@pytest.mark.extra("faster_whisper")
@pytest.mark.extra("onnxruntime")
def test_speech_is_heard_for_real(run: Any, hopper_speech: Any) -> None:
    toolbox = toolbox_of("faster-whisper", "silero-vad")
    state = sample_of(toolbox, audio=str(hopper_speech.path), text=hopper_speech.text)
    update = run(plain(listen), state, toolbox)
    heard = update["heard"]
    assert heard["spoken"] and heard["source"] == "faster-whisper" and heard["language"] == "en"
    assert [word[0] for word in heard["words"]] == hopper_speech.text.split()
    first, last = hopper_speech.names[1]
    at = heard["words"][first][1], heard["words"][last - 1][2]
    assert hopper_speech.overlap(first, last, at) > 0.7
    other = run(plain(listen), {**state, "text": "Look at this old photo of her"}, toolbox)["heard"]
    assert not other["spoken"] and "United" in [word[0] for word in other["words"]]

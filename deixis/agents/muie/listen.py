"""listen: what is said in the sound, and whether that is the text."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from deixis.agents.context.media_records import HeardRecord, Look
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.base.sound import RATE
from deixis.errors import InputError, ToolError
from deixis.tools.base import Samples, TimedWord, Transcriber, listening
from deixis.tools.hearing.words import share_heard

LISTENED = "listened"
"""The note that says how it went to listen, as `Look`: ``absent`` where nothing is said."""
SPOKEN_SHARE = 0.5
"""From this share on a text is what is said: of its words, heard one after the other, and of the
words heard, which it has. Recognizers write one word in nine down wrong at the best of times; of a
text about the same thing by somebody else hardly any two words in a row are said, but for names."""
_NEAR = 0.3  # seconds between a word and speech: both have edges that are not exact


class _Silence(NamedTuple):
    """Why no words are known."""

    look: Look
    reason: str


def listen(state: State, toolbox: Toolbox) -> Update:
    """Write down what is said in the sound, or when the text is said if that is it.

    The channel ``heard`` has the words, None where there are none; a notice says why. Words that
    the transcriber makes up where nobody speaks are left out if there is a speech segmenter.
    """
    film = state.get("film")
    if state.get("sound") is None and not (film and film["sound"]):
        return {}
    with listening() as warned:
        found = _heard(state, toolbox)
    notices = joined(*({"notices": notice("listen", warning)} for warning in warned))
    if isinstance(found, _Silence):
        told = {"notices": notice("listen", found.reason), "notes": {LISTENED: found.look}}
        return joined(notices, told)
    return {**joined(notices, {"notes": {LISTENED: "found"}}), "heard": found}


def _heard(state: State, toolbox: Toolbox) -> HeardRecord | _Silence:
    transcriber = toolbox.transcriber
    if transcriber is None:
        return _Silence("off", "what is said is not known: nobody plays the transcriber")
    try:
        samples = toolbox.samples(state)
        if samples is None:
            return _Silence("failed", "the sound is gone")
        heard = transcriber.transcribe(samples)
        said = _in_speech(_usable(heard.words, samples), samples, toolbox)
        spoken = _is_said(state["text"], said, toolbox)
        if spoken:
            said = _aligned(transcriber, samples, state["text"].split())
    except (InputError, ToolError) as error:
        return _Silence("failed", f"what is said is not known: {error}")
    if not said:
        return _Silence("absent", "nothing is said in the sound, as far as can be heard")
    return HeardRecord(
        words=[(word.text, word.start, word.end, word.score) for word in said],
        source=toolbox.model("transcriber"),
        language=heard.language,
        spoken=spoken,
    )


def _is_said(text: str, said: Sequence[TimedWord], toolbox: Toolbox) -> bool:
    wanted = toolbox.graph_options(MuieOptions).spoken
    if wanted == "no" or not text.split():
        return False
    if wanted == "yes":
        return True
    written, heard = text.split(), [word.text for word in said]
    # Both ways: a caption may share its names with speech that names others as well.
    return min(share_heard(written, heard), share_heard(heard, written)) >= SPOKEN_SHARE


def _aligned(transcriber: Transcriber, samples: Samples, words: list[str]) -> list[TimedWord]:
    found = _usable(transcriber.align(samples, words), samples)
    if [word.text for word in found] != words:
        raise ToolError(f"{transcriber.name} aligned other words than those of the text")
    return found


def _usable(words: Sequence[TimedWord], samples: Samples) -> list[TimedWord]:
    """Return words with times inside the sound and scores from 0 to 1, whoever gave them."""
    last = len(samples) / RATE
    return [
        TimedWord(text, start, max(start, _within(word.end, last)), _within(word.score, 1.0))
        for word in words
        if (text := "".join(word.text.split()))
        for start in [_within(word.start, last)]
    ]


def _within(number: float, most: float) -> float:
    return min(max(float(number), 0.0), most) if math.isfinite(number) else 0.0


def _in_speech(words: list[TimedWord], samples: Samples, toolbox: Toolbox) -> list[TimedWord]:
    if not words or toolbox.speech_segmenter is None:
        return words
    speech = toolbox.speech_segmenter.segment(samples)
    return [
        word
        for word in words
        if any(start - _NEAR < word.end and word.start < end + _NEAR for start, end in speech)
    ]

"""hear: when what is named is heard, in seconds of the sound."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deixis.agents.context.media_records import HeardRecord, Look, PlacedSpan
from deixis.agents.context.state import State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.listen import LISTENED
from deixis.agents.muie.options import MuieOptions
from deixis.agents.reading.sought import sought_in
from deixis.errors import InputError, ToolError
from deixis.tools.base import listening

STEP = "hear"
_SHORTEST = 0.01  # seconds of a span
_BLIND = 0.5  # score of a stretch of speech of which nobody knows what is said in it
_UNKNOWN: dict[Look, str] = {
    "off": "not looked for in the sound: nobody plays the transcriber",
    "failed": "not known, for the transcriber failed",
    "absent": "asked for in the sound, and not there (over-grounding): nothing is said in it",
    "found": "asked for in the sound, and not there (over-grounding): no word heard says it",
}

Stretch = tuple[float, float]


class _Speech(NamedTuple):
    """Stretches of speech, who found them, and what to say where nobody did."""

    stretches: list[Stretch]
    source: str
    look: Look
    reason: str


def hear(state: State, toolbox: Toolbox) -> Update:
    """Give each entity and each trigger that is heard its spans of time.

    With the option ``audio: segments`` they are the stretches of speech that have its words; an
    entity that is sought in sound of which no words are known has all of them.
    """
    words = _ranges(state)
    names = list(dict.fromkeys([*words, *sought_in(state, "audio")]))
    film = state.get("film")
    if not names:
        return {}
    if state.get("sound") is None and not (film and film["sound"]):
        reason = "not looked for in the sound: none was given"
        return joined(*(_unheard(state, name, "off", reason) for name in names))
    with listening() as warned:
        speech = _speech(state, toolbox)
    updates = [_placed(state, name, words.get(name, []), speech) for name in names]
    told = [{"notices": notice(STEP, warning)} for warning in warned]
    if speech is not None and speech.look != "found":
        told.append({"notices": notice(STEP, speech.reason)})
    return joined(*updates, *told)


def _ranges(state: State) -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of words that say an entity, or the trigger of an event, by its id."""
    triggers: Mapping[str, object] = {
        event: record["trigger"] for event, record in state.get("happened", {}).items()
    }
    found = {}
    for name, owner in {**state.get("mentions", {}), **triggers}.items():
        ranges = owner.get("heard", []) if isinstance(owner, Mapping) else []
        if ranges:
            found[name] = [(first, last) for first, last in ranges]
    return found


def _speech(state: State, toolbox: Toolbox) -> _Speech | None:
    """Return where somebody speaks; None where spans are those of words."""
    if toolbox.graph_options(MuieOptions).audio == "words":
        return None
    segmenter = toolbox.speech_segmenter
    if segmenter is None:
        reason = "no segments of speech: nobody plays the speech_segmenter"
        return _Speech([], "", "off", reason)
    source = toolbox.model("speech_segmenter")
    try:
        samples = toolbox.samples(state)
        stretches = [] if samples is None else segmenter.segment(samples)
    except (InputError, ToolError) as error:
        return _Speech([], source, "failed", f"no segments of speech: {error}")
    return _Speech(stretches, source, "found", "")


def _placed(
    state: State, name: str, ranges: Sequence[tuple[int, int]], speech: _Speech | None
) -> Update:
    heard = state.get("heard")
    if speech is not None and speech.look != "found":
        return _unheard(state, name, speech.look, speech.reason)
    if heard is None:
        if speech is not None and speech.stretches:
            spans = [_span(*stretch, _BLIND, speech.source) for stretch in speech.stretches]
            return _found(state, name, spans, "all speech, for its words are not known")
        look: Look = state.get("notes", {}).get(LISTENED, "off")
        return _unheard(state, name, look, _UNKNOWN[look])
    if not ranges:
        return _unheard(state, name, "absent", _UNKNOWN["found"])
    spans = [_of_words(heard, first, last) for first, last in dict.fromkeys(ranges)]
    said = "; ".join(
        " ".join(word[0] for word in heard["words"][first:last]) for first, last in ranges
    )
    if speech is not None:
        spans = _segments_of(spans, speech) or spans
    return _found(state, name, spans, f"said as {said!r}"[:300])


def _of_words(heard: HeardRecord, first: int, last: int) -> PlacedSpan:
    """Return the span of words: as sure as they are on the mean."""
    words = heard["words"][first:last]
    score = sum(word[3] for word in words) / len(words)
    return _span(words[0][1], words[-1][2], score, heard["source"])


def _segments_of(spans: Sequence[PlacedSpan], speech: _Speech) -> list[PlacedSpan]:
    """Return the stretches of speech that have one of the spans, as sure as the surest of them."""
    found = []
    for start, end in speech.stretches:
        inside = [span["score"] for span in spans if span["start"] < end and start < span["end"]]
        if inside:
            found.append(_span(start, end, max(inside), speech.source))
    return found


def _span(start: float, end: float, score: float, source: str) -> PlacedSpan:
    return PlacedSpan(start=start, end=max(end, start + _SHORTEST), score=score, source=source)


def _found(state: State, name: str, spans: list[PlacedSpan], reason: str) -> Update:
    where = "; ".join(f"{span['start']:.2f} to {span['end']:.2f} s" for span in spans)
    sure = max(span["score"] for span in spans)
    made = decision(
        name,
        STEP,
        "span",
        where,
        model=spans[0]["source"],
        confidence=sure,
        evidence=[reason],
    )
    return {"spans": {name: spans}, **_look(state, name, "found"), "decisions": made}


def _unheard(state: State, name: str, look: Look, reason: str) -> Update:
    outcome = "none" if look == "absent" else None
    made = decision(name, STEP, "span", outcome, evidence=[reason])
    return {**_look(state, name, look), "decisions": made}


def _look(state: State, name: str, look: Look) -> Update:
    """Say how it went to look for an entity; of a trigger that is not asked for."""
    return {"looks": {f"{name}/audio": look}} if name in state.get("mentions", {}) else {}

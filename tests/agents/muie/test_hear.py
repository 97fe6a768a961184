"""When what is named is heard: at its words, or in segments of speech."""

from typing import Any

import pytest

from deixis.agents.context.state import joined
from deixis.agents.muie.hear import hear
from deixis.agents.muie.listen import LISTENED, listen
from deixis.base.media_records import Span
from deixis.testing import tools

from .listening import Ears, Speech, loud, sample_of, toolbox_of
from .test_listen import told


def named(text: str, *ranges: tuple[int, int]) -> dict[str, Any]:
    mention = {"text": text, "start": None, "end": None, "type": "PER", "confidence": 1.0}
    return {**mention, "prior": None, "fine_type": None, "heard": list(ranges)}


def event(*ranges: tuple[int, int]) -> dict[str, Any]:
    trigger = {"text": "met", "start": None, "end": None, "heard": list(ranges)}
    return {"type": "Meet", "trigger": trigger, "arguments": [], "confidence": 1.0, "replies": []}


HEARD = {
    "words": [
        ["Ann", 0.5, 0.8, 0.9],
        ["Lee", 0.8, 1.0, 0.5],
        ["met", 1.2, 1.5, 0.8],
        ["Ann", 3.0, 3.0, 0.4],
    ],
    "source": "ears",
    "language": "en",
    "spoken": False,
}


def spans_of(
    run: Any, speech: Any = None, heard: Any = HEARD, listened: str = "found", **more: Any
) -> dict[str, Any]:
    """Run `hear` for an entity said twice, one that is not said, and the trigger of an event."""
    options = {name: more.pop(name) for name in ("audio",) if name in more}
    sought = [{"medium": "audio", "phrase": "Ann"}]
    with tools(ears=Ears(), speech=speech or Speech()):
        toolbox = toolbox_of("ears", "speech" if speech else None, **options)
        state = sample_of(toolbox, audio=loud(4.0)) | {
            "heard": heard,
            "notes": {LISTENED: listened},
            "mentions": {
                "e1": named("Ann Lee", (0, 2), (3, 4), (0, 2)) if heard else named("Ann Lee"),
                "e2": named("Bob"),
                "e3": named("Rome"),
            },
            "sought": {"e1": sought, "e2": sought},
            "happened": {"v1": event((2, 3)) if heard else event()},
            **more,
        }
        update: dict[str, Any] = run(hear, state, toolbox)
    for spans in update.get("spans", {}).values():
        assert [Span.model_validate(span) for span in spans]
    return update


def why(update: dict[str, Any], name: str) -> str:
    made = update["decisions"][f"{name}/hear/span"]
    return f"{made['outcome']}: {made['evidence'][0]}"


def test_spans_are_those_of_the_words(run: Any) -> None:
    update = spans_of(run)
    assert update["spans"]["e1"] == [
        {"start": 0.5, "end": 1.0, "score": 0.7, "source": "ears"},
        {"start": 3.0, "end": 3.01, "score": 0.4, "source": "ears"},
    ]
    assert update["spans"]["v1"] == [{"start": 1.2, "end": 1.5, "score": 0.8, "source": "ears"}]
    assert update["looks"] == {"e1/audio": "found", "e2/audio": "absent"}
    assert why(update, "e1").startswith("0.50 to 1.00 s; 3.00 to 3.01 s: said as 'Ann Lee; Ann")
    assert "(over-grounding): no word heard says it" in why(update, "e2")
    assert "e3/hear/span" not in update["decisions"], "nobody asked for it"


@pytest.mark.parametrize(
    ("listened", "reason"),
    [
        ("off", "None: not looked for in the sound: nobody plays the transcriber"),
        ("failed", "None: not known, for the transcriber failed"),
        ("absent", "none: asked for in the sound, and not there (over-grounding): nothing is said"),
    ],
)
def test_without_words_it_is_said_why(run: Any, listened: str, reason: str) -> None:
    update = spans_of(run, heard=None, listened=listened)
    assert update["looks"] == {"e1/audio": listened, "e2/audio": listened}
    assert why(update, "e1").startswith(reason) and "spans" not in update


def test_segments_are_those_that_have_the_words(run: Any) -> None:
    speech = Speech((0.2, 1.4), (1.45, 2.0), (2.5, 3.5))
    update = spans_of(run, speech, audio="segments")
    assert [(span["start"], span["end"]) for span in update["spans"]["e1"]] == [
        (0.2, 1.4),
        (2.5, 3.5),
    ]
    assert [span["score"] for span in update["spans"]["v1"]] == [0.8, 0.8]
    assert update["spans"]["e1"][0]["source"] == "speech"
    assert update["looks"]["e2/audio"] == "absent"
    outside = spans_of(run, Speech((2.1, 2.2)), audio="segments")
    assert outside["spans"]["v1"][0]["source"] == "ears", "where nobody speaks, words say it"


def test_all_segments_stand_for_words_that_are_not_known(run: Any) -> None:
    speech = Speech((0.2, 1.4), (2.5, 3.5))
    update = spans_of(run, speech, heard=None, listened="off", audio="segments")
    assert [span["start"] for span in update["spans"]["e2"]] == [0.2, 2.5]
    assert {span["score"] for span in update["spans"]["e2"]} == {0.5}
    assert "all speech, for its words are not known" in why(update, "e2")


@pytest.mark.parametrize(("speech", "look"), [(None, "off"), (Speech(fails="dark"), "failed")])
def test_without_segments_it_is_said_why(run: Any, speech: Any, look: str) -> None:
    update = spans_of(run, speech, audio="segments")
    assert update["looks"] == {"e1/audio": look, "e2/audio": look}
    assert told(update) == [update["decisions"]["e1/hear/span"]["evidence"][0]]
    assert "no segments of speech" in told(update)[0]


def test_without_sound_nothing_is_heard(run: Any) -> None:
    update = spans_of(run, heard=None, sound=None)
    assert update["looks"] == {"e1/audio": "off", "e2/audio": "off"}
    assert "none was given" in why(update, "e1")
    assert spans_of(run, mentions={}, sought={}, happened={}) == {}


@pytest.mark.slow
@pytest.mark.extra("faster_whisper")
@pytest.mark.extra("onnxruntime")
def test_names_are_heard_for_real(run: Any, merkel_speech: Any) -> None:
    names = {f"e{n + 1}": words for n, words in enumerate(merkel_speech.names)}
    mentions = {entity: named("name", words) for entity, words in names.items()}
    for audio, least in (("words", 0.6), ("segments", 0.0)):
        toolbox = toolbox_of("faster-whisper", "silero-vad", audio=audio)
        state = sample_of(toolbox, audio=str(merkel_speech.path), text=merkel_speech.text)
        state = {**state, **listen(state, toolbox), "mentions": mentions}
        found = joined(hear(state, toolbox))["spans"]
        for entity, words in names.items():
            (span,) = found[entity]
            assert merkel_speech.overlap(*words, (span["start"], span["end"])) > least

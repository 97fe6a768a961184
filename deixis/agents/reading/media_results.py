"""What was found in sound and video, and said of entities together, as a result has it."""

from collections.abc import Iterable
from typing import Any

from deixis.agents.context.media_records import Look
from deixis.agents.context.records import DecisionRecord
from deixis.agents.context.state import State


def looks_of(state: State, entity: str) -> list[Look]:
    """Return how it went to look for an entity, one for each medium."""
    looks = state.get("looks", {})
    return [look for key, look in looks.items() if key.rpartition("/")[0] == entity]


def settled(looks: Iterable[Look]) -> bool | None:
    """Say whether something is shown or heard anywhere.

    Returns:
        True if it was found in one medium; else None if a tool failed or nothing was looked at,
        for it may be there; else False.
    """
    seen = set(looks)
    if "found" in seen:
        return True
    return False if "absent" in seen and "failed" not in seen else None


def decisions_of(state: State, name: str) -> list[DecisionRecord]:
    """Return what was decided about an entity, a relation or an event."""
    made = state.get("decisions", {})
    return [record for key, record in made.items() if key.partition("/")[0] == name]


def media_of(state: State) -> dict[str, Any]:
    """Return what a result has of sound, video, relations and events."""
    heard = state.get("heard")
    words = [dict(zip(("text", "start", "end", "score"), w, strict=True)) for w in _words(state)]
    transcript = heard and {
        "words": words,
        "source": heard["source"],
        "language": heard["language"],
    }
    return {
        "audio": state.get("sound"),
        "video": state.get("film"),
        "transcript": transcript,
        "relations": _relations(state),
        "events": _events(state),
    }


def _words(state: State) -> list[tuple[str, float, float, float]]:
    heard = state.get("heard")
    return heard["words"] if heard else []


def _relations(state: State) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            **{key: value for key, value in record.items() if key != "replies"},
            "decisions": decisions_of(state, name),
        }
        for name, record in state.get("related", {}).items()
    ]


def _events(state: State) -> list[dict[str, Any]]:
    events = []
    for name, record in state.get("happened", {}).items():
        trigger = record["trigger"]
        placed: dict[str, Any] | None = None
        if trigger is not None:
            placed = {key: trigger[key] for key in ("text", "start", "end")}
            placed["spans"] = state.get("spans", {}).get(name, [])
        events.append(
            {
                "id": name,
                "type": record["type"],
                "trigger": placed,
                "arguments": record["arguments"],
                "confidence": record["confidence"],
                "decisions": decisions_of(state, name),
            }
        )
    return events

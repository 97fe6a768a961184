"""Entities in JSON, from a model that was asked for sentences or lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from deixis.agents.reading.places import HOLDERS, where
from deixis.agents.reading.plain import json_in
from deixis.formats.answers import ONE, Parsed, Reading

NAMES = ("name", "text", "entity", "mention", "entity_name", "label")
TYPES = ("type", "entity_type", "coarse_type", "category", "label", "class")
FINE_TYPES = ("fine_type", "fine-grained_type", "fine_grained_type", "subtype")
UNKNOWN = "unknown"
"""The type of an entity of which the answer says none."""


def entities_in_json(answer: str) -> Parsed | None:
    """Read objects that name an entity, wherever they are in the JSON of an answer.

    The keys are those that models use. Numbers of boxes stay as they were written.

    Returns:
        None if the answer is no JSON, or names no entity in this way though it is not empty.
    """
    found = json_in(answer)
    try:
        return None if found is None else _read(found)
    except RecursionError:  # hundreds of brackets in each other
        return None


def _read(found: Any) -> Parsed | None:
    reading, entries = Reading(ONE), list(_entries(found))
    for entry in entries:
        name = _first(entry, NAMES)
        others = {key: value for key, value in entry.items() if value != name}
        kind, fine = _first(others, TYPES) or UNKNOWN, _first(others, FINE_TYPES)
        held = [entry[key] for key in HOLDERS if key in entry]
        boxes = where(held[0]) if held else None
        piece = str(entry)
        if held and boxes is None:
            reading.refuse(piece, "what it says of boxes is no box")
        reading.add(piece, name, kind, boxes, fine or None)
    empty = isinstance(found, dict) and not any(found.values())
    return reading.parsed() if entries or empty else None


def _entries(found: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that name an entity, in order."""
    if isinstance(found, list):
        for each in found:
            yield from _entries(each)
    elif isinstance(found, dict):
        entry = {str(key).casefold().replace(" ", "_"): value for key, value in found.items()}
        # A type or a place beside the name: a word alone is no entity.
        if _first(entry, NAMES) and {*entry} & {*TYPES, *HOLDERS}:
            yield entry
        else:
            for each in found.values():
                yield from _entries(each)


def _first(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    words = (entry[key] for key in keys if isinstance(entry.get(key), str))
    return next((word.strip() for word in words if word.strip()), "")

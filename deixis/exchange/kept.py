"""What another tool cannot show and a file of it keeps: anybody may have changed it."""

from typing import Any


def list_of(given: Any) -> list[Any]:
    """Return a list; an empty one for anything else."""
    return given if isinstance(given, list) else []


def placed(given: Any) -> list[tuple[int, dict[str, Any]]]:
    """Return things that were kept, each after its place."""
    pairs = [each for each in list_of(given) if isinstance(each, list) and len(each) == 2]
    return [(n, dict(each)) for n, each in pairs if isinstance(n, int) and isinstance(each, dict)]


def relations(given: Any, places: dict[float, int]) -> list[dict[str, Any]]:
    """Return relations, ``[subject, type, object]``, whose ends are still there.

    Args:
        given: by the places that entities had.
        places: where those are now.
    """
    made = []
    for each in list_of(given):
        ends = each[::2] if isinstance(each, list) and len(each) == 3 else []
        if ends and all(isinstance(end, int) and end in places for end in ends):
            pair = {"subject": places[ends[0]], "object": places[ends[1]]}
            made.append({**pair, "type": each[1]})
    return made


def arguments(given: Any, places: dict[float, int]) -> list[dict[str, Any]]:
    """Return arguments, ``[role, entity]``, whose entities are still there."""
    pairs = [each for each in list_of(given) if isinstance(each, list) and len(each) == 2]
    return [
        {"role": role, "entity": places[place]}
        for role, place in pairs
        if isinstance(place, int) and place in places
    ]


def events(given: Any, places: dict[float, int]) -> list[tuple[float, dict[str, Any]]]:
    """Return events that were kept, each after its place, with the arguments still there."""
    made: list[tuple[float, dict[str, Any]]] = []
    for place, event in placed(given):
        parts = [part for part in list_of(event.get("arguments")) if isinstance(part, dict)]
        pairs = [[part.get("role"), part.get("entity")] for part in parts]
        made.append((place, event | {"arguments": arguments(pairs, places)}))
    return made

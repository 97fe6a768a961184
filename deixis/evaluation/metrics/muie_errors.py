"""The types of errors that section 6.9 of MUIE tells apart, as far as results show them.

- ``repetition``: a right fact that is told more often than it is so; an entity that is not in the
  gold and points where a right one does (IoU 0.5).
- ``incomplete``: a fact of the gold that is not told.
- ``wrong_match``: an entity of the gold that is shown where another of the gold is, and not where
  it is itself (IoU 0.5), in a picture, a frame or the sound.
- ``missing_grounding``: an entity of the gold that was told, and has a place in the gold only.
- ``over_grounding``: an entity that has a place where the gold says that it has none; or one that
  is not in the gold, and has a place where the gold has nothing.
- ``propagated``: a place in the gold that is missed because its entity was not told.

The last four count once for each entity and medium. Answers alone have no places: of them it
counts what should be looked for, once for each entity.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from deixis.errors import DataError
from deixis.evaluation.metrics.muie_facts import check_same, facts_of, phrases_of
from deixis.evaluation.metrics.muie_places import (
    MEDIA,
    Medium,
    Units,
    compared,
    looked,
    place_iou,
    places_of,
)
from deixis.formats.muie_rows import MuieEntity, MuieRow

ERRORS = (
    "repetition",
    "incomplete",
    "wrong_match",
    "missing_grounding",
    "over_grounding",
    "propagated",
)
_ENOUGH = 0.5


class _Linked(NamedTuple):
    """Entities of both sides by their phrases, one to one, by their numbers."""

    pairs: dict[int, int]
    only_gold: list[int]
    only_told: list[int]


def errors_by_row(
    gold: Sequence[MuieRow], predicted: Sequence[MuieRow], placed: bool = True
) -> dict[str, Counter[str]]:
    """Count each of `ERRORS` in each row, by its id.

    Args:
        gold: rows.
        predicted: the same samples in the same order.
        placed: False of answers that say what should be looked for, and have no places.

    Raises:
        DataError: masks of one picture cannot be compared.
        ValueError: the two do not have the same samples.
    """
    check_same(gold, predicted)
    return {
        wanted.id: errors_of(wanted, guess, placed)
        for wanted, guess in zip(gold, predicted, strict=True)
    }


def errors_of(wanted: MuieRow, guess: MuieRow, placed: bool = True) -> Counter[str]:
    """Count the errors of a row (see `errors_by_row`)."""
    linked = _link(wanted, guess)
    found: Counter[str] = Counter()
    for right, told in zip(
        facts_of(wanted, wanted.text), facts_of(guess, wanted.text), strict=True
    ):
        found["incomplete"] += (right - told).total()
        found["repetition"] += sum(
            n - right[fact] for fact, n in told.items() if 0 < right[fact] < n
        )
    if not placed:
        return found + _sought(wanted, guess, linked)
    try:
        found["repetition"] += _shown_again(guess, linked)
        for medium in MEDIA:
            found += _in_medium(wanted, guess, medium, linked)
    except ValueError as error:
        raise DataError(f"row {wanted.id!r}: {error}") from None
    return found


def _link(wanted: MuieRow, guess: MuieRow) -> _Linked:
    mine, theirs = (phrases_of(row, wanted.text).entities for row in (wanted, guess))
    left: defaultdict[object, list[int]] = defaultdict(list)
    for number, phrase in enumerate(theirs):
        left[phrase].append(number)
    pairs = {number: left[phrase].pop(0) for number, phrase in enumerate(mine) if left[phrase]}
    told = set(pairs.values())
    return _Linked(
        pairs,
        [number for number in range(len(mine)) if number not in pairs],
        [number for number in range(len(theirs)) if number not in told],
    )


def _in_medium(wanted: MuieRow, guess: MuieRow, medium: Medium, linked: _Linked) -> Counter[str]:
    """Count the errors of where things are in a medium in which somebody looked for the gold."""
    found: Counter[str] = Counter()
    if not looked(wanted, medium):
        return found
    one, other = compared(wanted, guess, medium)
    mine, theirs = _holders(one), _holders(other)
    for number, told in linked.pairs.items():
        if number in mine and told not in theirs:
            found["missing_grounding"] += 1
        elif number not in mine and told in theirs:
            found["over_grounding"] += _nowhere(wanted.entities[number], medium)
        elif number in mine and told in theirs:
            found["wrong_match"] += _mistaken(one, other, number, told)
    found["over_grounding"] += sum(
        number in theirs and not _meets(other, number, one) for number in linked.only_told
    )
    found["propagated"] += sum(number in mine for number in linked.only_gold)
    return found


def _nowhere(entity: MuieEntity, medium: Medium) -> bool:
    """Say whether gold says that an entity is not in a medium; None is that nobody looked."""
    places = {"image": entity.regions, "video": entity.track, "audio": entity.spans}
    return places[medium] is not None


def _holders(units: Units) -> set[int]:
    return {held.holder for unit in units.values() for held in unit}


def _mistaken(one: Units, other: Units, number: int, told: int) -> bool:
    """Say whether a thing is somewhere shown where another one is, and not where it is itself."""
    for unit, seen in other.items():
        for held in seen:
            hit = {
                mine.holder
                for mine in one.get(unit, ())
                if held.holder == told and place_iou(mine.place, held.place) >= _ENOUGH
            }
            if hit and number not in hit:
                return True
    return False


def _meets(units: Units, number: int, others: Units, among: set[int] | None = None) -> bool:
    """Say whether a thing has a place of others, of some or of all of them."""
    return any(
        place_iou(held.place, place.place) >= _ENOUGH
        for unit, seen in units.items()
        for held in seen
        for place in others.get(unit, ())
        if held.holder == number and (among is None or place.holder in among)
    )


def _shown_again(guess: MuieRow, linked: _Linked) -> int:
    """Count the entities that are not in the gold, and point where a right one does."""
    right = set(linked.pairs.values())
    media = [places_of(guess, medium) for medium in MEDIA]
    return sum(
        any(_meets(units, number, units, right) for units in media) for number in linked.only_told
    )


def _sought(wanted: MuieRow, guess: MuieRow, linked: _Linked) -> Counter[str]:
    """Count what should, or should not, be looked for: of answers alone."""
    found: Counter[str] = Counter()
    for number, told in linked.pairs.items():
        entity = wanted.entities[number]
        places = (entity.regions, entity.track, entity.spans)
        sought = guess.entities[told].regions is None
        found["missing_grounding"] += any(places) and not sought
        known = any(each is not None for each in places)
        found["over_grounding"] += known and not any(places) and sought
    found["propagated"] += sum(
        any((each.regions, each.track, each.spans))
        for each in (wanted.entities[number] for number in linked.only_gold)
    )
    return found

"""What a row of MUIE names: one thing per name, and the phrases by which it is found.

Gold has places and no phrases, so these are made. By sound it is the name. By picture it is the
``expression`` of the entity, if the row has one. Else a person who has a name is "the person" and
what has none "the dog", with its place among the others of this kind in the picture; all else that
has a name is looked for by it, for a name may be read there. In a video nobody stays where he is:
there the place is left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deixis.base.boxes import Box, area
from deixis.base.folding import key
from deixis.base.printable import one_line
from deixis.formats.muie_calls import Medium
from deixis.formats.muie_rows import MuieEntity, MuieRow
from deixis.type_schema import TypeSchema


class Thing(NamedTuple):
    """All entities of a row that have one name.

    Attributes:
        name: as an answer has it.
        entities: those of the row.
        sought: a phrase for each medium in which it has a place.
    """

    name: str
    entities: tuple[MuieEntity, ...]
    sought: Mapping[Medium, str]


def names_of(row: MuieRow) -> list[str]:
    """Return the name of each entity in an answer.

    What is only seen has the noun that the row has for it; several of one noun are numbered, as
    the prompts ask: "dog 1", "dog 2".
    """
    alike = Counter(key(entity.text) for entity in row.entities if _only_seen(entity))
    numbers: Counter[str] = Counter()
    names = []
    for entity in row.entities:
        folded = key(entity.text)
        if _only_seen(entity) and alike[folded] > 1:
            numbers[folded] += 1
            names.append(f"{one_line(entity.text)} {numbers[folded]}")
        else:
            names.append(entity.text)
    return names


def held_by(row: MuieRow) -> dict[str, list[MuieEntity]]:
    """Return the entities of a row by their folded names in an answer."""
    held: dict[str, list[MuieEntity]] = {}
    for name, entity in zip(names_of(row), row.entities, strict=True):
        held.setdefault(key(name), []).append(entity)
    return held


def things_of(row: MuieRow, types: TypeSchema) -> dict[str, Thing]:
    """Return the things of a row by their folded names, in its order."""
    held, called = held_by(row), {key(name): name for name in reversed(names_of(row))}
    nouns = {folded: _noun(entities[0], types) for folded, entities in held.items()}
    boxes = {folded: _box(entities) for folded, entities in held.items()}
    things = {}
    for folded, entities in held.items():
        noun = nouns[folded]
        alike = [boxes[other] for other, its in nouns.items() if its == noun]
        written = next((own.expression for own in entities if own.expression), None)
        phrases: dict[Medium, str] = {
            "image": one_line(written or f"{noun}{_side(boxes[folded], alike)}"),
            "video": noun,
            "audio": one_line(called[folded]),
        }
        sought = {medium: phrases[medium] for medium in phrases if _is_in(medium, entities)}
        things[folded] = Thing(called[folded], tuple(entities), sought)
    return things


def _only_seen(entity: MuieEntity) -> bool:
    """Whether it has a place in a picture or the video, and is neither written nor said."""
    seen = _is_in("image", [entity]) or _is_in("video", [entity])
    return seen and entity.start is None and not entity.spans


def _is_in(medium: Medium, entities: Sequence[MuieEntity]) -> bool:
    if medium == "image":
        return any(entity.regions for entity in entities)
    if medium == "video":
        return any(frame.regions for entity in entities for frame in entity.track or ())
    return any(entity.spans for entity in entities)


def _noun(entity: MuieEntity, types: TypeSchema) -> str:
    if _only_seen(entity):
        return f"the {one_line(entity.text)}"
    kind = types.named(entity.type)
    return "the person" if kind and kind.seen_as == "person" else one_line(entity.text)


def largest(entities: Sequence[MuieEntity], image: int) -> Box | None:
    """Return the largest box of one of the pictures that is acceptable; None if there is none."""
    boxes = [each.box for own in entities for each in own.regions or () if each.image == image]
    return max(boxes, key=area, default=None)


def _box(entities: Sequence[MuieEntity]) -> tuple[int, Box] | None:
    """Return the first picture in which something has a place, and its largest box there."""
    image = min((each.image for own in entities for each in own.regions or ()), default=0)
    box = largest(entities, image)
    return None if box is None else (image, box)


def _side(own: tuple[int, Box] | None, alike: Sequence[tuple[int, Box] | None]) -> str:
    """Say which of those that are called alike in its picture something is, from the left."""
    if own is None:
        return ""
    there = {box for placed in alike if placed for image, box in [placed] if image == own[0]}
    order = sorted(there, key=lambda box: (box[0] + box[2], *box))
    place, last = order.index(own[1]), len(order) - 1
    if last == 0:
        return ""
    if place in (0, last):
        return " on the left" if place == 0 else " on the right"
    return " in the middle" if last == 2 else f" number {place + 1} from the left"

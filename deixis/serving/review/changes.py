"""What a reviewer has changed of a result."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from deixis.base.problems import problem_line
from deixis.errors import InputError
from deixis.schema import Extraction

CHANGES = ("added", "dropped", "type", "fine_type", "visible", "place", "relations", "events")
"""Mentions that were added or dropped; types; whether it can be seen or heard; where (boxes, masks,
spans, tracks); relations and events."""
MEDIA = ("image", "images", "audio", "video", "document", "transcript")
"""The fields of a result that tell what was looked at: reviewers leave them."""


def changes(before: Extraction, after: Extraction) -> list[str]:
    """Return in what two results for one row differ, in the order of `CHANGES`.

    Entities are the same by their ids.
    """
    old = {entity.id: entity for entity in before.entities}
    new = {entity.id: entity for entity in after.entities}
    pairs = [(old[id_], new[id_]) for id_ in old.keys() & new.keys()]
    moved = {one.id for one, other in pairs if _mention(one) != _mention(other)}
    pairs = [(one, other) for one, other in pairs if one.id not in moved]
    found = {
        "added": bool(new.keys() - old.keys() or moved),
        "dropped": bool(old.keys() - new.keys() or moved),
        "type": any(one.type != other.type for one, other in pairs),
        "fine_type": any(one.fine_type != other.fine_type for one, other in pairs),
        "visible": any(one.groundable != other.groundable for one, other in pairs),
        "place": any(_places(one) != _places(other) for one, other in pairs),
        "relations": _links(before.relations) != _links(after.relations),
        "events": _links(before.events) != _links(after.events),
    }
    return [name for name in CHANGES if found[name]]


def _mention(entity: Any) -> Any:
    return entity.text, entity.start, entity.end


def _places(entity: Any) -> Any:
    return entity.regions, entity.spans, entity.track


def _links(found: Any) -> list[Any]:
    return [each.model_dump(exclude={"decisions", "confidence"}) for each in found]


def corrected(before: Extraction, given: Mapping[str, Any]) -> Extraction:
    """Return a correction of a result.

    Raises:
        InputError: it is no extraction, or not of this post.
    """
    try:
        right = Extraction.model_validate(given)
    except ValidationError as error:
        raise InputError(f"the correction is no extraction: {problem_line(error)}") from None
    if right.text != before.text:
        raise InputError("the text of the correction is not that of the row; open it again")
    for name in MEDIA:
        if getattr(right, name) != getattr(before, name):
            raise InputError(f"{name} of the correction is not that of the row; open it again")
    return right

"""What is checked of rows, beyond their form, before they are handed on to or from another tool."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from deixis.base.masks import lengths
from deixis.base.problems import problem_line
from deixis.formats.muie_rows import MuieContent
from deixis.rows import Problem

LARGEST = 1 << 31
"""No picture is as wide, and no list as long: others keep such numbers in 32 bits."""


def checked(row: dict[str, Any], line: int) -> dict[str, Any] | Problem:
    """Return a row that can be read again, or what is wrong with it.

    Args:
        row: as `MuieContent` has it.
        line: of the file, or the number of the thing that the row was made of.
    """
    given = row.get("id")
    try:
        made = MuieContent.model_validate(row)
        for problem in problems_of(made):
            return Problem(line, made.id, problem)
    except ValidationError as error:
        return Problem(line, given if isinstance(given, str) else None, problem_line(error))
    return row


def problems_of(row: MuieContent) -> Iterator[str]:
    """Yield what is wrong with a row whose form is right."""
    named = [(each.text, each.start, each.end) for each in row.entities]
    named += [(e.trigger.text, e.trigger.start, e.trigger.end) for e in row.events if e.trigger]
    for text, start, end in named:
        if start is None and end is None:
            continue
        if start is None or end != start + len(text) or row.text[start:end] != text:
            yield f"{text!r} does not stand at {start}:{end} in the text"
    count = len(row.entities)
    ends = [end for each in row.relations for end in (each.subject, each.object)]
    ends += [part.entity for event in row.events for part in event.arguments]
    yield from (f"there is no entity {end}, of {count}" for end in ends if end >= count)
    regions = [region for entity in row.entities for region in entity.regions or ()]
    tracks = [frame for entity in row.entities for frame in entity.track or ()]
    regions += [region for frame in tracks for region in frame.regions]
    numbers = [*(row.size or ()), *(region.image for region in regions)]
    numbers += [frame.frame for frame in tracks]
    numbers += [side for region in regions if region.mask for side in region.mask.size]
    yield from (f"{each} is no size or place" for each in numbers if not 0 <= each < LARGEST)
    for region in regions:
        if region.mask is not None:
            try:
                lengths(region.mask)
            except ValueError as error:
                yield str(error)

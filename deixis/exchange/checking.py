"""Rows that were read from another tool: checked before they are handed on."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from deixis.base.masks import lengths
from deixis.base.problems import problem_line
from deixis.formats.muie_rows import MuieContent
from deixis.rows import Problem


def checked(row: dict[str, Any], line: int) -> dict[str, Any] | Problem:
    """Return a row that can be read again, or what is wrong with it.

    Args:
        row: as `MuieContent` has it.
        line: of the file, or the number of the thing that the row was made of.
    """
    given = row.get("id")
    try:
        made = MuieContent.model_validate(row)
        for problem in _problems(made):
            return Problem(line, made.id, problem)
    except ValidationError as error:
        return Problem(line, given if isinstance(given, str) else None, problem_line(error))
    return row


def _problems(row: MuieContent) -> Iterator[str]:
    named = [(each.text, each.start, each.end) for each in row.entities]
    named += [(e.trigger.text, e.trigger.start, e.trigger.end) for e in row.events if e.trigger]
    for text, start, end in named:
        if (start is None) != (end is None) or (start is not None and row.text[start:end] != text):
            yield f"{text!r} does not stand at {start}:{end} in the text"
    count = len(row.entities)
    ends = [end for each in row.relations for end in (each.subject, each.object)]
    ends += [part.entity for event in row.events for part in event.arguments]
    yield from (f"there is no entity {end}, of {count}" for end in ends if end >= count)
    regions = [region for entity in row.entities for region in entity.regions or ()]
    tracks = [frame for entity in row.entities for frame in entity.track or ()]
    regions += [region for frame in tracks for region in frame.regions]
    for region in regions:
        if region.mask is not None:
            try:
                lengths(region.mask)
            except ValueError as error:
                yield str(error)

"""Patches: parts of the picture that a user gives with it, each under a letter."""

from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

from deixis.base.boxes import Box
from deixis.base.problems import first_problem
from deixis.errors import InputError

MOST = 26 + 26 * 26
"""Patches that have a letter."""


class _Patch(BaseModel, allow_inf_nan=False):
    letter: str = Field(pattern="^[a-z]{1,2}$")
    box: Box

    @field_validator("box")
    @classmethod
    def _check(cls, box: Box) -> Box:
        if box[0] >= box[2] or box[1] >= box[3]:
            raise ValueError(f"a box needs x1 < x2 and y1 < y2; got {box}")
        return box


_PATCHES = TypeAdapter(list[_Patch])


def letter(number: int) -> str:
    """Return a, b, ..., z, aa, ab, ... for 0, 1, ...; there are `MOST`."""
    first, last = divmod(number, 26)
    return (chr(ord("a") + first - 1) if first else "") + chr(ord("a") + last)


def checked_patches(given: object) -> list[dict[str, Any]] | None:
    """Return patches as plain data, each ``{"letter": ..., "box": ...}``; None for None.

    Args:
        given: a list of boxes ``[x1, y1, x2, y2]`` in pixels of the upright picture, lettered
            in their order; or of objects with ``letter`` and ``box``, as rows of M-MRE have
            them. What else stands in these, such as the entity of the gold, is left out.

    Raises:
        InputError: something else, a box without an area, or a letter that stands twice.
    """
    if given is None:
        return None
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise InputError(f"patches must be a list of at most {MOST} boxes [x1, y1, x2, y2]")
    lettered = [
        patch if isinstance(patch, dict) else {"letter": letter(number), "box": patch}
        for number, patch in enumerate(given)
    ]
    try:
        patches = _PATCHES.validate_python(lettered)
    except ValidationError as error:
        raise InputError(f"patches.{': '.join(first_problem(error))}") from None
    letters = [patch.letter for patch in patches]
    if len(set(letters)) < len(letters):
        raise InputError(f"a letter of the patches stands twice: {', '.join(letters)}")
    return [patch.model_dump(mode="json") for patch in patches]


def overhanging(patches: list[dict[str, Any]], width: int, height: int) -> list[str]:
    """Return the letters of patches that leave a picture in part.

    Raises:
        InputError: one lies outside of it.
    """
    for patch in patches:
        x1, y1, x2, y2 = patch["box"]
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            raise InputError(
                f"patch {patch['letter']!r}, {patch['box']}, is outside of the picture, which is "
                f"{width} x {height}; give pixels of the upright picture"
            )
    return [
        patch["letter"]
        for patch in patches
        if min(patch["box"]) < 0 or patch["box"][2] > width or patch["box"][3] > height
    ]

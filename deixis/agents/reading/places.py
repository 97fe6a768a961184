"""Where something is, as models write it: boxes in many brackets, or that it is not to be seen."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from deixis.base.boxes import Box

MOST_BOXES = 20
"""Boxes of one entity that are read."""
_LARGEST = 1e9  # no coordinate is larger
_NOWHERE = re.compile(
    r"(?:it is |it's )?(?:none|null|nil|n/?a|nothing|nowhere|no (?:bounding )?box(?:es)?|-+"
    r"|(?:not|in)[ -]?(?:visible|seen|shown|present|applicable|available|depicted|pictured"
    r"|to be seen|in the (?:picture|image)))"
    r"(?: (?:in|of|within) the (?:picture|image|photo))?",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d++\.?\d*+|\.\d++)(?:e[-+]?\d++)?+(?![\w.])", re.IGNORECASE
)
# What may stand between the numbers: brackets, marks, tags, and the names of edges.
_BETWEEN = re.compile(
    r"[\s,;:&=()\[\]{}\"'*`.]|</?\|?[\w ]{1,20}\|?>"
    r"|\b(?:and|at|is|are|around|approximately|about|located|box(?:es)?|bbox(?:_2d)?|pixels|px"
    r"|x_?(?:1|2|min|max)|y_?(?:1|2|min|max)|left|top|right|bottom)\b",
    re.IGNORECASE,
)
_EDGES = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
)
HOLDERS = (
    "box",
    "boxes",
    "bbox",
    "bboxes",
    "bbox_2d",
    "box_2d",
    "bounding_box",
    "bounding_boxes",
    "region",
)


def where(said: Any) -> list[Box] | None:
    """Read what a model says of where something is: words, or a value of its JSON.

    Returns:
        Boxes with the four numbers in the order in which they were written; none when the
        model says that it is not to be seen; None when nothing of it can be read.
    """
    if isinstance(said, str):
        return _in_words(said)
    if said is None or said == [] or said == {}:
        return []
    try:
        if isinstance(said, Mapping):
            return _in_object({str(key).casefold(): value for key, value in said.items()})
        return _in_list(said) if isinstance(said, list) else None
    except RecursionError:  # hundreds of brackets in each other
        return None


def _in_words(said: str) -> list[Box] | None:
    words = said.strip(" \t\r\n.;,:*`\"'")
    bare = words.strip("()[]{}<> \"'")
    if not bare or _NOWHERE.fullmatch(bare):
        return [] if words else None
    percent = re.sub(r"(\d)\s*%", r"\1", words)
    if _BETWEEN.sub("", _NUMBER.sub(" ", percent)).strip():
        return None
    numbers = [float(number) for number in _NUMBER.findall(percent)]
    if percent != words:
        numbers = [number / 100 for number in numbers]
    return _fours(numbers)


def _in_object(said: Mapping[str, Any]) -> list[Box] | None:
    edges = next((names for names in _EDGES if all(name in said for name in names)), None)
    if edges:
        return _fours([said[name] for name in edges])
    held = next((said[name] for name in HOLDERS if name in said), 0)
    return where(held)


def _in_list(said: list[Any]) -> list[Box] | None:
    if all(isinstance(each, int | float) for each in said):
        return _fours(said)
    if len(said) == 2 and all(isinstance(each, list) and len(each) == 2 for each in said):
        return _fours([*said[0], *said[1]])  # two corners
    read = [where(each) for each in said[:MOST_BOXES]]
    boxes = [box for own in read for box in own or ()]
    return None if None in read and not boxes else boxes


def _fours(numbers: Sequence[Any]) -> list[Box] | None:
    if not numbers or len(numbers) % 4 or not all(map(_is_number, numbers)):
        return None
    edges = map(float, numbers[: 4 * MOST_BOXES])
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in zip(*[edges] * 4, strict=True)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST

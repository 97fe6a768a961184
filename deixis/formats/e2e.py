"""Answers of E2E-GMNER (section 3.2.1): ``text|TYPE|[x1,y1,x2,y2]; text|TYPE|None``.

Several boxes are a list of lists, no entity is ``None``. A ``<think>`` part and ``<answer>`` tags
may stand around it. Coordinates are pixels of the picture as the model saw it, resized.

What is read equals what the released evaluator reads, mangled texts included (a ``;`` within a
text splits it), so that its scores can be had. What it drops silently is a problem here.
"""

import json
import re
from collections.abc import Sequence

from deixis.base.boxes import Box
from deixis.formats.answers import ONE, Parsed, Reading, Scale, checked, number
from deixis.rows import RowEntity

_OPEN, _CLOSE, _THOUGHT = (
    re.compile(tag, re.IGNORECASE) for tag in ("<answer>", "</answer>", "</think>")
)
_BARS = str.maketrans(dict.fromkeys("｜│丨￨∣", "|"))  # noqa: RUF001 (lookalikes of the bar)
_ENDS = re.compile(r"[;；\n]+")  # noqa: RUF001 (the full-width semicolon)
_NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")


def parse(answer: str, scale: Scale | None = ONE) -> Parsed:
    """Read an answer; see `Format`."""
    reading = Reading(scale)
    text = _inside(answer, reading)
    for piece in _ENDS.split(text.translate(_BARS)):
        segment = piece.strip()
        if not segment or segment.lower() == "none":
            continue
        parts = [part.strip() for part in segment.split("|") if part.strip()]
        if len(parts) < 3:
            reading.refuse(segment, "it is not text|TYPE|region")
            continue
        *texts, kind, region = parts
        boxes = _region(region)
        if boxes is None:
            reading.refuse(segment, "its region is neither boxes nor None")
        elif len(texts) > 1:
            reading.refuse(segment, "a bar stands within its text")
        reading.add(segment, " | ".join(texts), kind, boxes)
    return reading.parsed()


def _inside(answer: str, reading: Reading) -> str:
    if start := _OPEN.search(answer):
        if end := _CLOSE.search(answer, start.end()):
            return answer[start.end() : end.start()].strip()
        reading.refuse(start[0], "the tag is not closed")
    thought = _THOUGHT.search(answer)
    return answer[thought.end() if thought else 0 :].strip()


def _region(text: str) -> list[Box] | None:
    if text.lower() in ("none", "n/a"):
        return []
    try:
        given = json.loads(text)
        boxes = _boxes([given]) or _boxes(given)
    except (ValueError, OverflowError, RecursionError):
        boxes = None
    if boxes:
        return boxes
    values = [float(value) for value in _NUMBER.findall(text)]
    if not values or len(values) % 4:
        return None
    fours = zip(*[iter(values)] * 4, strict=True)
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in fours]


def _boxes(given: object) -> list[Box] | None:
    if not isinstance(given, list):
        return None
    boxes: list[Box] = []
    for box in given:
        if not (
            isinstance(box, list)
            and len(box) == 4
            and all(isinstance(value, int | float) for value in box)
        ):
            return None
        x1, y1, x2, y2 = map(float, box)
        boxes.append((x1, y1, x2, y2))
    return boxes


def write(entities: Sequence[RowEntity]) -> str:
    """Write an answer without tags; see `Format`.

    The format holds one type, no mask, and regions that somebody looked for.
    """
    return checked(entities, _one, lambda pieces: "; ".join(pieces) or "None", parse)


def _one(entity: RowEntity) -> str:
    if entity.regions is None:
        return f"{entity.text}|{entity.type}|"
    boxes = [f"[{','.join(map(number, region.box))}]" for region in entity.regions]
    where = "None" if not boxes else boxes[0] if len(boxes) == 1 else f"[{','.join(boxes)}]"
    return f"{entity.text}|{entity.type}|{where}"

"""People, told by faces and bodies: the face says who is a person, the body gives the box."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from deixis.base.boxes import Box, area
from deixis.tools.base import Detection
from deixis.tools.centerface import bodies
from deixis.tools.coco import PERSON

_INSIDE = 0.6  # share of a face that lies in its body's box
_DEEPEST = 0.6  # heights of the body that its face is below its top: who lies or bends down
_LARGEST = 0.85  # heights of the body that a face has: a portrait down to the chin


def people(
    found: Sequence[Detection], faces: Sequence[Detection], width: int, height: int, least: float
) -> list[Detection]:
    """Join bodies and faces, one of each at most, so that as much as can be fits.

    Args:
        found: bodies that a detector of objects has found, doubtful ones too.
        faces: what a detector of faces has found.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        least: score that a body without a face needs.

    Returns:
        One detection per person. With a body and a face it has the body's box, stretched over the
        face and its hair, and the better score of both; a face alone has the box of a body that
        stands below it; a body alone is as it was found.
    """
    fits = np.array([[_fit(face.box, body) for body in found] for face in faces])
    pairs = {}
    if fits.size:
        rows, columns = linear_sum_assignment(fits, maximize=True)
        pairs = {
            row: column for row, column in zip(rows, columns, strict=True) if fits[row, column]
        }
    standing = bodies([face.box for face in faces], width, height)
    persons = []
    for number, face in enumerate(faces):
        box, score = standing[number], face.score
        if number in pairs:
            body, (left, _, right, bottom) = found[pairs[number]], face.box
            box = _around(body.box, (left, box[1], right, bottom))
            score = max(face.score, body.score)
        persons.append(Detection(PERSON, box, score))
    taken = set(pairs.values())
    alone = [body for number, body in enumerate(found) if number not in taken]
    return persons + [body for body in alone if body.score >= least]


def _fit(face: Box, body: Detection) -> float:
    """Say how well a face sits on a body, 0 to 1: high up, in the middle, wholly inside."""
    x1, y1, x2, y2 = body.box
    width = min(face[2], x2) - max(face[0], x1)
    height = min(face[3], y2) - max(face[1], y1)
    inside = max(width, 0.0) * max(height, 0.0) / area(face)
    deep = max(face[1] - y1, 0.0) / (y2 - y1)
    if inside < _INSIDE or deep > _DEEPEST or face[3] - face[1] > _LARGEST * (y2 - y1):
        return 0.0
    aside = abs(face[0] + face[2] - x1 - x2) / 2 / (x2 - x1)
    return inside * (1 - deep) * (1 - aside) * body.score


def _around(one: Box, other: Box) -> Box:
    return (
        *(min(one[0], other[0]), min(one[1], other[1])),
        *(max(one[2], other[2]), max(one[3], other[3])),
    )

"""GRBP: gold boxes moved a little, at every epoch anew (E2E-GMNER, section 3.2.2, algorithm 1).

A box with centre ``(cx, cy)`` and sides ``w, h`` becomes, with four numbers ``e`` of its own::

    cx' = cx + e1 w        cy' = cy + e2 h        e1, e2 ~ N(0, (beta spread)^2)
    w'  = w (1 + e3)       h'  = h (1 + e4)       e3, e4 ~ N(0, (gamma spread)^2)

with ``1 + e`` and the sides kept in bounds, and clipped to the picture. As long as its IoU with
the gold box is below ``tau`` it is drawn again, ``tries`` times in all; then the gold box stays.

Shifts and scales are shares of the box, so they are the same in any frame. What counts pixels (the
bounds of sides, and which boxes are small) counts those of the picture as the model resizes it, as
the released code does. A model that writes thousandths or bins says nothing of its resize: there
it is the pixels of the picture as it is sent, for a thousandth is no square, and what is small
depends on how much of the picture there is to see. IoU is taken of what the model is to write, so
after rounding: a box that would lose its place or its area by that is drawn again too.
"""

import math
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deixis.base.boxes import Box, as_box, box_iou
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.picture_frames import Size
from deixis.training.lessons.records import Move

Strength = Annotated[float, Field(ge=0, lt=1)]


class Perturbation(BaseModel):
    """How far boxes are moved. What is left out is as the paper has it, or else the released code.

    Attributes:
        preset: where the numbers come from that are not given here: a key of `PRESETS`.
        beta: strength of the shift, as a share of the box's sides (the paper's best: 0.03, section
            4.7).
        gamma: strength of the scale, likewise.
        spread: sigma of the noise at strength 1.
        cut: noise stays within so many times the strength; None: it is not cut.
        tau: the least IoU with the gold box.
        tries: how often a box is drawn before the gold box stays.
        least_side: no side becomes shorter, and boxes with a shorter one are left as they are.
        least_scale: no side is multiplied by less.
        most_scale: nor by more.
        small_area: boxes of a smaller area are moved less.
        small_share: so much of both strengths is left for them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: Literal["paper", "released"] = "paper"
    beta: Strength = 0.03
    gamma: Strength = 0.03
    spread: float = Field(default=1.0, gt=0)
    cut: float | None = Field(default=None, gt=0)
    tau: float = Field(default=0.6, gt=0, le=1)
    tries: int = Field(default=5, ge=1, le=1000)
    least_side: float = Field(default=2.0, ge=1)
    least_scale: float = Field(default=0.2, gt=0, le=1)
    most_scale: float = Field(default=5.0, ge=1)
    small_area: float = Field(default=0.0, ge=0)
    small_share: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = given.get("preset", "paper")
        return {**(PRESETS.get(preset, {}) if isinstance(preset, str) else {}), **given}


PRESETS: dict[str, dict[str, float]] = {
    "paper": {},
    "released": {
        "beta": 0.1,
        "gamma": 0.1,
        "spread": 1 / math.sqrt(3),
        "cut": 1.0,
        "small_area": 32.0 * 32.0,
        "small_share": 0.5,
    },
}
"""What is known of GRBP, by source.

``paper``: section 3.2.2 names the steps and 4.7 the strength. Of ``tau``, ``tries`` and the bounds
it gives no number: those of the released code stand. It says nothing of small boxes, so they are
moved like others, nor of a cut.

``released``: what the training script of the repository Finch-coder/E2E-GMNER sets. Its sigma is
that of an even distribution over +-strength, and noise beyond the strength becomes the strength. So
the IoU cannot be below 0.664 (shifted by 0.1 and shrunk by 0.1 along both sides): its guard of 0.6
bites only by rounding.
"""


def grbp(settings: Perturbation, seed: int, epoch: int, lesson: str, frame: BoxConvention) -> Move:
    """Return what moves the boxes of a lesson, for one writing of its answer.

    The same four say the same moves, whatever other lessons were written before. Each box takes
    noise of its own, also one that stands in the answer twice.

    Args:
        settings: how far.
        seed: of the run.
        epoch: from 0.
        lesson: its id.
        frame: how the model writes boxes.

    Returns:
        ``move(box, size) -> box``, both in pixels of the picture as it is sent. It is not rounded;
        what it is written as has an IoU of ``tau`` or more with the box that was given, or
        it is that box.
    """
    noise = Random(f"{seed} {epoch} {lesson}")

    def move(box: Box, size: Size) -> Box:
        seen = frame.resize.frame(size) if frame.resize else size
        inside = _scaled(box, size, seen)
        if _shorter(inside) < settings.least_side:
            return box
        for _ in range(settings.tries):
            found = _drawn(inside, seen, settings, noise)
            if _shorter(found) < settings.least_side:
                continue
            moved = _scaled(found, seen, size)
            written = frame.from_model(frame.to_model(moved, size), size)
            if written and box_iou(written, box) >= settings.tau:
                return moved
        return box

    return move


def _scaled(box: Box, here: Size, there: Size) -> Box:
    """Bring a box from a picture of one size to the same of another."""
    sides = zip(box, here * 2, there * 2, strict=True)
    return as_box([edge * new / old for edge, old, new in sides])


def _shorter(box: Box) -> float:
    return min(box[2] - box[0], box[3] - box[1])


def _drawn(box: Box, seen: Size, settings: Perturbation, noise: Random) -> Box:
    """Draw a box near one, clipped to the picture."""
    sides = box[2] - box[0], box[3] - box[1]
    share = settings.small_share if sides[0] * sides[1] < settings.small_area else 1.0

    def drawn(strength: float) -> float:
        most = math.inf if settings.cut is None else settings.cut * strength * share
        return min(max(noise.gauss(0.0, settings.spread * strength * share), -most), most)

    low, high = [], []
    for start, side, limit in zip(box, sides, seen, strict=False):
        centre = start + side / 2 + drawn(settings.beta) * side
        scale = min(max(1 + drawn(settings.gamma), settings.least_scale), settings.most_scale)
        half = max(side * scale, settings.least_side) / 2
        low.append(min(max(centre - half, 0.0), float(limit)))
        high.append(min(max(centre + half, 0.0), float(limit)))
    return as_box(low + high)

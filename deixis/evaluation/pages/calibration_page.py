"""One HTML page of reliability diagrams: what was stated, and how much of it was so."""

from collections.abc import Iterable
from typing import NamedTuple

from deixis.evaluation.calibration import BINS, Part, Reliability
from deixis.show.templates import render_page

SIDE = 200
"""Of a diagram, in units of its drawing."""


class Dot(NamedTuple):
    """A part of the probabilities on a diagram: its place, its radius, and what it stands for."""

    x: float
    y: float
    radius: float
    mentions: int
    mean: float
    share: float


class Diagram(NamedTuple):
    """One part of the calibration, with its dots before and after; none after without a curve."""

    part: Part
    before: list[Dot]
    after: list[Dot]


def calibration_page(results: str, gold: str, parts: Iterable[Part], oddities: list[str]) -> str:
    """Return a page that needs nothing else: no file, no network, no script."""
    diagrams = [
        Diagram(part, dots(part.before), dots(part.after) if part.after else []) for part in parts
    ]
    return render_page(
        "calibration.html.j2",
        results=results,
        gold=gold,
        diagrams=diagrams,
        oddities=oddities,
        side=SIDE,
        bins=BINS,
    )


def dots(measured: Reliability) -> list[Dot]:
    """Return where the parts stand: stated from left to right, shown from below up.

    The area of a dot is the share of the mentions that it stands for.
    """
    total = sum(count for count, _, _ in measured.bins)
    return [
        Dot(SIDE * mean, SIDE * (1 - share), 2 + 18 * (count / total) ** 0.5, count, mean, share)
        for count, mean, share in measured.bins
    ]

"""What came of looking for entities in the pictures, whoever looked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from deixis.agents.context.media_records import Look
from deixis.agents.context.records import PlacedRegion, Verdict
from deixis.agents.context.state import Update, decision
from deixis.base.boxes import Box, clipped

STEP = "point"


class Pointed(NamedTuple):
    """What came of looking for one entity.

    Attributes:
        look: how it went.
        model: who looked, or None.
        reason: in words.
        regions: where it is, if it was found.
        replies: the calls that it rests on.
    """

    look: Look
    model: str | None
    reason: str
    regions: Sequence[PlacedRegion] = ()
    replies: Sequence[str] = ()


def region_of(
    box: Box, picture: Mapping[str, Any], number: int, score: float, source: str
) -> PlacedRegion:
    """Return a box in one of the pictures as a region, clipped to it.

    Args:
        box: in pixels of the picture.
        picture: its ``width`` and ``height``.
        number: of the picture, from 0.
        score: how sure it is.
        source: who pointed.
    """
    own = clipped(box, picture["width"], picture["height"])
    region = PlacedRegion(box=own, mask=None, score=score, source=source)
    return PlacedRegion(**region, image=number) if number else region


def sum_up(
    regions: Sequence[PlacedRegion],
    failures: Sequence[str],
    phrase: str,
    model: str,
    *,
    lost: str = "",
    replies: Sequence[str] = (),
) -> Pointed:
    """Say how it went to look for an entity in all pictures.

    Args:
        regions: where it was found.
        failures: what went wrong, a line for each picture that could not be looked at.
        phrase: what was looked for.
        model: who looked.
        lost: who has what would fit it, if somebody has.
        replies: the calls that it rests on.
    """
    if regions:
        return Pointed("found", model, f"the best of what fits {phrase!r}", regions, replies)
    if failures:
        failed = f"not known, for the tool failed: {'; '.join(failures)}"
        return Pointed("failed", model, failed, (), replies)
    why = f"what fits {phrase!r} is {lost!r}" if lost else f"nothing fits {phrase!r}"
    absent = f"asked for in the pictures, and not there (over-grounding): {why}"
    return Pointed("absent", model, absent, (), replies)


def update_of(entity: str, pointed: Pointed) -> Update:
    """Return the verdict on an entity, its regions, how it went to look, and why."""
    groundable = {"found": True, "absent": False}.get(pointed.look)
    sure = max((region["score"] for region in pointed.regions), default=None)
    why = decision(
        entity,
        STEP,
        "region",
        _where(pointed.regions) or ("none" if groundable is False else None),
        model=pointed.model,
        confidence=sure,
        evidence=[pointed.reason],
        replies=pointed.replies,
    )
    update: Update = {
        "looks": {f"{entity}/image": pointed.look},
        "verdicts": {entity: Verdict(groundable=groundable, probability=1.0, candidates=[])},
        "decisions": why,
    }
    return {**update, "regions": {entity: list(pointed.regions)}} if pointed.regions else update


def _where(regions: Sequence[PlacedRegion]) -> str:
    return "; ".join(
        f"picture {region.get('image', 0) + 1}: {[round(edge) for edge in region['box']]}"
        for region in regions
    )

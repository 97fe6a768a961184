"""Boxes by phrase: what a detector finds in each picture is given out to entities, one each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from deixis.agents.context.records import PictureRecord, PlacedRegion
from deixis.agents.context.state import State, Update, notice, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.assignment import assign
from deixis.agents.main.ground import ALIKE, parts
from deixis.agents.main.lexicon import fold, tokens_of
from deixis.agents.main.places import SAME_PLACE
from deixis.agents.main.same_names import same_names
from deixis.agents.muie.pointing import STEP, Pointed, region_of, sum_up
from deixis.base.boxes import box_iou
from deixis.errors import ToolError
from deixis.tools.base import Detection, Picture

SIDE_WEIGHT = 0.1
"""Most that the side which a phrase names adds to a score: of things that fit about as well, the
one on the left is "the man on the left"."""
_SIDES = {"left": 0.0, "leftmost": 0.0, "right": 1.0, "rightmost": 1.0}
_SIDES |= dict.fromkeys(("middle", "center", "centre"), 0.5)


class Claim(NamedTuple):
    """One name that claims a box in each picture.

    Attributes:
        entities: of this name, as *Eileen Collins* and *Collins*.
        phrase: what it is looked for as.
        labels: what the detector calls it; one is enough.
        several: whether it may be several things: a crew, a logo shown twice.
    """

    entities: list[str]
    phrase: str
    labels: frozenset[str]
    several: bool


def claims_of(
    state: State,
    phrases: Mapping[str, str],
    meant: Mapping[str, frozenset[str]],
    toolbox: Toolbox,
) -> list[Claim]:
    """Return who claims boxes: entities of one name are one claimant and share a box."""
    mentions = {entity: state["mentions"][entity] for entity in phrases}
    placed = {e: {**own, "start": own["start"] or 0} for e, own in mentions.items()}
    groups = same_names(placed)  # type: ignore[arg-type]
    groups_seen = {kind.name for kind in toolbox.types.types if kind.seen_as == "group"}
    return [
        Claim(
            entities,
            phrases[head],
            frozenset[str]().union(*(meant[entity] for entity in entities)),
            type_of(state, head) in groups_seen,
        )
        for head, entities in groups.items()
    ]


def by_detector(
    state: State, claims: Sequence[Claim], pictures: Sequence[Picture], toolbox: Toolbox
) -> tuple[dict[str, Pointed], Update]:
    """Look for what claims boxes in every picture.

    Returns:
        What came of it for each entity, and notices of pictures in which it failed.
    """
    detector, spec = toolbox.detector, toolbox.model("detector")
    assert detector is not None, "asked without a detector"
    labels = sorted(frozenset[str]().union(*(claim.labels for claim in claims)))
    regions: list[list[PlacedRegion]] = [[] for _ in claims]
    lost: dict[int, str] = {}
    failures: list[str] = []
    notices: Update = {}
    for number, (pixels, record) in enumerate(zip(pictures, state["pictures"], strict=True)):
        try:
            seen = detector.detect(pixels, labels)
        except ToolError as error:
            failures.append(f"picture {number + 1}: {error}")
            notices |= notice(STEP, f"nothing was pointed at in picture {number + 1}: {error}")
            continue
        given, taken = _given(claims, seen, record)
        for row, own in enumerate(given):
            regions[row] += [region_of(each.box, record, number, each.score, spec) for each in own]
        lost |= {row: state["mentions"][claims[by].entities[0]]["text"] for row, by in taken}
    found: dict[str, Pointed] = {}
    for row, claim in enumerate(claims):
        pointed = sum_up(regions[row], failures, claim.phrase, spec, lost=lost.get(row, ""))
        found |= dict.fromkeys(claim.entities, pointed)
    return found, notices


def _given(
    claims: Sequence[Claim], seen: Sequence[Detection], picture: PictureRecord
) -> tuple[list[list[Detection]], list[tuple[int, int]]]:
    """Give out what was seen in one picture such that all together fit best.

    Returns:
        What each claim has; and pairs of a claim that has nothing and the one that has what would
        fit it.
    """
    places = _places(seen)
    best = [
        [
            max(
                (detection for detection in place if detection.label in claim.labels),
                key=lambda detection: detection.score,
                default=None,
            )
            for place in places
        ]
        for claim in claims
    ]
    scores = np.zeros((len(claims), len(places)))
    for row, claim in enumerate(claims):
        for column, detection in enumerate(best[row]):
            if detection is not None and detection.score > 0:
                scores[row, column] = detection.score + _side_bonus(
                    claim.phrase, detection, picture
                )
    tops = scores.max(axis=1, initial=0.0, keepdims=True)
    alike = (scores >= ALIKE * tops) & (scores > 0)
    several = alike & np.array([claim.several for claim in claims])[:, None]
    clash = parts(np.array([place[0].box for place in places]).reshape(-1, 4))
    columns = assign(scores, several, clash)
    given = [
        [each for column in own if (each := best[row][column]) is not None]
        for row, own in enumerate(columns)
    ]
    holders = {column: row for row, own in enumerate(columns) for column in own}
    lost = [
        (row, holders[int(scores[row].argmax())])
        for row, own in enumerate(columns)
        if not own and scores[row].any() and int(scores[row].argmax()) in holders
    ]
    return given, lost


def _places(seen: Sequence[Detection]) -> list[list[Detection]]:
    """Group what shows one thing: one that takes phrases finds it by each phrase that fits."""
    places: list[list[Detection]] = []
    for detection in sorted(seen, key=lambda each: -each.score):
        same = (own for own in places if box_iou(own[0].box, detection.box) >= SAME_PLACE)
        place = next(same, None)
        if place is None:
            places.append([detection])
        else:
            place.append(detection)
    return places


def _side_bonus(phrase: str, detection: Detection, picture: PictureRecord) -> float:
    """Reward a box that lies where the phrase says: "the woman on the left"."""
    sides = [_SIDES[word] for word in map(fold, tokens_of(phrase)) if word in _SIDES]
    if not sides:
        return 0.0
    middle = (detection.box[0] + detection.box[2]) / 2 / picture["width"]
    return SIDE_WEIGHT * (1.0 - abs(middle - sides[0]))

"""ground: give every groundable entity its box, all entities of the sample together.

Mentions of one name (``Eileen Collins`` and later ``Collins``) are one claimant and share
a box; different claimants never do. Ties between people go by the order of the text, left
to right, as captions are written. Where boxes compete, a model with eyes may choose first.

A claimant has one box. It has several only if the model chose them for it and for nobody else,
or, where no model chose, if it is a group whose description fits several things about equally
well: a crew, or a logo shown twice. These are then of what no other claimant got, and none of
them is a part of another.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.agents.context.records import Candidate, PlacedRegion, Verdict
from deixis.agents.context.state import State, Update, decision, joined, notice, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.assignment import assign
from deixis.agents.main.choose import Choice, choose
from deixis.agents.main.same_names import same_names
from deixis.base.boxes import clipped
from deixis.type_schema import SeenAs

ORDER_WEIGHT = 0.02
"""Most that the order of the text may add to a pair's score: it decides ties only."""
ALIKE = 0.8
"""Share of the best score from which a description fits another box about as well."""
PART = 0.7
"""Share of the smaller of two boxes, inside the other, from which it shows a part of the same."""


class Claim(NamedTuple):
    """One name that claims a box.

    Attributes:
        entities: its mentions, the fullest first.
        verdict: on that.
        offered: the boxes that it may have, by the key of their place.
        choice: what a model chose for it, None where none did.
        worth: of each box, 0..1, after what the model chose.
        together: the boxes that it may have beside others.
    """

    entities: list[str]
    verdict: Verdict
    offered: dict[str, Candidate]
    choice: Choice | None = None
    worth: Mapping[str, float] = MappingProxyType({})
    together: Collection[str] = ()


def ground(state: State, toolbox: Toolbox) -> Update:
    """Assign candidates to entities; who gets none is not groundable after all."""
    claims = offers(state)
    if not claims:
        return {}
    wishes = {claim.entities[0]: list(claim.offered.values()) for claim in claims}
    choices, update = choose(state, toolbox, wishes)
    seen_as = [toolbox.types.get(type_of(state, claim.entities[0])).seen_as for claim in claims]
    claims = scores(claims, choices, seen_as)
    given, replies = assigned(claims, seen_as), list(update.get("calls", {}))
    empty: Update = {"regions": {}, "verdicts": {}, "decisions": {}, "notices": {}}
    return joined(empty, update, *told(claims, given, replies, state, toolbox))


def offers(state: State) -> list[Claim]:
    """Say who claims a box, in the order of the text, and which."""
    verdicts = {
        entity: verdict for entity, verdict in state["verdicts"].items() if verdict["groundable"]
    }
    groups = same_names({entity: state["mentions"][entity] for entity in verdicts})
    return [
        Claim(entities, verdicts[head], {box["key"]: box for box in verdicts[head]["candidates"]})
        for head, entities in groups.items()
    ]


def scores(
    claims: Sequence[Claim], choices: Mapping[str, Choice], seen_as: Sequence[SeenAs]
) -> list[Claim]:
    """Say how well each box fits each claim, and which boxes it may have together."""
    wanted = Counter(key for choice in choices.values() for key in choice.keys)
    scored = []
    for claim, kind in zip(claims, seen_as, strict=True):
        choice = choices.get(claim.entities[0])
        worth = {}
        for key, candidate in claim.offered.items():
            score = min(max(claim.verdict["probability"] * candidate["strength"], 0.0), 1.0)
            worth[key] = choice.fused(key, score) if choice else score
        if choice:
            together = {key for key in choice.keys if wanted[key] == 1}
        else:
            together = _alike(claim.offered, worth) if kind == "group" else set()
        scored.append(claim._replace(choice=choice, worth=worth, together=together))
    return scored


def assigned(claims: Sequence[Claim], seen_as: Sequence[SeenAs]) -> list[list[str]]:
    """Give each box to at most one claim, such that the sum of the scores is greatest.

    Returns:
        The keys of the boxes of each claim, none for some.
    """
    boxes: dict[str, list[float]] = {}
    for claim in claims:
        boxes = {key: candidate["box"] for key, candidate in claim.offered.items()} | boxes
    keys = list(boxes)
    people = [row for row, kind in enumerate(seen_as) if kind == "person"]
    matrix = np.zeros((len(claims), len(keys)))
    several = np.zeros(matrix.shape, np.bool_)
    for row, claim in enumerate(claims):
        bonus = _order_bonus(people.index(row), len(people), claim.offered) if row in people else {}
        for key, worth in claim.worth.items():
            matrix[row, keys.index(key)] = worth + bonus.get(key, 0.0) if worth > 0 else 0.0
            several[row, keys.index(key)] = key in claim.together
    clash = parts(np.array(list(boxes.values())).reshape(-1, 4))
    return [[keys[column] for column in columns] for columns in assign(matrix, several, clash)]


def told(
    claims: Sequence[Claim],
    given: Sequence[Sequence[str]],
    replies: Sequence[str],
    state: State,
    toolbox: Toolbox,
) -> list[Update]:
    """Say of every mention where it is, or why it is nowhere after all."""
    names = {entity: mention["text"] for entity, mention in state["mentions"].items()}
    pairs = list(zip(claims, given, strict=True))
    holders = {key: names[claim.entities[0]] for claim, keys in pairs for key in keys}
    updates = []
    for claim, keys in pairs:
        reasons = _reasons(claim, keys, holders)
        regions = [_region(claim.offered[key], claim.worth[key], state, toolbox) for key in keys]
        for entity in claim.entities:
            if regions:
                updates.append(_placed(entity, regions, reasons, replies))
            else:
                updates.append(_not_placed(entity, names[entity], state, claim, reasons, replies))
    return updates


def _region(candidate: Candidate, score: float, state: State, toolbox: Toolbox) -> PlacedRegion:
    picture, role = state["picture"], candidate["role"]
    assert picture is not None, "a box needs a picture"
    box = clipped(candidate["box"], picture["width"], picture["height"])
    source = getattr(toolbox.settings.roles, role) or role
    return PlacedRegion(box=box, mask=None, score=score, source=source)


def _placed(
    entity: str, regions: Sequence[PlacedRegion], reasons: Sequence[str], replies: Sequence[str]
) -> Update:
    rounded = (str([round(edge) for edge in region["box"]]) for region in regions)
    box = decision(
        entity,
        "ground",
        "box",
        ", ".join(rounded),
        model=regions[0]["source"],
        confidence=regions[0]["score"],
        evidence=reasons,
        replies=replies,
    )
    return {"regions": {entity: [{**region} for region in regions]}, "decisions": box}


def _not_placed(
    entity: str,
    name: str,
    state: State,
    claim: Claim,
    reasons: Sequence[str],
    replies: Sequence[str],
) -> Update:
    """Tell that all it could have had went to others or was passed over, or was nothing."""
    verdict = state["verdicts"][entity]
    if not claim.offered:
        reason = "it can be seen, but nothing points at it"
        return {
            "verdicts": {entity: {**verdict, "groundable": None}},
            "decisions": decision(entity, "ground", "box", None, evidence=[reason]),
            "notices": notice("ground", f"{name!r}: {reason}"),
        }
    no = decision(
        entity, "ground", "groundable", "no", model="assignment", evidence=reasons, replies=replies
    )
    changed = {entity: {**verdict, "groundable": False, "candidates": []}}
    return {"verdicts": changed, "decisions": no}


def _alike(offered: Mapping[str, Candidate], worth: Mapping[str, float]) -> set[str]:
    """Return the candidates that a description fits about as well as the best of all."""
    best = max(offered, key=worth.__getitem__, default="")
    if not best or offered[best]["role"] != "detector":
        return set()
    return {
        key
        for key, candidate in offered.items()
        if candidate["role"] == "detector" and worth[key] >= ALIKE * worth[best]
    }


def _reasons(claim: Claim, keys: Sequence[str], holders: Mapping[str, str]) -> list[str]:
    """Say which candidates an entity was given, the best first, and why not the others."""
    whats = [claim.offered[key]["what"] for key in keys]
    how = "chosen too" if claim.choice else "which fits about as well"
    reasons = whats[:1] + [f"several: {what}, {how}" for what in whats[1:]]
    for key, candidate in claim.offered.items():
        if key in keys:
            continue
        if key in holders:
            fate = f"went to {holders[key]!r}"
        else:
            same = key in claim.together
            fate = "shows the same as what it has" if same else "was less likely"
        reasons.append(f"{candidate['what']} {fate}")
    return reasons + ([claim.choice.words] if claim.choice else [])


def parts(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of ``n`` boxes, shape ``(n, 4)``, which pairs show one thing; shape ``(n, n)``."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    shared = (high - low).clip(0).prod(axis=2)
    same: NDArray[np.bool_] = shared >= PART * np.minimum(areas[:, None], areas[None])
    return same


def _order_bonus(place: int, people: int, offered: Mapping[str, Candidate]) -> dict[str, float]:
    """Reward a person for each box that stands where the order of the text would put them.

    Args:
        place: of the person among the people of the text who claim a box, from 0.
        people: how many these are.
        offered: to the person; those that are people are counted from the left.
    """
    orders = {key: box["order"] for key, box in offered.items() if box.get("order") is not None}
    if people < 2 or len(orders) < 2:
        return {}
    return {
        key: ORDER_WEIGHT * (1.0 - abs(place / (people - 1) - order / (len(orders) - 1)))
        for key, order in orders.items()
    }

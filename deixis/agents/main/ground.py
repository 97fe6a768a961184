"""ground: give every groundable entity its box, all entities of the sample together.

Mentions of one name (``Eileen Collins`` and later ``Collins``) are one claimant and share
a box; different claimants never do. Ties between people go by the order of the text, left
to right, as captions are written. Where boxes compete, a model with eyes may choose first.

A claimant has one box. It has several only if the model chose them for it and for nobody else,
or, where no model chose, if it is an organization whose description fits several things about
equally well: a crew, or a logo shown twice. These are then of what no other claimant got, and
none of them is a part of another.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.assignment import assign
from deixis.agents.main.choose import Choice, choose
from deixis.base.boxes import clipped

ORDER_WEIGHT = 0.02
"""Most that the order of the text may add to a pair's score: it decides ties only."""
GROUP_TEMPLATE = "organization"
"""The visual-knowledge template of types that can be many things without a model saying so."""
ALIKE = 0.8
"""Share of the best score from which a description fits another box about as well."""
PART = 0.7
"""Share of the smaller of two boxes, inside the other, from which it shows a part of the same."""


def ground(state: State, toolbox: Toolbox) -> Update:
    """Assign candidates to entities; who gets none is not groundable after all."""
    verdicts = {
        entity: verdict for entity, verdict in state["verdicts"].items() if verdict["groundable"]
    }
    if not verdicts:
        return {}
    picture = state["picture"]
    assert picture is not None, "nothing is groundable without a picture"
    width, height = picture["width"], picture["height"]
    claimants = same_names({entity: state["mentions"][entity] for entity in verdicts})
    heads = list(claimants)
    offered = {head: {each["key"]: each for each in verdicts[head]["candidates"]} for head in heads}
    candidates: dict[str, dict[str, Any]] = {}
    for verdict in verdicts.values():
        for each in verdict["candidates"]:
            candidates.setdefault(each["key"], each)
    keys = list(candidates)
    choices, update = choose(state, toolbox, {head: verdicts[head]["candidates"] for head in heads})
    replies = list(update.get("calls", {}))
    worth = {
        head: {
            key: _worth(verdicts[head]["probability"] * each["strength"], key, choices.get(head))
            for key, each in offered[head].items()
        }
        for head in heads
    }
    wanted = Counter(key for choice in choices.values() for key in choice.keys)
    scores = np.zeros((len(heads), len(keys)))
    several = np.zeros(scores.shape, np.bool_)
    together: dict[str, set[str]] = {}
    for row, head in enumerate(heads):
        is_group = toolbox.types.get(state["mentions"][head]["type"]).template == GROUP_TEMPLATE
        if head in choices:
            together[head] = {key for key in choices[head].keys if wanted[key] == 1}
        else:
            together[head] = _alike(offered[head], worth[head]) if is_group else set()
        for key, each in offered[head].items():
            order = _order_bonus(row, len(heads), each.get("order"), len(offered[head]))
            score = worth[head][key]
            scores[row, keys.index(key)] = score + order if score > 0 else 0.0
            several[row, keys.index(key)] = key in together[head]
    boxes = np.array([candidates[key]["box"] for key in keys]).reshape(-1, 4)
    given = assign(scores, several, parts(boxes))
    holders = {
        keys[column]: state["mentions"][head]["text"]
        for head, columns in zip(heads, given, strict=True)
        for column in columns
    }

    regions: dict[str, list[dict[str, Any]]] = {}
    decisions: Update = {}
    notices: Update = update.get("notices", {})
    changed: dict[str, Any] = {}
    roles = toolbox.settings.roles
    for head, columns in zip(heads, given, strict=True):
        # Two verdicts may describe one candidate in different words: take this one's.
        chosen = {keys[column]: offered[head][keys[column]] for column in columns}
        reasons = _reasons(offered[head], chosen, holders, together[head], choices.get(head))
        found = [
            {
                "box": clipped(each["box"], width, height),
                "mask": None,
                "score": worth[head][key],
                "source": getattr(roles, each["role"]) or each["role"],
            }
            for key, each in chosen.items()
        ]
        for entity in claimants[head]:
            if not offered[head]:
                said = "it can be seen, but nothing points at it"
                changed[entity] = {**verdicts[entity], "groundable": None}
                decisions |= decision(entity, "ground", "box", None, evidence=[said])
                notices |= notice("ground", f"{state['mentions'][entity]['text']!r}: {said}")
            elif not found:
                changed[entity] = {**verdicts[entity], "groundable": False, "candidates": []}
                decisions |= decision(
                    entity,
                    "ground",
                    "groundable",
                    "no",
                    model="assignment",
                    evidence=reasons,
                    replies=replies,
                )
            else:
                regions[entity] = [dict(region) for region in found]
                decisions |= decision(
                    entity,
                    "ground",
                    "box",
                    ", ".join(str([round(value) for value in each["box"]]) for each in found),
                    model=found[0]["source"],
                    confidence=found[0]["score"],
                    evidence=reasons,
                    replies=replies,
                )
    return {
        **update,
        "regions": regions,
        "verdicts": changed,
        "decisions": decisions,
        "notices": notices,
    }


def _worth(score: float, key: str, choice: Choice | None) -> float:
    """Return the score (0..1) of a box for an entity, after what a model chose."""
    score = min(max(score, 0.0), 1.0)
    return choice.fused(key, score) if choice else score


def _alike(offered: Mapping[str, dict[str, Any]], worth: Mapping[str, float]) -> set[str]:
    """Return the candidates that a description fits about as well as the best of all."""
    best = max(offered, key=worth.__getitem__, default="")
    if not best or offered[best]["role"] != "detector":
        return set()
    return {
        key
        for key, each in offered.items()
        if each["role"] == "detector" and worth[key] >= ALIKE * worth[best]
    }


def _reasons(
    offered: Mapping[str, dict[str, Any]],
    chosen: Mapping[str, dict[str, Any]],
    holders: Mapping[str, str],
    together: set[str],
    choice: Choice | None,
) -> list[str]:
    """Say which candidates an entity was given, the best first, and why not the others."""
    whats = [each["what"] for each in chosen.values()]
    how = "chosen too" if choice else "which fits about as well"
    said = whats[:1] + [f"several: {what}, {how}" for what in whats[1:]]
    for key, each in offered.items():
        if key in chosen:
            continue
        if key in holders:
            fate = f"went to {holders[key]!r}"
        else:
            fate = "shows the same as what it has" if key in together else "was less likely"
        said.append(f"{each['what']} {fate}")
    return said + ([choice.words] if choice else [])


def parts(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of ``n`` boxes, shape ``(n, 4)``, which pairs show one thing; shape ``(n, n)``."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    shared = (high - low).clip(0).prod(axis=2)
    same: NDArray[np.bool_] = shared >= PART * np.minimum(areas[:, None], areas[None])
    return same


def same_names(mentions: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Group mentions that name one thing: the fullest name first, then its short forms.

    Returns:
        The id of each group's fullest mention, in the order of the text, to all its ids.
    """
    words = {entity: each["text"].casefold().split() for entity, each in mentions.items()}
    by_length = sorted(mentions, key=lambda entity: -len(words[entity]))
    groups: dict[str, list[str]] = {}
    for entity in by_length:
        fuller = [
            head
            for head in groups
            if mentions[head]["type"] == mentions[entity]["type"]
            and set(words[entity]) <= set(words[head])
        ]
        if len(fuller) == 1:  # "Smith" after two Smiths is neither
            groups[fuller[0]].append(entity)
        else:
            groups[entity] = [entity]
    starts = {head: mentions[head]["start"] for head in groups}
    return {head: groups[head] for head in sorted(groups, key=starts.__getitem__)}


def _order_bonus(row: int, rows: int, order: int | None, columns: int) -> float:
    """Reward a person who stands where the text's order would put them."""
    if order is None or rows < 2 or columns < 2:
        return 0.0
    return ORDER_WEIGHT * (1.0 - abs(row / (rows - 1) - order / (columns - 1)))

"""ground: give every groundable entity its box, all entities of the sample together.

Mentions of one name (``Eileen Collins`` and later ``Collins``) are one claimant and share
a box; different claimants never do. Ties between people go by the order of the text, left
to right, as captions are written. Where boxes compete, a model with eyes may choose first.
"""

from typing import Any

import numpy as np

from deixis.agents.choose import choose
from deixis.agents.state import State, Update, decision, notice
from deixis.agents.toolbox import Toolbox
from deixis.tools.assignment import assign

ORDER_WEIGHT = 0.02
"""Most that the order of the text may add to a pair's score: it decides ties only."""


def ground(state: State, toolbox: Toolbox) -> Update:
    """Assign candidates to entities; who gets none is not groundable after all."""
    verdicts = {
        entity: verdict for entity, verdict in state["verdicts"].items() if verdict["groundable"]
    }
    if not verdicts:
        return {}
    claimants = same_names({entity: state["mentions"][entity] for entity in verdicts})
    heads = list(claimants)
    candidates: dict[str, dict[str, Any]] = {}
    for entity in verdicts:
        for each in verdicts[entity]["candidates"]:
            candidates.setdefault(each["key"], each)
    keys = list(candidates)
    choices, update = choose(state, toolbox, {head: verdicts[head]["candidates"] for head in heads})
    replies = list(update.get("calls", {}))
    scores = np.zeros((len(heads), len(keys)))
    for row, head in enumerate(heads):
        offered = verdicts[head]["candidates"]
        for each in offered:
            order = _order_bonus(row, len(heads), each.get("order"), len(offered))
            score = verdicts[head]["probability"] * each["strength"]
            if head in choices:
                score = choices[head].fused(each["key"], score)
            scores[row, keys.index(each["key"])] = score + order if score > 0 else 0.0
    given = assign(scores)
    holders = {keys[column]: heads[row] for row, column in enumerate(given) if column is not None}

    regions: dict[str, list[dict[str, Any]]] = {}
    decisions: Update = {}
    notices: Update = update.get("notices", {})
    changed: dict[str, Any] = {}
    roles = toolbox.settings.roles
    for row, head in enumerate(heads):
        column = given[row]
        lost = [
            f"{each['what']} went to {state['mentions'][holders[each['key']]]['text']!r}"
            if each["key"] in holders
            else f"{each['what']} was less likely"
            for each in verdicts[head]["candidates"]
            if column is None or each["key"] != keys[column]
        ]
        lost += [choices[head].words] if head in choices else []
        chosen = None
        if column is not None:
            # Two verdicts may describe one candidate in different words: take this one's.
            own = {each["key"]: each for each in verdicts[head]["candidates"]}
            chosen = own[keys[column]]
        for entity in claimants[head]:
            if not verdicts[head]["candidates"]:
                said = "it can be seen, but nothing points at it"
                changed[entity] = {**verdicts[entity], "groundable": None}
                decisions |= decision(entity, "ground", "box", None, evidence=[said])
                notices |= notice("ground", f"{state['mentions'][entity]['text']!r}: {said}")
                continue
            if chosen is None:
                changed[entity] = {**verdicts[entity], "groundable": False, "candidates": []}
                decisions |= decision(
                    entity,
                    "ground",
                    "groundable",
                    "no",
                    model="assignment",
                    evidence=lost,
                    replies=replies,
                )
                continue
            score = float(np.clip(verdicts[head]["probability"] * chosen["strength"], 0.0, 1.0))
            if head in choices:
                score = choices[head].fused(chosen["key"], score)
            source = getattr(roles, chosen["role"]) or chosen["role"]
            box = clipped(chosen["box"], state["picture"])
            regions[entity] = [{"box": box, "mask": None, "score": score, "source": source}]
            decisions |= decision(
                entity,
                "ground",
                "box",
                str([round(value) for value in box]),
                model=source,
                confidence=score,
                evidence=[chosen["what"], *lost],
                replies=replies,
            )
    return {
        **update,
        "regions": regions,
        "verdicts": changed,
        "decisions": decisions,
        "notices": notices,
    }


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


def clipped(box: list[float], picture: dict[str, Any] | None) -> list[float]:
    """Clip a box to the picture, at least one pixel wide and high."""
    assert picture is not None, "a box needs a picture"
    x1 = min(max(box[0], 0.0), picture["width"] - 1.0)
    y1 = min(max(box[1], 0.0), picture["height"] - 1.0)
    x2 = min(max(box[2], x1 + 1.0), float(picture["width"]))
    y2 = min(max(box[3], y1 + 1.0), float(picture["height"]))
    return [x1, y1, x2, y2]


def _order_bonus(row: int, rows: int, order: int | None, columns: int) -> float:
    """Reward a person who stands where the text's order would put them."""
    if order is None or rows < 2 or columns < 2:
        return 0.0
    return ORDER_WEIGHT * (1.0 - abs(row / (rows - 1) - order / (columns - 1)))

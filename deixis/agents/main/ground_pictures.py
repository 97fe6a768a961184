"""ground, of several pictures: who is shown best in one leaves the others to those nowhere yet."""

from typing import cast

from deixis.agents.context.records import Verdict
from deixis.agents.context.several import after, each_picture
from deixis.agents.context.state import State, Update, decision, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import ground as one_picture


def ground(state: State, toolbox: Toolbox) -> Update:
    """Point in every picture; a second time where somebody got nothing that others have twice."""
    update = each_picture(one_picture.ground)(state, toolbox)
    if len(state["pictures"]) < 2:
        return update
    left, decisions = _left_to_others(state, after(state, update))
    if not decisions:
        return update
    again = each_picture(one_picture.ground, again=True)(left, toolbox)
    said = {key: update.get(key, {}) for key in ("calls", "notices")}
    return {**again, **joined(said, {key: again.get(key, {}) for key in said})} | {
        "decisions": {**again["decisions"], **decisions}
    }


def _left_to_others(state: State, placed: State) -> tuple[State, Update]:
    """Take those who are shown better elsewhere out of the pictures that others claim in vain.

    Returns:
        The state before anything was pointed at, without these, and what was decided.
    """
    regions = placed.get("regions", {})
    mentions = state["mentions"]
    views = dict(state["views"])
    decisions: Update = {}
    for number, own in state["views"].items():
        claimed = {e for e, verdict in own["verdicts"].items() if verdict["groundable"]}
        vain = [mentions[entity]["text"] for entity in claimed if not regions.get(entity)]
        if not vain:
            continue
        verdicts = dict(own["verdicts"])
        for entity in sorted(claimed):
            best = _best_picture(state, entity)
            if best == number or not regions.get(entity):
                continue
            verdicts[entity] = Verdict(groundable=False, probability=0.0, candidates=[])
            reason = (
                f"picture {int(number) + 1} was left to {', '.join(map(repr, vain))}: picture "
                f"{int(best) + 1} shows it better"
            )
            decisions |= decision(entity, f"ground {number}", "box", "elsewhere", evidence=[reason])
        views[number] = {**own, "verdicts": verdicts}
    return cast("State", {**state, "views": views}), decisions


def _best_picture(state: State, entity: str) -> str:
    """Return the number of the picture in which an entity is most likely shown."""
    views = state["views"]
    return max(views, key=lambda number: views[number]["verdicts"][entity]["probability"])

"""Several pictures of one sample: what looks at one is run for each, and what it found is joined.

What each picture has of its own stands in ``views``, by its number from 0; the graph's own channels
have what all show together. A sample with one picture has no views.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from deixis.agents.context.media import MOST_PICTURES
from deixis.agents.context.records import PlacedRegion, Verdict
from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import MERGED, OVERWRITE, State, Update, merge
from deixis.agents.context.toolbox import Toolbox

Agent = Callable[[State, Toolbox], Update]
SEEN = ("observation", "verdicts", "regions")
"""The channels that each picture has of its own."""
_SEATS = 1000
"""Seats of one picture, so that requests about two are told apart."""


def after(state: State, update: Update) -> State:
    """Return a state as it is after an update."""
    return cast("State", merged(state, update))


def merged(old: Mapping[str, Any], update: Update) -> Update:
    """Return a state, or an update, with another update on it, channel by channel."""
    changed: Update = dict(old)
    for channel, value in update.items():
        if channel not in MERGED:
            changed[channel] = value
        elif isinstance(value, Mapping) and OVERWRITE in value:
            changed[channel] = value[OVERWRITE]
        else:
            changed[channel] = merge(changed.get(channel), value)
    return changed


def each_picture(agent: Agent, again: bool = False) -> Agent:
    """Return an agent that does for every picture of a sample what `agent` does for one.

    Args:
        agent: looks at one picture.
        again: whether it has looked already, and what it asked then is to be told from this.
    """
    first = MOST_PICTURES if again else 0

    def look(state: State, toolbox: Toolbox) -> Update:
        count = len(state.get("pictures", []))
        if count < 2:
            return agent(state, toolbox)

        def look_at(number: int) -> Update:
            return _of_picture(agent(view(state, number), toolbox), number, first + number)

        return _gathered(state, side_by_side(look_at, range(count), most=1))

    look.__name__, look.__doc__ = agent.__name__, agent.__doc__
    return look


def view(state: State, number: int) -> State:
    """Return a state as it is for one picture alone.

    Args:
        state: of the sample.
        number: of the picture, from 0.
    """
    own = state.get("views", {}).get(str(number), {})
    images: Any = state.get("images")
    given = images[number] if isinstance(images, list | tuple) else None
    changed = {"picture": state["pictures"][number], "image": given, "images": None, **own}
    changed["pictures"] = [state["pictures"][number]]
    return cast("State", {**state, **changed})


def _of_picture(update: Update, number: int, place: int) -> Update:
    """Tell the requests, decisions and notices about one picture from those about others.

    `place` is that of its requests among all of the agent.
    """
    where = f"picture {number + 1}"
    names = {key: _moved(key, place) for key in update.get("calls", {})}
    told = dict(update)
    if "calls" in update:
        told["calls"] = {names[key]: call for key, call in update["calls"].items()}
    if "decisions" in update:
        told["decisions"] = {
            f"{key}/{number + 1}": {
                **record,
                "evidence": [f"{where}: {line}" for line in record["evidence"]] or [where],
                "replies": [names.get(reply, reply) for reply in record["replies"]],
            }
            for key, record in update["decisions"].items()
        }
    if "notices" in update:
        told["notices"] = {
            f"{key}/{number + 1}": {**record, "message": f"{where}: {record['message']}"}
            for key, record in update["notices"].items()
        }
    return told


def _moved(key: str, place: int) -> str:
    step, seat, rest = key.split("/")
    return f"{step}/{int(seat) + place * _SEATS}/{rest}"


def _gathered(state: State, updates: Sequence[Update]) -> Update:
    """Join what was found in all pictures; what each has of its own goes into its view."""
    views = dict(state.get("views", {}))
    joint: Update = {}
    for number, update in enumerate(updates):
        own = {
            channel: merge(views.get(str(number), {}).get(channel), update[channel])
            if channel in MERGED
            else update[channel]
            for channel in SEEN
            if channel in update
        }
        views[str(number)] = {**views.get(str(number), {}), **own}
        for channel, value in update.items():
            if channel not in SEEN and channel in MERGED:
                joint[channel] = {**joint.get(channel, {}), **value}
    joint["views"] = views
    touched = {channel for update in updates for channel in update}
    sights = [views[str(number)] for number in range(len(updates))]
    if "observation" in touched and "observation" in sights[0]:
        joint["observation"] = {
            **sights[0]["observation"],
            "caption": _captions([sight.get("observation", {}) for sight in sights]),
        }
    if "verdicts" in touched:
        joint["verdicts"] = _verdicts([sight.get("verdicts", {}) for sight in sights])
    if "regions" in touched:
        joint["regions"] = _regions([sight.get("regions", {}) for sight in sights])
    return joint


def _captions(observations: Iterable[Mapping[str, Any]]) -> str | None:
    said = [
        f"picture {number}: {seen['caption']}"
        for number, seen in enumerate(observations, start=1)
        if seen.get("caption")
    ]
    return "; ".join(said) or None


def _verdicts(sights: Sequence[Mapping[str, Verdict]]) -> dict[str, Verdict]:
    """Say of each entity whether any picture shows it; one that cannot be told leaves it open."""
    joint = {}
    for entity in dict.fromkeys(entity for sight in sights for entity in sight):
        own = [sight[entity] for sight in sights if entity in sight]
        said = [verdict["groundable"] for verdict in own]
        joint[entity] = Verdict(
            groundable=True if True in said else None if None in said else False,
            probability=max(verdict["probability"] for verdict in own),
            candidates=[],
        )
    return joint


def _regions(sights: Sequence[Mapping[str, list[PlacedRegion]]]) -> dict[str, list[PlacedRegion]]:
    joint: dict[str, list[PlacedRegion]] = {}
    for number, sight in enumerate(sights):
        for entity, regions in sight.items():
            placed = [cast("PlacedRegion", {**region, "image": number}) for region in regions]
            joint.setdefault(entity, []).extend(placed)
    return joint

"""things: pictures and video without words name nothing, so what a detector sees is named."""

from collections.abc import Sequence

from deixis.agents.context.records import PlacedRegion
from deixis.agents.context.state import State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.label_names import mention_of
from deixis.agents.muie.track import found_things
from deixis.agents.observe import looked_for
from deixis.errors import ToolError
from deixis.tools.base import Detection


def things(state: State, toolbox: Toolbox) -> Update:
    """Name every object of the pictures, and of the video each that was followed."""
    detector = toolbox.detector
    if detector is None:
        return {"notices": notice("names", "nobody plays the detector: no objects are named")}
    spec = toolbox.model("detector")
    updates: list[Update] = []
    for number, picture in enumerate(toolbox.pictures(state)):
        try:
            seen = detector.detect(picture, looked_for(toolbox))
        except ToolError as error:
            said = f"picture {number + 1}: objects were not looked for: {error}"
            updates.append({"notices": notice("names", said)})
            continue
        for thing in seen:
            entity = f"e{1 + _count(updates)}"
            updates.append(_of_picture(entity, thing, number, spec, toolbox))
    updates.append(found_things(state, toolbox, first=1 + _count(updates)))
    return joined(*updates)


def _count(updates: Sequence[Update]) -> int:
    return sum(len(update.get("mentions", {})) for update in updates)


def _of_picture(entity: str, thing: Detection, number: int, spec: str, toolbox: Toolbox) -> Update:
    region = PlacedRegion(
        box=list(thing.box), mask=None, score=thing.score, source=spec, image=number
    )
    seen = decision(
        entity,
        "names",
        "region",
        str([round(edge) for edge in thing.box]),
        model=spec,
        confidence=thing.score,
        evidence=[f"the detector sees a {thing.label} in picture {number + 1}"],
    )
    return {
        "mentions": {entity: mention_of(thing.label, thing.score, toolbox)},
        "regions": {entity: [region]},
        "looks": {f"{entity}/image": "found"},
        "decisions": seen,
    }

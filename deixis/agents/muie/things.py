"""things: pictures and video without words name nothing, so what a detector sees is named."""

from deixis.agents.context.media_records import NamedMention
from deixis.agents.context.records import PlacedRegion
from deixis.agents.context.state import State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.observe import PERSON, looked_for
from deixis.base.extraction_records import UNTYPED
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
            entity = f"e{1 + sum(len(update.get('mentions', {})) for update in updates)}"
            updates.append(_of_picture(entity, thing, number, spec, toolbox))
    return joined(*updates)


def mention_of(label: str, confidence: float, toolbox: Toolbox) -> NamedMention:
    """Return what a detector saw as a mention: its label is its name."""
    return NamedMention(
        text=label,
        start=None,
        end=None,
        type=type_of_label(label, toolbox),
        confidence=confidence,
        prior=None,
        fine_type=None,
    )


def type_of_label(label: str, toolbox: Toolbox) -> str:
    """Return the type of the schema that a label belongs to, or `UNTYPED`.

    That is the type of this name; for a person the one that is seen as a person; else that for
    all other names.
    """
    named = toolbox.types.named(label)
    if named is not None:
        return named.name
    kinds = toolbox.types.types
    if label == PERSON:
        return next((kind.name for kind in kinds if kind.seen_as == "person"), UNTYPED)
    return next((kind.name for kind in kinds if kind.crf == "OTHER"), UNTYPED)


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

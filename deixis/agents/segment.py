"""segment: a mask for every box, all boxes of the sample in one go."""

from deixis.agents.context.records import PlacedRegion
from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.base.boxes import as_box
from deixis.errors import ToolError


def segment(state: State, toolbox: Toolbox) -> Update:
    """Mask the regions; a box without a mask stays a region, and a decision says why."""
    regions = state.get("regions", {})
    pixels = toolbox.pixels(state) if regions else None
    if pixels is None or toolbox.segmenter is None:
        return {}
    boxes = list({as_box(region["box"]) for own in regions.values() for region in own})
    spec = toolbox.settings.roles.segmenter
    try:
        masks = dict(zip(boxes, toolbox.segmenter.segment(pixels, boxes), strict=True))
    except ToolError as error:
        reason = f"no masks: {error}"
        decisions: Update = {}
        for entity in regions:
            decisions |= decision(entity, "segment", "mask", None, model=spec, evidence=[reason])
        return {"decisions": decisions, "notices": notice("segment", reason)}
    masked: dict[str, list[PlacedRegion]] = {}
    decisions = {}
    for entity, own in regions.items():
        masked[entity] = [
            {**region, "mask": mask.model_dump(mode="json") if mask else None}
            for region in own
            for mask in [masks[as_box(region["box"])]]
        ]
        missing = sum(region["mask"] is None for region in masked[entity])
        reason = f"no outline was found in {missing} of {len(own)} boxes"
        decisions |= decision(
            entity,
            "segment",
            "mask",
            None if missing == len(own) else f"{len(own) - missing} of {len(own)}",
            model=spec,
            evidence=[reason] if missing else [],
        )
    return {"regions": masked, "decisions": decisions}

"""segment: a mask for every box, all boxes of the sample in one go."""

from typing import Any

from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.errors import ToolError


def segment(state: State, toolbox: Toolbox) -> Update:
    """Mask the regions; a box without a mask stays a region, and a decision says why."""
    regions: dict[str, list[dict[str, Any]]] = state.get("regions", {})
    pixels = toolbox.pixels(state) if regions else None
    if pixels is None or toolbox.segmenter is None:
        return {}
    boxes = list({tuple(region["box"]) for each in regions.values() for region in each})
    spec = toolbox.settings.roles.segmenter
    try:
        masks = dict(zip(boxes, toolbox.segmenter.segment(pixels, boxes), strict=True))
    except ToolError as error:
        said = f"no masks: {error}"
        decisions: Update = {}
        for entity in regions:
            decisions |= decision(entity, "segment", "mask", None, model=spec, evidence=[said])
        return {"decisions": decisions, "notices": notice("segment", said)}
    masked: dict[str, list[dict[str, Any]]] = {}
    decisions = {}
    for entity, each in regions.items():
        found = [masks[tuple(region["box"])] for region in each]
        masked[entity] = [
            {**region, "mask": mask.model_dump(mode="json") if mask else None}
            for region, mask in zip(each, found, strict=True)
        ]
        missing = sum(mask is None for mask in found)
        said = f"no outline was found in {missing} of {len(found)} boxes"
        decisions |= decision(
            entity,
            "segment",
            "mask",
            None if missing == len(found) else f"{len(found) - missing} of {len(found)}",
            model=spec,
            evidence=[said] if missing else [],
        )
    return {"regions": masked, "decisions": decisions}

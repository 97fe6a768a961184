"""segment: a mask for every box, all boxes of a picture in one go."""

from collections.abc import Mapping

from deixis.agents.context.records import PlacedRegion
from deixis.agents.context.state import State, Update, decision, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.base.boxes import Box, as_box
from deixis.base.records import Mask
from deixis.errors import ToolError

Masks = dict[tuple[int, Box], Mask | None]
"""By picture, from 0, and box."""


def segment(state: State, toolbox: Toolbox) -> Update:
    """Mask the regions; a box without a mask stays a region, and a decision says why."""
    regions = state.get("regions", {})
    if not any(regions.values()) or toolbox.segmenter is None:
        return {}
    try:
        masks = _masks(state, toolbox, regions)
    except ToolError as error:
        return _failed(regions, toolbox, f"no masks: {error}")
    masked: dict[str, list[PlacedRegion]] = {}
    decisions: Update = {}
    for entity, own in regions.items():
        masked[entity] = [
            {**region, "mask": mask.model_dump(mode="json") if mask else None}
            for region in own
            for mask in [masks[_place(region)]]
        ]
        missing = sum(region["mask"] is None for region in masked[entity])
        reason = f"no outline was found in {missing} of {len(own)} boxes"
        decisions |= decision(
            entity,
            "segment",
            "mask",
            None if missing == len(own) else f"{len(own) - missing} of {len(own)}",
            model=toolbox.settings.roles.segmenter,
            evidence=[reason] if missing else [],
        )
    return {"regions": masked, "decisions": decisions}


def _masks(state: State, toolbox: Toolbox, regions: Mapping[str, list[PlacedRegion]]) -> Masks:
    """Mask every box once.

    Raises:
        ToolError: the segmenter failed.
    """
    pictures, segmenter = toolbox.pictures(state), toolbox.segmenter
    assert segmenter is not None, "it was looked for before"
    boxes: dict[int, list[Box]] = {}
    for number, box in dict.fromkeys(_place(region) for own in regions.values() for region in own):
        boxes.setdefault(number, []).append(box)
    return {
        (number, box): mask
        for number, own in boxes.items()
        for box, mask in zip(own, segmenter.segment(pictures[number], own), strict=True)
    }


def _place(region: PlacedRegion) -> tuple[int, Box]:
    return region.get("image", 0), as_box(region["box"])


def _failed(regions: Mapping[str, list[PlacedRegion]], toolbox: Toolbox, reason: str) -> Update:
    spec = toolbox.settings.roles.segmenter
    decisions: Update = {}
    for entity in regions:
        decisions |= decision(entity, "segment", "mask", None, model=spec, evidence=[reason])
    return {"decisions": decisions, "notices": notice("segment", reason)}

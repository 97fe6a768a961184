"""TopN-Prec@0.5 of a detector: whether what the gold points at is among its surest boxes.

RiVEG, table I and its second footnote; VKEL, table I: the share of the groundable mentions of
which at least one of the N boxes of the highest score has an IoU of 0.5 with a gold box. It is what
a system that chooses among the boxes of this detector cannot exceed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.agents.context.toolbox import Toolbox, toolbox_of_role
from deixis.agents.observe import looked_for
from deixis.base.images import open_image
from deixis.batch.row import Problem
from deixis.errors import DataError, InputError, SettingsError, ToolError
from deixis.evaluation.construction.samples import Sample, all_samples
from deixis.evaluation.metrics.matching import best_iou
from deixis.evaluation.metrics.sheet import Measured, Sheet, ratios
from deixis.rows import Row, RowRegion
from deixis.settings import Settings
from deixis.tools.base import Detection

TOPS = (2, 5, 10, 15, 20)
"""The N of VKEL's table I, among them those of RiVEG's."""


class TopN(NamedTuple):
    """What a detector finds.

    Attributes:
        sheet: of the measures ``top2``, ``top5``, ...
        mentions: groundable ones of the gold.
        pictures: that were looked at: those of rows that have such mentions.
        objects: that were found in them.
        failed: rows whose picture or boxes could not be had; their mentions count as not found.
    """

    sheet: Sheet
    mentions: int
    pictures: int
    objects: int
    failed: tuple[Problem, ...]

    def document(self, rounds: int, seed: int) -> dict[str, Any]:
        """Return JSON-ready data; shares are 0..1."""
        return {
            "mentions": self.mentions,
            "pictures": self.pictures,
            "objects": self.objects,
            "failed": [problem._asdict() for problem in self.failed],
            "rounds": rounds,
            "seed": seed,
            "measures": {name: each.document() for name, each in self.measured(rounds, seed)},
        }

    def measured(self, rounds: int, seed: int) -> list[tuple[str, Measured]]:
        """Return the share of the mentions at each N, with its interval."""
        return [*self.sheet.measured(rounds, seed).items()]


def detector_of(settings: Settings) -> Toolbox:
    """Return a toolbox that has the detector of a stack alone.

    Raises:
        SettingsError: there is none, or no tool of this name.
    """
    return toolbox_of_role(settings, "detector", "grounding-dino:IDEA-Research/grounding-dino-base")


def top_hits(
    toolbox: Toolbox,
    gold: Path,
    tops: Sequence[int] = TOPS,
    threshold: float = 0.5,
    tell: Callable[[int, int], None] = lambda done, rows: None,
) -> TopN:
    """Look for objects in the pictures of gold rows, and for gold boxes among them.

    The detector is asked for what the graphs ask it for in every picture: people, all else that it
    knows, and ``options.objects``. Pictures without a groundable mention are not looked at.

    Args:
        toolbox: of `detector_of`.
        gold: rows with pictures.
        tops: the numbers of boxes.
        threshold: the IoU that is enough.
        tell: is called with how many rows are done, and how many there are.

    Raises:
        DataError: a line is no row, or does not say whether a mention can be seen, or none
            with boxes has a picture.
        InputError: the file cannot be read.
        SettingsError: a number of boxes is below 1, or the threshold not above 0 and up to 1.
    """
    if not 0 < threshold <= 1:
        raise SettingsError(f"the IoU is above 0 and up to 1; got {threshold:g}")
    if not tops or min(tops) < 1:
        raise SettingsError("TopN takes numbers of boxes from 1")
    found = all_samples(gold)
    for sample in found:
        _check(sample.row)
    waiting = [each for each in found if any(entity.regions for entity in each.row.entities)]
    if waiting and not any(each.row.image for each in waiting):
        raise DataError(
            f"{gold}: no row with boxes has a picture; give them: deixis dataset convert "
            "... --images FOLDER"
        )
    sums = np.zeros((len(found), len(tops)))
    totals = np.array([[_groundable(each.row)] for each in found], dtype=np.float64).reshape(-1, 1)
    failed: list[Problem] = []
    objects = done = 0
    for place, sample in enumerate(found):
        if not totals[place]:
            continue
        try:
            seen = _detected(sample, toolbox)
        except (InputError, ToolError) as error:
            failed.append(Problem(sample.line, sample.row.id, str(error)))
        else:
            objects += len(seen)
            sums[place] = [_hits(sample.row, seen[:top], threshold) for top in tops]
        done += 1
        tell(done, len(waiting))
    names = tuple(f"top{top}" for top in tops)
    sheet = ratios(names, sums, np.repeat(totals, len(tops), axis=1))
    return TopN(sheet, int(totals.sum()), len(waiting) - len(failed), objects, tuple(failed))


def _check(row: Row) -> None:
    for entity in row.entities:
        if entity.regions is None:
            raise DataError(
                f"the gold entity {entity.text!r} of {row.id!r} does not say whether it can be "
                "seen; give gold with regions"
            )


def _groundable(row: Row) -> int:
    return sum(bool(entity.regions) for entity in row.entities)


def _detected(sample: Sample, toolbox: Toolbox) -> list[Detection]:
    """Return the objects of a picture, the surest first."""
    if sample.image is None:
        raise InputError("it has boxes and no picture; fill in image")
    options, detector = toolbox.settings.options, toolbox.detector
    assert detector is not None, "made by detector_of"
    opened = open_image(sample.image, max_pixels=options.max_pixels, urls=options.urls)
    height, width = opened.pixels.shape[:2]
    if sample.row.size not in (None, (width, height)):
        raise InputError(f"its picture is {width} x {height} and not {sample.row.size}")
    seen = detector.detect(opened.pixels, looked_for(toolbox))
    return sorted(seen, key=lambda thing: -thing.score)


def _hits(row: Row, seen: Sequence[Detection], threshold: float) -> int:
    boxes = [RowRegion(box=thing.box) for thing in seen]
    return sum(
        best_iou(boxes, entity.regions, masks=False) >= threshold
        for entity in row.entities
        if entity.regions
    )

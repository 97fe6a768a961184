"""Masks from boxes by a segmenter, as Twitter-SMNER's are begun (Li et al., RiVEG, section III).

A run is continued by the same call, as `deixis.batch` continues one: rows that are finished are
not done again, and one picture that cannot be used loses no other row.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from deixis import __version__
from deixis.agents.context.toolbox import Toolbox, toolbox_of_role
from deixis.base.boxes import Box, as_box, clipped
from deixis.base.images import open_image
from deixis.batch.output import Output, Place, check_place, line_of
from deixis.batch.row import Problem
from deixis.batch.settings import fingerprint
from deixis.errors import DataError, InputError, ToolError
from deixis.evaluation.construction.samples import Sample, as_seen_from, samples
from deixis.llms.servers.redaction import shown
from deixis.rows import Row, RowId
from deixis.schema import Mask
from deixis.settings import Settings
from deixis.tools.base import Segmenter


class Masked(BaseModel):
    """What a finished line says of itself; the rest is the row. ``input`` is `_input_hash`."""

    id: RowId
    settings: str
    input: str


@dataclass
class MaskTally:
    """How far a run is.

    ``earlier`` rows were finished by an earlier run, ``changed`` of them are another row by now.
    ``missing`` boxes have no mask, for the segmenter found no outline there.
    """

    rows: int = 0
    earlier: int = 0
    changed: int = 0
    done: int = 0
    failed: int = 0
    missing: int = 0


def segmenter_of(settings: Settings) -> Toolbox:
    """Return a toolbox that has the segmenter of a stack alone.

    Raises:
        SettingsError: there is none, or no tool of this name.
    """
    return toolbox_of_role(settings, "segmenter", "sam:facebook/sam-vit-huge")


def make_masks(
    toolbox: Toolbox,
    source: Path,
    out: Path,
    *,
    renew: bool = False,
    report: Callable[[Problem], None] = lambda problem: None,
    tell: Callable[[MaskTally], None] = lambda tally: None,
) -> MaskTally:
    """Give every box of a file of rows a mask; masks that are there stay.

    Args:
        toolbox: of `segmenter_of`.
        source: rows; all that stands in them is written again.
        out: the rows with masks; beside it ``NAME.failures.jsonl``, as a batch has it.
        renew: whether rows that have changed are done again and those that are gone taken out;
            without it, the first stay and are counted, the others are an error.
        report: is told of every row that fails.
        tell: is called with the tally after every row.

    Raises:
        DataError: `out` holds what no such run has written, or a row that `source` lacks.
        InputError: a file cannot be read or written, or is being written.
        SettingsError: `out` was made by another segmenter.
        MissingExtraError, ModelFileError: the segmenter cannot be set up.
    """
    check_place(out, source)
    found = list(samples(source))
    waiting = {each.row.id: each for each in found if isinstance(each, Sample)}
    wrong = [each for each in found if isinstance(each, Problem)]
    tally = MaskTally(rows=len(found))
    segmenter = toolbox.segmenter
    assert segmenter is not None, "made by segmenter_of"
    known = {"deixis": __version__, "roles.segmenter": shown(toolbox.model("segmenter"))}
    with closing(Output(out, known, fingerprint(known), Masked.model_validate_json)) as output:
        _go_on(waiting, {problem.id for problem in wrong}, output, source, renew, tally)

        def fail(problem: Problem) -> None:
            output.fail(problem.id, problem.line, problem.error)
            report(problem)
            tally.failed += 1

        for problem in wrong:
            fail(problem)
        options = toolbox.settings.options
        for sample in waiting.values():
            try:
                data = masked(sample, segmenter, options.max_pixels, options.urls)
                own = Masked(
                    id=sample.row.id, settings=output.settings, input=_input_hash(sample)
                ).model_dump()
                seen = as_seen_from(out.parent, sample._replace(data=data))
                line = line_of(own | {key: seen[key] for key in seen if key not in own})
            except (InputError, ToolError) as error:
                fail(Problem(sample.line, sample.row.id, str(error)))
            else:
                output.add(line)
                tally.done += 1
                tally.missing += _missing(data)
            tell(tally)
    return tally


def masked(sample: Sample, segmenter: Segmenter, max_pixels: int, urls: Any) -> dict[str, Any]:
    """Return the object of a row with masks in its regions.

    A box that leaves the picture in part is cut for the segmenter, and stays as it is in the row.

    Raises:
        InputError: there is no picture for the boxes, or it is not the one they were drawn in.
        ToolError: the segmenter fails on it.
    """
    data = deepcopy(sample.data)
    regions = [
        region
        for entity in data.get("entities") or ()
        for region in entity.get("regions") or ()
        if region.get("mask") is None
    ]
    if not regions:
        return data
    if sample.image is None:
        raise InputError("it has boxes and no picture; fill in image")
    pixels = open_image(sample.image, max_pixels=max_pixels, urls=urls).pixels
    height, width = pixels.shape[:2]
    boxes = _boxes(sample.row, regions, width, height)
    asked = list(dict.fromkeys(boxes))
    masks = dict(zip(asked, segmenter.segment(pixels, asked), strict=True))
    for region, box in zip(regions, boxes, strict=True):
        mask: Mask | None = masks[box]
        if mask is not None:
            region["mask"] = mask.model_dump(mode="json")
    return data


def _boxes(row: Row, regions: list[dict[str, Any]], width: int, height: int) -> list[Box]:
    if row.size is not None and row.size != (width, height):
        raise InputError(
            f"the row says that its picture is {row.size[0]} x {row.size[1]}; this one is "
            f"{width} x {height}, so that its boxes do not fit"
        )
    for region in regions:
        x1, y1, x2, y2 = region["box"]
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0 or x2 <= x1 or y2 <= y1:
            raise InputError(
                f"the box {region['box']} has no area in the picture, which is {width} x {height}"
            )
    return [as_box(clipped(region["box"], width, height)) for region in regions]


def _go_on(
    waiting: dict[str, Sample],
    wrong: set[str | None],
    output: "Output[Masked]",
    source: Path,
    renew: bool,
    tally: MaskTally,
) -> None:
    """Take the finished rows out of those that wait."""
    stale: list[Place] = []
    finished: set[str] = set()
    for place, line in output.finished():
        if line.id in finished:
            raise DataError(
                f"{place.where}: {line.id!r} stands on an earlier line too; delete one of the two"
            )
        finished.add(line.id)
        sample = waiting.get(line.id)
        gone = sample is None and line.id not in wrong
        if gone and not renew:
            raise DataError(
                f"{place.where}: {line.id!r} is no row of {source}; put it back there, give "
                "another --out, or take such rows out with --renew"
            )
        changed = sample is not None and line.input != _input_hash(sample)
        tally.changed += changed
        if renew and (gone or changed):
            stale.append(place)
        elif sample is not None:
            del waiting[line.id]
            tally.earlier += 1
    if stale:
        output.take_out(stale)


def _input_hash(sample: Sample) -> str:
    """Return a hash of all that a row says, and of its picture where it has boxes."""
    mixed = hashlib.blake2b(
        json.dumps({**sample.data, "image": None}, sort_keys=True).encode("utf-8", "replace"),
        digest_size=8,
    )
    image = sample.image
    if image is not None and any(entity.regions for entity in sample.row.entities):
        try:
            mixed.update(image.encode() if "://" in image else Path(image).read_bytes())
        except (OSError, ValueError):
            mixed.update(b"cannot be read")
    return mixed.hexdigest()


def _missing(data: dict[str, Any]) -> int:
    return sum(
        region.get("mask") is None
        for entity in data.get("entities") or ()
        for region in entity.get("regions") or ()
    )

"""M-MRE's data set (Gan et al., 2025, section 3.1): summaries by a model, reviewed by people.

A model describes each picture; what it wrote goes into a file of lines that people read and mend;
what they have approved becomes rows with a summary and lettered patches.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from deixis.agents.context.patches import MOST, letter
from deixis.base.json_lines import parsed
from deixis.base.text_files import lines_of, write_lines
from deixis.batch.row import Problem
from deixis.errors import DataError
from deixis.evaluation.construction.samples import Sample, all_samples, as_seen_from, samples
from deixis.evaluation.datasets.source import read_records
from deixis.rows import RowId


class Review(BaseModel):
    """A line that people edit.

    ``summary`` is what they mend, null to leave the row out; ``reviewers`` are those who have
    approved it. ``written`` is what the model has written, and ``image`` the picture, seen from
    this file.
    """

    id: RowId
    image: str | None = None
    summary: str | None
    written: str = Field(min_length=1)
    reviewers: list[str] = []

    @property
    def approvals(self) -> int:
        """How many people have approved it."""
        return len({name.strip() for name in self.reviewers} - {""})


class Extended(NamedTuple):
    """What became of a file of reviews: lines that are new, renewed, and samples without a summary.

    A line is renewed that nobody has touched and of which the model says something else by now.
    """

    new: int
    renewed: int
    unwritten: int


def extend_reviews(path: Path, gold: Path, answers: Path) -> Extended:
    """Add the summaries that a batch has written to the file that people edit.

    Args:
        path: the file of `Review` lines, made if need be; what people have written stays.
        gold: the rows that were summarised.
        answers: lines with ``id`` and ``caption``, such as a batch of the graph mmre writes.

    Raises:
        DataError: a file does not parse.
        InputError: a file cannot be read or written.
    """
    reviews = {review.id: review for review in read_reviews(path)} if path.is_file() else {}
    written = _captions(answers)
    new = renewed = unwritten = 0
    for sample in samples(gold):
        if isinstance(sample, Problem):
            continue  # the batch has told it
        text, known = written.get(sample.row.id), reviews.get(sample.row.id)
        untouched = known is not None and known.summary == known.written and not known.approvals
        if not text:
            unwritten += known is None
        elif known is None or (untouched and known.written != text):
            image = as_seen_from(path.parent, sample).get("image")
            shown = image if isinstance(image, str) else None
            line = Review(id=sample.row.id, image=shown, summary=text, written=text)
            reviews[sample.row.id] = line
            new += known is None
            renewed += known is not None
    if new or renewed or not path.is_file():
        write_lines(path, (_line(review) for review in reviews.values()))
    return Extended(new, renewed, unwritten)


def read_reviews(path: Path) -> list[Review]:
    """Read a file of reviews.

    Raises:
        DataError: a line is none, or an id stands twice; the message names file and line.
        InputError: the file cannot be read.
    """
    reviews: dict[str, Review] = {}
    for where, review in read_records(path, Review):
        if review.id in reviews:
            raise DataError(f"{where}: the id {review.id!r} stands twice")
        reviews[review.id] = review
    return list(reviews.values())


class Reviewed(NamedTuple):
    """The rows that are approved, and how many lines of the review are what."""

    rows: list[Sample]
    counts: dict[str, int]


def reviewed(gold: Path, review: Path, approvals: int = 1) -> Reviewed:
    """Return the rows whose summary people have approved, with that and with their patches.

    Every box of an entity is a patch, in the order of the entities; patches that a row has stay.

    Args:
        gold: the rows that were summarised.
        review: what people have made of the summaries.
        approvals: how many people must have approved of one; 0 takes all that are not left out.

    Raises:
        DataError: a file does not parse, a review is of no row, or a row has more patches than
            letters.
        InputError: a file cannot be read.
    """
    reviews = {each.id: each for each in read_reviews(review)}
    rows = []
    counts = dict.fromkeys(("kept", "edited", "left out", "waiting", "without a review"), 0)
    everything = all_samples(gold)
    if strange := reviews.keys() - {sample.row.id for sample in everything}:
        raise DataError(f"{review}: there is no row {min(strange)!r} in {gold}")
    for sample in everything:
        line = reviews.get(sample.row.id)
        if line is None:
            counts["without a review"] += 1
        elif line.summary is None or not line.summary.strip():
            counts["left out"] += 1
        elif line.approvals < approvals:
            counts["waiting"] += 1
        else:
            counts["kept" if line.summary == line.written else "edited"] += 1
            patches = sample.data.get("patches")
            own = {
                "summary": line.summary.strip(),
                "patches": _patches(gold, sample) if patches is None else patches,
            }
            rows.append(sample._replace(data=sample.data | own))
    return Reviewed(rows, counts)


def _patches(gold: Path, sample: Sample) -> list[dict[str, Any]]:
    shown = {entity.text: entity.regions or () for entity in sample.row.entities}
    boxes = [(text, region.box) for text, regions in shown.items() for region in regions]
    boxes = [(text, box) for text, box in boxes if box[0] < box[2] and box[1] < box[3]]
    if len(boxes) > MOST:
        raise DataError(f"{gold}:{sample.line}: {len(boxes)} boxes; {MOST} patches have a letter")
    return [
        {"letter": letter(number), "box": box, "entity": text}
        for number, (text, box) in enumerate(boxes)
    ]


class _Described(BaseModel):
    """What is read of a line that has a description; all else in it is anybody's."""

    id: RowId
    caption: str | None


def _captions(answers: Path) -> dict[str, str | None]:
    """Return what was written of each row.

    Raises:
        DataError: a line has no id and caption, or an id stands twice.
    """
    found: dict[str, str | None] = {}
    for number, line in lines_of(answers):
        try:
            described = _Described.model_validate(parsed(line))
            (described.caption or "").encode()  # half a surrogate pair is no text
        except ValueError:
            raise DataError(f"{answers}:{number}: this has no id and caption") from None
        if described.id in found:
            raise DataError(f"{answers}:{number}: the id {described.id!r} stands twice")
        found[described.id] = described.caption
    return found


def _line(review: Review) -> str:
    return json.dumps(review.model_dump(), ensure_ascii=False)

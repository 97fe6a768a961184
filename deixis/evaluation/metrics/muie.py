"""Scores of grounded MUIE (appendix C): what was extracted, and where it was pointed at.

Extraction is a micro F1 over multisets. A phrase is its offsets in the text or, where it has
none and its text is not in the row's (another medium), its text.

Grounding is a mean IoU. Regions are paired one to one, both sides padded with empty ones to
``P = max(G, K)``, and a pair with an empty one has IoU 0. The appendix leaves open:

- the cost of a pair: binary cross-entropy is infinite for hard masks that differ, so the cost is
  1 - IoU (the default) or the Dice loss 1 - 2 |A and B| / (|A| + |B|).
- the denominator: P by the padding (the default), or the G regions of the gold.
- the mean: over pictures (the default), or over all pairs at once.
- pictures, frames and sounds with neither gold nor prediction do not count.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import box_iou
from deixis.base.masks import mask_iou
from deixis.errors import DataError
from deixis.evaluation.metrics.mner import Score
from deixis.formats.muie_rows import MuieEntity, MuieRow, Trigger
from deixis.rows import RowRegion

Overlaps = NDArray[np.float64]
"""IoU of shape ``(G, K)``: a row for each gold region, a column for each predicted one."""
Cost = Literal["iou", "dice"]
Average = Literal["picture", "pooled"]
Over = Literal["both", "gold"]

Phrase = tuple[int, int] | str
Fact = tuple[Hashable, ...]
Item = TypeVar("Item")


class Extraction(NamedTuple):
    """F1 of what was extracted: entities, relations, triggers and arguments of events."""

    entities: Score
    relations: Score
    triggers: Score
    arguments: Score


class Grounding(NamedTuple):
    """The IoU of the pairs of one picture, frame or sound, those with an empty side left out."""

    ious: tuple[float, ...]
    gold: int
    predicted: int

    def mean(self, over: Over = "both") -> float | None:
        """Mean IoU, 0..1; None where the denominator is 0."""
        size = self.gold if over == "gold" else max(self.gold, self.predicted)
        return sum(self.ious) / size if size else None


class Grounded(NamedTuple):
    """Mean IoU in each medium, 0..1; None where nothing was to be found and nothing was."""

    image: float | None
    video: float | None
    audio: float | None


def score_extraction(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> Extraction:
    """Score what was extracted (appendix C.1).

    An entity (of rows of the task NER only) needs phrase and type, a relation both phrases and
    its type, a trigger its phrase and the event's type, an argument its phrase, its role and
    the event's type.

    Args:
        gold: rows.
        predicted: the same samples in the same order. A phrase without offsets takes the first
            place of its text in the row's that no phrase of the same text took before it.

    Raises:
        DataError: a relation or an argument names an entity that its row does not have.
        ValueError: the two do not have the same samples.
    """
    return Extraction(
        *(Score(*map(int, counts.sum(0))) for counts in extraction_counts(gold, predicted))
    )


def extraction_counts(
    gold: Sequence[MuieRow], predicted: Sequence[MuieRow], kind: str | None = None
) -> tuple[NDArray[np.int64], ...]:
    """Count by rows, as `score_extraction` adds up; of one type of entity, relation or event.

    Returns:
        For entities, relations, triggers and arguments the correct, predicted and gold ones of
        each row, shape ``(N, 3)``.
    """
    _check(gold, predicted)
    rows = []
    for wanted, guess in zip(gold, predicted, strict=True):
        sides = [[_of(kind, each) for each in _facts(row, wanted.text)] for row in (wanted, guess)]
        for right, facts in zip(*sides, strict=True):
            rows.append(((right & facts).total(), facts.total(), right.total()))
    return tuple(np.array(rows, dtype=np.int64).reshape(-1, 4, 3).transpose(1, 0, 2))


def types_of(rows: Iterable[MuieRow]) -> set[str]:
    """Return the types of entities, relations and events that are scored."""
    return {str(fact[-1]) for row in rows for facts in _facts(row, row.text) for fact in facts}


def _of(kind: str | None, facts: Counter[Fact]) -> Counter[Fact]:
    return Counter({f: n for f, n in facts.items() if kind is None or f[-1] == kind})


def _check(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> None:
    if [(row.id, row.task) for row in gold] != [(row.id, row.task) for row in predicted]:
        raise ValueError("gold and predictions do not have the same ids and tasks in order")


def _facts(row: MuieRow, text: str) -> tuple[Counter[Fact], ...]:
    """Count the entities, relations, triggers and arguments of a row; each ends with its type."""
    taken: dict[str, int] = {}

    def place(what: MuieEntity | Trigger) -> Phrase:
        if what.start is not None and what.end is not None:
            return what.start, what.end
        start = _search(what.text, text, taken.get(what.text, 0))
        if start is None:
            return what.text
        taken[what.text] = start.end()
        return start.span()

    phrases = [place(entity) for entity in row.entities]
    kinds = [entity.type for entity in row.entities]
    entities = zip(phrases, kinds, strict=True) if row.task == "ner" else ()
    try:
        return (
            Counter(entities),
            Counter((phrases[r.subject], phrases[r.object], r.type) for r in row.relations),
            Counter((place(e.trigger), e.type) for e in row.events if e.trigger),
            Counter((phrases[a.entity], a.role, e.type) for e in row.events for a in e.arguments),
        )
    except IndexError:
        raise DataError(
            f"row {row.id!r}: a relation or an argument names an entity that is not there"
        ) from None


def _search(phrase: str, text: str, start: int) -> re.Match[str] | None:
    """Find a phrase, as whole words if it can be."""
    bare = re.escape(phrase)
    whole = re.compile(rf"(?<!\w){bare}(?!\w)").search(text, start)
    return whole or re.compile(bare).search(text, start)


def pair(overlaps: Overlaps, cost: Cost = "iou") -> Grounding:
    """Pair the regions of one picture (appendix C.2, equations 1 and 2).

    The Dice loss is a function of the IoU ``i`` alone: ``1 - 2 i / (1 + i)``.

    Args:
        overlaps: IoU, shape ``(G, K)``.
        cost: what the assignment minimises.
    """
    gold, predicted = overlaps.shape
    if not overlaps.size:
        return Grounding((), gold, predicted)
    from scipy.optimize import linear_sum_assignment  # imports slowly

    gain = 2 * overlaps / (1 + overlaps) if cost == "dice" else overlaps
    # Empty regions cost the same with whatever they are paired, so a rectangle is enough.
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return Grounding(tuple(overlaps[rows, columns].tolist()), gold, predicted)


def mean_iou(
    groundings: Iterable[Grounding], average: Average = "picture", over: Over = "both"
) -> float | None:
    """Average over pictures; None when there is nothing to average."""
    counted = [grounding for grounding in groundings if grounding.mean(over) is not None]
    if average == "pooled":
        return Grounding(
            tuple(iou for grounding in counted for iou in grounding.ious),
            sum(grounding.gold for grounding in counted),
            sum(max(grounding.gold, grounding.predicted) for grounding in counted),
        ).mean(over)
    return _mean(grounding.mean(over) for grounding in counted)


def video_jaccard(frames: Iterable[Grounding], over: Over = "both") -> float | None:
    """Average the frames of one video; None when no frame has anything."""
    return _mean(frame.mean(over) for frame in frames)


def _mean(values: Iterable[float | None]) -> float | None:
    counted = [value for value in values if value is not None]
    return sum(counted) / len(counted) if counted else None


def overlaps_of(
    gold: Sequence[Item], predicted: Sequence[Item], iou: Callable[[Item, Item], float]
) -> Overlaps:
    """Return the IoU of all pairs, shape ``(G, K)``."""
    table = [[iou(one, other) for other in predicted] for one in gold]
    return np.array(table, dtype=np.float64).reshape(len(gold), len(predicted))


def region_iou(one: RowRegion, other: RowRegion) -> float:
    """IoU of the masks where both have one, else of the boxes."""
    if one.mask is not None and other.mask is not None:
        return mask_iou(one.mask, other.mask)
    return box_iou(one.box, other.box)


def span_iou(one: tuple[float, float], other: tuple[float, float]) -> float:
    """IoU of two half-open spans of time in seconds; 0 when one is empty or inverted."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    if shared <= 0:
        return 0.0
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def score_grounding(
    gold: Sequence[MuieRow],
    predicted: Sequence[MuieRow],
    cost: Cost = "iou",
    average: Average = "picture",
    over: Over = "both",
) -> Grounded:
    """Score all media (appendix C.2).

    The regions of a picture, of a frame or of a sound are those of all its entities. A video
    counts as its mean over frames, whatever `average` is.

    Raises:
        ValueError: the two do not have the same samples.
    """
    _check(gold, predicted)
    rows = [_media(*both, cost, over) for both in zip(gold, predicted, strict=True)]
    return Grounded(
        mean_iou([image for image, _, _ in rows], average, over),
        _mean(video for _, video, _ in rows),
        mean_iou([sound for _, _, sound in rows], average, over),
    )


def row_ious(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> NDArray[np.float64]:
    """Return the mean IoU in image, video and audio of each row, ``(N, 3)``; NaN for none.

    Their means over rows are what `score_grounding` gives by default.
    """
    _check(gold, predicted)
    rows = []
    for wanted, guess in zip(gold, predicted, strict=True):
        image, video, sound = _media(wanted, guess, "iou", "both")
        rows.append([image.mean(), video, sound.mean()])  # None becomes NaN
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _media(
    wanted: MuieRow, guess: MuieRow, cost: Cost, over: Over
) -> tuple[Grounding, float | None, Grounding]:
    """Pair the regions of a row's image, average the frames of its video, pair its sounds."""
    one, other = _frames(wanted), _frames(guess)
    frames = [
        pair(overlaps_of(one.get(at, []), other.get(at, []), region_iou), cost)
        for at in sorted(one.keys() | other.keys())
    ]
    return (
        pair(overlaps_of(_regions(wanted), _regions(guess), region_iou), cost),
        video_jaccard(frames, over),
        pair(overlaps_of(_spans(wanted), _spans(guess), span_iou), cost),
    )


def _regions(row: MuieRow) -> list[RowRegion]:
    return [region for entity in row.entities for region in entity.regions or ()]


def _spans(row: MuieRow) -> list[tuple[float, float]]:
    return [span for entity in row.entities for span in entity.spans or ()]


def _frames(row: MuieRow) -> dict[int, list[RowRegion]]:
    frames: dict[int, list[RowRegion]] = {}
    for entity in row.entities:
        for frame in entity.track or ():
            frames.setdefault(frame.frame, []).extend(frame.regions)
    return frames

"""How well MUIE points (section 6.1, appendix C.2): mean IoU in pictures, frames and sound.

Places are paired one to one, both sides padded with empty ones to ``P = max(G, K)``, and a pair
with an empty one has IoU 0. Places of several pictures are paired picture by picture. The appendix
leaves open:

- the cost of a pair: binary cross-entropy is infinite for hard masks that differ, so the cost is
  1 - IoU (the default) or the Dice loss 1 - 2 |A and B| / (|A| + |B|).
- the denominator: P by the padding (the default), or the G places of the gold.
- the mean: over pictures (the default), or over all pairs at once.
- pictures, frames and sounds with neither gold nor prediction do not count, nor does a medium of
  a row in which nobody looked for the gold.

The appendix pairs places whatever they are called, so names that are exchanged cost nothing. The
named IoU beside it is the same with pairs of one phrase only: any other has IoU 0.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from deixis.errors import DataError
from deixis.evaluation.metrics.muie_facts import check_same, phrases_of
from deixis.evaluation.metrics.muie_places import MEDIA, Held, Medium, compared, place_iou
from deixis.evaluation.metrics.sheet import Sheet, ratios
from deixis.formats.muie_rows import MuieRow

Overlaps = NDArray[np.float64]
"""IoU of shape ``(G, K)``: a row for each gold place, a column for each predicted one."""
Cost = Literal["iou", "dice"]
Average = Literal["picture", "pooled"]
Over = Literal["both", "gold"]
Item = TypeVar("Item")


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


def pair(overlaps: Overlaps, cost: Cost = "iou") -> Grounding:
    """Pair the places of one picture, frame or sound (appendix C.2, equations 1 and 2).

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
    # Empty places cost the same with whatever they are paired, so a rectangle is enough.
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


def score_grounding(
    gold: Sequence[MuieRow],
    predicted: Sequence[MuieRow],
    cost: Cost = "iou",
    average: Average = "picture",
    over: Over = "both",
    named: bool = False,
) -> Grounded:
    """Score all media (appendix C.2).

    The places of a picture, of a frame or of a sound are those of all its entities, in a sound
    of the triggers as well. A video counts as its mean over frames, whatever `average` is.

    Args:
        gold: rows.
        predicted: the same samples in the same order.
        cost: what the assignment minimises.
        average: over pictures, or over pairs.
        over: the denominator.
        named: whether places of two phrases are never the same.

    Raises:
        DataError: masks of one picture cannot be compared.
        ValueError: the two do not have the same samples.
    """
    check_same(gold, predicted)
    sides = list(zip(gold, predicted, strict=True))
    image, video, audio = (
        [
            [pair(unit.named if named else unit.overlaps, cost) for unit in _units(*side, medium)]
            for side in sides
        ]
        for medium in MEDIA
    )
    return Grounded(
        mean_iou([each for row in image for each in row], average, over),
        _mean(video_jaccard(frames, over) for frames in video),
        mean_iou([each for row in audio for each in row], average, over),
    )


def grounding_sheet(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> Sheet:
    """Return mean IoU and named IoU in each medium as sums over rows.

    The values are those that `score_grounding` gives by default.

    Raises:
        DataError, ValueError: as for `score_grounding`.
    """
    check_same(gold, predicted)
    above, below = [], []
    for wanted, guess in zip(gold, predicted, strict=True):
        units = {medium: _units(wanted, guess, medium) for medium in MEDIA}
        means = [
            _means(medium, [pair(unit.named if named else unit.overlaps) for unit in units[medium]])
            for named in (False, True)
            for medium in MEDIA
        ]
        above.append([sum(each) for each in means])
        below.append([len(each) for each in means])
    names = tuple(f"{kind}_iou_{medium}" for kind in ("mean", "named") for medium in MEDIA)
    shape = (-1, len(names))
    return ratios(
        names,
        np.array(above, dtype=np.float64).reshape(shape),
        np.array(below, dtype=np.float64).reshape(shape),
    )


def _means(medium: Medium, units: Iterable[Grounding]) -> list[float]:
    """Return the means that count of a row: of each picture, of its sound, one of its video."""
    if medium == "video":
        whole = video_jaccard(units)
        return [] if whole is None else [whole]
    return [value for unit in units if (value := unit.mean()) is not None]


class _Unit(NamedTuple):
    """A picture, a frame or the sound: the IoU of its places, and that of those of one phrase."""

    overlaps: Overlaps
    named: Overlaps


def _units(wanted: MuieRow, guess: MuieRow, medium: Medium) -> list[_Unit]:
    one, other = compared(wanted, guess, medium)
    mine, theirs = (phrases_of(row, wanted.text).holders for row in (wanted, guess))
    units = []
    for unit in sorted(one.keys() | other.keys()):
        seen, told = one.get(unit, []), other.get(unit, [])
        try:
            overlaps = overlaps_of(seen, told, _iou)
        except ValueError as error:
            raise DataError(f"row {wanted.id!r}: {error}") from None
        same = [[mine[a.holder] == theirs[b.holder] for b in told] for a in seen]
        units.append(_Unit(overlaps, overlaps * np.reshape(same, overlaps.shape)))
    return units


def _iou(one: Held, other: Held) -> float:
    return place_iou(one.place, other.place)

"""How far annotators agree: IoU of their regions, and Fleiss' kappa (RiVEG, section III-A).

The paper calls two annotations with an IoU above 0.5 consistent, and has a Fleiss score of 0.82
for two annotators of each post, out of five. It does not say what is counted as an item, nor as a
category. Here an item is an entity of the gold that several annotators have judged. Its category
is what an annotator says of it: that it is not to be seen, or the first, second, ... reading of
where it is. Annotators whose regions are consistent have one reading; the reading that most of
them have is the first. Two annotators who point at different places thus disagree, as two do of
whom one sees nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import box_iou
from deixis.base.masks import mask_iou
from deixis.errors import DataError, InputError
from deixis.evaluation.construction.samples import Sample, all_samples
from deixis.evaluation.metrics.matching import best_pairs
from deixis.rows import RowEntity, RowRegion

Place = tuple[str, str, int | None, int | None, str, int]
"""An entity of a row: id, text, start, end, type, and how many such stand before it."""
Regions = tuple[RowRegion, ...]


class Fleiss(NamedTuple):
    """Fleiss' kappa: ``(observed - expected) / (1 - expected)``; None where all is expected."""

    kappa: float | None
    observed: float
    expected: float


def fleiss_kappa(counts: NDArray[np.int64]) -> Fleiss:
    """Return the agreement of several annotators beyond chance (Fleiss, 1971).

    Args:
        counts: how many annotators put an item into a category, shape ``(items, categories)``;
            every item was judged by the same number of them, at least two.

    Raises:
        ValueError: there is no item, or their numbers differ or are less than two.
    """
    raters = np.unique(counts.sum(axis=1))
    if raters.size != 1 or raters[0] < 2:
        raise ValueError(f"every item needs the same number of judgements, two or more: {raters}")
    number = int(raters[0])
    agreeing = (counts * (counts - 1)).sum(axis=1) / (number * (number - 1))
    shares = counts.sum(axis=0) / counts.sum()
    observed, expected = float(agreeing.mean()), float((shares**2).sum())
    kappa = (observed - expected) / (1 - expected) if expected < 1 else None
    return Fleiss(kappa, observed, expected)


class Agreement(NamedTuple):
    """What annotators agree on.

    Attributes:
        figures: plain data, as `deixis dataset agreement` prints it.
        agreed: rows of which every entity has two judgements or more, all consistent; as the first
            annotator of the row has them.
        disputed: all other rows, likewise, with what every annotator says in ``annotations``.
    """

    figures: dict[str, Any]
    agreed: list[Sample]
    disputed: list[Sample]


def agreement(files: Sequence[Path], iou: float = 0.5) -> Agreement:
    """Compare what several annotators say of the same entities.

    Kappa is of the entities that have as many judgements as most have; an annotator may have
    annotated some of the rows only. An entity whose regions are null was not judged.

    Args:
        files: rows, a file for each annotator. Regions that both have masks are compared by these,
            others by their boxes.
        iou: regions are consistent above it.

    Raises:
        InputError: there are less than two files, or one cannot be read.
        DataError: a file is wrong, two have another text for one row, or masks of two sizes.
    """
    if len(files) < 2:
        raise InputError("agreement is of two annotators or more; give their files")
    names = _names(files)
    rows = _by_row(names, files)
    judged: dict[Place, dict[str, Regions]] = defaultdict(dict)
    for samples in rows.values():
        for name, sample in samples.items():
            for place, entity in _placed(sample):
                own = judged[place]  # there even if nobody has judged it
                if entity.regions is not None:
                    own[name] = entity.regions
    readings = {place: _readings(place, own, iou) for place, own in judged.items()}
    disputes = {
        place[0] for place, own in readings.items() if len(own) < 2 or len({*own.values()}) > 1
    }
    agreed, disputed = [], []
    for id_, samples in rows.items():
        first = next(iter(samples.values()))
        if id_ not in disputes and len(samples) > 1:
            agreed.append(first)
        else:
            said = {**first.data, "annotations": _said(samples)}
            disputed.append(first._replace(data=said))
    figures = {
        "rows": len(rows),
        "rows_agreed": len(agreed),
        "rows_disputed": len(disputed),
        "iou": iou,
        **_kappas(readings),
        "pairs": list(_pairs(names, judged, iou)),
    }
    return Agreement(figures, agreed, disputed)


def _by_row(names: Sequence[str], files: Sequence[Path]) -> dict[str, dict[str, Sample]]:
    """Return what every annotator has of each row."""
    rows: dict[str, dict[str, Sample]] = defaultdict(dict)
    for name, file in zip(names, files, strict=True):
        for sample in all_samples(file):
            known = rows[sample.row.id]
            for other, first in known.items():
                if first.row.text != sample.row.text:
                    raise DataError(
                        f"{file}:{sample.line}: the text of the row {sample.row.id!r} is not that "
                        f"in {other}"
                    )
            known[name] = sample
    return rows


def _said(samples: Mapping[str, Sample]) -> list[dict[str, Any]]:
    return [
        {"by": name, "entities": sample.data.get("entities", [])}
        for name, sample in samples.items()
    ]


def _names(files: Sequence[Path]) -> list[str]:
    """Return a name for every file: its own, or its path where two have one name."""
    twice = Counter(file.name for file in files)
    names = [file.name if twice[file.name] == 1 else str(file) for file in files]
    if len(set(names)) < len(names):
        raise InputError("a file is given twice; give one of each annotator")
    return names


def _placed(sample: Sample) -> Iterator[tuple[Place, RowEntity]]:
    before: Counter[Any] = Counter()
    for entity in sample.row.entities:
        where = (entity.text, entity.start, entity.end, entity.type)
        yield (sample.row.id, *where, before[where]), entity
        before[where] += 1


def _readings(place: Place, own: Mapping[str, Regions], iou: float) -> dict[str, int]:
    """Return the category of each annotator: 0 for nothing to be seen, else 1, 2, ..."""
    groups: list[tuple[Regions, list[str]]] = []
    for name, regions in own.items():
        if not regions:
            continue
        for known, members in groups:
            if _consistent(place, known, regions, iou):
                members.append(name)
                break
        else:
            groups.append((regions, [name]))
    groups.sort(key=lambda group: -len(group[1]))
    numbers = {name: number for number, (_, members) in enumerate(groups, 1) for name in members}
    return {name: numbers.get(name, 0) for name in own}


def _consistent(place: Place, one: Regions, other: Regions, iou: float) -> bool:
    """Say whether two annotators mean the same regions, one to one."""
    return len(one) == len(other) == len(_matched(place, one, other, iou))


def _matched(place: Place, one: Regions, other: Regions, iou: float) -> list[float]:
    """Return the IoU of the regions that two annotators share, one to one."""
    if not one or not other:
        return []
    overlaps = np.array([[_iou(place, a, b) for b in other] for a in one])
    shared: list[float] = overlaps[best_pairs(np.where(overlaps > iou, overlaps, 0.0))].tolist()
    return [value for value in shared if value > iou]


def _iou(place: Place, one: RowRegion, other: RowRegion) -> float:
    if one.mask is None or other.mask is None:
        return box_iou(one.box, other.box)
    try:
        return mask_iou(one.mask, other.mask)
    except ValueError as error:
        raise DataError(f"row {place[0]!r}, entity {place[1]!r}: {error}") from None


def _kappas(readings: Mapping[Place, Mapping[str, int]]) -> dict[str, Any]:
    """Return the figures of the entities with as many judgements as most have."""
    numbers = Counter(len(own) for own in readings.values())
    several = {number: count for number, count in numbers.items() if number > 1}
    raters = max(several, key=lambda number: (several[number], number), default=0)
    chosen = [[*own.values()] for own in readings.values() if len(own) == raters > 1]
    counted = {"entities": len(chosen), "entities_left_out": len(readings) - len(chosen)}
    if not chosen:
        return {
            **counted,
            "judgements_each": None,
            "consistent": 0,
            "regions": None,
            "visible": None,
        }
    categories = 1 + max(map(max, chosen))
    counts = np.array([np.bincount(own, minlength=categories) for own in chosen])
    seen = np.stack([counts[:, 0], counts[:, 1:].sum(axis=1)], axis=1)
    return {
        **counted,
        "judgements_each": raters,
        "consistent": sum(len(set(own)) == 1 for own in chosen),
        "regions": fleiss_kappa(counts)._asdict(),
        "visible": fleiss_kappa(seen)._asdict(),
    }


def _pairs(
    names: Sequence[str], judged: Mapping[Place, Mapping[str, Regions]], iou: float
) -> Iterator[dict[str, Any]]:
    """Yield what every two annotators share: entities, and regions by IoU."""
    for one, other in combinations(names, 2):
        both = [
            (place, own[one], own[other]) for place, own in judged.items() if {one, other} <= {*own}
        ]
        shared = [value for place, a, b in both for value in _matched(place, a, b, iou)]
        regions = sum(len(a) + len(b) for _, a, b in both)
        yield {
            "one": one,
            "other": other,
            "entities": len(both),
            "consistent": sum(
                (not a and not b) or (bool(a) and _consistent(place, a, b, iou))
                for place, a, b in both
            ),
            "regions_shared": 2 * len(shared) / regions if regions else None,
            "mean_iou": float(np.mean(shared)) if shared else None,
        }

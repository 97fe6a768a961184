"""Where two results for one row differ, mention by mention, and who is right."""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from deixis.errors import DataError
from deixis.evaluation.metrics.matching import best_iou, best_pairs
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.muie_mentions import overlap_of
from deixis.formats.muie_rows import MuieEntity
from deixis.rows import Row, RowEntity

KINDS = ("only first", "only second", "type", "groundable", "region")
Right = Literal["first", "second", "both", "neither"]
RIGHT: tuple[Right, ...] = get_args(Right)
_TRIED = 100
"""Mentions of one text and of no common place that are tried against each other in a row; those
beyond are paired in their order."""


class Disagreement(NamedTuple):
    """A mention on which two results differ.

    Attributes:
        kinds: by how much, above 0 and up to 1, in each of `KINDS`: all of it, but of regions
            1 less their IoU.
        first: what the first says; None if it lacks the mention.
        second: what the second says; None if it lacks the mention.
        gold: what is right, None if there is no such mention, or no gold.
        right: who is right, None without gold.
    """

    kinds: dict[str, float]
    first: RowEntity | None
    second: RowEntity | None
    gold: RowEntity | None
    right: Right | None

    @property
    def text(self) -> str:
        """The mention."""
        return next(side.text for side in (self.first, self.second) if side)

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data, without masks."""
        sides = {"first": self.first, "second": self.second, "gold": self.gold}
        return {
            "text": self.text,
            "kinds": self.kinds,
            **{name: mention and _said(mention) for name, mention in sides.items()},
            "right": self.right,
        }


class RowPair(NamedTuple):
    """One row of both files: ``mentions`` are those of the first and of the second."""

    id: str
    text: str
    mentions: tuple[int, int]
    agreed: int
    differences: tuple[Disagreement, ...]

    @property
    def amount(self) -> float:
        """By how much the two differ, 0 if in nothing."""
        return sum(sum(difference.kinds.values()) for difference in self.differences)

    @property
    def texts(self) -> set[str]:
        """The mentions that differ, as either has them."""
        sides = (side for pair in self.differences for side in (pair.first, pair.second))
        return {side.text for side in sides if side}

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        mentions = [difference.document() for difference in self.differences]
        return {"id": self.id, "text": self.text, "amount": self.amount, "mentions": mentions}


def compare_row(first: Row, second: Row, gold: Row | None, how: How) -> RowPair:
    """Compare two results for one row, and with gold say who is right.

    Mentions are the same by their text (or place, as the convention says); those of one text
    are paired by place first, then so that they differ least. All else is compared as far as the
    task has it; of several regions any may meet any. Undecided is an answer of its own here;
    against gold it is never right.

    Raises:
        DataError: the texts differ, or masks cannot be compared.
    """
    if first.text and second.text and first.text != second.text:
        raise DataError(
            f"the texts of {first.id!r} differ in the two files; compare runs over the same rows"
        )
    try:
        pairs = list(_pairs(first, second, how))
        wanted = [] if gold is None else [dict(_wanted(row, gold, how)) for row in (first, second)]
        differences = tuple(
            _disagreement(one, other, kinds, wanted, how)
            for one, other in pairs
            if (kinds := _kinds(one, other, how))
        )
    except ValueError as error:
        raise DataError(f"a mask of {first.id!r} cannot be compared: {error}") from None
    mentions = len(first.entities), len(second.entities)
    agreed = len(pairs) - len(differences)
    return RowPair(first.id, first.text or second.text, mentions, agreed, differences)


def _disagreement(
    one: RowEntity | None,
    other: RowEntity | None,
    kinds: dict[str, float],
    wanted: list[dict[int, RowEntity]],
    how: How,
) -> Disagreement:
    if not wanted:
        return Disagreement(kinds, one, other, None, None)
    golds = [gold.get(id(mention)) for gold, mention in zip(wanted, (one, other), strict=True)]
    gold = golds[0] or golds[1]
    # Who lacks a mention is right if it is not in the gold.
    first, second = (
        gold is None if mention is None else mine is not None and not _kinds(mention, mine, how)
        for mention, mine in zip((one, other), golds, strict=True)
    )
    sole: Right = "first" if first else "second" if second else "neither"
    return Disagreement(kinds, one, other, gold, "both" if first and second else sole)


def _wanted(row: Row, gold: Row, how: How) -> Iterator[tuple[int, RowEntity]]:
    """Yield the gold of each mention that has one, by identity: two can be equal."""
    for mine, wanted in _pairs(row, gold, how):
        if mine and wanted:
            yield id(mine), wanted


def _pairs(
    first: Row, second: Row, how: How
) -> Iterator[tuple[RowEntity | None, RowEntity | None]]:
    """Bring the mentions of two rows together, those that one alone has with None.

    Those of one place belong together whatever else they say (see `_alike`), so that not all
    pairs have to be tried.
    """
    groups: dict[Any, tuple[list[RowEntity], list[RowEntity]]] = {}
    for side, row in enumerate((first, second)):
        for entity in row.entities:
            groups.setdefault(_key(entity, how), ([], []))[side].append(entity)
    for group in groups.values():
        here, ones, others = _of_one_place(*group)
        yield from here
        tried = ones[:_TRIED], others[:_TRIED]
        left: tuple[list[RowEntity | None], list[RowEntity | None]] = ([*tried[0]], [*tried[1]])
        if ones and others:
            alike = [[_alike(one, other, how) for other in tried[1]] for one in tried[0]]
            for i, j in zip(*best_pairs(np.array(alike)), strict=True):
                yield ones[i], others[j]
                left[0][i] = left[1][j] = None
        rest = (
            [*(mention for mention in left[0] if mention), *ones[_TRIED:]],
            [*(mention for mention in left[1] if mention), *others[_TRIED:]],
        )
        yield from zip_longest(*rest)


def _of_one_place(
    ones: list[RowEntity], others: list[RowEntity]
) -> tuple[list[tuple[RowEntity, RowEntity]], list[RowEntity], list[RowEntity]]:
    """Return the pairs that alone begin at one place, and what is left of both sides."""
    sides = [Counter(mention.start for mention in side) for side in (ones, others)]
    alone = {
        start
        for start, count in sides[0].items()
        if start is not None and count == 1 == sides[1][start]
    }
    by_place = {mention.start: mention for mention in others}
    pairs = [(mention, by_place[mention.start]) for mention in ones if mention.start in alone]
    left, right = ([e for e in side if e.start not in alone] for side in (ones, others))
    return pairs, left, right


def _key(entity: RowEntity, how: How) -> Any:
    if how.convention.key == "place":
        return entity.start, entity.end
    return entity.text.casefold() if how.convention.fold_case else entity.text


def _alike(one: RowEntity, other: RowEntity, how: How) -> float:
    return 10.0 * (one.start == other.start) + 3 - sum(_kinds(one, other, how).values())


def _kinds(one: RowEntity | None, other: RowEntity | None, how: How) -> dict[str, float]:
    """Return in what two mentions differ, and by how much."""
    if one is None or other is None:
        return {"only second" if one is None else "only first": 1.0}
    task, amounts = how.task, {}
    if task.type and getattr(one, task.type) != getattr(other, task.type):
        amounts["type"] = 1.0
    if isinstance(one, MuieEntity) and isinstance(other, MuieEntity):
        return amounts | _apart(one, other, how)
    if task.region and _seen(one) != _seen(other):
        amounts["groundable"] = 1.0
    elif task.located and one.regions and other.regions:
        iou = best_iou(one.regions, other.regions, task.region == "mask")
        if not how.convention.reached(iou, how.threshold):
            amounts["region"] = 1 - iou
    return amounts


def _apart(one: MuieEntity, other: MuieEntity, how: How) -> dict[str, float]:
    """Return in what the places of two entities differ, in pictures, sound and video."""
    iou = overlap_of(one, other)
    decided = [any((e.regions, e.spans, e.track)) or e.regions is not None for e in (one, other)]
    if iou is None or decided[0] != decided[1]:
        return {"groundable": 1.0}
    return {} if how.convention.reached(iou, how.threshold) else {"region": 1 - iou}


def _seen(entity: RowEntity) -> str:
    if entity.regions is None:
        return "undecided"
    return "yes" if entity.regions else "no"


def _said(entity: RowEntity) -> dict[str, Any]:
    regions = entity.regions
    boxes = None if regions is None else [list(region.box) for region in regions]
    masks = {"track": {"__all__": {"regions": {"__all__": {"mask"}}}}}
    return {**entity.model_dump(exclude={"regions": True, **masks}), "boxes": boxes}

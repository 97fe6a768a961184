"""What a file of rows holds, in the figures that papers print."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from deixis.rows import Row, RowEntity, RowRegion


class StatisticsRow(Row):
    """A row of which all is read that is counted: M-MRE's have a summary of the picture."""

    summary: str | None = None


def statistics(rows: Sequence[Row]) -> dict[str, Any]:
    """Count rows, entities and regions.

    Regions are counted for each mention that has them (``boxes``), as papers do, and once for
    each text in a row (``distinct_boxes``). ``groundable`` is the number of entities with a
    region, ``unknown`` that of entities nobody looked for. ``duplicates`` are the mentions
    beyond the first of the same text and type in a row. ``rows_by_masks`` says how many rows have
    no mask, one, or more, where each text of a row counts once (RiVEG, figure 4). Where there are
    summaries, ``summaries`` has the figures of M-MRE's table 1, in characters and in words between
    blanks.
    """
    entities = [entity for row in rows for entity in row.entities]
    types = sorted({entity.type for entity in entities})
    fine = Counter((entity.type, entity.fine_type) for entity in entities if entity.fine_type)
    texts: list[dict[str, Sequence[RowRegion]]] = [
        {e.text: e.regions for e in row.entities if e.regions} for row in rows
    ]
    pairs = [[(e.text, e.type) for e in row.entities] for row in rows]
    summaries = [row.summary for row in rows if isinstance(row, StatisticsRow) and row.summary]
    return {
        "rows": len(rows),
        "rows_with_entity": sum(bool(row.entities) for row in rows),
        "rows_without_entity": sum(not row.entities for row in rows),
        "rows_with_groundable": sum(bool(shown) for shown in texts),
        "rows_with_image": sum(row.image is not None for row in rows),
        **_counted(entities),
        "distinct_groundable": sum(map(len, texts)),
        "distinct_boxes": sum(len(boxes) for shown in texts for boxes in shown.values()),
        "duplicates": sum(len(row_pairs) - len(set(row_pairs)) for row_pairs in pairs),
        "rows_by_masks": _by_masks(texts),
        "types": {name: _counted([e for e in entities if e.type == name]) for name in types},
        "fine_types": {
            name: {fine_type: n for (kind, fine_type), n in sorted(fine.items()) if kind == name}
            for name in types
            if any(kind == name for kind, _ in fine)
        },
        "picture_sizes": _sizes([row.size for row in rows if row.size]),
        **({"summaries": summary_figures(summaries)} if summaries else {}),
    }


def summary_figures(summaries: Sequence[str]) -> dict[str, Any]:
    """Return number, characters and words of summaries: greatest, least, median and mean."""
    lengths = {
        "characters": [len(summary) for summary in summaries],
        "words": [len(summary.split()) for summary in summaries],
    }
    return {
        "number": len(summaries),
        **{
            name: {
                "max": max(counts),
                "min": min(counts),
                "median": median(counts),
                "mean": fmean(counts),
            }
            for name, counts in lengths.items()
            if counts
        },
    }


def _by_masks(texts: Sequence[dict[str, Sequence[RowRegion]]]) -> dict[str, int]:
    masks = [
        sum(region.mask is not None for regions in shown.values() for region in regions)
        for shown in texts
    ]
    return {
        "0": masks.count(0),
        "1": masks.count(1),
        "more": sum(number > 1 for number in masks),
    }


def _counted(entities: Sequence[RowEntity]) -> dict[str, int]:
    shown = [entity.regions for entity in entities if entity.regions]
    return {
        "entities": len(entities),
        "groundable": len(shown),
        "unknown": sum(entity.regions is None for entity in entities),
        "boxes": sum(map(len, shown)),
        "masks": sum(region.mask is not None for regions in shown for region in regions),
        "multi_box": sum(len(regions) > 1 for regions in shown),
    }


def _sizes(sizes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Say how many sizes are known, how many differ, and least, median and greatest sides."""
    figures: dict[str, Any] = {"known": len(sizes), "distinct": len(set(sizes))}
    for name, sides in zip(("width", "height"), zip(*sizes, strict=True), strict=False):
        figures[name] = {"min": min(sides), "median": median(sides), "max": max(sides)}
    return figures

"""Rows without what a format has no place for."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from deixis.formats.answers import Format
from deixis.rows import Row, RowEntity

R = TypeVar("R", bound=Row)


def bare(rows: Iterable[R], form: Format) -> tuple[list[R], Counter[str]]:
    """Return rows as the format can hold them, and how much of what was left out."""
    dropped: Counter[str] = Counter()

    def stripped(entity: RowEntity) -> RowEntity:
        changed: dict[str, Any] = {}
        if entity.fine_type is not None and not form.fine:
            dropped["fine types"] += 1
            changed["fine_type"] = None
        regions = entity.regions
        if regions and form.places != "boxes":
            dropped["boxes"] += len(regions)
            regions = None
        if form.places == "none":
            regions = None
        if masks := sum(region.mask is not None for region in regions or ()):
            dropped["masks"] += masks
            regions = tuple(region.model_copy(update={"mask": None}) for region in regions or ())
        return entity.model_copy(update={**changed, "regions": regions})

    kept = [row.model_copy(update={"entities": tuple(map(stripped, row.entities))}) for row in rows]
    return kept, dropped

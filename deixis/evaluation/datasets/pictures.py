"""The pictures of a data set: found by id, and measured without being decoded."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from deixis.base.image_files import upright_size
from deixis.evaluation.datasets.source import Source
from deixis.rows import Row

QUIRKS = (
    "pictures that were not found",
    "pictures that cannot be read",
    "pictures of another size than their annotation says (which is kept)",
)
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}


def with_pictures(source: Source, rows: Sequence[Row], counts: Counter[str]) -> tuple[Row, ...]:
    """Fill in ``image``, and ``size`` where no annotation gave it.

    Without a folder of pictures the rows come back as they are; otherwise each of `QUIRKS` is
    added to `counts`.

    Raises:
        OSError: the folder cannot be read.
    """
    if source.images is None:
        return tuple(rows)
    counts.update(dict.fromkeys(QUIRKS, 0))
    names = sorted(os.listdir(source.images))
    there = {Path(name).stem: name for name in names if Path(name).suffix.lower() in _SUFFIXES}
    filled: list[Row] = []
    for row in rows:
        if row.id not in there:
            counts[QUIRKS[0]] += 1
            filled.append(row)
            continue
        path = source.images / there[row.id]
        size = upright_size(path)
        counts[QUIRKS[1]] += size is None
        counts[QUIRKS[2]] += None not in (size, row.size) and size != row.size
        known = {"image": source.from_rows(path), "size": row.size or size}
        filled.append(row.model_copy(update=known))
    return tuple(filled)

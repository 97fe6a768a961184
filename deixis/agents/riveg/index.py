"""Index annotated samples, so that `similar` finds those that are like a post."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deixis.agents.context.state import Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.describe import ask
from deixis.agents.observe import caption, look
from deixis.agents.riveg import examples
from deixis.agents.riveg.examples import AnnotatedRow, Example
from deixis.base.images import OpenedImage, open_image
from deixis.base.text_files import lines_of
from deixis.errors import DataError, InputError, ToolError
from deixis.llms.photos import photo
from deixis.rows import read_rows
from deixis.tools.base import listening


def read_annotated(path: Path) -> list[tuple[str, AnnotatedRow]]:
    """Return file and line of each annotated sample, and the sample.

    Raises:
        DataError: lines that are none, each named with file and line; or there is none at all.
        InputError: the file cannot be read.
    """
    rows = read_rows(path, AnnotatedRow)
    if not rows:
        raise DataError(f"{path}: no rows; give one JSON object per line")
    return [(f"{path}:{at}", row) for (at, _), row in zip(lines_of(path), rows, strict=True)]


def build(
    rows: Iterable[tuple[str, AnnotatedRow]], beside: Path, folder: Path, toolbox: Toolbox
) -> list[str]:
    """Compute vectors and descriptions of pictures, and write the index.

    A row that has no description of its picture gets the one that a post would get: the
    captioner's, or else what the tools see.

    Args:
        rows: place and sample; a relative path of a picture is relative to `beside`.
        beside: folder of the rows.
        folder: of the index; made if need be.
        toolbox: its embedder, captioner, detector and reader are used.

    Returns:
        What degraded, one line each.

    Raises:
        DataError: a picture cannot be used, or the embedder fails on it; named by file and line.
        SettingsError: nobody plays the embedder, or as `deixis.tools.registry.load`.
        InputError: the index cannot be written.
    """
    spec, embedder = toolbox.model("embedder"), toolbox.embedder
    assert embedder is not None, "its spec is known"
    indexed: list[Example] = []
    features = []
    with listening() as warned:
        for where, row in rows:
            try:
                opened = _opened(row, beside, toolbox)
                features.append(embedder.embed(opened and opened.pixels, row.text))
            except (InputError, ToolError) as error:
                raise DataError(f"{where}: {error}") from None
            described = row.caption
            if described is None and opened is not None:
                described, notices = _described(opened, toolbox)
                warned += [f"{where}: {noted['message']}" for noted in notices.values()]
            sha256 = opened.sha256 if opened else None
            indexed.append(Example(row.id, row.text, described, row.annotation, sha256))
    examples.write(folder, spec, indexed, np.stack(features))
    return warned


def _described(opened: OpenedImage, toolbox: Toolbox) -> tuple[str | None, Update]:
    captioner, options = toolbox.settings.roles.captioner, toolbox.settings.options
    described, notices = "", Update()
    if captioner is not None:
        image = photo(opened.pixels, options.image_side)
        described, update = ask(captioner, image, toolbox)
        notices = update.get("notices", {})
    if described:
        return described, notices
    sight = look(opened.pixels, toolbox)
    return caption(sight, options.top_k), {**notices, **sight.notices}


def _opened(row: AnnotatedRow, beside: Path, toolbox: Toolbox) -> OpenedImage | None:
    if row.image is None:
        return None
    place = row.image if "://" in row.image else str(beside / row.image)
    options = toolbox.settings.options
    return open_image(place, max_pixels=options.max_pixels, urls=options.urls)

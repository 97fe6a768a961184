"""A folder that FiftyOne loads as a ``FiftyOneDataset``: one sample for each picture.

Written in the layout whose fields FiftyOne infers from the samples (``metadata.json`` without a
version), so that no field has to be declared, and any version reads it.
"""

import json
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np

from deixis.base.boxes import clipped
from deixis.base.text_files import folder_of
from deixis.exchange.folders import whole_files
from deixis.exchange.items import Exporter, How, Item, Written
from deixis.exchange.labels import LeftOut
from deixis.exchange.mentions import Mention, Place, Where, mentions_of, pictures_of
from deixis.exchange.sizes import Size, picture_sizes

_FILES = ["metadata.json", "samples.json"]


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write items into the files of a folder; pictures stay where they are.

    Raises:
        InputError: it cannot be written.
    """
    where = Where(folder_of(out / _FILES[0]), how.pictures)
    counts: Counter[str] = Counter(samples=0, detections=0, mentions=0)
    left = LeftOut()
    with whole_files(out, _FILES) as files:
        files["metadata.json"].write(json.dumps({"media_type": "image", "info": {}}).encode())
        samples = files["samples.json"]
        samples.write(b'{"samples": [')
        for item in items:
            for sample in _samples(item, where, counts, left):
                comma = ",\n" if counts["samples"] else "\n"
                samples.write((comma + json.dumps(sample, ensure_ascii=False)).encode())
                counts["samples"] += 1
        samples.write(b"\n]}\n")
    return Written([out / name for name in _FILES], dict(counts), left.lines())


def _samples(
    item: Item, where: Where, counts: Counter[str], left: LeftOut
) -> Iterator[dict[str, Any]]:
    """Yield a sample for each picture of a post."""
    mentions = mentions_of(item)
    if item.row.video is not None or item.row.audio is not None:
        left.add("sounds and videos: a sample is a picture", item.id)
    pictures = pictures_of(item, where)
    if not pictures:
        left.add("posts without a picture", item.id)
    named = [(mention, place) for mention in mentions for place in mention.places]
    for _, place in named:
        if place.picture >= len(pictures):
            left.add("regions in pictures that the post does not have", item.id)
    for number, (picture, size) in enumerate(zip(pictures, picture_sizes(item), strict=True)):
        if picture.source is None or "://" in picture.source:
            left.add("pictures that are no files, and what they show", item.id)
            continue
        shown = [(mention, place) for mention, place in named if place.picture == number]
        if size is None:
            for _ in shown:
                left.add("regions in pictures of unknown size", item.id)
            shown = []
        counts["detections"] += len(shown)
        counts["mentions"] += len(mentions)
        field = "ground_truth" if item.extraction is None else "predictions"
        yield {
            "filepath": picture.source,
            "tags": [],
            "_media_type": "image",
            "metadata": _metadata(size),
            "post": item.id,
            "text": item.row.text,
            field: {
                "_cls": "Detections",
                "detections": [_detection(*each, size) for each in shown if size],
            },
            "mentions": {
                "_cls": "Classifications",
                "classifications": [_classification(mention) for mention in mentions],
            },
        }


def _metadata(size: Size | None) -> dict[str, Any] | None:
    return {"_cls": "ImageMetadata", "width": size[0], "height": size[1]} if size else None


def _classification(mention: Mention) -> dict[str, Any]:
    return {
        "_cls": "Classification",
        "label": mention.type,
        "confidence": mention.confidence,
        "groundable": mention.groundable,
        **_about(mention),
    }


def _about(mention: Mention) -> dict[str, Any]:
    names = ("text", "start", "end", "fine_type", "expression")
    return {"entity": mention.id, **{name: getattr(mention, name) for name in names}}


def _detection(mention: Mention, place: Place, size: Size) -> dict[str, Any]:
    """Return a region: its box is ``[x, y, width, height]`` as shares of the picture."""
    width, height = size
    x1, y1, x2, y2 = clipped(place.box, width, height)
    made = {
        "_cls": "Detection",
        "label": mention.type,
        "bounding_box": [x1 / width, y1 / height, (x2 - x1) / width, (y2 - y1) / height],
        "confidence": place.score,
        "source": place.by,
        **_about(mention),
    }
    if place.mask is not None and place.mask.size == (height, width):
        made["mask"] = _mask(place.mask.to_array(), (x1, y1, x2, y2))
    return made


def _mask(dense: Any, box: tuple[float, float, float, float]) -> str:
    """Return the part of a mask inside the whole pixels that cover a box, as FiftyOne keeps it."""
    x1, y1, x2, y2 = box
    file = BytesIO()
    np.save(file, dense[floor(y1) : ceil(y2), floor(x1) : ceil(x2)], allow_pickle=False)
    return b64encode(zlib.compress(file.getvalue())).decode("ascii")


EXPORTER = Exporter("fiftyone", "samples to look at", write, True, ("pictures",))

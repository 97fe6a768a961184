"""Twitter-SMNER (Li et al., RiVEG, section III): Twitter-GMNER with masks in place of boxes.

The paper says that the masks were drawn as polygons with labelme over the entities of version 1
(11782, 2453 and 2543 of them), several masks for some. The authors' page says that the release
has a JSON file for each picture, with masks and named entity labels, and CoNLL files; its folders
and its labels are not known to us. What is read here is what labelme writes, with entity texts as
labels.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from deixis.base.gathering import files_in
from deixis.base.records import Mask
from deixis.errors import InputError
from deixis.evaluation.datasets.conll import read_conll
from deixis.evaluation.datasets.json_files import misfit, read_json
from deixis.evaluation.datasets.pictures import with_pictures
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.tweets import TEXT_QUIRKS, count_text, entities_of, row_of
from deixis.rows import RowRegion

QUIRKS = (
    "labelme files of other samples",
    "labelme files that name another picture",
    "labelme files without a polygon",
    "polygons",
    "masks of several polygons (one group)",
    "labels that match no entity",
    "masks of labels that match no entity",
    "labels with several masks",
    "polygons beyond the picture (clipped)",
    "masks that cover no pixel",
)
_Point = tuple[float, float]
_Side = Annotated[int, Field(gt=0, le=100_000)]


class _Shape(BaseModel, allow_inf_nan=False):
    label: str = Field(min_length=1)
    points: Annotated[list[_Point], Field(min_length=3)]
    group_id: int | None = None
    shape_type: Literal["polygon"]


class _Labelme(BaseModel):
    """What is used of a labelme file, which holds more; the names are labelme's."""

    shapes: list[_Shape]
    imagePath: str = ""
    imageHeight: _Side
    imageWidth: _Side


_LABELME = TypeAdapter(_Labelme)


def read_smner(source: Source) -> Converted:
    """Read ``SPLIT.txt`` (here or in ``txt``) and ``ID.json`` in ``labelme``, ``json`` or as given.

    A label is the exact text of an entity; shapes are polygons. Each is one mask; those with the
    same label and the same ``group_id`` are parts of one. A region holds the mask as COCO RLE
    and the box around its polygons. Tweets without a labelme file show nothing.

    Raises:
        DataError: a file does not parse.
        InputError: a file is not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys((*TEXT_QUIRKS, *QUIRKS), 0))
    tweets = read_conll(source.file(".txt", "txt"), allow_orphans=True)
    count_text(tweets, counts)
    folder = _folder(source)
    files = {path.stem: path for path in files_in(folder, ".json")}
    counts[QUIRKS[0]] = len(files.keys() - {tweet.id for tweet in tweets})
    rows = []
    for tweet in tweets:
        document = _read(files[tweet.id]) if tweet.id in files else None
        texts = {entity.text for entity in entities_of(tweet)}
        regions = _regions(document, counts) if document else {}
        if document:
            name = document.imagePath.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
            counts[QUIRKS[1]] += name not in {tweet.id, ""}
            counts[QUIRKS[2]] += not document.shapes
        lost = [shown for label, shown in regions.items() if label not in texts]
        counts[QUIRKS[5]] += len(lost)
        counts[QUIRKS[6]] += sum(map(len, lost))
        counts[QUIRKS[7]] += sum(len(shown) > 1 for shown in regions.values())
        size = (document.imageWidth, document.imageHeight) if document else None
        rows.append(row_of(tweet, regions, size))
    return Converted(with_pictures(source, rows, counts), dict(counts))


def _folder(source: Source) -> Path:
    own = [source.folder / "labelme", source.folder / "json"]
    for place in [source.box_files] if source.box_files else own:
        if place.is_dir():
            return place
    places = " or ".join(map(str, [source.box_files] if source.box_files else own))
    raise InputError(
        f"there is no folder {places} of labelme files; say with --boxes where they are"
    )


def _read(path: Path) -> _Labelme:
    document = read_json(path, _LABELME)
    width, height = document.imageWidth, document.imageHeight
    for number, shape in enumerate(document.shapes):
        if any(
            not (-width <= x <= 2 * width and -height <= y <= 2 * height) for x, y in shape.points
        ):
            raise misfit(path, ("shapes", number), "a point far outside the picture")
    return document


def _regions(document: _Labelme, counts: Counter[str]) -> dict[str, tuple[RowRegion, ...]]:
    """Return the regions of each label, in the order of the file."""
    parts: dict[tuple[str, int | str], list[_Shape]] = {}
    for number, shape in enumerate(document.shapes):
        alone = f"shape {number}"
        group = alone if shape.group_id is None else shape.group_id
        parts.setdefault((shape.label, group), []).append(shape)
    regions: dict[str, tuple[RowRegion, ...]] = {}
    width, height = document.imageWidth, document.imageHeight
    for (label, _), shapes in parts.items():
        region, pixels = _region([shape.points for shape in shapes], width, height)
        regions[label] = (*regions.get(label, ()), region)
        counts[QUIRKS[3]] += len(shapes)
        counts[QUIRKS[4]] += len(shapes) > 1
        counts[QUIRKS[8]] += sum(
            any(not (0 <= x <= width and 0 <= y <= height) for x, y in shape.points)
            for shape in shapes
        )
        counts[QUIRKS[9]] += pixels == 0
    return regions


def _region(polygons: list[list[_Point]], width: int, height: int) -> tuple[RowRegion, int]:
    """Return the region that polygons cover together, and the number of its pixels."""
    from pycocotools import mask as coco  # imports slowly; only masks need it

    flat = [[value for point in polygon for value in point] for polygon in polygons]
    rle = coco.merge(coco.frPyObjects(flat, height, width))
    mask = Mask(size=(height, width), counts=rle["counts"].decode("ascii"))
    xs = [min(max(x, 0.0), float(width)) for polygon in polygons for x, _ in polygon]
    ys = [min(max(y, 0.0), float(height)) for polygon in polygons for _, y in polygon]
    box = (min(xs), min(ys), max(xs), max(ys))
    return RowRegion(box=box, mask=mask), int(coco.area(rle))

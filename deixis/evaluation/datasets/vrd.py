"""VRD (Lu et al., ECCV 2016): pairs of boxes in a picture, and what the first is to the second.

The release has ``annotations_train.json`` and ``annotations_test.json``, ``{picture:
[{"predicate", "subject": {"category", "bbox": [ymin, ymax, xmin, xmax]}, "object": {...}}]}``,
whose numbers count in ``objects.json`` (100 names) and ``predicates.json`` (70). Pictures are in
``sg_dataset/sg_SPLIT_images``.
"""

from collections import Counter
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from deixis.base.boxes import Box
from deixis.evaluation.datasets.json_files import (
    NOT_FOUND,
    file_of,
    misfit,
    picture_of,
    read_json,
    unique,
)
from deixis.evaluation.datasets.source import Converted, Source
from deixis.formats.muie_rows import MuieEntity, MuieRow, Relation
from deixis.rows import RowRegion

QUIRKS = (
    "pictures without a relation",
    "relations",
    "relations that stand twice",
    "boxes without an area (left out, the thing is kept)",
    NOT_FOUND,
)


class _Thing(BaseModel, frozen=True):
    category: int
    bbox: tuple[float, float, float, float]

    def box(self) -> Box:
        ymin, ymax, xmin, xmax = self.bbox
        return xmin, ymin, xmax, ymax


class _Triple(BaseModel, frozen=True):
    predicate: int
    subject: _Thing
    object: _Thing


_Annotations = TypeAdapter(dict[str, list[_Triple]])
_Names = TypeAdapter(list[str])


def read_vrd(source: Source) -> Converted:
    """Read ``annotations_SPLIT.json``, ``objects.json`` and ``predicates.json``.

    They stand in the folder or in its ``json_dataset``. Each distinct box with its category is an
    entity, whose text and type are the name of the category; rows have no text.

    Raises:
        DataError: a file does not parse, or has a number without a name.
        InputError: a file is not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    path = file_of(source, [f"annotations_{source.split}.json"], "json_dataset")
    objects, predicates = (
        read_json(file_of(source, [f"{name}.json"], "json_dataset"), _Names)
        for name in ("objects", "predicates")
    )
    rows: dict[str, MuieRow] = {}
    for picture, triples in read_json(path, _Annotations).items():
        for number, triple in enumerate(triples):
            _check(path, (picture, number), triple, (len(objects), len(predicates)))
        things = dict.fromkeys(each for pair in triples for each in (pair.subject, pair.object))
        numbers = {thing: number for number, thing in enumerate(things)}
        relations = dict.fromkeys(
            Relation(
                subject=numbers[pair.subject],
                type=predicates[pair.predicate],
                object=numbers[pair.object],
            )
            for pair in triples
        )
        counts[QUIRKS[0]] += not triples
        counts[QUIRKS[1]] += len(triples)
        counts[QUIRKS[2]] += len(triples) - len(relations)
        identity = unique(Path(picture).stem or picture, rows)
        rows[identity] = MuieRow(
            id=identity,
            task="re",
            dataset="VRD",
            entities=tuple(_entity(thing, objects, counts) for thing in things),
            relations=tuple(relations),
            **picture_of(source, picture, counts, f"sg_dataset/sg_{source.split}_images"),
        )
    return Converted(tuple(rows.values()), dict(counts))


def _check(path: Path, place: tuple[str, int], triple: _Triple, known: tuple[int, int]) -> None:
    for name, number, names in (
        ("predicates", triple.predicate, known[1]),
        ("objects", triple.subject.category, known[0]),
        ("objects", triple.object.category, known[0]),
    ):
        if not 0 <= number < names:
            raise misfit(
                path, place, f"there is no number {number} in {name}.json, which has {names}"
            )


def _entity(thing: _Thing, objects: list[str], counts: Counter[str]) -> MuieEntity:
    x1, y1, x2, y2 = box = thing.box()
    flat = x2 <= x1 or y2 <= y1
    counts[QUIRKS[3]] += flat
    name = objects[thing.category]
    return MuieEntity(text=name, type=name, regions=None if flat else (RowRegion(box=box),))

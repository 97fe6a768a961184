"""PASCAL VOC (Everingham et al., IJCV 2010): things in pictures, with a category and a box.

The release has ``Annotations/ID.xml``, ``ImageSets/Main/SPLIT.txt`` with an id to a line, and
``JPEGImages/ID.jpg``. The benchmark of MUIE names PASCAL-C (Mottaghi et al., CVPR 2014), which
labels the pixels of the same pictures with more categories, in files of MATLAB that are not read.
"""

from collections import Counter

from deixis.base.text_files import lines_of
from deixis.errors import DataError
from deixis.evaluation.datasets.json_files import NOT_FOUND, file_of, picture_of
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.voc import read_annotations
from deixis.formats.muie_rows import MuieEntity, MuieRow
from deixis.rows import RowRegion

QUIRKS = ("things", "ids of the split without an annotation (left out)", NOT_FOUND)


def read_pascal(source: Source) -> Converted:
    """Read the annotations of a split; each thing is an entity, called what its category is.

    Raises:
        DataError: a file does not parse, or an id stands twice.
        InputError: there is no such split, or no folder ``Annotations``.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    path = file_of(source, [f"{source.split}.txt"], "ImageSets/Main", "ImageSets/Segmentation")
    annotations = read_annotations(source.folder / "Annotations")
    rows: dict[str, MuieRow] = {}
    for number, line in lines_of(path):
        identity = line.split()[0]
        if identity in rows:
            raise DataError(f"{path}:{number}: the id {identity!r} stands twice")
        if identity not in annotations:
            counts[QUIRKS[1]] += 1
            continue
        annotation = annotations[identity]
        counts[QUIRKS[0]] += len(annotation.objects)
        shown = picture_of(source, f"{identity}.jpg", counts, "JPEGImages")
        rows[identity] = MuieRow(
            id=identity,
            task="ner",
            dataset="PASCAL-C",
            entities=tuple(
                MuieEntity(text=name, type=name, regions=(RowRegion(box=box),))
                for name, box in annotation.objects
            ),
            **{**shown, **({"size": annotation.size} if annotation.size else {})},
        )
    return Converted(tuple(rows.values()), dict(counts))

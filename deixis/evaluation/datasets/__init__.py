"""Readers of the field's data sets: every one turns its release into rows and counts its quirks."""

from pathlib import Path

from deixis.base.problems import nearest
from deixis.errors import InputError
from deixis.evaluation.datasets import ace
from deixis.evaluation.datasets.gmner import read_fmnerg, read_gmner
from deixis.evaluation.datasets.imsitu import read_imsitu
from deixis.evaluation.datasets.m2e2 import read_m2e2
from deixis.evaluation.datasets.m3d import read_m3d
from deixis.evaluation.datasets.mmre import read_mmre
from deixis.evaluation.datasets.mner import read_mner, read_twt17
from deixis.evaluation.datasets.mner_mi import read_mner_mi, read_mner_mi_plus
from deixis.evaluation.datasets.mnre import read_mnre
from deixis.evaluation.datasets.muie import read_muie
from deixis.evaluation.datasets.pascal import read_pascal
from deixis.evaluation.datasets.smner import read_smner
from deixis.evaluation.datasets.source import Converted, Dataset, Source
from deixis.evaluation.datasets.tacred import read_retacred
from deixis.evaluation.datasets.vidsitu import read_vidsitu
from deixis.evaluation.datasets.vkel import read_vkel
from deixis.evaluation.datasets.vrd import read_vrd

DATASETS = {
    "gmner": Dataset(read_gmner, boxes=True),
    "fmnerg": Dataset(read_fmnerg, boxes=True),
    "smner": Dataset(read_smner, boxes=True),
    "twitter2015": Dataset(read_mner),
    "twitter2017": Dataset(read_mner),
    "mner-mi": Dataset(read_mner_mi),
    "mner-mi-plus": Dataset(read_mner_mi_plus),
    "mmre": Dataset(read_mmre, boxes=True, lines=".summaries.jsonl"),
    "muie": Dataset(read_muie, images=False, lines=".jsonl"),
    "vkel": Dataset(read_vkel),
    "twt17": Dataset(read_twt17),
    "mnre": Dataset(read_mnre),
    "m2e2": Dataset(read_m2e2),
    "pascal": Dataset(read_pascal),
    "vrd": Dataset(read_vrd),
    "imsitu": Dataset(read_imsitu),
    "vidsitu": Dataset(read_vidsitu),
    "m3d": Dataset(read_m3d),
    "retacred": Dataset(read_retacred, images=False),
    "ace": Dataset(ace.reader("ner"), images=False),
    "ace-re": Dataset(ace.reader("re"), images=False),
    "ace-ee": Dataset(ace.reader("ee"), images=False),
}


def convert(
    name: str,
    src: Path,
    split: str,
    *,
    boxes: Path | None = None,
    images: Path | None = None,
    beside: Path | None = None,
) -> Converted:
    """Read one split of a data set.

    Args:
        name: one of `DATASETS`.
        src: the folder of the release; each reader says what it holds.
        split: ``train``, ``dev`` or whatever the files are called.
        boxes: the folder or archive of box files (of masks), where it is not in `src`.
        images: a folder of pictures named by the ids, for ``image``.
        beside: the folder of the file that the rows go to; relative paths of pictures start
            there.

    Raises:
        DataError: a file does not parse; the message names the file and the line.
        InputError: there is no such data set or file, it cannot be read, or the data set has no
            use for `boxes` or `images`.
    """
    dataset = DATASETS.get(name)
    if dataset is None:
        raise InputError(
            f"there is no data set {name!r}{nearest(name, DATASETS)}; known: {', '.join(DATASETS)}"
        )
    if boxes and not dataset.boxes:
        raise InputError(f"{name} has no box files; leave out --boxes")
    if images and not dataset.images:
        raise InputError(f"{name} names its own pictures; leave out --images")
    try:
        return dataset.read(Source(src, split, boxes, images, beside))
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from None

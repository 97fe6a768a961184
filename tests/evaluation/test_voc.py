import gzip
import io
import tarfile
from pathlib import Path

import pytest

from deixis.errors import DataError
from deixis.evaluation.voc import Annotation, boxes_by_name, read_annotations, read_voc

BOX = "<bndbox><xmin>{}</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
VOC = f"""<annotation><filename>12_region.jpg</filename>
<size><width>100</width><height>80</height><depth>1</depth></size>
<object><name>Ada</name>{BOX.format(1)}</object>
<object><name>London</name>{BOX.format(2)}</object>
<object><name>Ada</name>{BOX.format(3)}</object></annotation>"""


def test_annotations_keep_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "12.xml").write_text(VOC)
    objects = (("Ada", (1, 2, 30, 40)), ("London", (2, 2, 30, 40)), ("Ada", (3, 2, 30, 40)))
    where = str(tmp_path / "12.xml")
    annotation = Annotation(where, "12_region.jpg", (100, 80), 1, objects)
    assert read_annotations(tmp_path) == {"12": annotation}
    assert boxes_by_name(annotation) == read_voc(tmp_path)["12"]
    assert list(boxes_by_name(annotation)) == ["Ada", "London"]


@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height></size>"])
def test_a_size_that_is_not_known(tmp_path: Path, size: str) -> None:
    (tmp_path / "12.xml").write_text(f"<annotation>{size}</annotation>")
    assert read_annotations(tmp_path)["12"][1:] == ("", None, None, ())


def test_an_archive_that_is_damaged(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo("xml/12.xml")
        entry.size = len(VOC)
        tar.addfile(entry, io.BytesIO(VOC.encode()))
    packed = bytearray(gzip.compress(raw.getvalue()))
    path = tmp_path / "xml.tar.gz"
    path.write_bytes(packed)
    assert list(read_voc(path)) == ["12"]
    for damaged in (packed[:150], packed[:60] + b"\xff" * 40 + packed[100:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="not a readable tar archive"):
            read_voc(path)

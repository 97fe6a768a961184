import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from deixis.errors import DataError
from deixis.evaluation.datasets.voc import Annotation, boxes_by_name, read_annotations, read_voc

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
    assert read_annotations(tmp_path)["12"][1:5] == ("", None, None, ())


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
        with pytest.raises(DataError, match="not a readable tar or zip archive"):
            read_voc(path)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1.5", 1.5),
        ("1.0", 1),
        ("1e1", 10),
        ("+2.", 2),
        ("-3", -3),
        ("\n  4\n", 4),
        ("31", 30),  # beyond xmax: the corners change places
    ],
)
def test_numbers_as_tools_write_them(tmp_path: Path, given: str, read: float) -> None:
    box = (
        BOX.format(given)
        .replace("<ymax>40</ymax>", "")
        .replace("<bndbox>", "<bndbox><ymax>40</ymax>")
    )
    (tmp_path / "12.xml").write_text(
        f"<annotation><object><name>\n Ada\n</name>{box}</object></annotation>"
    )
    found = read_annotations(tmp_path)["12"]
    assert found.objects == (("Ada", (read, 2, 31 if given == "31" else 30, 40)),)
    assert found.swapped == (given == "31")


@pytest.mark.parametrize(
    "given", ["nan", "inf", "-inf", "1e999", "", " ", "1_0", "0x1", "1,5", "1 2"]
)
def test_what_is_no_number_is_refused(tmp_path: Path, given: str) -> None:
    (tmp_path / "12.xml").write_text(VOC.replace("<xmin>2<", f"<xmin>{given}<"))
    with pytest.raises(DataError, match=r"12\.xml:4: a box without four numbers: <xmin> is"):
        read_annotations(tmp_path)
    (tmp_path / "12.xml").write_text(VOC.replace("<width>100<", f"<width>{given}<"))
    if given.strip():
        with pytest.raises(DataError, match=r"12\.xml:2: a size that is not in whole numbers"):
            read_annotations(tmp_path)
    else:
        assert read_annotations(tmp_path)["12"].size is None


@pytest.mark.parametrize(
    ("size", "read"),
    [
        ("<width>100.0</width><height> 80 </height>", (100, 80)),
        ("<width>100</width>", None),
        ("<depth>3</depth>", None),
        ("", None),
    ],
)
def test_sizes_as_tools_write_them(tmp_path: Path, size: str, read: tuple[int, int] | None) -> None:
    (tmp_path / "12.xml").write_text(f"<annotation><size>{size}</size></annotation>")
    assert read_annotations(tmp_path)["12"].size == read


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp037", "utf-16"])
def test_a_dtd_is_refused_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    head = '<?xml version="1.0"?>' if encoding != "cp037" else ""
    dtd = f'{head}<!DOCTYPE a [<!ENTITY b "c">]>' + VOC
    (tmp_path / "12.xml").write_bytes(dtd.encode(encoding))
    with pytest.raises(DataError, match=r"DTD|UTF-16|not well-formed"):
        read_annotations(tmp_path)


def test_ends_of_lines_and_a_mark_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "12.xml").write_text(VOC)
    plain = read_annotations(tmp_path)
    for end, mark in (("\r\n", ""), ("\n", "\ufeff"), ("\r", "\ufeff")):
        (tmp_path / "12.xml").write_bytes((mark + VOC.replace("\n", end)).encode())
        assert read_annotations(tmp_path) == plain


LEFT_OVER = ("._12.xml", ".DS_Store", "__MACOSX/._12.xml", "__MACOSX/13.xml", ".git/14.xml")


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz", "zip"])
def test_what_file_managers_leave_is_passed_over(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "xml"
    for name in LEFT_OVER:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\0\5\x16\7")
    (folder / "12.xml").write_text(VOC)
    (folder / "15.XML").write_text(VOC)
    path = folder
    if kind == "zip":
        path = tmp_path / "xml.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for each in sorted(folder.rglob("*")):
                archive.write(each, each.relative_to(tmp_path))
    elif kind != "folder":
        path = tmp_path / f"xml.{kind}"
        with tarfile.open(path, "w:gz" if "gz" in kind else "w") as tar:
            tar.add(folder, "./xml")
    assert sorted(read_voc(path)) == ["12", "15"]


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_giant_in_an_archive_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"xml.{kind}"
    giant = b" " * 10_000_001
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("12.xml", giant)
    else:
        with tarfile.open(path, "w:gz") as tar:
            entry = tarfile.TarInfo("12.xml")
            entry.size = len(giant)
            tar.addfile(entry, io.BytesIO(giant))
    with pytest.raises(DataError, match="more than 10,000,000 bytes"):
        read_voc(path)

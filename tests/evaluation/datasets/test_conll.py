import io
import tarfile
from pathlib import Path

import pytest

from deixis.errors import DataError
from deixis.evaluation.datasets.conll import Mention, mentions, orphans, read_conll
from deixis.evaluation.datasets.voc import read_voc


def write(folder: Path, text: str) -> Path:
    path = folder / "sample.txt"
    path.write_bytes(text.encode())
    return path


def test_reads_samples_and_keeps_odd_tokens(tmp_path: Path) -> None:
    text = "IMGID:O_1\n\ufe0f\tO\n\u2028\tO\n \tO\n\nIMGID:2\nAda\tB-PER\nLovelace\tI-PER\n\n"
    first, second = read_conll(write(tmp_path, text))
    assert first.id == "O_1"
    assert first.tokens == ("\ufe0f", "\u2028", " ")
    assert second.tokens == ("Ada", "Lovelace")
    assert second.tags == ("B-PER", "I-PER")


def test_last_sample_needs_no_empty_line(tmp_path: Path) -> None:
    assert [s.id for s in read_conll(write(tmp_path, "IMGID:1\na\tO\n\nIMGID:2\nb\tO"))] == [
        "1",
        "2",
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\tO\n", 1, "expected 'IMGID:'"),
        ("IMGID:\na\tO\n", 1, "expected 'IMGID:'"),
        ("IMGID:1\na O\n", 2, "expected token, tab, tag"),
        ("IMGID:1\n\tO\n", 2, "expected token, tab, tag"),
        ("IMGID:1\na\tB-FOO\n", 2, "unknown tag"),
        ("IMGID:1\na\tO\r", 2, "unknown tag"),
        ("IMGID:1\na\tI-PER\n", 2, "continues no PER"),
        ("IMGID:1\na\tB-LOC\nb\tI-PER\n", 3, "continues no PER"),
        ("IMGID:1\na\tO\n\nIMGID:1\nb\tO\n", 4, "stands twice"),
        ("IMGID:1\n\n", 2, "has no token"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_conll(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert reason in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("mark", "end"), [("", "\r\n"), ("\ufeff", "\n"), ("\ufeff", "\r")])
def test_ends_of_lines_and_a_mark_do_no_harm(tmp_path: Path, mark: str, end: str) -> None:
    text = "IMGID:1\na\tO\n\nIMGID:2\nAda\tB-PER\n\x85\tO\n"
    plain = read_conll(write(tmp_path, text))
    assert plain[1].tokens == ("Ada", "\x85")
    assert read_conll(write(tmp_path, mark + text.replace("\n", end))) == plain


def test_a_carriage_return_may_be_a_token(tmp_path: Path) -> None:
    (sample,) = read_conll(write(tmp_path, "IMGID:1\n\r\tO\nb\rc\tO\n"))
    assert sample.tokens == ("\r", "b\rc")


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"IMGID:1\n\xe9\tO\n")
    with pytest.raises(DataError, match=r"latin\.txt:2: not UTF-8"):
        read_conll(path)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], []),
        (["O", "O"], []),
        (["B-PER", "I-PER", "O"], [Mention(0, 2, "PER")]),
        (["B-PER", "B-PER"], [Mention(0, 1, "PER"), Mention(1, 2, "PER")]),
        (["B-PER", "I-LOC", "I-LOC"], [Mention(0, 1, "PER"), Mention(1, 3, "LOC")]),
        (["O", "I-ORG"], [Mention(1, 2, "ORG")]),
    ],
)
def test_mentions(tags: list[str], expected: list[Mention]) -> None:
    assert mentions(tags) == expected


@pytest.mark.parametrize(
    ("tags", "number"),
    [
        (["B-PER", "I-PER", "B-PER"], 0),
        (["I-PER", "I-PER", "O", "I-PER"], 2),
        (["B-PER", "I-LOC", "I-LOC", "I-PER"], 2),
    ],
)
def test_orphans_open_entities(tmp_path: Path, tags: list[str], number: int) -> None:
    assert orphans(tags) == number
    text = "IMGID:1\n" + "".join(f"a\t{tag}\n" for tag in tags)
    (sample,) = read_conll(write(tmp_path, text), allow_orphans=True)
    begun = sum(tag[0] == "B" for tag in tags)
    assert len(mentions(sample.tags)) == begun + number


def test_a_third_column_holds_fine_types(tmp_path: Path) -> None:
    text = "IMGID:1\nAda\tB-person\tB-author\nLovelace\tI-person\tI-author\nx\ty\tO\tO\n"
    (sample,) = read_conll(write(tmp_path, text), ["person"], fine_types=["author"])
    assert sample.tokens == ("Ada", "Lovelace", "x\ty")
    assert sample.tags == ("B-person", "I-person", "O")
    assert sample.fine_tags == ("B-author", "I-author", "O")
    assert mentions(sample.fine_tags) == [Mention(0, 2, "author")]


VOC = """<annotation><filename>wrong_region.jpg</filename>
<object><name>Ada Lovelace</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>
</bndbox></object>
<object><name>Ada Lovelace</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>8</ymax>
</bndbox></object></annotation>"""
GOLD = {"O_7": {"Ada Lovelace": [(1, 2, 30, 40), (5, 6, 7, 8)]}}


def test_voc_folder_and_archive_agree(tmp_path: Path) -> None:
    folder = tmp_path / "xml"
    folder.mkdir()
    (folder / "O_7.xml").write_text(VOC)
    archive = tmp_path / "xml.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("xml/O_7.xml")
        entry.size = len(VOC)
        tar.addfile(entry, io.BytesIO(VOC.encode()))
    assert read_voc(folder) == GOLD
    assert read_voc(archive) == GOLD


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (VOC[:-4], "not well-formed"),
        ("<!DOCTYPE a>" + VOC, "DTD"),
        (VOC.replace("<xmin>1<", "<xmin>one<"), "four numbers: <xmin> is 'one'"),
        (VOC.replace("<name>Ada Lovelace</name>", "", 1), "without a name"),
    ],
)
def test_voc_errors_name_the_file(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "O_7.xml").write_text(text)
    with pytest.raises(DataError, match=reason) as caught:
        read_voc(tmp_path)
    assert "O_7.xml" in str(caught.value)


def test_voc_archive_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "xml.tar.gz"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="tar or zip archive"):
        read_voc(path)

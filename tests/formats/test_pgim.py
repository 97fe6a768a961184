from pathlib import Path

from deixis.formats.pgim import Annotation, read
from deixis.rows import Row

FILE = """\ufeffHello
17_06_2932
Named entities:1. Ada Lovelace (person/author)2. #Ada_2 (event)Reasoning:It mentions Ada.
16_05_10_969\r
Named entities may not be present in this sentence.\r

O_3127
Named entities: None.
Reasoning: The picture of O_2 may show her.
563049
50447
None
O_3127
Named entities:1. Bo (person)
9
Nobody has this post.
12"""


def test_an_id_then_what_was_written(tmp_path: Path) -> None:
    (path := tmp_path / "train.txt").write_bytes(FILE.encode())
    rows = [Row(id=each) for each in ("16_05_10_969", "17_06_2932", "O_3127", "50447", "563049")]
    samples, misfits = read(path, rows)
    lines = FILE.replace("\r", "").split("\n")
    assert samples == [
        Annotation("17_06_2932", lines[2]),
        Annotation("16_05_10_969", "Named entities may not be present in this sentence."),
        Annotation("O_3127", f"{lines[7]}\n{lines[8]}"),
        Annotation("50447", "None"),
    ]
    assert {number: (each.piece, each.reason) for number, each in misfits.items()} == {
        1: ("Hello", "it stands before the first id"),
        10: ("563049", "no annotation follows this id"),
        13: ("O_3127", "this id stands twice, and the first counts"),
        15: ("9", "there is no row with this id"),
        17: ("12", "no annotation follows this id"),
    }

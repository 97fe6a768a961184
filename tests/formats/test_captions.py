from pathlib import Path

from deixis.formats.captions import read

FILE = """\
Here they are:
imgid:17_06_2932###A woman stands, "on" a stage.

Behind her: two chairs.
imgid:O_2###
imgid:563049###A sign: imgid:1###
17_06_2932.jpg :a woman
71044.jpg:a park : green
what is this
"""


def test_both_forms_and_what_is_left_out(tmp_path: Path) -> None:
    (path := tmp_path / "captions.txt").write_text(FILE)
    captions, misfits = read(path)
    assert captions == {
        "17_06_2932": 'A woman stands, "on" a stage.\n\nBehind her: two chairs.',
        "563049": "A sign: imgid:1###",
        "71044": "a park : green",
    }
    assert {number: (each.piece, each.reason) for number, each in misfits.items()} == {
        1: ("Here they are:", "it is neither imgid:ID###text nor ID.jpg:text"),
        5: ("O_2", "its description has no words"),
        7: ("17_06_2932", "this id stands twice, and the first counts"),
        9: ("what is this", "it is neither imgid:ID###text nor ID.jpg:text"),
    }

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


NEITHER = 'it is neither {"id", "caption"} nor imgid:ID###text nor ID.jpg:text'
LINES = """\
{"id": 17, "caption": "A woman.\\nTwo chairs.", "text": "more"}

{"id": "O_2", "caption": null}
{"id": "O_3"}
{"id": "17", "caption": "another"}
{"id": "O_4", "caption": "a park",}
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
        1: ("Here they are:", NEITHER),
        5: ("O_2", "its description has no words"),
        7: ("17_06_2932", "this id stands twice, and the first counts"),
        9: ("what is this", NEITHER),
    }


def test_json_lines(tmp_path: Path) -> None:
    (path := tmp_path / "captions.jsonl").write_text(LINES)
    captions, misfits = read(path)
    assert captions == {"17": "A woman.\nTwo chairs."}
    assert [(number, each.reason.split(": ")[-1]) for number, each in sorted(misfits.items())] == [
        (3, "its description has no words"),
        (4, "it has no id and caption, which are words"),
        (5, "this id stands twice, and the first counts"),
        (6, "no comma stands before a closing bracket; take it away"),
    ]

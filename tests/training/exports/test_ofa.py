"""OFA's tables: columns as its repository says, one line for each expression."""

import base64
from pathlib import Path

from deixis.training.exports.registry import export
from deixis.training.lessons.records import Slot

from .made import made

USER = """\
e1: <post>Grace Hopper (PER) - a computer\tscientist</post>
e2: <post>Yale (ORG) - a
university</post>
e3: <post>IBM (ORG) - a company</post>
For each: ...."""


def table(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="utf-8")
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def test_entailment_has_the_columns_of_snli_ve(tmp_path: Path) -> None:
    answer = ('{"e1": "entailment", "e2": "contradiction", "e3": "contradiction"}',)
    lessons = made(tmp_path, {"user": USER, "answer": answer, "row": "17"}, course="riveg-ve")
    done = export(lessons, "ofa", tmp_path)
    lines = table(done.file)
    assert done.lines == len(lines) == 3
    assert lines[0][:2] == ["1.jpg#e1", "17"]
    assert [line[3:] for line in lines] == [
        ["Grace Hopper (PER) - a computer scientist", "", "entailment"],
        ["Yale (ORG) - a university", "", "contradiction"],
        ["IBM (ORG) - a company", "", "contradiction"],
    ]
    picture = (tmp_path / lessons.lessons[0].media[0].file).read_bytes()
    assert {base64.urlsafe_b64decode(line[2]) for line in lines} == {picture}


def test_grounding_has_the_columns_of_refcoco(tmp_path: Path) -> None:
    answer = (
        '{"e1": ',
        Slot(box=(1.25, 2.0, 30.5, 40.0)),
        ', "e2": null, "e3": ',
        Slot(box=(3.0, 4.0, 5.0, 6.0)),
        "}",
    )
    lessons = made(tmp_path, {"user": USER, "answer": answer}, course="riveg-vg")
    lines = table(export(lessons, "ofa", tmp_path).file)
    assert [line[:4] for line in lines] == [
        ["1.jpg#e1", "1", "Grace Hopper (PER) - a computer scientist", "1.25,2.0,30.5,40.0"],
        ["1.jpg#e3", "1", "IBM (ORG) - a company", "3.0,4.0,5.0,6.0"],
    ]
    assert base64.urlsafe_b64decode(lines[0][4]).startswith(b"\xff\xd8")


def test_a_table_needs_no_other_file(tmp_path: Path) -> None:
    answer = ('{"e1": "entailment"}',)
    lessons = made(tmp_path / "lessons", {"user": USER, "answer": answer}, course="riveg-ve")
    export(lessons, "ofa", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["ofa.tsv"]


def test_what_it_cannot_hold_is_counted(tmp_path: Path) -> None:
    answer = ('{"e1": "entailment"}',)
    fine = {"user": USER, "answer": answer}
    lessons = made(
        tmp_path, fine, {**fine, "user": "e1: x"}, {**fine, "media": ()}, course="riveg-ve"
    )
    done = export(lessons, "ofa", tmp_path)
    assert done.lines == 1
    assert done.left_out.total() == 2

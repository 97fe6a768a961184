"""brat: folders of texts with standoff annotations."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from deixis.errors import DataError, InputError
from deixis.exchange import brat
from deixis.exchange.items import How, Item
from deixis.rows import Problem

from .made_rows import item_of, plain, rows

MET = {
    "id": "../a/b",
    "text": "👩‍🚀 Ada met\r\nGrace Hopper",
    "image": "a.jpg",
    "entities": [
        {"text": "Ada", "start": 4, "end": 7, "type": "PER", "regions": []},
        {
            "text": "Grace Hopper",
            "start": 13,
            "end": 25,
            "type": "PER",
            "fine_type": "a/b",
            "regions": [{"box": [1, 2, 3, 4]}],
        },
    ],
    "relations": [{"subject": 0, "type": "PER:knows", "object": 1}],
    "events": [
        {
            "type": "Contact:Meet",
            "trigger": {"text": "met", "start": 8, "end": 11},
            "arguments": [{"role": "Entity", "entity": 0}, {"role": "Entity", "entity": 1}],
        }
    ],
}


def written(row: dict[str, Any], folder: Path) -> Path:
    brat.write([item_of(row, folder)], folder / "brat", How())
    return folder / "brat"


def read(folder: Path) -> list[dict[str, Any] | Problem]:
    return list(brat.read(folder, How()))


def folder_of(tmp_path: Path, text: str, annotations: str) -> Path:
    (tmp_path / "one.txt").write_bytes(text.encode())
    (tmp_path / "one.ann").write_bytes(annotations.encode())
    return tmp_path


@given(rows())
def test_a_gold_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        [again] = read(written(row, Path(folder)))
    assert isinstance(again, dict), again
    assert plain(again) == plain(row)


def test_lines_are_those_of_brat(tmp_path: Path) -> None:
    folder = written(MET, tmp_path)
    names = sorted(path.name for path in folder.iterdir())
    one = "0000001-a_b"
    beside = [f"{one}.ann", f"{one}.json", f"{one}.txt"]
    assert names == [*beside, "annotation.conf", "visual.conf"]
    assert (folder / f"{one}.txt").read_bytes() == MET["text"].encode()  # type: ignore[attr-defined]
    lines = (folder / f"{one}.ann").read_text("utf-8").splitlines()
    said = [line for line in lines if not line.startswith("#")]
    assert said == [
        "T1\tPER 4 7\tAda",
        "A1\tNotInThePictures T1",
        "T2\tPER 13 25\tGrace Hopper",
        "A2\tFineType T2 a_b",
        "T3\tContact_Meet 8 11\tmet",
        "E1\tContact_Meet:T3 Entity:T1 Entity2:T2",
        "R1\tPER_knows Arg1:T1 Arg2:T2",
    ]
    notes = [line for line in lines if line.startswith("#")]
    assert json.loads(notes[1].split("\t")[2])["regions"] == [{"box": [1, 2, 3, 4]}]
    config = (folder / "annotation.conf").read_text("utf-8")
    for section in ("[entities]\nPER", "[relations]\nPER_knows\t", "[events]\nContact_Meet\t"):
        assert section in config
    assert "a_b | a/b" in (folder / "visual.conf").read_text("utf-8")


def test_what_people_have_changed_counts(tmp_path: Path) -> None:
    folder = written(MET, tmp_path)
    path = folder / "0000001-a_b.ann"
    lines = path.read_text("utf-8").splitlines()
    lines = [line for line in lines if not line.startswith(("T1\t", "A1\t", "R1\t"))]
    lines = [line.replace("PER 13 25\tGrace Hopper", "ORG 13 18\tGrace") for line in lines]
    lines.append("T9\tLOC 8 11\tmet")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    problem, row = read(folder)
    assert isinstance(problem, Problem)
    assert "'Entity:T1' is no name of an entity" in problem.error
    assert isinstance(row, dict)
    grace, met = row["entities"]
    assert (grace["text"], grace["start"], grace["type"]) == ("Grace", 13, "ORG")
    assert grace["regions"] == [{"box": [1, 2, 3, 4]}]
    assert (met["text"], met["regions"]) == ("met", None)
    assert row["events"][0]["arguments"] == [{"role": "Entity", "entity": 0}]


def test_a_folder_of_others_is_read(tmp_path: Path) -> None:
    text, lines = "Ada\nLovelace met Babbage", "T1\tPer 0 3;4 12\tAda Lovelace\n"
    lines += "T2\tPer 17 24\tBabbage\nT3\tMeet 13 16\tmet\nE1\tMeet:T3 Who:T1 Who2:T2\n"
    [row] = read(folder_of(tmp_path, text, lines + "#1\tAnnotatorNotes T1\tsure\n"))
    assert isinstance(row, dict)
    assert (row["id"], row["image"]) == ("one", None)
    assert [each["text"] for each in row["entities"]] == ["Ada\nLovelace", "Babbage"]
    assert [part["role"] for part in row["events"][0]["arguments"]] == ["Who", "Who"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("T2\tPer 0 3;8 11\tAda met", "a name in several pieces"),
        ("T2\tPer 0 99\tAda", "0:99 is no place in a text of 12 characters"),
        ("T2\tPer 3 0\tAda", "3:0 is no place"),
        ("T2\tPer 0 3\tEve", "'Eve' does not stand at 0:3"),
        ("T2\tPer zero 3\tAda", "a name without a type, its start and its end"),
        ("T1\tPer 0 3\tAda", "T1 stands twice"),
        ("T2", "lines of the kind 'T2' are not read"),
        ("*\tEquiv T1 T2", "lines of the kind '*' are not read"),
        ("N1\tReference T1 Wikidata:Q7259\tAda", "lines of the kind 'N1' are not read"),
        ("A1\tNegation T1", "the attribute 'Negation' has no place in a row"),
        ("R1\tKnows T1 T2", "a relation without a type, Arg1 and Arg2"),
        ("R1\tKnows Arg1:T1 Arg2:T8", "a relation between what are not two names"),
        ("E1\tMeet", "an event without a trigger"),
        ("E1\tMeet:T8 Who:T1", "there is no name 'T8'"),
        ("#1\tAnnotatorNotes T1\t" + '{"a":' * 9999, "nested too deeply"),
        ("#1\tAnnotatorNotes T1\t{NaN", "Expecting property name"),
    ],
)
def test_a_wrong_line_is_told_and_others_are_read(tmp_path: Path, line: str, said: str) -> None:
    folder = folder_of(tmp_path, "Ada is a met", f"T1\tPer 0 3\tAda\n{line}\n")
    *problems, row = read(folder)
    assert any(
        isinstance(problem, Problem)
        and problem.error.startswith("one.ann:2: ")
        and said in problem.error
        for problem in problems
    ), problems
    assert isinstance(row, dict)
    assert row["entities"][0]["text"] == "Ada"


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"regions": "here"}, "entities.0.regions"),
        ({"regions": [{"box": [1, 2, 3]}]}, "box"),
        (
            {"regions": [{"box": [1, 2, 3, 4], "mask": {"size": [9, 9], "counts": "1"}}]},
            "do not fill",
        ),
        ({"spans": [[-1, 2]]}, "spans"),
    ],
)
def test_a_note_that_is_wrong_loses_its_row_alone(
    tmp_path: Path, note: dict[str, Any], said: str
) -> None:
    folder = folder_of(
        tmp_path, "Ada", f"T1\tPer 0 3\tAda\n#1\tAnnotatorNotes T1\t{json.dumps(note)}"
    )
    (tmp_path / "two.txt").write_text("Eve", "utf-8")
    (tmp_path / "two.ann").write_text("T1\tPer 0 3\tEve", "utf-8")
    problem, row = read(folder)
    assert isinstance(problem, Problem)
    assert said in problem.error
    assert isinstance(row, dict)
    assert row["id"] == "two"


def test_texts_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "Ada", "T1\tPer 0 3\tAda")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xff")
    (tmp_path / "bare.txt").write_text("Ada", "utf-8")
    (tmp_path / "one.json").write_text(
        '{"row": {"id": 7}, "entities": [[0, 1], 2], "events": 3', "utf-8"
    )
    problems = [each.error for each in read(folder) if isinstance(each, Problem)]
    assert len(problems) == 3
    assert "bare.ann is not there" in problems[0]
    assert "bytes.txt: not UTF-8" in problems[1]
    assert "one.json" in problems[2]


def test_annotations_that_are_there_are_not_written_over(tmp_path: Path) -> None:
    folder = written(MET, tmp_path)
    with pytest.raises(InputError, match="has annotations already"):
        written(MET, tmp_path)
    with pytest.raises(InputError, match="has no "):
        read(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        read(folder / "annotation.conf")


def test_of_rows_that_end_in_an_error_nothing_is_left(tmp_path: Path) -> None:
    def items() -> Iterator[Item]:
        yield item_of(MET, tmp_path)
        raise DataError("rows.jsonl:2: not UTF-8")

    with pytest.raises(DataError, match="not UTF-8"):
        brat.write(items(), tmp_path / "brat", How())
    assert list((tmp_path / "brat").iterdir()) == []
    assert written(MET, tmp_path).is_dir()

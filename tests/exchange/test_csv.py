"""CSV for Neo4j: what is read again is what was given; every end of a relationship is there."""

import csv
from pathlib import Path
from typing import Any

import pytest

from deixis.exchange.csv import HEADERS
from deixis.exchange.items import Written

from .conftest import AGAIN, ALL, EVIL, GOLD, HOSTILE, SEEN, SHA, Write

NODES = ("posts", "pictures", "entities", "events")


def tables_of(written: Written) -> dict[str, list[dict[str, str]]]:
    tables = {}
    for path in written.files:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert all(len(row) == len(rows[0]) for row in rows), path
        tables[path.stem] = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    return tables


def test_what_the_files_hold(write: Write) -> None:
    written = write("csv", [SEEN, AGAIN])
    tables = tables_of(written)
    assert written.counts == {name: len(rows) for name, rows in tables.items()}
    assert tables["posts"][0] == {
        "id:ID(Post)": "1",
        "text": "Grace Hopper of the US Navy",
        "audio": "",
        "video": "",
        ":LABEL": "Post",
    }
    assert tables["entities"][0] == {
        "id:ID(Entity)": "person/grace hopper",
        "name": "Grace Hopper",
        "type": "person",
        ":LABEL": "Entity;person;intellectual;author",
    }
    [picture] = tables["pictures"]
    assert picture["id:ID(Picture)"] == SHA and picture["path"] == "../../in/pictures/a b.jpg"
    seen, unseen, *undecided = tables["mentions"]
    assert (seen["groundable:boolean"], seen["start:int"], seen["end:int"]) == ("true", "0", "12")
    assert unseen["groundable:boolean"] == "false" and unseen["confidence:double"] == "0.9"
    assert [mention["groundable:boolean"] for mention in undecided] == ["", ""]
    assert [tuple(row[edge] for edge in HEADERS["shows"][4:9]) for row in tables["shows"]] == [
        ("10.4", "5.0", "30.2", "60.0", "0.8"),
        ("40.0", "5.0", "50.0", "60.0", "0.25"),
    ]
    [relation] = tables["relations"]
    assert relation[":TYPE"] == "member of" and relation["confidence:double"] == "0.7"
    assert [row[":TYPE"] for row in tables["arguments"]] == ["Teacher", "Place"]
    assert tables["events"][0][":LABEL"] == "Event;Life:Teach"
    assert written.left_out == ["masks: they have no column (1 in all, first in '1')"]


def test_ids_are_one_of_a_kind_and_both_ends_are_there(write: Write) -> None:
    tables = tables_of(write("csv", ALL))
    ids: dict[str, list[str]] = {}
    for name in NODES:
        column = HEADERS[name][0]
        ids[column.partition("ID")[2]] = [row[column] for row in tables[name]]
    assert all(len(set(each)) == len(each) > 0 for each in ids.values())
    for name in HEADERS.keys() - set(NODES):
        assert tables[name]
        for column in HEADERS[name][:2]:
            known = ids[column.partition("_ID")[2]]
            assert all(row[column] in known for row in tables[name]), (name, column)


def test_hostile_texts_come_back_whole(write: Write) -> None:
    tables = tables_of(write("csv", HOSTILE))
    assert EVIL in {row["text"] for row in tables["posts"]}
    assert EVIL in {row["text"] for row in tables["mentions"]}
    assert {row[":TYPE"] for row in tables["relations"]} == {EVIL}
    assert "=cmd|' /C calc'!A0" in {row["text"] for row in tables["mentions"]}, "as it was given"
    labels = {label for row in tables["entities"] for label in row[":LABEL"].split(";")}
    assert "=1+1" not in labels and "Entity" in labels and "" not in labels


def test_pictures_behind_a_prefix(write: Write) -> None:
    tables = tables_of(write("csv", [SEEN, GOLD], pictures="/import/"))
    assert [row["path"] for row in tables["pictures"]] == [
        "/import/pictures/a b.jpg",
        "/import/one.jpg",
        "https://example.org/two.jpg#top",
    ]


def test_all_files_or_none(write: Write, tmp_path: Path) -> None:
    (tmp_path / "out" / "it" / "shows.csv").mkdir(parents=True)
    with pytest.raises(Exception, match="it is a folder"):
        write("csv", [SEEN])
    assert [path.name for path in (tmp_path / "out" / "it").iterdir()] == ["shows.csv"]


def test_without_rows_there_are_headers(write: Write) -> None:
    made: dict[str, Any] = tables_of(write("csv", []))
    assert made == {name: [] for name in HEADERS}

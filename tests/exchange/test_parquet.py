"""Parquet: fixed columns, read again by pyarrow and pandas."""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, MissingExtraError
from deixis.exchange import parquet
from deixis.exchange.items import How, Item, Written

from .conftest import AGAIN, ALL, EVIL, GOLD, HEARD, HOSTILE, SEEN, SHA, Rows, Write

arrow = pytest.importorskip("pyarrow.parquet")


def rows_of(written: Written) -> dict[str, list[dict[str, Any]]]:
    return {path.stem: arrow.read_table(path).to_pylist() for path in written.files}


def test_a_mention_has_a_row(write: Write) -> None:
    made = rows_of(write("parquet", [SEEN, AGAIN]))
    seen, unseen, again, _ = made["mentions"]
    path = "../../in/pictures/a b.jpg"
    box = {"x1": 10.4, "y1": 5.0, "x2": 30.2, "y2": 60.0}
    mask = SEEN["entities"][0]["regions"][0]["mask"]
    assert seen["regions"][0] == {
        "picture": 0,
        "path": path,
        **box,
        "score": 0.8,
        "source": "nanodet",
        "mask": {"height": 80, "width": 100, "counts": mask["counts"]},
    }
    assert seen["regions"][1]["mask"] is None and seen["image"] == path
    assert (seen["post"], seen["mention"], seen["text"]) == ("1", "e1", "Grace Hopper")
    assert (seen["type"], seen["fine_type"]) == ("person", "intellectual")
    assert (seen["groundable"], unseen["groundable"], again["groundable"]) == (True, False, None)
    assert unseen["regions"] == [] and unseen["image"] == path and again["image"] is None
    assert seen["name"] == again["name"] == "grace hopper"
    [relation] = made["relations"]
    assert relation["subject_text"] == "Grace Hopper" and relation["object"] == "e2"
    [event] = made["events"]
    assert [each["text"] for each in event["arguments"]] == ["GRACE  HOPPER", "Harvard"]
    assert made["posts"][0]["pictures"] == [
        {"path": path, "sha256": SHA, "width": 100, "height": 80}
    ]


def test_sound_video_and_gold(write: Write) -> None:
    made = rows_of(write("parquet", [HEARD, GOLD]))
    heard, gold, nobody, unseen = made["mentions"]
    assert heard["spans"] == [{"start": 1.5, "end": 2.25, "score": 0.9}]
    assert (heard["frames"][0]["frame"], heard["frames"][0]["time"]) == (10, 0.4)
    assert [each["groundable"] for each in (gold, nobody, unseen)] == [True, None, False]
    assert [region["path"] for region in gold["regions"]] == [
        "../../in/one.jpg",
        "https://example.org/two.jpg#top",
    ]
    assert gold["regions"][0]["score"] is None and gold["confidence"] is None


def test_the_columns_do_not_depend_on_the_rows(write: Write) -> None:
    kinds = [
        [arrow.read_schema(path) for path in write("parquet", rows, name).files]
        for name, rows in (("none", []), ("one", [AGAIN]), ("all", ALL))
    ]
    assert kinds[0] == kinds[1] == kinds[2]
    assert [schema.names for schema in kinds[0]] == [list(each) for each in parquet.TABLES.values()]
    assert str(kinds[0][1].field("groundable").type) == "bool"


def test_row_groups(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 2)
    written = write("parquet", ALL)
    path = next(path for path in written.files if path.stem == "mentions")
    file = arrow.ParquetFile(path)
    assert file.num_row_groups == 7 and file.metadata.num_rows == written.counts["mentions"] == 14


def test_hostile_texts_come_back_whole(write: Write) -> None:
    made = rows_of(write("parquet", HOSTILE))
    assert made["posts"][0]["text"] == made["mentions"][0]["text"] == EVIL
    assert made["mentions"][0]["regions"][1]["picture"] == 10**9
    assert made["mentions"][0]["regions"][1]["path"] is None


@pytest.mark.extra("pandas")
def test_pandas_counts_what_is_shown(write: Write) -> None:
    pandas = pytest.importorskip("pandas")
    path = next(each for each in write("parquet", ALL).files if each.stem == "mentions")
    table = pandas.read_parquet(path)
    shown = table[table["groundable"].eq(True)].groupby("name")["post"].nunique()
    assert shown["grace hopper"] == 3


def test_without_the_package(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"deixis\[parquet\]"):
        write("parquet", [SEEN])
    assert not list((tmp_path / "out").glob("*/*"))


def test_rows_that_fail_leave_nothing(
    tmp_path: Path, read: Callable[[Rows], list[Item]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def items() -> Iterator[Item]:
        yield from read(ALL)
        raise DataError("the end")

    monkeypatch.setattr(parquet, "_GROUP", 2)
    with pytest.raises(DataError, match="the end"):
        parquet.write(items(), tmp_path / "out", How())
    gc.collect()  # what a writer that was left open says is an error here
    assert list((tmp_path / "out").iterdir()) == []


def test_all_files_or_none(write: Write, tmp_path: Path) -> None:
    (tmp_path / "out" / "it" / "events.parquet").mkdir(parents=True)
    with pytest.raises(Exception, match="it is a folder"):
        write("parquet", [SEEN])
    assert [path.name for path in (tmp_path / "out" / "it").iterdir()] == ["events.parquet"]

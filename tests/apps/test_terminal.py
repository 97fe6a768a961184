"""What is printed fits any encoding, any width, and whatever stdout is."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from deixis.apps import terminal
from deixis.apps.result_tables import entity_table
from deixis.errors import InputError
from deixis.rows import Row, RowEntity, write_rows
from deixis.schema import Decision, Entity, Extraction, ImageInfo, Region

TEXT = "Beyoncé met Lech Wałęsa in Łódź 日本 \N{GRINNING FACE}"
ENCODINGS = ("ascii", "cp1252", "cp437", "latin-1", "shift_jis", "utf-16", "utf-8")


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[[], bytes]]:
    """Give stdout an encoding; what that returns gives the bytes that were printed."""

    def use(encoding: str) -> Callable[[], bytes]:
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
        monkeypatch.setattr(sys, "stdout", stream)
        return stream.buffer.getvalue  # type: ignore[attr-defined, no-any-return]

    return use


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    from deixis.apps.cli import main

    monkeypatch.setattr(sys, "argv", ["deixis", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    entity = RowEntity(text="Łódź", start=27, end=31, type="LÖC日本", regions=())
    write_rows(path, [Row(id="ä", text=TEXT, entities=(entity,))])
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_fit_any_encoding(
    stdout: Any, monkeypatch: pytest.MonkeyPatch, rows: Path, encoding: str
) -> None:
    printed = stdout(encoding)
    assert run(monkeypatch, "dataset", "stats", rows) == 0
    shown = printed().decode(encoding)
    assert "entities" in shown and ("LÖC日本" in shown) == encoding.startswith("utf")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_says_the_same_in_any_encoding(
    stdout: Any, monkeypatch: pytest.MonkeyPatch, rows: Path, encoding: str
) -> None:
    printed = stdout(encoding)
    assert run(monkeypatch, "dataset", "stats", rows, "--json") == 0
    assert list(json.loads(printed())["types"]) == ["LÖC日本"], "as a reader takes the bytes"
    assert list(json.loads(printed().decode(encoding))["types"]) == ["LÖC日本"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (os.fsdecode("é.jsonl".encode()), "é.jsonl"),
        ("\udcc3\udca9.jsonl", "é.jsonl"),  # as it is given where Python takes all for ASCII
        ("\udcff.jsonl", "\ufffd.jsonl"),
        ("\ud800.jsonl", "\ud800.jsonl"),
    ],
)
def test_json_holds_names_that_could_not_be_decoded(stdout: Any, given: str, shown: str) -> None:
    printed = stdout("utf-8")
    terminal.print_json({"path": given, "text": TEXT})
    assert json.loads(printed()) == {"path": shown, "text": TEXT}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_copy_of_a_prompt_is_the_same_file(
    stdout: Any, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    from deixis.prompts import find

    printed = stdout(encoding)
    assert run(monkeypatch, "prompts", "show", "expand") == 0
    assert printed() == find("expand").read_bytes()


def test_text_is_decoded_whatever_the_terminal_is_taken_for() -> None:
    assert terminal.as_text(TEXT) == TEXT
    misread = TEXT.encode().decode("ascii", "surrogateescape")
    assert terminal.as_text(misread) == TEXT
    with pytest.raises(InputError, match=r"no UTF-8; .* terminal .*LC_ALL=C.UTF-8"):
        terminal.as_text("Beyonc\udce9")


@pytest.fixture
def extraction() -> Extraction:
    why = Decision(step="entail", subject="groundable", outcome="yes", evidence=["two words"])
    region = Region(box=(1, 2, 30, 40), score=0.5, source="detector")
    named = {"text": "Grace [Hopper]\nUSN", "type": "PER", "fine_type": "officer"}
    place = {"id": "e1", "start": 0, "end": 18, "confidence": 1.0}
    entity = Entity(**named, **place, groundable=True, regions=[region], decisions=[why])
    image = ImageInfo(sha256="0" * 64, width=100, height=100, source="a.png")
    return Extraction(text=named["text"], image=image, entities=[entity])


@pytest.mark.parametrize("columns", [1, 5, 20, 40, 60, 70, 80, 200])
def test_every_column_can_be_read_in_any_width(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    extraction: Extraction,
    columns: int,
) -> None:
    monkeypatch.setattr(terminal.out, "_width", columns)
    terminal.show(entity_table(extraction, r"a \[title]"))
    printed = capsys.readouterr().out
    assert "…" not in printed and printed.startswith("a [title]")
    if columns < 70:
        lines = ["entity: Grace [Hopper]", "  USN", "type: PER / officer", "visible?: yes"]
        assert printed.splitlines()[1:] == [*lines, "where: 1, 2, 30, 40", "why: two words", ""]
        return
    words = printed.replace("│", " ").split()
    assert {"Grace", "[Hopper]", "USN", "PER", "yes", "30,", "40", "two", "words"} <= {*words}
    assert max(map(len, printed.splitlines())) == columns


def test_numbers_are_never_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal.out, "_width", 20)
    table = Table(box=None)
    table.add_column("")
    for name in ("P", "R", "F1", "gold"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("all", "100.00", "33.33", "50.00", "1234567")
    terminal.show(table)
    printed = capsys.readouterr().out
    assert printed == "all\nP: 100.00\nR: 33.33\nF1: 50.00\ngold: 1234567\n\n"


def test_numbers_between_colons_are_no_emoji(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "rows.jsonl:100: :1234:"
    for width in (80, 10):
        monkeypatch.setattr(terminal.out, "_width", width)
        table = Table("place", "what")
        table.add_row(where, where)
        terminal.show(table)
        terminal.warn(where)
        terminal.line(where)
        said = "".join("".join(capsys.readouterr()).split())
        assert "\N{HUNDRED POINTS SYMBOL}" not in said and said.count(":100:") == 4


def test_a_warning_is_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.warn("[a] " + "very long\n" * 30 + "end")
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("warning [a] very") and said.endswith("end\n")

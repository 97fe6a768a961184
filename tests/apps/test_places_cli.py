"""Where commands write: a wrong place is one line, said before anything is asked or fetched."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.agents.context.toolbox import Toolbox
from deixis.apps import cli, doctor, files, weights
from deixis.settings import Settings

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]
TEXT = "Grace Hopper of the US Navy"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it an error that a graph is built or weights are fetched."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was asked first")

    monkeypatch.setattr("deixis.graphs.build.graph_of", refuse)
    monkeypatch.setattr(weights, "fetch", refuse)
    monkeypatch.setattr(Toolbox, "check", refuse)


def one_line(result: tuple[int, str, str], *said: str) -> None:
    code, printed, error = result
    assert (code, printed, error.count("\n")) == (2, "", 1) and error.startswith("Error: ")
    assert all(each in error for each in said), error


FILES = [
    ("dataset", "convert", "gmner", "release", "--split", "dev", "--out"),
    ("report", "results.jsonl", "--out"),
    ("compare", "rows.jsonl", "rows.jsonl", "--html"),
    ("cache", "export"),
]
FOLDERS = [
    ("run", "-", TEXT, "--out"),
    ("demo", "--out"),
    ("examples", "build", "rows.jsonl", "--out"),
    ("examples", "augment", "rows.jsonl", "rows.jsonl", "--out"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with rows, results, and a data set."""
    folder = tmp_path / "here"
    (folder / "release" / "xml").mkdir(parents=True)
    (folder / "release" / "dev.txt").write_text("IMGID:1\nAda\tB-PER\n\n")
    (folder / "rows.jsonl").write_text('{"id": "1", "text": "Ada", "entities": []}\n')
    row = {"text": "Ada", "image": None, "entities": [], "usage": [], "warnings": []}
    (folder / "results.jsonl").write_text(json.dumps({"id": "1", "settings": "s", **row}) + "\n")
    monkeypatch.setenv("DEIXIS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("command", FILES, ids=" ".join)
@pytest.mark.parametrize("place", [".", "/", "", "release", "link"])
def test_a_folder_where_a_file_is_to_be(
    deixis: Run, here: Path, command: tuple[str, ...], place: str
) -> None:
    (here / "link").symlink_to("release")
    before = sorted(here.rglob("*"))
    one_line(deixis(*command, place), "cannot write", "folder")
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("command", FILES[:3], ids=" ".join)
def test_a_full_device_where_a_file_is_to_be(
    deixis: Run, here: Path, command: tuple[str, ...]
) -> None:
    one_line(deixis(*command, "/dev/full"), "cannot write", "No space left")


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("command", FOLDERS, ids=" ".join)
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("rows.jsonl", "it is a file"),
        ("rows.jsonl/new", "rows.jsonl is a file"),
        ("/dev/null", "it is a file"),
        ("-", "several files"),
    ],
)
def test_a_file_where_a_folder_is_to_be(
    deixis: Run, here: Path, command: tuple[str, ...], place: str, said: str
) -> None:
    one_line(deixis(*command, place), said, "folder")


@pytest.mark.usefixtures("asked")
def test_a_folder_that_cannot_be_written(
    deixis: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)
    one_line(deixis("run", "-", TEXT, "--out", "new/one"), f"{here} cannot be written", "folder")
    assert not (here / "new").exists()


def test_pages_and_rows_have_the_rights_that_the_umask_leaves(deixis: Run, here: Path) -> None:
    before = os.umask(0o077)
    try:
        assert deixis(*FILES[0], "new/gold.jsonl")[0] == 0
        assert deixis(*FILES[1], "new/page.html")[0] == 0
    finally:
        os.umask(before)
    assert {each.stat().st_mode & 0o777 for each in (here / "new").iterdir()} == {0o600}


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which nothing can be, whoever runs the tests."""
    place = tmp_path / "file"
    place.write_text("")
    monkeypatch.setenv("DEIXIS_CACHE", str(place / "cache"))
    return place


def test_the_doctor_says_that_the_cache_cannot_be_written(locked: Path) -> None:
    found = {each.part: each for each in doctor.examine(Settings.load("starter"))}
    assert f"{locked} is a file" in found["cache"].state
    assert found["cache"].fix == "set DEIXIS_CACHE to a folder that can be written"
    assert not locked.read_text()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has it")
def test_a_cache_that_rights_allow_may_still_be_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEIXIS_CACHE", "/proc/cache")
    found = {each.part: each for each in doctor.examine(Settings.load("starter"))}
    assert "/proc cannot be written" in found["cache"].state


@pytest.mark.extra("starter")
def test_a_text_alone_needs_no_weights_of_what_looks(
    deixis: Run, stack: Path, locked: Path, hopper: Path
) -> None:
    code, printed, _ = deixis("run", "-", TEXT, "--stack", stack)
    assert code == 0 and "US Navy" in printed
    one_line(deixis("run", hopper, TEXT, "--stack", stack), "cannot write", "set DEIXIS_CACHE")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "cannot write the output: No space"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), "cannot use /a/b: Permission"),
        (OSError(errno.EIO, "Input/output error", b"/a/b"), "Input/output error"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), "cannot go on: Connection"),
        (OSError("said in words"), "cannot go on: said in words"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_what_the_system_lacks_is_no_bug_of_ours(
    deixis: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    code, printed, shown = deixis("graphs")
    assert (code, printed, shown.count("\n")) == (2, "", 1)
    assert said in shown and "bug" not in shown


def test_a_bug_is_called_one(deixis: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "app", lambda **_: {}["missing"])
    assert "a bug in Deixis, please report it: KeyError" in deixis("graphs")[2]

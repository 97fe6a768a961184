"""The cache with a database that is broken, planted or not there, and who can read it."""

import os
import pickle
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import CacheMissError, DataError, InputError
from deixis.llms.cache.llm_cache import LlmCache

from .shelf import REQUEST, cache_key, get


def rows(folder: Path, statement: str, *values: Any) -> list[Any]:
    """Run SQL on the database, as somebody else would."""
    with closing(sqlite3.connect(folder / "cache.db")) as database, database:
        return database.execute(statement, values).fetchall()


def test_only_the_owner_can_read_what_is_stored(folder: Path) -> None:
    old = os.umask(0)
    try:
        get(LlmCache(folder), "red")
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} >= {"cache.db", "turns"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_folder_with_other_files_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    tmp_path.chmod(0o755)
    get(LlmCache(tmp_path), "red")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "cache.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "change",
    [
        "value = substr(value, 1, length(value) - 5)",
        "value = CAST(replace(CAST(value AS TEXT), 'red', 'rad') AS BLOB)",
        "value = x''",
        "value = NULL",
        "value = 5",
        "value = CAST(x'ff00ff' AS TEXT)",
        "value = 'text'",
        "mode = 2, filename = '../../../secret', value = NULL",
        "mode = 3, filename = '../../../secret', value = NULL",
    ],
)
def test_a_value_that_is_not_whole_is_asked_again(
    folder: Path, tmp_path: Path, change: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("stays")
    get(LlmCache(folder), "red")
    rows(folder, f"UPDATE Cache SET {change}")
    cache = LlmCache(folder)
    assert cache.stats().damaged == 1 and list(cache.entries()) == []
    assert get(cache, "blue") == ("blue", False)
    assert get(cache, "green") == ("blue", True)
    assert cache.trouble is None and secret.read_text() == "stays"


def test_the_record_of_another_request_is_not_taken_for_this_one(folder: Path) -> None:
    cache = LlmCache(folder)
    get(cache, "red")
    get(cache, "blue", REQUEST._replace(sample=1))
    (value,) = rows(folder, "SELECT value FROM Cache WHERE key = ?", cache_key(REQUEST))[0]
    rows(folder, "UPDATE Cache SET value = ?", value)
    assert get(cache, "green", REQUEST._replace(sample=1)) == ("green", False)


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_planted_pickle_is_never_run(folder: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    pickle.loads(trap)
    sprung.unlink()  # it works
    cache = LlmCache(folder)
    get(cache, "red")
    (folder / "trap.val").write_bytes(trap)
    rows(folder, "UPDATE Cache SET mode = 4, value = ?", trap)
    columns = "INSERT INTO Cache (key, raw, store_time, mode, filename, value) VALUES"
    rows(folder, f"{columns} (?, 0, 1, 4, NULL, ?)", trap, trap)
    rows(folder, f"{columns} (?, 1, 1, 4, 'trap.val', NULL)", "e" * 64)
    for opened in (cache, LlmCache(folder)):
        assert get(opened, "blue")[0] == "blue"
        opened.stats()
        opened.export(tmp_path / "answers.jsonl")
        with pytest.raises(InputError):
            opened.show("eee")
        # What diskcache itself does with these rows.
        database = opened._store._database()
        assert len(list(database)) == 3
        assert database.get("e" * 64) == b"" and database.peekitem() is not None
        assert opened.trouble is None
    with pytest.raises(TypeError):
        database.set("key", Trap(sprung))
    with pytest.raises(TypeError):
        database.set(("key",), b"")
    assert cache.clear() == 3
    assert not sprung.exists() and (folder / "trap.val").exists()


def spoil(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"this is no database" * 1000)


def plant_settings(folder: Path) -> None:
    rows(folder, "INSERT INTO Settings VALUES ('disk_trap', 1), ('set', 1), ('_sql', 1)")


def drop_the_table(folder: Path) -> None:
    rows(folder, "DROP TABLE Cache")
    rows(folder, "CREATE VIEW Cache AS SELECT 1 AS one")


@pytest.mark.parametrize("harm", [spoil, plant_settings, drop_the_table])
def test_without_a_database_the_run_goes_on(folder: Path, harm: Callable[[Path], None]) -> None:
    get(LlmCache(folder), "red")
    harm(folder)
    cache = LlmCache(folder)
    assert get(cache, "blue") == ("blue", False)
    trouble = cache.trouble
    assert trouble and str(folder) in trouble and "\n" not in trouble
    assert get(cache, "green") == ("green", False)
    assert cache.trouble is trouble
    with pytest.raises(DataError, match="cache"):
        LlmCache(folder).stats()
    with pytest.raises(CacheMissError, match="cache"):
        get(LlmCache(folder, "replay"), "asked")


def test_only_the_first_trouble_is_told(folder: Path) -> None:
    cache = LlmCache(folder)
    get(cache, "red")
    rows(folder, "CREATE TRIGGER t BEFORE INSERT ON Cache BEGIN SELECT RAISE(FAIL, 'no'); END")
    other = REQUEST._replace(sample=1)
    assert get(cache, "blue", other) == ("blue", False)
    trouble = cache.trouble
    assert trouble and "nothing more is stored" in trouble
    assert get(cache, "asked") == ("red", True)
    rows(folder, "ALTER TABLE Cache RENAME TO Other")
    assert get(cache, "green") == ("green", False)
    assert cache.trouble is trouble


def test_without_a_folder_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache, model = LlmCache(tmp_path / "file" / "llm"), "red"
    assert [get(cache, model) for _ in range(2)] == [("red", False)] * 2
    assert cache.trouble and "Not a directory" in cache.trouble


def test_a_cache_that_is_removed_and_made_again(folder: Path, tmp_path: Path) -> None:
    get(LlmCache(folder), "red")
    folder.rename(tmp_path / "old")
    cache = LlmCache(folder)
    assert get(cache, "blue") == ("blue", False)
    assert get(cache, "green") == ("blue", True)
    assert (folder / "turns").exists() and cache.trouble is None

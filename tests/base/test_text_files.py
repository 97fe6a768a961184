"""Data files: ends of lines, marks, packings and streams change nothing of what is read."""

import bz2
import gzip
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.base import text_files
from deixis.base.text_files import (
    folder_of,
    keep_streams,
    lines_of,
    open_data,
    raw_lines,
    read_text,
    write_lines,
)
from deixis.errors import DataError, InputError

LINES = "a\u2028b\n\nc\x85d\n"
FOUND = [(1, "a\u2028b"), (3, "c\x85d")]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_file_says_the_same_in_all_its_forms(
    tmp_path: Path, mark: bytes, end: bytes, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "rows"
    path.write_bytes(pack(mark + LINES.encode().replace(b"\n", end)))
    assert list(lines_of(path)) == FOUND
    assert read_text(path) == LINES


def test_a_line_is_found_again_by_where_it_starts(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"\xef\xbb\xbfa\r\nbb\rccc\n\nd")
    with open_data(path) as file:
        found = list(raw_lines(file))
        assert [each.data for each in found] == [b"a", b"bb", b"ccc", b"", b"d"]
        for number, start, data in found:
            file.seek(start)
            assert file.read(len(data)) == data, number


def test_joined_files_have_marks_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n")
    assert list(lines_of(path)) == [(1, "a"), (2, "b")]


def test_a_line_without_end_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "LONGEST", 10)
    monkeypatch.setattr(text_files, "_BLOCK", 4)
    path = tmp_path / "rows"
    path.write_bytes(b"x" * 50 + b"\nshort\n")
    with open_data(path) as file:
        long, short = raw_lines(file)
    assert len(long.data) == 11 and (short.start, short.data) == (51, b"short")
    with pytest.raises(DataError, match=r"rows:1: a line of more than 10 bytes"):
        list(lines_of(path))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a".encode("utf-16"), "iconv"),
        (b"\xfe\xff\0a", "iconv"),
        ("a".encode("utf-32"), "iconv -f UTF-32"),
        (b"PK\x03\x04...", "zip archive"),
        (b"\x28\xb5\x2f\xfd...", "zstd -d"),
        (b"PAR1...", "JSON Lines"),
        (gzip.compress(gzip.compress(b"a", mtime=0), mtime=0), "packed twice"),
        (gzip.compress("a".encode("utf-16"), mtime=0), "iconv"),
        (gzip.compress(b"a" * 1000, mtime=0)[:-12], "damaged"),
        (b"\x1f\x8bnothing", "damaged"),
        (b"BZh9nothing", "damaged"),
        (b"\xfd7zXZ\x00nothing", "damaged"),
        (b"ok\n\xe9\n", r"rows:2: not UTF-8"),
    ],
)
def test_what_holds_no_text_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "rows"
    path.write_bytes(data)
    for read in (lambda: list(lines_of(path)), lambda: read_text(path)):
        with pytest.raises(DataError, match=said):
            read()


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "_FREE", 1 << 16)
    monkeypatch.setattr(text_files, "_BLOCK", 1 << 14)
    path = tmp_path / "rows.gz"
    path.write_bytes(gzip.compress(b"\n" * (1 << 24)))
    with pytest.raises(DataError, match="more than 300 times its size"):
        open_data(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "it is a folder"),
        (tmp_path / "none", "No such file"),
        (Path("/dev/zero"), "is a device"),
        (Path("a\0b"), "no file can have this name"),
    ):
        with pytest.raises(InputError, match=said):
            open_data(path)
    assert list(lines_of(Path("/dev/null"))) == []


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are POSIX")
def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for keep in (False, True):
        writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(LINES.encode()),))
        writer.start()
        if keep:
            keep_streams(pipe, None, tmp_path)
            assert list(lines_of(pipe)) == FOUND
        assert list(lines_of(pipe)) == FOUND
        writer.join()
    assert folder_of(pipe) == folder_of(Path("-")) == Path()
    assert folder_of(tmp_path / "rows") == tmp_path


def test_standard_input_can_be_read_once() -> None:
    with pytest.raises(InputError, match="give a file for the other"):
        keep_streams(Path("-"), Path("a"), Path("-"))


def test_a_line_that_utf_8_cannot_say_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2 would have half a surrogate pair behind 'Ann '"):
        write_lines(out := tmp_path / "out", ["good", "Ann \ud800"])
    assert not out.exists()

"""Files that are read from any place, whatever they are."""

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from deixis.base.reading import open_input

CONTENT = b"one\ntwo\n"


def check(path: Path) -> None:
    with open_input(path) as file:
        for _ in range(2):
            file.seek(0)
            assert list(file) == [b"one\n", b"two\n"]
        file.seek(4)
        assert file.read() == b"two\n"


def test_a_file_and_a_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "link").symlink_to("file")
    check(tmp_path / "file")
    check(tmp_path / "link")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CONTENT)))
    check(Path("-"))


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OSError, match="closed"):
        open_input(Path("-"))


def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(CONTENT,))
    writer.start()
    check(tmp_path / "pipe")
    writer.join()


def test_nothing_at_all() -> None:
    with open_input(Path(os.devnull)) as file:
        assert file.read() == b""


@pytest.mark.parametrize("place", [".", "", "/dev/zero", "missing", "a\0b"])
def test_what_cannot_be_read_says_why(place: str) -> None:
    with pytest.raises(OSError) as caught:
        open_input(Path(place))
    assert caught.value.strerror

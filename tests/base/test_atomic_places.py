"""Where files are written that is no place for a new file: devices, pipes, locked folders."""

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deixis.base import atomic
from deixis.base.atomic import is_stdout, whole_file

WRITE = """
import sys
from pathlib import Path
from deixis.base.atomic import whole_file
print("before")
with whole_file(Path(sys.argv[1])) as file:
    file.write(b"data\\n")
print("after")
"""


def write(path: Path, content: bytes = b"new") -> None:
    with whole_file(path) as file:
        file.write(content)


def kinds(path: Path) -> dict[str, int]:
    """The names in a folder, and what each is."""
    return {each.name: stat.S_IFMT(each.lstat().st_mode) for each in path.iterdir()}


@pytest.mark.parametrize("link", [False, True])
def test_a_device_is_written_to_and_stays(tmp_path: Path, link: bool) -> None:
    path = Path("/dev/null")
    if link:
        path = tmp_path / "link"
        path.symlink_to("/dev/null")
    before = os.stat("/dev/null")
    write(path)
    assert os.path.samestat(os.stat("/dev/null"), before) and path.is_symlink() == link


def test_a_full_device_is_an_error_and_stays() -> None:
    with pytest.raises(OSError, match="No space left"):
        write(Path("/dev/full"))
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_pipe_takes_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(RuntimeError), whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError
        write(path, b"whole")
        assert os.read(reader, 100) == b"whole"
    finally:
        os.close(reader)
    assert kinds(tmp_path) == {"pipe": stat.S_IFIFO}


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="nobody reads"):
        write(path)
    assert kinds(tmp_path) == {"pipe": stat.S_IFIFO}


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(OSError, match="socket"):
            write(Path("socket"))
    assert kinds(tmp_path) == {"socket": stat.S_IFSOCK}


@pytest.mark.parametrize("held", [errno.EACCES, errno.EROFS, errno.EBUSY])
@pytest.mark.parametrize("call", ["open", "replace"])
def test_a_file_in_a_locked_folder_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int, call: str
) -> None:
    path = tmp_path / "file"
    path.write_text("the old one, which is longer")
    number = path.stat().st_ino

    def refuse(*_: object, **__: object) -> None:
        raise OSError(held, os.strerror(held))

    monkeypatch.setattr(atomic.os, call, refuse)  # the tests may run as root, which nothing stops
    write(path)
    monkeypatch.undo()
    assert path.read_text() == "new" and path.stat().st_ino == number
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_in_a_locked_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(atomic.os, "open", refuse)
    with pytest.raises(PermissionError):
        write(tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_a_file_that_nobody_may_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(atomic.os, "access", lambda *_: False)
    with pytest.raises(PermissionError):
        write(path)
    assert path.read_text() == "old"


@pytest.mark.process
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/proc/self/fd/1"])
def test_standard_output_as_a_pipe(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE, name], capture_output=True, check=True)
    assert done.stdout == b"before\ndata\nafter\n"


@pytest.mark.process
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "out.txt"])
def test_standard_output_as_a_file(tmp_path: Path, name: str) -> None:
    with (tmp_path / "out.txt").open("wb") as out:
        command = [sys.executable, "-c", WRITE, name]
        subprocess.run(command, stdout=out, cwd=tmp_path, check=True)
    assert (tmp_path / "out.txt").read_bytes() == b"before\ndata\nafter\n"
    assert kinds(tmp_path) == {"out.txt": stat.S_IFREG}


def test_what_comes_out_of_standard_output(tmp_path: Path) -> None:
    assert is_stdout(Path("-")) and is_stdout(Path("/dev/stdout"))
    assert not is_stdout(tmp_path / "file")

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deixis.base.atomic import PRIVATE, PUBLIC, whole_file


def write(path: Path, content: bytes = b"new", mode: int = PUBLIC) -> None:
    with whole_file(path, mode) as file:
        file.write(content)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with whole_file(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("mode", "rights"), [(PUBLIC, 0o640), (PRIVATE, 0o600)])
def test_a_new_file_has_the_rights_that_the_umask_leaves(
    tmp_path: Path, mode: int, rights: int
) -> None:
    write(tmp_path / "file", mode=mode)
    assert (tmp_path / "file").stat().st_mode & 0o777 == rights


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("rights", [0o600, 0o666, 0o755])
@pytest.mark.parametrize("mode", [PUBLIC, PRIVATE])
def test_a_file_that_is_there_keeps_its_rights(tmp_path: Path, mode: int, rights: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(rights)
    with whole_file(path, mode) as file:
        file.write(b"new")
        assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {rights}
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == rights


def test_a_draft_that_failed_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_may_be_as_long_as_the_file_system_lets_it(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write(path)
    assert path.read_text() == "new"


@pytest.mark.parametrize("place", ["place", ".", "", "/", "..", "link"])
def test_a_folder_is_refused_and_left_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("place").mkdir()
    Path("link").symlink_to("place")
    with pytest.raises(IsADirectoryError, match="folder"):
        write(Path(place))
    assert {each.name for each in tmp_path.iterdir()} == {"place", "link"}
    assert not list(Path("place").iterdir())


def test_a_file_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(NotADirectoryError):
        write(tmp_path / "file" / "new" / "file")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("name", ["a\0b", "half a \ud800 pair"])
def test_what_is_no_name_is_an_error_of_the_system(name: str) -> None:
    with pytest.raises(OSError) as caught:
        write(Path(name))
    assert caught.value.strerror


@pytest.mark.parametrize("there", [True, False])
def test_links_are_followed(tmp_path: Path, there: bool) -> None:
    target, middle, link = tmp_path / "data" / "file", tmp_path / "middle", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    middle.symlink_to("data/file")
    link.symlink_to(middle)
    write(link)
    assert link.is_symlink() and middle.is_symlink() and target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError) as caught:
        write(tmp_path / "one")
    assert caught.value.strerror
    assert (tmp_path / "one").is_symlink() and (tmp_path / "two").is_symlink()


def test_a_link_to_another_file_system_is_followed(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system")
    target = other / f"deixis-test-{os.getpid()}"
    (tmp_path / "link").symlink_to(target)
    try:
        write(tmp_path / "link")
        assert (tmp_path / "link").is_symlink() and target.read_text() == "new"
    finally:
        target.unlink(missing_ok=True)


def test_many_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([65 + number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write, args=(path, each)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]

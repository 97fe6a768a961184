from pathlib import Path

import pytest

from deixis.atomic import whole_file


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with whole_file(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_the_rights_asked_for(tmp_path: Path, mode: int) -> None:
    with whole_file(tmp_path / "file", mode) as file:
        file.write(b"")
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_draft_that_failed_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_a_folder_is_refused_and_left_clean(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(OSError), whole_file(tmp_path / "place") as file:
        file.write(b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "place"]

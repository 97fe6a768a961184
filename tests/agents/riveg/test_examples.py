"""The index of examples: what is found, and what is told when it cannot be used."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.agents.riveg.examples import EXAMPLES, FEATURES, INDEX, Example, read, write
from deixis.errors import InputError, SettingsError

UNITS = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.6, 0.8]], np.float32)
GIVEN = [Example(f"x{n}", f"text {n}", None, "…", "abc" if n == 1 else None) for n in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "index", "hashed", GIVEN, UNITS)
    return tmp_path / "index"


def test_what_is_written_is_read(folder: Path) -> None:
    found = read(folder, "hashed")
    assert list(found.examples) == GIVEN and np.array_equal(found.features, UNITS)
    assert read(folder, "hashed") is found, "read once"
    index = json.loads((folder / INDEX).read_text())
    assert (index["embedder"], index["examples"], index["dimension"]) == ("hashed", 4, 2)
    assert index["deixis"] and index["numpy"] == np.__version__


def nearest(folder: Path, *of: Any) -> list[tuple[str, float]]:
    vector, most, *sample = of
    found = read(folder, "hashed").nearest(np.array(vector, np.float32), most, *sample)
    return [(each.id, round(cosine, 2)) for each, cosine in found]


def test_the_highest_cosines_come_first_and_equals_as_in_the_file(folder: Path) -> None:
    assert nearest(folder, (0, 1), 3, "", None) == [("x2", 1.0), ("x1", 0.8), ("x3", 0.8)]
    assert nearest(folder, (1, 0), 9, "", None)[0] == ("x0", 1.0)
    assert len(nearest(folder, (1, 0), 9, "", None)) == 4
    assert nearest(folder, (1, 0), 0, "", None) == []


def test_a_sample_is_no_example_of_itself(folder: Path) -> None:
    assert nearest(folder, (0, 1), 1, "text 2", None) == [("x1", 0.8)]
    assert nearest(folder, (0, 1), 1, "text 2", "other picture") == [("x2", 1.0)]
    found = nearest(folder, (0.6, 0.8), 2, "text 1", "abc")
    assert found == [("x3", 1.0), ("x2", 0.8)]


def test_a_rebuilt_index_is_read_again(folder: Path) -> None:
    read(folder, "hashed")
    write(folder, "hashed", GIVEN[:1], UNITS[:1])
    assert len(read(folder, "hashed").examples) == 1


def test_another_embedder_is_told_with_the_command(folder: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(folder, "clip:some/weights")
    said = str(caught.value)
    assert "were indexed by hashed, and the embedder is clip:some/weights" in said
    command = f"deixis examples build ROWS.jsonl --out {folder} --role embedder=clip:some/weights"
    assert said.endswith(command)


def test_vectors_of_another_length_are_told(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"vectors of 3 numbers, and gave the examples 2"):
        nearest(folder, (1, 0, 0), 1, "", None)


def test_no_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no index .*No such file.*deixis examples"):
        read(tmp_path, "hashed")


@pytest.mark.parametrize("name", [INDEX, FEATURES, EXAMPLES])
@pytest.mark.parametrize("content", [b"", b"[]", b"\xff{"])
def test_damage_is_told(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(SettingsError, match="is damaged; build it with: deixis examples build"):
        read(folder, "hashed")


def test_a_half_renewed_index_is_told(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", "hashed", GIVEN, UNITS[::-1])
    (tmp_path / "other" / FEATURES).rename(folder / FEATURES)
    with pytest.raises(SettingsError, match="damaged"):
        read(folder, "hashed")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write(tmp_path / "file", "hashed", GIVEN, UNITS)

"""Whether weights are still the same is told by what is in them."""

import os
import shutil
from pathlib import Path

import pytest

from deixis.weights import fingerprints
from deixis.weights.fingerprints import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(bytes(1000))
    (folder / "config.json").write_text("{}")
    return folder


def test_what_is_the_same_is_told_by_the_same_wherever_it_lies(
    folder: Path, tmp_path: Path
) -> None:
    first = fingerprint([str(folder)])
    assert len(first) == 16 and first == fingerprint([str(folder)])
    copied = shutil.copytree(folder, tmp_path / "elsewhere")
    (copied / "training.log").write_text("step 1")
    assert fingerprint([str(copied)]) == first


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "chat_template.jinja"])
def test_what_a_model_is_read_from_tells(folder: Path, name: str) -> None:
    first = fingerprint([str(folder)])
    (folder / name).write_bytes(b"1" * 1000)
    assert fingerprint([str(folder)]) != first


def test_a_file_that_is_replaced_by_one_of_its_time_and_size_is_read_again(folder: Path) -> None:
    first, weights = fingerprint([str(folder)]), folder / "model.safetensors"
    state = weights.stat()
    other = folder / "other"
    other.write_bytes(b"1" * 1000)
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(weights)
    assert fingerprint([str(folder)]) != first


def test_several_are_told_together_and_in_order(folder: Path) -> None:
    config, weights = str(folder / "config.json"), str(folder / "model.safetensors")
    assert len({fingerprint([config, weights]), fingerprint([weights, config])}) == 2
    assert fingerprint([config]) != fingerprint([weights])


def test_nothing_on_this_disk_tells_nothing(folder: Path) -> None:
    named = ["hub:owner/model#transformers", f"pypi:model==1/model.gguf#sha256={'0' * 64}"]
    assert fingerprint(named) == fingerprint([]) == ""
    assert fingerprint([*named, str(folder)]) == fingerprint([str(folder)])
    assert fingerprint([str(folder / "missing.gguf")]) == ""


def test_of_a_large_file_every_matrix_tells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "_WHOLE", 100)
    monkeypatch.setattr(fingerprints, "_PIECES", 10)
    monkeypatch.setattr(fingerprints, "_PIECE", 10)
    weights, told = folder / "model.safetensors", set()
    for start in (None, 0, 450, 990):  # the first piece, one in the middle, the last
        content = bytearray(1000)
        if start is not None:
            content[start : start + 111] = b"1" * len(content[start : start + 111])
        weights.write_bytes(content)
        told.add(fingerprint([str(folder)]))
    weights.write_bytes(bytes(1001))
    assert len(told | {fingerprint([str(folder)])}) == 5

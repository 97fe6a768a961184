"""A folder of a run: one process holds it, and what could not begin leaves nothing."""

from pathlib import Path

import pytest

from deixis.errors import InputError, SettingsError
from deixis.training.fine_tuning.holding import held
from deixis.training.fine_tuning.run_folder import METRICS


def test_two_runs_cannot_have_one_folder(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with (
        held(out),
        pytest.raises(InputError, match=r"run is being written by process \d+; wait"),
        held(out),
    ):
        raise AssertionError("it has it already")
    with held(out):
        assert out.is_dir()


def test_a_run_that_could_not_begin_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "one"
    with pytest.raises(SettingsError), held(out):
        (out / "recipe.yaml").write_text("steps: 1")
        (out / METRICS).write_bytes(b"")
        raise SettingsError("no such base")
    assert not out.exists()


def test_steps_that_were_made_stay(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(SettingsError), held(out):
        (out / METRICS).write_text('{"loss": 1.0}\n')
        raise SettingsError("no more memory")
    assert (out / METRICS).is_file()
    with pytest.raises(SettingsError), held(out):
        raise SettingsError("the same again")
    assert (out / METRICS).is_file()


def test_a_stop_by_the_user_leaves_what_there_is_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held(tmp_path / "run"):
        raise KeyboardInterrupt
    assert (tmp_path / "run").is_dir()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(InputError, match="cannot write into"), held(tmp_path / "file"):
        raise AssertionError("it is a file")
    assert (tmp_path / "file").read_text() == "a file"

"""Checkpoints: a damaged one is told with its file, before anything is loaded."""

from pathlib import Path

import pytest

from deixis.errors import ModelFileError
from deixis.training.fine_tuning.checkpoints import check_whole

FILES = ["adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"]


@pytest.mark.extra("train")
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    import torch
    from safetensors.torch import save_file

    weights = {"weight": torch.ones(64)}
    save_file(weights, tmp_path / FILES[0])
    for saved in FILES[1:3]:
        torch.save(weights, tmp_path / saved)
    (tmp_path / FILES[3]).write_text('{"log_history": []}')
    check_whole(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match=rf"{name} is damaged .*: remove "):
        check_whole(tmp_path)

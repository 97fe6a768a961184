"""A tiny model: what kinds there are."""

from pathlib import Path

import pytest


@pytest.mark.extra("train")
def test_a_kind_that_is_none_is_refused(tmp_path: Path) -> None:
    from deixis.testing.tiny import tiny_model

    with pytest.raises(ValueError, match=r"no kind 'qwen2_5_vl'; known: qwen2-vl, .*llava"):
        tiny_model(tmp_path / "model", "qwen2_5_vl")
    assert not (tmp_path / "model").exists()

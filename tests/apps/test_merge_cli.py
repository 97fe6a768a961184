"""``deixis merge``: what it writes, prints and refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.llms.local.tiny_adapters import save_adapter
from tests.llms.local.tiny_seeing import save_seeing

Run = Callable[..., tuple[int, str, str]]
pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]


def test_it_says_what_it_wrote_or_in_one_line_why_not(tmp_path: Path, deixis: Run) -> None:
    base, adapter, out = tmp_path / "base", tmp_path / "adapter", tmp_path / "merged"
    save_seeing(base, "qwen2.5-vl")
    save_adapter(base, adapter, 1)
    given = ("merge", "--base", base, "--adapter", adapter, "--out", out)
    code, said, _ = deixis(*given, "--json")
    assert (code, json.loads(said)) == (0, {"model": str(out)})
    assert (out / "model.safetensors").is_file()
    code, said, told = deixis(*given)
    assert (code, said) == (2, "") and told.count("\n") == 1 and "is there; name another" in told
    code, said, told = deixis(*given[:-1], tmp_path / "other", "--adapter", tmp_path)
    assert (code, said) == (2, "") and told.count("\n") == 1 and "no adapter_config.json" in told

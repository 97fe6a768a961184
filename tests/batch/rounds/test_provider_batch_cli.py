"""``deixis batch --provider-batch``: what it says, and how it ends."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from deixis.apps.cli import main

from .conftest import World

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def batch(
    openai: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run ``deixis batch`` on three rows; return exit code, stdout, stderr."""
    stack = openai.folder / "stack.yaml"
    options = {"cache_folder": str(openai.folder / "cache")}
    stack.write_text(json.dumps({"schema": "gmner", "roles": openai.roles, "options": options}))

    def run(*arguments: Any) -> tuple[int, str, str]:
        named = ["--stack", str(stack), "--out", str(openai.out)]
        line = ["deixis", "batch", str(openai.source), *named, *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as stopped:
            main()
        code = stopped.value.code
        return (code if isinstance(code, int) else int(code is not None)), *capsys.readouterr()

    return run


def test_all_rows_are_finished(batch: Run) -> None:
    code, printed, said = batch("--provider-batch", "--no-progress")
    assert (code, said.strip()) == (0, "")
    assert "3/3 rows" in printed and "12 calls" in printed


def test_it_hands_in_and_leaves_and_goes_on(batch: Run, openai: World) -> None:
    openai.batches.looks = 1
    code, _, said = batch("--provider-batch", "--wait", 0)
    assert code == 1
    assert "3 rows are left, 3 requests in batches of providers: run the same line later" in said
    for _ in range(8):
        code, printed, _ = batch("--provider-batch", "--wait", 0, "--json")
    summary = json.loads(printed)
    assert (code, summary["left"], summary["stopped"]) == (0, 0, "")


def test_options_that_have_no_effect_are_errors(batch: Run) -> None:
    for options in (("--wait", 1), ("--stragglers", 3)):
        code, _, said = batch(*options)
        assert code == 2 and "--wait and --stragglers go with --provider-batch" in said

"""The command line as the tests run it: in this process, with its exit code and streams."""

import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from deixis.apps.cli import main

from .roles import ALL_ROLES, MODELS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def deixis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``deixis ARGUMENTS`` with an answer typed in; return exit code, stdout, stderr."""

    def run(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["deixis", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(typed.encode())))
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else int(code is not None)), *captured

    return run


@pytest.fixture
def stack(tmp_path: Path, scripted: Any) -> Path:
    """A stack file whose language model answers at once."""
    scripted()
    path = tmp_path / "stack.yaml"
    path.write_text(f"schema: gmner\nroles: {ALL_ROLES}\noptions: {{quorum: 1}}\n")
    return path


@pytest.fixture
def blind_stack(tmp_path: Path, scripted: Any) -> Path:
    """One that looks at no picture, but opens it."""
    scripted()
    path = tmp_path / "stack.yaml"
    path.write_text(f"roles: {{{MODELS}}}\noptions: {{quorum: 1}}\n")
    return path

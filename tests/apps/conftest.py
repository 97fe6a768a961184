"""The command line as the tests run it: in this process, with its exit code and streams."""

import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper

import pytest

from deixis.apps.cli import main

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

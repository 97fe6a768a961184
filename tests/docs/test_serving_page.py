"""The clients on the page on serving: they ask a server, and print what it finds."""

import contextlib
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deixis.serving.offers import Offers
from deixis.settings import Settings
from tests.serving.conftest import running

from .blocks import ROOT, Block, blocks_of, commands_of

pytestmark = [pytest.mark.slow]
PAGE = ROOT / "docs" / "serving.md"
ADDRESS = "http://127.0.0.1:8000"


def clients(language: str) -> list[Block]:
    """Return the blocks that ask a server, whose address is on the page."""
    blocks = [block for block in blocks_of(PAGE) if block.language == language]
    return [block for block in blocks if language == "python" or "curl" in block.code]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(Offers([Settings.load("fast")])) as started:
        yield started.url


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, hopper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(hopper, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)


def test_the_clients_in_python_print_boxes_nodes_and_names(server: str) -> None:
    printed = io.StringIO()
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(printed):
        for block in clients("python"):
            exec(compile(block.code.replace(ADDRESS, server), str(block), "exec"), names)
    box, *nodes, found = printed.getvalue().splitlines()
    assert box.startswith("(") and box.count(",") == 3
    assert "open start " in nodes and any(each.startswith("structure end 0.") for each in nodes)
    assert found == "['Grace Hopper', 'US Navy']"


@pytest.mark.process
def test_the_commands_print_results_events_and_names(server: str) -> None:
    if absent := [name for name in ("curl", "jq") if shutil.which(name) is None]:
        pytest.skip(f"there is no {absent[0]}")
    said = []
    for command in (each for block in clients("bash") for each in commands_of(block)):
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        made = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.replace(ADDRESS, server)],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        said.append(made.stdout)
    upload, text, stream, short = said
    assert '"groundable":true' in upload and '"text":"US Navy"' in text
    assert stream.count("event: node") > 10 and "event: result" in stream
    assert short.startswith("open 0.") and short.endswith("\nGrace Hopper\nUS Navy\n")

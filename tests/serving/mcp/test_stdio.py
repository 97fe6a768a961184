"""A client that starts `deixis mcp` as assistants do."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from deixis.weights.model_files import cache_folder

from .served import TEXT, asked, process, refused, until

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes find the weights though their home is another."""
    monkeypatch.setenv("DEIXIS_CACHE", str(cache_folder()))


def test_an_assistant_asks_about_a_file(tmp_path: Path, hopper: Path, chelsea: Path) -> None:
    opened = tmp_path / "pictures"
    opened.mkdir()
    (opened / "photo.jpg").symlink_to(hopper)
    (opened / "cat.jpg").write_bytes(chelsea.read_bytes())
    progress: list[float] = []

    async def told(step: float, *_: Any) -> None:
        progress.append(step)

    async def body() -> Any:
        with (tmp_path / "log").open("w") as log:
            from mcp.client.stdio import stdio_client

            command = process(tmp_path, "--files", str(opened))
            async with Client(stdio_client(command, errlog=log)) as client:
                assert str(opened) in (client.instructions or "")
                outside = await refused(client, "extract", {"text": TEXT, "image": "photo.jpg"})
                for path in ("/etc/passwd", "../quick.yaml", "file:///etc/passwd"):
                    said = await refused(client, "extract", {"text": TEXT, "image": path})
                    assert "none of the folders" in said
                given = {"text": TEXT, "image": "cat.jpg"}
                found = await client.call_tool("extract", given, progress_callback=told)
                earlier = {"extraction": found.structured_content["id"]}
                drawn = await client.call_tool("overlay", earlier)
                again = await client.call_tool("overlay", given)
                return outside, found, drawn, again

    outside, found, drawn, again = asyncio.run(body())
    assert "none of the folders" in outside, "a link may lead nowhere else"
    assert found.structured_content["extraction"]["image"]["width"] == 451
    assert found.structured_content["extraction"]["image"]["source"] == "bytes"
    assert progress == sorted(set(progress)) and progress
    assert drawn.content == again.content and drawn.content[0].type == "image"
    assert "a library that prints" in (tmp_path / "log").read_text(), "not on stdout"


def test_without_folders_no_file_can_be_named(tmp_path: Path) -> None:
    async def body() -> str:
        async with Client(process(tmp_path), mode="legacy") as client:
            return await refused(client, "extract", {"text": TEXT, "image": "/etc/passwd"})

    assert "cannot be named" in asyncio.run(body())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_who_gives_up_stops_the_work(tmp_path: Path, mode: str) -> None:
    (tmp_path / "wait").touch()

    async def body() -> Any:
        async with Client(process(tmp_path), mode=mode) as client:
            call = asyncio.create_task(client.call_tool("extract", {"text": TEXT}))
            await until(lambda: asked(tmp_path), 60)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.sleep(0.5)  # for the message to arrive
            (tmp_path / "wait").unlink()
            before = asked(tmp_path)
            found = await client.call_tool("extract", {"text": TEXT})  # it goes on serving
            return before, found

    before, found = asyncio.run(body())
    assert set(before) <= {"member1", "member2"}
    assert not found.is_error and asked(tmp_path).count("voter") <= 2
    names = [each["text"] for each in found.structured_content["extraction"]["entities"]]
    assert names == ["Grace Hopper", "US Navy"]
    assert asked(tmp_path).count("expander") == 1, "of the stopped work nothing more was asked"


def test_who_vanishes_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "wait").touch()
    command = process(tmp_path)
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}}
    hello["clientInfo"] = {"name": "t", "version": "1"}
    messages = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {
            "id": 2,
            "method": "tools/call",
            "params": {"name": "extract", "arguments": {"text": TEXT}},
        },
    ]
    with subprocess.Popen(
        [command.command, *command.args],
        env=command.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdin and running.stdout
        for message in messages:
            running.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            running.stdin.flush()
        assert json.loads(running.stdout.readline())["result"]["serverInfo"]["name"] == "deixis"
        asyncio.run(until(lambda: asked(tmp_path), 60))
        running.stdin.close()
        (tmp_path / "wait").unlink()
        assert running.wait(60) == 0
        for line in running.stdout:
            assert json.loads(line)["jsonrpc"] == "2.0", "whatever is printed"
    assert set(asked(tmp_path)) <= {"member1", "member2"}


def test_rubbish_does_no_harm(tmp_path: Path) -> None:
    lines = [
        b"\xff\xfe\x00", b"{", b"[]", b"null", b"[" * 100_000, b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}',
    ]  # fmt: skip
    command = process(tmp_path)
    done = subprocess.run(
        [command.command, *command.args],
        env=command.env,
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and b"Traceback" not in done.stdout
    for line in done.stdout.splitlines():
        assert json.loads(line)["jsonrpc"] == "2.0"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--files", "absent"], "--files: absent is no folder"),
        (["--stack", "starter", "--stack", "starter"], "two stacks are called"),
        (["--schema", "absent"], "absent"),
        (["--seconds", "0"], "--seconds"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, options: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from deixis.apps.cli import main; main()", "mcp", *options],
        env={**os.environ, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == 1

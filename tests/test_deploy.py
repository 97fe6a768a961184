"""What the image is built of and does, as far as that is seen without building it."""

import ast
import json
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from deixis.apps.cli import app
from deixis.testing import Request, Response, serving

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"


class Instruction(NamedTuple):
    """One of a Dockerfile, and the number of its stage."""

    stage: int
    name: str
    rest: str


def instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    made, stage = [], -1
    for line in filter(str.strip, re.sub(r"\\\n\s*", "", text).splitlines()):
        name, _, rest = line.partition(" ")
        stage += name == "FROM"
        made.append(Instruction(stage, name, rest.strip()))
    return made


def only(name: str) -> str:
    (rest,) = (each.rest for each in instructions() if each.name == name)
    return rest


def runs() -> list[str]:
    return [each.rest for each in instructions() if each.name == "RUN"]


def test_it_has_two_stages_and_runs_as_nobody_in_particular() -> None:
    made = instructions()
    assert [each.rest for each in made if each.name == "FROM"] == [
        "${PYTHON} AS build",
        "${PYTHON}",
    ]
    user = only("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "numbers, so that others can check it"
    last = [each.name for each in made if each.stage == 1]
    assert last.index("USER") > last.index("RUN") and last.index("CMD") > last.index("USER")
    copied = [each.rest for each in made if each.stage == 1 and each.name == "COPY"]
    assert copied == ["--from=build /opt/deixis /opt/deixis"], "no sources and no build tools"


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in kept, "nothing comes along by accident: no keys, no results"
    for each in instructions():
        if each.name != "COPY" or each.rest.startswith("--from"):
            continue
        *sources, _ = each.rest.split()
        for source in sources:
            assert (ROOT / source).exists() and f"!{source}" in kept, source
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {wanted["readme"], *wanted["license-files"]} <= {line[1:] for line in kept}


def test_versions_are_those_of_the_lock() -> None:
    locked = {re.split(r"[=\[]", line)[0] for line in LOCK.read_text().splitlines() if "==" in line}
    installs = [line for line in runs() if re.search(r"\bpip (install|wheel)\b", line)]
    assert len(installs) == 3
    for line in installs:
        assert re.search(r"--(build-)?constraint requirements\.lock", line), line
    (arg,) = (each.rest for each in instructions() if each.rest.startswith("EXTRAS="))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = list(extras["dependencies"])
    for extra in arg.removeprefix("EXTRAS=").split(","):
        needed += extras["optional-dependencies"][extra]
    names = {re.split(r"[<>=\[ ]", each)[0] for each in needed}
    assert names <= locked


def test_its_python_is_python_and_its_commands_are_ours() -> None:
    for line in runs():
        for words in (shlex.split(part) for part in line.split(" && ")):
            if words[:2] == ["python", "-c"]:
                for node in ast.walk(ast.parse(words[2])):
                    if isinstance(node, ast.ImportFrom):
                        assert find_spec(node.module or ""), words
            elif words[0] == "deixis":
                parse(words[1:])
    command = json.loads(only("CMD"))
    assert command[0] == "deixis"
    values = parse(command[1:])
    assert values["host"] == "0.0.0.0" and values["port"] == int(only("EXPOSE"))
    assert values["token"] is None, "no secret is in the image: it comes from the environment"


def parse(arguments: list[str]) -> dict[str, Any]:
    """Return what our command line makes of a command."""
    group: Any = typer.main.get_command(app)
    command = group.commands[arguments[0]]
    values: dict[str, Any] = command.make_context(arguments[0], arguments[1:]).params
    return values


@pytest.mark.process
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_its_health_is_asked_for(status: int | None, code: int) -> None:
    said = only("HEALTHCHECK")
    assert "--start-period=" in said and "--timeout=" in said
    words = json.loads(said[said.index("CMD ") + 4 :])
    assert words[0] == "python"

    def ask(port: int) -> int:
        words[2] = words[2].replace(f":{only('EXPOSE')}/", f":{port}/")
        run = [sys.executable, *words[1:]]
        return subprocess.run(run, capture_output=True, check=False, timeout=60).returncode

    def answer(request: Request) -> Response:
        assert request.path == "/healthz" and request.headers["host"].startswith("127.0.0.1:")
        return Response(status or 200)

    if status is None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        assert ask(port) == code
        return
    with serving(answer) as server:
        assert ask(server.server_port) == code
        assert len(server.requests) == 1

"""Blocks that change the code, run in a copy of the repository; commands as a shell has them."""

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from .blocks import ROOT, Block, commands_of

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]


def shim(folder: Path) -> Path:
    """Make a folder for PATH with a ``deixis`` and a ``python`` that run this environment's."""
    programs = folder / "bin"
    programs.mkdir()
    python = shlex.quote(sys.executable)
    main = "from deixis.apps.cli import main; main()"
    for name, line in (("deixis", f'-c "{main}" "$@"'), ("python", '"$@"')):
        program = programs / name
        program.write_text(f"#!/bin/sh\nexec {python} {line}\n")
        program.chmod(0o755)
    return programs


def check_installable(requirements: list[str]) -> None:
    """Check that extras of Deixis that a page installs are there."""
    for requirement in requirements:
        if requirement.startswith("deixis["):
            extras = set(requirement.removeprefix("deixis[").rstrip("]").split(","))
            assert extras <= set(EXTRAS), f"pip install {requirement}"


def changed(text: str, diff: str) -> str:
    """Apply a diff to a text; ``@@`` stands between its hunks, which have no numbers."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"stands {text.count(before)} times:\n{before}"
        text = text.replace(before, after)
    return text


class InCheckout:
    """Runs the blocks of one page in a copy of the package, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "deixis", folder / "deixis")
        programs = shim(folder.parent)
        self._environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
        }

    def toml(self, block: Block) -> None:
        """Register the entry points of a package, as pip does when it installs it."""
        project = tomllib.loads(block.code)["project"]
        package = self._write(block).parent
        info = package / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\n")
        with (info / "entry_points.txt").open("w") as file:
            for group, points in project["entry-points"].items():
                file.write(f"[{group}]\n")
                file.writelines(f"{name} = {target}\n" for name, target in points.items())
        self._environment["PYTHONPATH"] += f"{os.pathsep}{package}"

    def python(self, block: Block) -> None:
        """Write the file that it shows, or run it."""
        if block.title:
            self._write(block)
        else:
            self._run([sys.executable, "-c", block.code])

    def diff(self, block: Block) -> None:
        """Change a file of the copy."""
        path = self.folder / str(block.title)
        path.write_text(changed(path.read_text(encoding="utf-8"), block.code), encoding="utf-8")

    def bash(self, block: Block) -> None:
        """Run its commands in one shell; those of make are only looked up."""
        commands = commands_of(block)
        if all(command.startswith("make ") for command in commands):
            for command in commands:
                words = shlex.split(command, comments=True)
                subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True)
        else:
            self._run(["bash", "-euo", "pipefail", "-c", block.code])

    def _write(self, block: Block) -> Path:
        path = self.folder / str(block.title)
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.code, encoding="utf-8")
        return path

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

"""Every code block of the README and of docs/ runs, or says what it would need to."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from deixis.apps.cli import app
from deixis.evaluation.ablations.plan import Plan
from deixis.graphs.main import SYSTEM
from deixis.prompts.knowledge_templates import KnowledgeTemplate
from deixis.settings import Options, Settings
from deixis.training.recipes import Recipe
from deixis.type_schema import TypeSchema

from .blocks import CODE, DRAWN, NEEDS, PAGES, ROOT, Block, blocks_of, commands_of
from .checkout import InCheckout, check_installable, shim

GIVEN = {
    "ablations.md": ["Twitter10000_v2.0"],
    "README.md": ["photo.jpg"],
    "CONTRIBUTING.md": ["photo.jpg"],
    "batch.md": ["photo.jpg", "posts.jsonl"],
    "command-line.md": ["Twitter10000_v2.0", "results.jsonl"],
    "documents.md": ["article.pdf"],
    "evaluation.md": ["Twitter10000_v2.0", "answers.txt", "one.jsonl", "two.jsonl"],
    "exchange.md": ["photo.jpg", "posts.jsonl"],
    "getting-started.md": ["photo.jpg", "my-stack.yaml"],
    "index.md": ["photo.jpg"],
    "inside-your-graph.md": ["post.jpg"],
    "language-models.md": ["photo.jpg"],
    "main-graph.md": ["photo.jpg"],
    "making-data.md": ["Twitter10000_v2.0"],
    "results.md": ["photo.jpg"],
    "tracing.md": ["photo.jpg"],
    "training.md": ["photo.jpg", "gold.jsonl"],
    "systems/muie.md": ["photo.jpg", "talk.wav"],
}
"""What a page needs in its folder and does not make."""
RUNS = {"results.jsonl": [], "one.jsonl": [], "two.jsonl": ["--role", "detector=none"]}
"""Files that come of a run over the data set, and how they differ."""
Deixis = Callable[[list[str]], str]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT)).removeprefix("docs/")


def with_code() -> list[Path]:
    """Pages that have something to run."""
    return [page for page in PAGES if {block.language for block in blocks_of(page)} - DRAWN]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in DRAWN | CODE, f"{block}: a block of {block.language or 'nothing'}"
        assert block.needs is None or block.needs in NEEDS, f"{block}: {block.needs}"
        if block.language in DRAWN:
            assert block.needs is None, f"{block}: a drawing needs nothing"
            assert not re.search(r"^(\$|deixis|pip|make|import|from) ", block.code, re.M), block


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.usefixtures(
    "looked_at_once", "answers_at_once"
)  # the demo and the notebooks ask the real model
@pytest.mark.parametrize("page", with_code(), ids=name_of)
def test_the_blocks_run(
    page: Path,
    given: Path,
    deixis: Deixis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("PIL.Image.Image.show", lambda picture: None)  # opens a window
    runs_here = page.name != "CONTRIBUTING.md"
    run: Any = InProcess(folder, deixis, monkeypatch) if runs_here else InCheckout(folder)
    for name in GIVEN.get(name_of(page), []):
        provide(folder / name, given, deixis)
    for block in blocks_of(page):
        if block.language in DRAWN:
            continue
        try:
            check(block) if block.needs else getattr(run, block.language)(block)
        except Exception as error:
            error.add_note(f"in the block at {block}")
            raise
    if page.name == "inside-your-graph.md":
        check_turns(run.names)


def check_turns(names: dict[str, Any]) -> None:
    """Check what the page on graphs inside graphs says of its three turns."""
    first, second, blind = (names[turn]["entities"] for turn in ("first", "second", "blind"))
    assert {entity["text"]: entity["groundable"] for entity in first}["Grace Hopper"] is True
    assert [entity["text"] for entity in second] == [entity["text"] for entity in blind] != []
    assert names["second"]["image"]["source"] == "post.jpg"
    assert {entity["groundable"] for entity in blind} == {None}
    assert second[0]["text"] == "Hopper" and second[0]["groundable"] is not None
    posts = [{"text": "Grace Hopper of the US Navy"}]
    assert names["look"]({"posts": posts})["names"] == ["Grace Hopper", "US Navy"]


def provide(path: Path, given: Path, deixis: Deixis) -> None:
    """Put a file that a page needs at its place."""
    if path.name in RUNS:
        release = given / "Twitter10000_v2.0"
        gold = path.with_name("gold.jsonl")
        deixis(["dataset", "convert", "gmner", str(release), "--split", "dev", "--out", str(gold)])
        deixis(["batch", str(gold), "--out", str(path), *RUNS[path.name]])
    elif (given / path.name).is_dir():
        shutil.copytree(given / path.name, path)
    else:
        shutil.copy(given / path.name, path)


def check(block: Block) -> None:
    """Check what can be checked of a block without running it."""
    if block.language == "python":
        ast.parse(block.code)
    elif block.language == "bash":
        for command in commands_of(block):
            ours = re.match(r"(?:\w+=\S+ )*deixis ([^|<>]+)", command)
            if ours:
                parse(shlex.split(ours[1], comments=True))
    else:
        raise AssertionError(f"{block}: a block of {block.language} needs nothing")


def parse(arguments: list[str]) -> None:
    """Check that a command and its options exist, and take these values."""
    command: Any = typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    command.make_context(command.name, list(arguments))


class InProcess:
    """Runs the blocks of one page here: Python in one namespace, commands in the page's folder."""

    def __init__(self, folder: Path, deixis: Deixis, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        self._deixis = deixis
        monkeypatch.setenv("PATH", f"{shim(folder.parent)}{os.pathsep}{os.environ['PATH']}")

    def python(self, block: Block) -> None:
        if block.title:
            self._write(block)
            return
        exec(compile("\n" * block.line + block.code, str(block.page), "exec"), self.names)

    def bash(self, block: Block) -> None:
        for command in commands_of(block):
            words = shlex.split(command, comments=True)
            if words[:2] == ["pip", "install"]:
                check_installable(words[2:])
            elif words[0] == "make":
                subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, text=True)
            elif words[0] == "deixis" and not {"|", "<", ">"} & set(words):
                self._deixis(words[1:])
            else:
                subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True)

    def yaml(self, block: Block) -> None:
        """Load it as what its keys say it is."""
        path = self._write(block)
        given = yaml.safe_load(block.code)
        if "roles" in given:
            Settings.load(path)
        elif "variants" in given:
            Plan.load(path)
        elif "types" in given:
            TypeSchema.load(str(path))
        elif {"from", "learning_rate"} & given.keys():
            Recipe.load(path)
        elif "attributes" in given:
            KnowledgeTemplate.model_validate(given)
        else:
            assert given.keys() <= {"options", "graph_options"}, f"{block}: no stack or template"
            Options.model_validate(given.get("options", {}))
            SYSTEM.options.model_validate(given.get("graph_options", {}))

    def json(self, block: Block) -> None:
        self._write(block)
        assert [json.loads(line) for line in block.code.splitlines()]

    def toml(self, block: Block) -> None:
        tomllib.loads(block.code)

    def _write(self, block: Block) -> Path:
        path = self.folder / (block.title or f"line-{block.line}.{block.language}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, encoding="utf-8")
        return path

"""A user's folder of prompts: file by file in the place of ours, and no mistake passed over."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deixis.agents.context.toolbox import Toolbox
from deixis.errors import SettingsError
from deixis.graphs.build import build_graph
from deixis.prompts import FOLDER, check, example, find, names, overrides, read, render
from deixis.settings import Settings
from deixis.testing import fill

TEXT = "Ann met Bob"
MINE = """---
name: recognize
version: 12
variables: [types, text]
---
# System
Name whom you find.
# User
In {{ text | quoted }}?
"""
ROLES = {
    "recognizer": "scripted:r",
    "committee": ["scripted:a"],
    **dict.fromkeys(("voter", "expander", "templater"), "scripted:a"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a user's own ``recognize``."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "recognize.md").write_text(MINE)
    return folder


def settings_of(**options: Any) -> Settings:
    return Settings.model_validate({"name": "test", "roles": ROLES, "options": options})


def test_a_file_of_the_user_takes_the_place_of_ours_and_of_no_other(folder: Path) -> None:
    mine = render("recognize", folder, types=[], text=TEXT)
    assert mine == ("Name whom you find.", f"In {TEXT}?", "recognize", 12)
    ours = render("recognize", types=[], text=TEXT)
    assert ours.version == 1 and ours.system.startswith("You find named entities")
    shipped = {name: FOLDER / f"{name}.md" for name in names()}
    assert {name: find(name, folder) for name in names()} == {
        **shipped,
        "recognize": folder / "recognize.md",
    }
    assert overrides(folder) == {"recognize": folder / "recognize.md"}
    assert overrides(None) == {}


def test_prompts_of_one_graph_are_in_a_folder_of_its_name(folder: Path) -> None:
    mine = folder / "e2e" / "extract.md"
    mine.parent.mkdir()
    ours = (FOLDER / "e2e" / "extract.md").read_text()
    mine.write_text(re.sub(r"version: \d+", "version: 77", ours))
    (folder / "e2e" / ".hidden").touch()
    (folder / "vkel").mkdir()  # none of its prompts is replaced
    assert overrides(folder) == {"recognize": folder / "recognize.md", "e2e/extract": mine}
    assert find("vkel/sketch", folder) == FOLDER / "vkel" / "sketch.md"
    prompt = render("e2e/extract", folder, **example("e2e/extract"))
    assert (prompt.name, prompt.version) == ("e2e/extract", 77)
    mine.write_text(ours.replace("name: e2e/extract", "name: extract"))
    with pytest.raises(SettingsError, match=r"the name is 'extract', that of the file 'e2e/ex"):
        check(folder)


@pytest.mark.parametrize("wrong", ["e2e/extrakt.md", "e2e/deeper/extract.md", "e2f/extract.md"])
def test_a_file_that_replaces_no_prompt_of_a_graph_is_told(folder: Path, wrong: str) -> None:
    (folder / wrong).parent.mkdir(parents=True)
    (folder / wrong).touch()
    with pytest.raises(SettingsError, match=r"(e2f|extrakt\.md|deeper) is no prompt"):
        overrides(folder)


def test_a_variable_may_be_named_like_a_parameter(scripted: Any) -> None:
    scripted(None)
    with pytest.raises(SettingsError, match=r"missing or unknown: \['folder', 'text', 'types'\]"):
        render("recognize", None, folder="x")
    toolbox = Toolbox(settings_of())
    unknown: dict[str, str] = {"folder": "y", "self": "z"}
    with pytest.raises(SettingsError, match=r"\['description', 'folder', 'self'\]"):
        toolbox.render("template", name="x", **unknown)


def test_the_graph_says_what_the_user_wrote_and_records_its_version(
    folder: Path, scripted: Any
) -> None:
    told: list[tuple[str, str]] = []

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        told.append((name, messages[1].text))
        if name == "r":
            entity = {"text": "Ann", "type": "PER", "confidence": 0.9}
            return json.dumps({"entities": [entity]})
        return json.dumps(fill(options["json_schema"]))

    scripted(script)
    graph = build_graph(settings_of(prompts=folder, quorum=1))
    prompts: dict[str, str] = {}
    for update in graph.stream({"text": TEXT}, stream_mode="updates"):
        for node, brought in update.items():
            calls = (brought or {}).get("calls", {}) if node != "open" else {}
            prompts |= {key.partition("/")[0]: call["prompt"] for key, call in calls.items()}
    assert told[0] == ("r", f"In {TEXT}?")
    assert prompts == {"recognize": "recognize 12", "consult": "consult 5", "expand": "expand 3"}

    (folder / "recognize.md").write_text(MINE.replace("In {{", "Where in {{"))
    told.clear()
    graph.invoke({"text": TEXT})
    assert told[0] == ("r", f"Where in {TEXT}?"), "a file is read again when it has changed"


def test_a_mistake_in_a_later_prompt_is_told_before_the_first_is_asked(
    folder: Path, scripted: Any
) -> None:
    def silent(*_: Any) -> str:
        raise AssertionError("nothing was to be asked")

    scripted(silent)
    graph = build_graph(settings_of(prompts=folder))
    (folder / "vote.md").write_text(MINE)
    with pytest.raises(SettingsError, match=r"vote\.md: ValueError: the name is 'recognize'"):
        graph.invoke({"text": TEXT})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("consutl.md", "consutl.md is no prompt (did you mean 'consult.md'?)"),
        ("Consult.md", "Consult.md is no prompt (did you mean 'consult.md'?)"),
        ("vote.txt", "vote.txt is no prompt (did you mean 'vote.md'?)"),
        ("vote", "vote is no prompt (did you mean 'vote.md'?)"),
        (
            "zzzzzz.md",
            "zzzzzz.md is no prompt; a folder of prompts may hold choose.md, consult.md, correct",
        ),
    ],
)
def test_a_misspelt_file_is_told_with_the_nearest_right_name(
    folder: Path, entry: str, said: str
) -> None:
    (folder / entry).write_text(MINE)
    for use in (
        lambda: check(folder),
        lambda: render("recognize", folder, types=[], text=TEXT),
        lambda: render("template", folder, name="a", description="b"),
    ):
        with pytest.raises(SettingsError, match=re.escape(said)) as caught:
            use()
        assert "\n" not in str(caught.value)


def test_a_folder_in_the_folder_is_told(folder: Path) -> None:
    (folder / "knowledge").mkdir()
    with pytest.raises(SettingsError, match="knowledge is no prompt; a folder of prompts may hold"):
        check(folder)


@pytest.mark.parametrize(
    "entry", [".DS_Store", "._a.md", "Thumbs.db", "__MACOSX", ".recognize.md.swp", "recognize.md~"]
)
def test_what_editors_leave_is_passed_over(folder: Path, entry: str) -> None:
    (folder / entry).write_text("x")
    check(folder)
    assert list(overrides(folder)) == ["recognize"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read the folder of prompts .*none: No such"):
        check(tmp_path / "none")
    with pytest.raises(SettingsError, match=r"recognize\.md: Not a directory"):
        check(folder / "recognize.md")


@pytest.mark.parametrize("variables", ["[text]", "[types, text, mood]", "[]"])
def test_a_file_takes_the_variables_of_ours(folder: Path, variables: str) -> None:
    body = "---\n# System\na\n# User\nb"
    header = f"---\nname: recognize\nversion: 1\nvariables: {variables}\n"
    (folder / "recognize.md").write_text(header + body)
    with pytest.raises(SettingsError, match=r"recognize\.md: header: .*missing or unknown: \["):
        check(folder)


def test_a_file_written_elsewhere_is_read(folder: Path) -> None:
    windows = b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode()
    (folder / "recognize.md").write_bytes(windows)
    assert read("recognize", folder).version == 12
    assert render("recognize", folder, types=[], text=TEXT).user == f"In {TEXT}?"


def test_a_home_folder_is_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert read("recognize", Path("~/words")).version == 12


@pytest.mark.parametrize("given", ["../words", "{folder}", "~/words"])
def test_a_stack_names_a_folder_relative_to_its_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripted: Any, given: str
) -> None:
    scripted(None)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "stacks").mkdir()
    stack = tmp_path / "stacks" / "mine.yaml"
    options = {"prompts": given.format(folder=folder), "top_k": 3}
    stack.write_text(yaml.safe_dump({"roles": ROLES, "options": options}))
    monkeypatch.chdir("/")
    settings = Settings.load(stack)
    assert settings.options.top_k == 3
    assert read("recognize", settings.options.prompts).version == 12
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
    swapped = Toolbox(settings).for_context({"voter": "scripted:b"})
    assert swapped.render("recognize", types=[], text=TEXT).version == 12

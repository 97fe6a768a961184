"""``deixis prompts``, and ``--prompts`` where a graph is run."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deixis import prompts
from deixis.testing import fill

NAMES = [
    "choose",
    "consult",
    "correct",
    "describe",
    "entail",
    "expand",
    "recognize",
    "template",
    "vote",
]
TEXT = "Ann met Bob"
VERSION = prompts.render("consult", **prompts.example("consult")).version
OURS, YOURS = f"version: {VERSION}", f"version: {VERSION + 1}"
ROLES = "{recognizer: crf, committee: [scripted:a], voter: scripted:a, expander: scripted:a, "
ROLES += "templater: scripted:a}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a user's own ``consult``: the next version, one word changed."""
    folder = tmp_path / "words"
    folder.mkdir()
    ours = (prompts.FOLDER / "consult.md").read_text()
    mine = ours.replace(OURS, YOURS).replace("Use a few words", "Use two words")
    assert mine != ours
    (folder / "consult.md").write_text(mine)
    return folder


def assert_one_line_error(result: tuple[int, str, str], said: str) -> None:
    code, printed, error = result
    assert (code, printed) == (2, "")
    assert error.startswith("Error: ") and error.count("\n") == 1
    assert said in error


def test_list_json_says_where_each_prompt_comes_from(deixis: Any, folder: Path) -> None:
    code, printed, said = deixis("prompts", "list", "--prompts", folder, "--json")
    rows = {row["name"]: row for row in json.loads(printed)}
    assert (code, said, list(rows)) == (0, "", prompts.names())
    assert rows["consult"] == {
        "name": "consult",
        "version": VERSION + 1,
        "variables": ["templates", "posts"],
        "source": "yours",
        "path": str(folder / "consult.md"),
    }
    for name in set(rows) - {"consult"}:
        assert rows[name]["source"] == "deixis" and rows[name]["version"] >= 1
        assert rows[name]["path"] == str(prompts.FOLDER / f"{name}.md")
    code, printed, _ = deixis("prompts", "list", "--json")
    assert {row["source"] for row in json.loads(printed)} == {"deixis"}


def test_list_asks_to_raise_the_version_of_a_changed_prompt(deixis: Any, folder: Path) -> None:
    code, printed, _ = deixis("prompts", "list", "--prompts", folder)
    assert code == 0 and all(name in printed for name in NAMES)
    assert "yours" in printed and "changed;" not in printed
    text = (folder / "consult.md").read_text()
    (folder / "consult.md").write_text(text.replace(YOURS, OURS))
    assert "changed;" in deixis("prompts", "list", "--prompts", folder)[1]


def test_show_prints_the_file_as_it_is(deixis: Any, folder: Path) -> None:
    for name in prompts.names():
        shipped = (prompts.FOLDER / f"{name}.md").read_text()
        assert deixis("prompts", "show", name) == (0, shipped, "")
    mine = (folder / "consult.md").read_text()
    assert deixis("prompts", "show", "consult", "--prompts", folder) == (0, mine, "")


@pytest.mark.process
def test_diff_is_a_patch_that_makes_theirs_of_ours(
    deixis: Any, folder: Path, tmp_path: Path
) -> None:
    mine = (folder / "consult.md").read_text().rstrip("\n")  # no newline at the end of the file
    (folder / "consult.md").write_text(mine)
    code, printed, said = deixis("prompts", "diff", "--prompts", folder)
    assert (code, said) == (0, "")
    assert printed.startswith("--- deixis/prompts/consult.md\n+++ ")
    assert f"\n-{OURS}\n+{YOURS}\n" in printed
    assert printed.count("--- deixis/prompts/") == 1, "nothing of prompts that are the same"
    assert deixis("prompts", "diff", "consult", "--prompts", folder)[1] == printed
    copy = tmp_path / "copy.md"
    copy.write_text((prompts.FOLDER / "consult.md").read_text())
    subprocess.run(["patch", "--quiet", copy], input=printed, text=True, check=True)
    assert copy.read_text() == mine


def test_diff_of_what_is_the_same_is_empty(deixis: Any, folder: Path) -> None:
    expected = (0, "", "nothing differs\n")
    assert deixis("prompts", "diff", "vote", "--prompts", folder) == expected
    (folder / "vote.md").write_text((prompts.FOLDER / "vote.md").read_text())
    assert deixis("prompts", "diff", "vote", "--prompts", folder) == expected


def test_a_malformed_file_can_be_shown_and_compared(deixis: Any, folder: Path) -> None:
    (folder / "vote.md").write_bytes(b"oh\xff\n")
    assert deixis("prompts", "show", "vote", "--prompts", folder) == (0, "oh\ufffd\n", "")
    assert "+oh" in deixis("prompts", "diff", "vote", "--prompts", folder)[1]
    assert_one_line_error(deixis("prompts", "list", "--prompts", folder), "vote.md: not UTF-8")


def test_there_is_an_example_of_every_prompt() -> None:
    assert [name for name in prompts.names() if "/" not in name] == NAMES
    for name in prompts.names():
        shown = prompts.render(name, **prompts.example(name))
        assert shown.user and "{{" not in shown.system + shown.user


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_is_rendered_by_its_example(deixis: Any, name: str) -> None:
    code, printed, said = deixis("prompts", "render", name)
    assert (code, said) == (0, "")
    system, _, user = printed.partition("\n# User\n")
    assert system.startswith("# System\nYou ") or name == "vote"
    assert "{{" not in printed and "{%" not in printed
    shown = ["SHIP"] if name == "template" else ["<post>Grace Hopper of the US Navy</post>"]
    if name == "describe":
        shown = ["Describe the picture."]
    elif name in {"choose", "entail"}:
        shown = ["e1: <post>Grace Hopper", "e2: <post>US Navy"]
    elif name not in {"template", "recognize"}:
        shown += ["e1: Grace Hopper", "e2: US Navy"]
    for each in shown:
        assert each in user


def test_render_takes_a_text_variables_and_a_folder(deixis: Any, folder: Path) -> None:
    printed = deixis("prompts", "render", "consult", "--text", TEXT, "--prompts", folder)[1]
    assert f"<post>{TEXT}</post>" in printed and "Use two words" in printed
    given = ["--var", "name=CAR", "--var", "description=a = b"]
    assert "Type: CAR (a = b)" in deixis("prompts", "render", "template", *given)[1]
    types = json.dumps([{"name": "STAR", "description": "in the sky"}])
    printed = deixis("prompts", "render", "recognize", "--var", f"types={types}")[1]
    assert "- STAR: in the sky" in printed and "PER" not in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "votes"], "there is no prompt 'votes' (did you mean 'vote'?)"),
        (["render", "votes"], "there is no prompt 'votes' (did you mean 'vote'?)"),
        (["diff", "votes", "--prompts", "."], "there is no prompt 'votes' (did you mean"),
        (["diff"], "name your folder with --prompts DIR"),
        (["list", "--prompts", "/no/such"], "cannot read the folder of prompts /no/such: No such"),
        (["render", "template", "--text", "x"], "takes NAME=VALUE for name, description; got"),
        (["render", "template", "--var", "name"], "got 'name'"),
        (["render", "template", "--var", "nam=x"], "got 'nam='"),
        (["render", "vote", "--var", "posts={"], "the value of posts is no JSON: "),
        (["render", "vote", "--var", "posts=[1]"], "prompt vote: "),
        (["render", "expand", "--var", "entities=[5]"], "prompt expand: "),
    ],
)
def test_a_mistake_is_one_line(
    deixis: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert_one_line_error(deixis("prompts", *arguments), said)


@pytest.mark.parametrize("command", ["list", "show", "diff", "render"])
def test_a_misspelt_file_is_never_passed_over(deixis: Any, folder: Path, command: str) -> None:
    (folder / "vtoe.md").write_text("x")
    arguments = [] if command == "list" else ["consult"]
    result = deixis("prompts", command, *arguments, "--prompts", folder)
    assert_one_line_error(result, "vtoe.md is no prompt (did you mean 'vote.md'?)")


@pytest.fixture
def told(scripted: Any) -> list[str]:
    """What the scripted model was told by its system prompts."""
    heard: list[str] = []

    def script(_name: str, messages: list[Any], options: dict[str, Any]) -> str:
        heard.append(messages[0].text)
        return json.dumps(fill(options["json_schema"]))

    scripted(script)
    return heard


@pytest.mark.extra("starter")
@pytest.mark.parametrize("command", [["run", "-", "Grace Hopper of the US Navy"], ["demo"]])
@pytest.mark.parametrize("by_option", [True, False])
def test_a_run_says_what_the_user_wrote(
    deixis: Any,
    told: list[str],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    by_option: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = "quorum: 1" if by_option else "quorum: 1, prompts: words"
    (tmp_path / "stack.yaml").write_text(f"roles: {ROLES}\noptions: {{{options}}}\n")
    given = ["--prompts", "words"] if by_option else []
    code, _, _ = deixis(*command, "--stack", "stack.yaml", *given)
    assert code == 0
    assert [said for said in told if "Use two words" in said]
    assert not [said for said in told if "Use a few words" in said]

    (folder / "vtoe.md").write_text("x")
    told.clear()
    result = deixis(*command, "--stack", "stack.yaml", *given)
    assert_one_line_error(result, "vtoe.md is no prompt")
    assert told == []

"""Stacks: read by name or path, and every mistake in one told in one line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deixis.errors import SettingsError
from deixis.settings import Roles, Settings, Spec, stack_names

ROLES = {
    "recognizer": "crf",
    "committee": ["scripted:a", "scripted:b"],
    "voter": "scripted:a",
    "expander": "scripted:a",
    "templater": "scripted:a",
}


def written(folder: Path, name: str = "mine.yaml", **changes: Any) -> Path:
    path = folder / name
    data = {"roles": ROLES, **changes}
    path.write_text(yaml.safe_dump({key: each for key, each in data.items() if each is not None}))
    return path


def problem_of(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_the_starter_stack_is_read_by_name_and_is_the_default() -> None:
    assert "starter" in stack_names()
    assert Settings.load("starter") == Settings.load()
    assert Settings.load().name == "starter"
    assert len(Settings.load().roles.committee) == 3


@pytest.mark.parametrize("kind", [str, Path])
def test_a_stack_is_read_by_path_and_named_after_its_file(tmp_path: Path, kind: Any) -> None:
    settings = Settings.load(kind(written(tmp_path, options={"quorum": 1})))
    assert settings.name == "mine"
    assert settings.options.quorum == 1
    assert settings.options.top_k == 5
    assert settings.roles.detector is None
    assert settings.types == "gmner"


def test_settings_are_returned_as_they_are() -> None:
    settings = Settings.load()
    assert Settings.load(settings) is settings


def test_settings_round_trip_through_json_and_cannot_be_changed() -> None:
    settings = Settings.load()
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
    with pytest.raises(ValueError, match="frozen"):
        settings.name = "other"  # type: ignore[misc]


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path)
    assert Settings.load("~/mine.yaml").name == "mine"


def test_the_path_of_a_type_schema_is_relative_to_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "ships.yaml").write_text("types: [{name: SHIP}]")
    path = written(tmp_path / "stacks", schema="../types/ships.yaml")
    monkeypatch.chdir("/")
    settings = Settings.load(path)
    assert [each.name for each in settings.type_schema.types] == ["SHIP"]
    absolute = written(tmp_path / "stacks", schema=str(tmp_path / "types" / "ships.yaml"))
    assert Settings.load(absolute).type_schema == settings.type_schema
    monkeypatch.setenv("HOME", str(tmp_path))
    at_home = written(tmp_path / "stacks", schema="~/types/ships.yaml")
    assert Settings.load(at_home).type_schema == settings.type_schema


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("startr", "there is no stack 'startr' (did you mean 'starter'?); known: "),
        ("", "there is no stack ''"),
        ("../stacks/nowhere", "there is no stack"),
        ("/no/such/file.yaml", "cannot read /no/such/file.yaml: No such file"),
        ("~nobody-of-this-name/file.yaml", "cannot read ~nobody-of-this-name"),
        ("a\0b.yaml", "no file can have this name"),
    ],
)
def test_a_stack_that_is_not_there_is_told(name: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"roles: [", "line 1 is no valid YAML"),
        (b"name: x\nroles:\n\t- a", "line 3 is no valid YAML"),
        (b"name: \xff", "not UTF-8 text"),
        (b"name: \x07", "no valid YAML"),
        (b"name: 2026-02-30", "day is out of range"),
        (b"name: !!python/object:os.system x", "could not determine a constructor"),
        (b"[" * 5000, "no valid YAML"),
        (b"", "must hold names and values"),
        (b"- a\n- b", "must hold names and values"),
        (b"1: 2", "must hold names and values"),
    ],
    ids=["open", "tab", "encoding", "control", "date", "tag", "deep", "empty", "list", "number"],
)
def test_a_file_that_is_no_yaml_mapping_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    assert said in problem_of(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"roles": None, "rolse": ROLES}, "there is no 'rolse' (did you mean 'roles'?"),
        ({"schemas": "gmner"}, "there is no 'schemas' (did you mean 'schema'?"),
        ({"roles": ROLES | {"votr": "a"}}, "no 'roles.votr' (did you mean 'voter'?"),
        (
            {"roles": {("votr" if key == "voter" else key): v for key, v in ROLES.items()}},
            "no 'roles.votr' (did you mean 'voter'?",
        ),
        ({"options": {"quorom": 2}}, "no 'options.quorom' (did you mean 'quorum'?"),
        ({"options": {"zzz": 2}}, "no 'options.zzz'; known: quorum,"),
        ({"options": {1: 2}}, "options.1: Keys should be strings"),
        ({"options": {"quorum": 0}}, "options.quorum: Input should be greater"),
        ({"options": {"quorum": "many"}}, "options.quorum: Input should be a valid integer"),
        ({"options": {"groundable_threshold": 1}}, "options.groundable_threshold: "),
        ({"options": {"groundable_threshold": float("nan")}}, "options.groundable_threshold: "),
        ({"options": 5}, "options: Input should be"),
        ({"options": {"gate": 1.5}}, "options.gate: Input should be less"),
        ({"options": {"gate": float("nan")}}, "options.gate: "),
        ({"options": {"posts_per_call": 0}}, "options.posts_per_call: Input should be greater"),
        ({"options": {"posts_per_call": 33}}, "options.posts_per_call: Input should be less"),
        ({"options": {"budget": 5}}, "options.budget: "),
        ({"options": {"budget": {"calls": -1}}}, "options.budget.calls: Input should be greater"),
        ({"options": {"budget": {"cals": 1}}}, "'options.budget.cals' (did you mean 'calls'?"),
        ({"options": {"limits": {"openai": 5}}}, "options.limits.openai: "),
        (
            {"options": {"limits": {"openai": {"rpm": 1}}}},
            "no 'options.limits.openai.rpm'; known: conc",
        ),
        (
            {"options": {"limits": {"openai": {"concurrency": 0}}}},
            "options.limits.openai.concurrency: Input should be greater",
        ),
        ({"options": {"prices": {"openai": {"input": 1}}}}, "openai.output: Field required"),
        (
            {"options": {"prices": {"openai": {"input": float("inf"), "output": 1}}}},
            "options.prices.openai.input: Input should be a finite number",
        ),
        ({"roles": ROLES | {"committee": 5}}, "roles.committee: "),
        (
            {"roles": ROLES | {"committee": ["a:b", "none"]}},
            "roles.committee: 'none' stands beside others; leave out either",
        ),
        ({"roles": ROLES | {"voter": 5}}, "roles.voter: Input should be a valid string"),
        ({"graph_options": []}, "graph_options: Input should be a valid dictionary"),
        ({"roles": None}, "roles: Field required"),
        ({"schema": "gmnr"}, "schema: there is no type schema 'gmnr' (did you mean 'gmner'?"),
        ({"schema": "none.yaml"}, "schema: cannot read "),
        ({"schema": 5}, "schema: Input should be a valid string"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_right_name(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in problem_of(written(tmp_path, **changes))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("crf", ("crf", "", {})),
        ("crf:", ("crf", "", {})),
        ("openai:gpt-5-mini", ("openai", "gpt-5-mini", {})),
        ("ollama:qwen2.5vl:7b", ("ollama", "qwen2.5vl:7b", {})),
        ("embedded:x?seed=1&top=0.6", ("embedded", "x", {"seed": "1", "top": "0.6"})),
        ("openai:m?base_url=http://h:80/v1", ("openai", "m", {"base_url": "http://h:80/v1"})),
        ("a:m?url=http%3A%2F%2Fh%3Fa%3D1%26b", ("a", "m", {"url": "http://h?a=1&b"})),
        ("a:b?", ("a", "b", {})),
        ("a:b?c=", ("a", "b", {"c": ""})),
        (
            "gguf:pypi:n==1/m#sha256=ab?threads=2",
            ("gguf", "pypi:n==1/m#sha256=ab", {"threads": "2"}),
        ),
        ("gguf:C:\\models\\m.gguf", ("gguf", "C:\\models\\m.gguf", {})),
    ],
)
def test_a_spec_is_split(text: str, spec: tuple[str, str, dict[str, str]]) -> None:
    assert Spec.parse(text) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no provider"),
        (":model", "names no provider"),
        ("  :model", "names no provider"),
        ("?seed=1", "names no provider"),
        ("a:b?seed", "must read ?name=value&name=value"),
        ("a:b?seed=1&x", "must read ?name=value&name=value"),
    ],
)
def test_a_malformed_spec_is_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Spec.parse(text)
    assert said in str(caught.value) and repr(text) in str(caught.value)


def test_roles_are_swapped_in_a_copy() -> None:
    settings = Settings.load()
    swapped = settings.with_roles({"voter": "scripted:v", "detector": None})
    assert swapped.roles.voter == "scripted:v" and swapped.roles.detector is None
    assert swapped.roles.expander == settings.roles.expander
    assert settings.roles.voter != "scripted:v" and settings.roles.detector == "nanodet"
    assert settings.with_roles({}) is settings


@pytest.mark.parametrize(
    ("given", "committee"),
    [
        ("a:b", ("a:b",)),
        (["a:b", "c:d"], ("a:b", "c:d")),
        *((nobody, ()) for nobody in ("none", ["none"], [], None)),
    ],
)
def test_a_committee_is_a_list_or_one_model_or_nobody(
    tmp_path: Path, given: Any, committee: tuple[str, ...]
) -> None:
    assert Settings.load().with_roles({"committee": given}).roles.committee == committee
    stack = written(tmp_path, roles=ROLES | {"committee": given})
    assert Settings.load(stack).roles.committee == committee


@pytest.mark.parametrize("role", [role for role in Roles.model_fields if role != "committee"])
@pytest.mark.parametrize("nobody", ["none", None])
def test_nobody_may_play_a_role(tmp_path: Path, role: str, nobody: str | None) -> None:
    stack = written(tmp_path, roles=ROLES | {role: nobody})
    assert getattr(Settings.load(stack).roles, role) is None
    assert getattr(Settings.load().with_roles({role: nobody}).roles, role) is None


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"votr": "a:b"}, "there is no role 'votr' (did you mean 'voter'?); known: recognizer"),
        ({"voter": 5}, "roles: voter: Input should be a valid string"),
        ({"committee": [None]}, "roles: committee.0: Input should be a valid string"),
    ],
)
def test_a_wrong_swap_is_told(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load().with_roles(overrides)
    assert said in str(caught.value)


def test_a_key_in_a_spec_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="keys stay out of settings") as caught:
        Spec.parse("openai:gpt?api_key=hush")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("word", ["off", "'off'", "replay"])
def test_a_word_of_yaml_need_not_be_quoted(tmp_path: Path, word: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"roles: {{recognizer: crf}}\noptions: {{cache: {word}}}\n")
    assert Settings.load(path).options.cache == word.strip("'")

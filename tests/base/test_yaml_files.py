"""YAML: one reader for stacks, schemas, templates and prompts, with bounds."""

from pathlib import Path
from typing import Any

import pytest

from deixis import Settings, prompts
from deixis.base.yaml_files import MOST_BYTES, parse_yaml, read_yaml
from deixis.errors import SettingsError
from deixis.prompts import knowledge_templates
from deixis.type_schema import TypeSchema

pytestmark = pytest.mark.slow


def _prompt(path: Path) -> Any:
    path.rename(path.parent / "consult.md")
    return prompts.read("consult", path.parent)


def _template(path: Path) -> Any:
    return knowledge_templates.find(path.stem, path.parent)


READERS = [Settings.load, lambda path: TypeSchema.load(str(path)), _template, _prompt]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1,\n  d: 2, c: 3}\n", r"line {3}.*'c' stands on line {2} too"),
        ('a: 1\nb: [{c: 1}, {x: 1, "x": 2}]\n', r"line {2}.*'x' stands on line {2} too"),
        ("#" * MOST_BYTES + "\n", "1,000,000 bytes"),
        ("b: " + "[" * 100_000, "no valid YAML"),
        ("a: \xe9", "not UTF-8"),
        ("\xff\xfea\0", "UTF-16"),
    ],
)
def test_every_reader_has_the_bounds(tmp_path: Path, read: Any, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    shift = 0
    if read is _prompt:
        text, shift = f"---\n{text}\n---\n# System\nx\n# User\nx\n", 1
        if "\xff" in text:
            text = "\xff\xfea\0"
    path.write_bytes(text.encode("latin-1"))
    for line in (2, 3):
        said = said.replace(f"{{{line}}}", str(line + shift))
    with pytest.raises(SettingsError, match=said):
        read(path)


def test_what_is_merged_may_be_said_again() -> None:
    text = "base: &b {x: 1, y: 2}\nmine: {<<: *b, x: 3}\nlast: {<<: *b, y: 4}\n"
    assert parse_yaml(text, "here") == {
        "base": {"x": 1, "y": 2},
        "mine": {"x": 3, "y": 2},
        "last": {"x": 1, "y": 4},
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_ends_of_lines_and_a_mark_do_no_harm(tmp_path: Path, end: str, mark: str) -> None:
    (tmp_path / "a.yaml").write_bytes((mark + f"name: x{end}list:{end}- a{end}- b{end}").encode())
    assert read_yaml(tmp_path / "a.yaml") == {"name": "x", "list": ["a", "b"]}


def test_a_line_beyond_the_bound_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n" * (MOST_BYTES // 5 + 1))
    with pytest.raises(SettingsError, match="more than 1,000,000 bytes"):
        read_yaml(tmp_path / "a.yaml")

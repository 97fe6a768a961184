"""YAML as a person writes it: small files of names and values, each name once."""

from pathlib import Path
from typing import Any

import yaml

from deixis.base.reading import open_input
from deixis.base.text_files import decoded
from deixis.errors import SettingsError

MOST_BYTES = 1_000_000
"""Of a file: what a person writes is far smaller, and a larger one takes seconds to read."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        SettingsError: the file is missing, too large, is no YAML, or holds something else.
    """
    return mapping_of(read_settings_file(path), path)


def mapping_of(text: str, path: Path) -> dict[str, Any]:
    """Return the YAML mapping that the text of a file is.

    Raises:
        SettingsError: it is no YAML, or holds something else.
    """
    data = parse_yaml(text, str(path))
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise SettingsError(f"{path} must hold names and values, e.g. 'name: value'")
    return data


def read_settings_file(path: Path) -> str:
    """Return the text of a file that a person writes: a stack, a type schema, a prompt.

    Raises:
        SettingsError: it cannot be read, is larger than `MOST_BYTES`, or is not UTF-8.
    """
    try:
        with open_input(path) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise SettingsError(
            f"{path} has more than {MOST_BYTES:,} bytes; split it, or name the right file"
        )
    try:
        return decoded(data).replace("\r", "\n")
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None


def parse_yaml(text: str, where: str, line: int = 0) -> Any:
    """Return what YAML holds: plain data.

    Args:
        text: one document.
        where: the file, for messages.
        line: lines of the file that stand before the text.

    Raises:
        SettingsError: it is no YAML, or a key stands twice; the message names the line.
    """
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _refuse_twins(root, line)
        return loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1 + line}" if mark else ""
        # A ValueError is a date that does not exist, e.g. 2026-02-30.
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise SettingsError(f"{where}{place} is no valid YAML: {problem}") from None


def _refuse_twins(root: yaml.Node, line: int) -> None:
    """Look before merges (``<<``) are resolved: after that, a key may well stand twice."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        inside = list(node.value) if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            lines: dict[tuple[str, str], int] = {}
            for key, _ in node.value:
                name = (key.tag, str(key.value))
                if name in lines:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value!r} stands on line {lines[name]} too; keep one",
                        problem_mark=key.start_mark,
                    )
                if isinstance(key, yaml.ScalarNode):
                    lines[name] = key.start_mark.line + 1 + line
            inside = [child for pair in node.value for child in pair]
        new = [child for child in inside if id(child) not in seen]
        seen.update(map(id, new))
        waiting.extend(new)

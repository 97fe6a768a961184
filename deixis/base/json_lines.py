"""JSON as people write it into lines, and what to say of that which is none."""

import json
import re
from collections.abc import Iterator
from typing import Any

LIST = "a list is no row; make lines of it with: jq -c '.[]' IN.json > OUT.jsonl"
_FORMS = (
    (r"\s*\[", r"", LIST),
    (r"\s*\{\s*$", r"$", "an object stands on one line: jq -c . IN.json > OUT.jsonl"),
    (r".*\}\s*$", r",\s*$", "no comma stands between lines of JSON Lines; take it away"),
    (r".*\}\s*$", r"\{", "two objects stand on one line; give each a line of its own"),
    (r".*,\s*$", r"[}\]]", "no comma stands before a closing bracket; take it away"),
    (r"", r",\s*[}\]]", "no comma stands before a closing bracket; take it away"),
    (r"", r"'", "JSON has double quotes; write lines with json.dumps, not with str"),
    (r"", r"None\b|True\b|False\b", "JSON says null, true and false"),
    (r"", r".{0,4}\0", "it has NUL bytes; of UTF-16 make UTF-8: iconv -f UTF-16 -t UTF-8"),
)
"""How a line may look before and behind the place where it is wrong, and what to do."""
_NEAR = 200
HALF = "it has half a surrogate pair, which is no character"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""What a text may write half of a surrogate pair as; a whole one begins so too."""


def parsed(line: str, *, constants: bool = True) -> Any:
    """Return the value that a line holds.

    Args:
        line: JSON.
        constants: whether NaN and infinity are taken, which are no JSON.

    Raises:
        ValueError: it is no JSON, or an object has a key twice; the message says what to do.
    """
    try:
        return json.loads(
            line,
            object_pairs_hook=_without_twins,
            parse_constant=float if constants else _no_number,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at column {error.colno}{_hint(line, error.pos)}") from None


def has_half(written: str, data: Any) -> bool:
    """Say whether JSON says half a surrogate pair, which cannot be written in UTF-8.

    Args:
        written: the JSON.
        data: what it says.
    """
    return _HALF.search(written) is not None and not is_text(data)


def is_text(data: Any) -> bool:
    """Say whether all strings can be written: half a surrogate pair cannot."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def listed(text: str) -> Iterator[Any]:
    """Yield the values of a list, one by one: together they would take many times its size.

    Raises:
        ValueError: it is no JSON, or no list; what stands before the wrong place has been yielded.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_without_twins)
    place = _after_blanks(text, 0)
    if text[place : place + 1] != "[":
        raise ValueError("no list")
    first = True
    while True:
        place = _after_blanks(text, place + 1)
        if first and text[place : place + 1] == "]":
            break
        try:
            value, place = decoder.raw_decode(text, place)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
        yield value
        place, first = _after_blanks(text, place), False
        if text[place : place + 1] == "]":
            break
        if text[place : place + 1] != ",":
            raise ValueError(f"a comma or ] is missing at line {text.count(chr(10), 0, place) + 1}")
    if rest := text[place + 1 :].strip():
        raise ValueError(f"more stands behind the list: {rest[:40]!r}")


def _after_blanks(text: str, place: int) -> int:
    while text[place : place + 1] in {" ", "\t", "\n", "\r"}:
        place += 1
    return place


def _hint(line: str, place: int) -> str:
    sides = line[: min(place, _NEAR)], line[max(0, place - _NEAR) : place], line[place:]
    for before, behind, advice in _FORMS:
        near = sides[0] if before.startswith(r"\s") else sides[1]
        if re.match(before, near, re.DOTALL) and re.match(behind, sides[2]):
            return f": {advice}"
    return ""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return unique


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON value")

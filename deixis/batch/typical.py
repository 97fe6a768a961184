"""Answers of typical length in the place of a model's: what is asked next hangs on them.

They are the same each time for one model and one question. Of a choice, what is chosen depends on
the question, and a sixth of all values on the model as well, so that three members of a
committee agree on about two thirds of them.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from deixis.prompts import Prompt

_OWN = 1 / 6  # of the values that one model alone gives
_POST = re.compile(r"<post>(.*?)</post>", re.DOTALL)
_NAME = re.compile(r"(?<![\w@#/])[A-Z][\w'’.-]*\w(?: [A-Z][\w'’.-]*\w)*")  # noqa: RUF001
_WORDS_OF_PATTERN = re.compile(r"\)\{(\d+),(\d+)\}\$$")
_MOST_NAMES = 3
_BOX = [120, 80, 640, 910]
_SHARES = "(0.125, 0.08, 0.641, 0.912)"
_WORDS = (
    *("blue", "dark", "uniform", "grey", "tall", "white", "round", "logo", "red", "striped"),
    *("long", "coat", "glasses", "stadium", "wooden", "tower", "black", "shirt", "short", "hair"),
)
_FREE = 40  # words of an answer in prose


def typical(
    schema: Mapping[str, Any] | None, prompt: Prompt, who: str, types: Sequence[str]
) -> str:
    """Return an answer of typical length.

    Args:
        schema: what it is to fit; None for prose.
        prompt: what is asked.
        who: who answers.
        types: names of the types that entities may have.
    """
    posts = _POST.findall(prompt.user)
    names = _names(posts[0] if posts else prompt.user)
    if schema is None:
        return _prose(prompt.name, names, types or ("entity",), prompt)
    writer = _Writer(schema, f"{prompt.system}\n{prompt.user}", who, names)
    return json.dumps(writer.value(schema, ""), ensure_ascii=False)


def _names(text: str) -> list[str]:
    """Return what begins with capitals: about as many names as a post has."""
    found = dict.fromkeys(name for name in _NAME.findall(text) if name.upper() != "RT")
    return [name[:60] for name in found][:_MOST_NAMES]


def _prose(kind: str, names: Sequence[str], types: Sequence[str], prompt: Prompt) -> str:
    """Return entities in the form that VKEL has for them, else words."""
    chance = random.Random(sha256(f"{kind}{prompt.user}".encode()).digest())
    words = " ".join(chance.choices(_WORDS, k=_FREE))
    if not kind.startswith("vkel/") or kind == "vkel/summary":
        return words.capitalize() + "."
    told = []
    for number, name in enumerate(names):
        where = f", whose bounding boxes are {'None' if number else _SHARES}"
        box = where if kind == "vkel/ground" else ""
        told.append(f"{name} is a(an) {chance.choice(types)}{box}")
    return "; ".join(told) + "." if told else "no entity found."


class _Writer:
    """Writes values that fit parts of a schema."""

    def __init__(
        self, schema: Mapping[str, Any], question: str, who: str, names: Sequence[str]
    ) -> None:
        self._definitions = schema.get("$defs", {})
        self._question = sha256(question.encode()).hexdigest()
        self._who = who
        self._names = names

    def value(self, node: Mapping[str, Any], place: str) -> Any:
        """Return a value for a part of the schema, at a place in the answer."""
        if "$ref" in node:
            node = self._definitions[node["$ref"].rpartition("/")[2]]
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self._chance(place).choice(node["enum"])
        if several := node.get("anyOf") or node.get("oneOf"):
            return self.value(several[0], place)
        kind = node.get("type")
        if kind == "object":
            properties = node.get("properties", {})
            return {name: self.value(part, f"{place}/{name}") for name, part in properties.items()}
        if kind == "array":
            return self._items(node, place)
        if kind in {"number", "integer"}:
            return _number(node, kind)
        if kind in {"boolean", "null"}:
            return True if kind == "boolean" else None
        return self._text(node, place)

    def _chance(self, place: str) -> random.Random:
        own = random.Random(sha256(f"{self._question}{place}{self._who}".encode()).digest())
        if own.random() < _OWN:
            return own
        return random.Random(sha256(f"{self._question}{place}".encode()).digest())

    def _items(self, node: Mapping[str, Any], place: str) -> list[Any]:
        least, part = node.get("minItems", 0), node.get("items", {})
        if least == len(_BOX) and part.get("type") in {"number", "integer"}:
            return list(_BOX)
        named = place.endswith("entities")
        count = len(self._names) if named else max(least, 1)
        count = min(max(count, least), node.get("maxItems", count))
        return [self.value(part, f"{place}/{number}") for number in range(count)]

    def _text(self, node: Mapping[str, Any], place: str) -> str:
        *_, number, field = ["", "", *place.split("/")]
        if field in {"name", "text", "subject", "object"} and self._names and "pattern" not in node:
            return self._names[int(number) % len(self._names) if number.isdigit() else 0]
        if bounds := _WORDS_OF_PATTERN.search(node.get("pattern", "")):
            words = (int(bounds[1]) + int(bounds[2])) // 2 + 1
        elif "pattern" in node:  # a name for a field
            return f"{self._chance(place).choice(_WORDS)}_{number}"
        else:
            words = 3
        text = " ".join(self._chance(place).choices(_WORDS, k=words))
        return text.ljust(node.get("minLength", 0), "e")[: node.get("maxLength")]


def _number(node: Mapping[str, Any], kind: str) -> float:
    value = max(node.get("minimum", 0), min(0.8, node.get("maximum", 1)))
    return int(value) if kind == "integer" else value

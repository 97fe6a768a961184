"""The plainest answer that fits a JSON schema."""

from collections.abc import Callable, Mapping
from math import inf, isfinite
from typing import Any

BOX = (100, 100, 600, 900)
"""What stands for four numbers, which are a box wherever Deixis asks for four."""


def fill(schema: Mapping[str, Any] | None, text: str = "dark blue") -> Any:
    """Return the plainest value that fits a JSON schema.

    Args:
        schema: as a model is given it. Of a choice the first is taken, of a list as few items as
            are allowed, of numbers 0.5 and 1 where their bounds allow it. With None, `text` is
            the answer.
        text: what every string says. It is not checked against patterns, nor made longer.

    Raises:
        ValueError: a part of the schema is beyond what is understood here.
    """
    if schema is None:
        return text
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}

    def build(given: Any) -> Any:
        node = {} if given is True else _whole(given, definitions)
        if "const" in node:
            return node["const"]
        choices = node.get("anyOf") or node.get("oneOf")
        if choices:
            return build(choices[0])
        if "enum" in node:
            return node["enum"][0]
        kind = _kind(node)
        if kind == "object":
            return {name: build(part) for name, part in node.get("properties", {}).items()}
        if kind == "array":
            return _items(node, build)
        if kind in {"number", "integer"}:
            return _number(node, kind)
        plain = {"string": text[: node.get("maxLength")], "boolean": True, "null": None}
        if kind not in plain:
            raise ValueError(f"nothing can be filled in for {given!r}")
        return plain[kind]

    return build(schema)


def _whole(node: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a schema with what it refers to and consists of."""
    if not isinstance(node, Mapping):
        raise ValueError(f"nothing can be filled in for {node!r}")
    whole = {key: value for key, value in node.items() if key not in {"$ref", "allOf"}}
    parts = list(node.get("allOf", []))
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name not in definitions:
            raise ValueError(f"the schema does not define {node['$ref']!r}")
        parts.append(definitions[name])
    for part in (_whole(part, definitions) for part in parts):
        properties = {**part.get("properties", {}), **whole.get("properties", {})}
        whole = {**part, **whole, **({"properties": properties} if properties else {})}
    return whole


def _kind(node: Mapping[str, Any]) -> str:
    kind = node.get("type")
    if kind is None:
        marks = {"object": ("properties",), "array": ("items", "prefixItems")}
        fitting = (name for name, keys in marks.items() if any(key in node for key in keys))
        return next(fitting, "string")
    return str(kind if isinstance(kind, str) else kind[0])


def _number(node: Mapping[str, Any], kind: str) -> float:
    low, above = node.get("minimum", -inf), node.get("exclusiveMinimum", -inf)
    high, below = node.get("maximum", inf), node.get("exclusiveMaximum", inf)
    middle = (max(low, above) + min(high, below)) / 2
    values = (1 if kind == "integer" else 0.5, low, high, above + 1, below - 1, middle)
    for value in values:
        fits = low <= value <= high and above < value < below and isfinite(value)
        if fits and (kind == "number" or value == int(value)):
            return int(value) if kind == "integer" else value
    raise ValueError(f"no {kind} can be filled in for {node!r}")


def _items(node: Mapping[str, Any], build: Callable[[Any], Any]) -> list[Any]:
    if "prefixItems" in node:
        return [build(part) for part in node["prefixItems"]]
    least, item = node.get("minItems", 0), node.get("items", True)
    if least == len(BOX) and item is not True and item.get("type") in {"number", "integer"}:
        return list(BOX)
    return [build(item) for _ in range(least)]

"""The plainest answer that fits a JSON schema."""

from collections.abc import Mapping
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
    """
    if schema is None:
        return text
    definitions = schema.get("$defs", {})

    def build(node: Mapping[str, Any]) -> Any:
        if "$ref" in node:
            return build(definitions[node["$ref"].rpartition("/")[2]])
        if "const" in node:
            return node["const"]
        choices = node.get("anyOf") or node.get("oneOf")
        if choices:
            return build(choices[0])
        if "enum" in node:
            return node["enum"][0]
        if node["type"] == "object":
            return {name: build(part) for name, part in node.get("properties", {}).items()}
        if node["type"] == "array":
            return _items(node, build)
        plain = {"string": text, "number": 0.5, "integer": 1, "boolean": True, "null": None}
        value: Any = plain[node["type"]]
        if node["type"] in {"number", "integer"}:
            value = max(value, node.get("minimum", value))
            value = min(value, node.get("maximum", value))
        return value[: node["maxLength"]] if "maxLength" in node else value

    return build(schema)


def _items(node: Mapping[str, Any], build: Any) -> list[Any]:
    if "prefixItems" in node:
        return [build(part) for part in node["prefixItems"]]
    least, item = node.get("minItems", 0), node.get("items", {})
    if least == len(BOX) and item.get("type") in {"number", "integer"}:
        return list(BOX)
    return [build(item) for _ in range(least)]

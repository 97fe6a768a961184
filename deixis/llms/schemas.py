"""JSON schemas as the providers take them: each knows a part of the standard.

What is left out here is not lost: every answer is validated against the whole model. The
prompts say in words what a reply should look like.
"""

from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

_NAMED = {"properties", "$defs"}  # name -> schema: a name that reads like a keyword is none
_NESTED = {"additionalProperties", "allOf", "anyOf", "items", "oneOf", "prefixItems"}
_UNSUPPORTED_BY_OPENAI = {"maxLength", "minLength", "pattern", "title", "default"}
# All that Gemini's reference lists for responseJsonSchema, but the title, which says a name again.
_SUPPORTED_BY_GOOGLE = {
    *("$id", "$defs", "$ref", "$anchor", "type", "format", "description", "enum"),
    *("items", "prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf"),
    *("properties", "additionalProperties", "required", "propertyOrdering"),
}


def for_openai(schema: Schema) -> Schema:
    """Drop the keywords that strict mode refuses."""
    return _rewritten(schema, lambda node: _without(node, _UNSUPPORTED_BY_OPENAI))


def for_words(schema: Schema) -> Schema:
    """Keep what a model needs that reads the schema in the prompt.

    It is told beside it that all properties are wanted and no others, so an object says only where
    that is not so. Patterns are for grammars: the prompts say in words how long a phrase may be.
    """

    def change(node: Schema) -> Schema:
        needless = {"default", "pattern", "title"}
        if node.get("additionalProperties") is False:
            needless.add("additionalProperties")
        if node.get("required") == list(node.get("properties", ())):
            needless.add("required")
        return _without(node, needless)

    return _rewritten(schema, change)


def for_google(schema: Schema) -> Schema:
    """Keep the keywords that Gemini knows.

    It has no ``const`` (pydantic's word for a choice of one), and beside a ``$ref`` it takes
    nothing that does not begin with ``$``. A choice is of strings or numbers only.
    """

    def change(node: Schema) -> Schema:
        if "$ref" in node:
            return {key: value for key, value in node.items() if key.startswith("$")}
        if "const" in node:
            node = {**node, "enum": [node["const"]]}
        unknown = set(node) - _SUPPORTED_BY_GOOGLE
        if any(isinstance(value, bool) or value is None for value in node.get("enum", ())):
            unknown.add("enum")
        return _without(node, unknown)

    return _rewritten(schema, change)


def for_anthropic(schema: Schema) -> Schema:
    """Return the schema as Anthropic's SDK sends it: what Claude does not know as a remark.

    A title says a name again, and a pattern is for grammars: both would only be paid for.
    """
    from anthropic import transform_schema

    plain = _rewritten(schema, lambda node: _without(node, {"pattern", "title"}))
    transformed: Schema = transform_schema(plain)
    return transformed


def for_ollama(schema: Schema) -> Schema:
    r"""Write every ``$ref`` out and drop the patterns.

    Ollama's grammars misread definitions that refer to later ones, and it rejects the whole
    request for a pattern with something like ``\p{L}`` or without ``^`` and ``$``.
    """
    definitions = schema.get("$defs", {})

    def written_out(node: Schema, inside: tuple[str, ...]) -> Schema:
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in inside:
            return {}  # one that holds itself has no end: anything may stand there
        if name:
            node = {**definitions[name], **_without(node, {"$ref"})}
            inside = (*inside, name)
        return _each_inside(node, lambda child: written_out(child, inside))

    whole = written_out(_without(schema, {"$defs"}), ())
    return _rewritten(whole, lambda node: _without(node, {"pattern"}))


def _rewritten(node: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Return a schema with `change` done to it and to every schema inside it."""
    return change(_each_inside(node, lambda child: _rewritten(child, change)))


def _each_inside(node: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Return a schema with `change` done to the schemas right inside it."""

    def inside(key: str, value: Any) -> Any:
        if key in _NAMED:
            return {name: change(child) for name, child in value.items()}
        if key in _NESTED and isinstance(value, list):
            return [change(child) for child in value]
        return change(value) if key in _NESTED and isinstance(value, dict) else value

    return {key: inside(key, value) for key, value in node.items()}


def _without(node: Schema, keywords: set[str]) -> Schema:
    return {key: value for key, value in node.items() if key not in keywords}

"""JSON schemas as each provider takes them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from deixis.llms.schemas import for_anthropic, for_google, for_ollama, for_openai, for_words

EVERY = [for_words, for_openai, for_google, for_anthropic, for_ollama]
Change = Callable[[dict[str, Any]], dict[str, Any]]


class Leaf(BaseModel):
    """A leaf."""

    pattern: Annotated[str, Field(pattern="^a+$", max_length=9)]
    title: str = "default"


class Tree(BaseModel):
    ref: Annotated[Leaf, Field(description="a remark beside a reference")]
    leaves: list[Leaf]
    either: Leaf | None
    const: Literal["one"]
    sure: Literal[True]
    maxLength: Literal["pattern", "title"]
    size: Annotated[int, Field(gt=0, le=5)]


class Knot(BaseModel):
    name: str
    inside: list["Knot"]


TREE = Tree.model_json_schema()


@pytest.mark.extra
@pytest.mark.parametrize("change", EVERY)
def test_the_schema_given_is_left_as_it_is(change: Change) -> None:
    schema = Tree.model_json_schema()
    assert change(schema) != schema
    assert schema == TREE


@pytest.mark.extra
@pytest.mark.parametrize("change", EVERY)
def test_names_and_choices_that_read_like_keywords_stay(change: Change) -> None:
    schema = change(TREE)
    assert list(schema["properties"]) == list(Tree.model_fields)
    assert change is for_words or schema["required"] == list(Tree.model_fields)
    assert schema["properties"]["maxLength"]["enum"] == ["pattern", "title"]
    leaf = schema["$defs"]["Leaf"] if "$defs" in schema else schema["properties"]["ref"]
    assert list(leaf["properties"]) == ["pattern", "title"]
    assert leaf["required"] == ["pattern"]


def test_a_schema_in_words_has_what_a_reader_needs() -> None:
    schema = for_words(TREE)
    assert set(schema) == {"$defs", "properties", "type"}, "all are wanted, which is said once"
    leaf = schema["$defs"]["Leaf"]
    assert leaf["required"] == ["pattern"], "of these one is not"
    assert leaf["properties"]["pattern"] == {"maxLength": 9, "type": "string"}
    assert schema["properties"]["size"] == {"exclusiveMinimum": 0, "maximum": 5, "type": "integer"}
    assert for_words({"additionalProperties": True}) == {"additionalProperties": True}


def test_openai_has_all_but_what_strict_mode_refuses() -> None:
    schema = for_openai(TREE)
    assert schema["$defs"]["Leaf"]["properties"]["pattern"] == {"type": "string"}
    assert schema["properties"]["sure"] == {"const": True, "type": "boolean"}


def test_google_has_only_what_it_knows() -> None:
    properties = for_google(TREE)["properties"]
    assert properties["ref"] == {"$ref": "#/$defs/Leaf"}
    assert properties["leaves"]["items"] == {"$ref": "#/$defs/Leaf"}
    assert properties["either"]["anyOf"] == [{"$ref": "#/$defs/Leaf"}, {"type": "null"}]
    assert properties["const"] == {"enum": ["one"], "type": "string"}
    assert properties["sure"] == {"type": "boolean"}
    assert properties["size"] == {"maximum": 5, "type": "integer"}
    leaf = for_google(TREE)["$defs"]["Leaf"]
    assert leaf["properties"]["pattern"] == {"type": "string"}


@pytest.mark.extra
def test_anthropic_has_the_rest_as_a_remark() -> None:
    schema = for_anthropic(TREE)
    pattern = schema["$defs"]["Leaf"]["properties"]["pattern"]
    assert pattern == {"type": "string", "description": "{maxLength: 9}"}
    assert schema["additionalProperties"] is False


def test_ollama_has_every_reference_written_out() -> None:
    schema = for_ollama(TREE)
    assert "$defs" not in schema
    properties = schema["properties"]
    leaf = properties["leaves"]["items"]
    assert leaf["description"] == "A leaf." and leaf["type"] == "object"
    assert leaf["properties"]["pattern"] == {"maxLength": 9, "title": "Pattern", "type": "string"}
    assert properties["either"]["anyOf"] == [leaf, {"type": "null"}]
    assert properties["ref"] == {**leaf, "description": "a remark beside a reference"}


def test_ollama_has_anything_where_a_schema_holds_itself() -> None:
    knot = for_ollama(Knot.model_json_schema())
    assert knot["properties"]["name"]["type"] == "string"
    assert knot["properties"]["inside"]["items"] == {}

"""Rows as what a recognizer learns from."""

from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, SettingsError
from deixis.tools.tagger.minilm import MODEL_FOLDER, Pieces
from deixis.training.tagged_rows import Tagged, read_tagged
from deixis.type_schema import TypeSchema

from . import kitchen

pytestmark = pytest.mark.extra("train")


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces(MODEL_FOLDER / "tokenizer.json", 8)


def read(path: Path, rows: list[dict[str, Any]], pieces: Pieces, most: int = 510) -> Tagged:
    filler = [kitchen.row(number) for number in range(1000, 1008)]
    return read_tagged(kitchen.write(path / "rows.jsonl", [*rows, *filler]), None, pieces, most)


def row(text: str, *entities: dict[str, Any]) -> dict[str, Any]:
    return {"id": "a", "text": text, "entities": list(entities)}


def test_tokens_are_those_that_the_tagger_reads(tmp_path: Path, pieces: Pieces) -> None:
    text = "Caf\u00e9 d\u2019Or &amp; wi-fi\nbasil \U0001f9c2"
    given = row(
        text, kitchen.entity(text, "d\u2019Or", "tool"), kitchen.entity(text, "basil", "herb")
    )
    sample = read(tmp_path, [given], pieces).samples[0]
    assert sample.tokens == ("Caf\u00e9", "d", "'", "Or", "&", "wi-fi", "basil", "\U0001f9c2")
    assert sample.tags == ("O", "B-tool", "I-tool", "I-tool", "O", "O", "B-herb", "O")
    assert sample.breaks == (6,) and list(sample.lines()) == [slice(0, 6), slice(6, 8)]


def test_types_are_those_of_the_rows_or_of_the_schema(tmp_path: Path, pieces: Pieces) -> None:
    rows = [kitchen.row(number) for number in range(12)]
    path = kitchen.write(tmp_path / "rows.jsonl", rows)
    tagged = read_tagged(path, None, pieces, 510)
    assert tagged.types.labels == ("O", "B-ingredient", "I-ingredient", "B-tool", "I-tool")
    assert tagged.types.fine == ("herb", "sauce")
    assert tagged.mentions == {"ingredient": 12, "tool": 12}
    schema = tmp_path / "own.yaml"
    schema.write_text(
        "types: [{name: tool}, {name: spice}, {name: ingredient, fine_types: [sauce, herb]}]"
    )
    tagged = read_tagged(path, TypeSchema.load(str(schema)), pieces, 510)
    assert tagged.types.coarse == ("tool", "ingredient") and tagged.types.fine == ("sauce", "herb")
    schema.write_text("types: [{name: tool}, {name: ingredients}]")
    with pytest.raises(DataError, match=r"row 0: the type 'ingredient' is not in .* tool, ingred"):
        read_tagged(path, TypeSchema.load(str(schema)), pieces, 510)
    schema.write_text("types: [{name: tool}, {name: ingredient, fine_types: [herb]}]")
    with pytest.raises(DataError, match="'sauce' is not among those of ingredient"):
        read_tagged(path, TypeSchema.load(str(schema)), pieces, 510)


def test_a_name_without_a_place_is_looked_for(tmp_path: Path, pieces: Pieces) -> None:
    name = {"text": "Basil", "type": "herb"}
    sample = read(tmp_path, [row("basil on basil", name, name)], pieces).samples[0]
    assert sample.tags == ("B-herb", "O", "B-herb")
    tagged = read(tmp_path, [row("basil on rice", name, name)], pieces)
    assert tagged.left_out == {"it does not hold the name of an entity that has no place": 1}
    assert len(tagged.samples) == 8


@pytest.mark.parametrize(
    ("text", "names", "why"),
    [
        ("", (), "it has no text"),
        ("basil-thyme", ("basil", "thyme"), "two of its entities share a word, or one has none"),
        ("soy\nsauce", ("soy\nsauce",), "an entity goes on across a line break"),
    ],
)
def test_what_cannot_be_learned_is_left_out_and_counted(
    tmp_path: Path, pieces: Pieces, text: str, names: tuple[str, ...], why: str
) -> None:
    entities = [kitchen.entity(text, name, "herb") for name in names]
    tagged = read(tmp_path, [row(text, *entities)], pieces)
    assert tagged.left_out == {why: 1} and len(tagged.samples) == 8


def test_what_is_wrong_is_one_line_with_its_row(tmp_path: Path, pieces: Pieces) -> None:
    text = "soy sauce"
    moved = {**kitchen.entity(text, "sauce", "herb"), "start": 3}
    with pytest.raises(DataError, match=r"row a: 'sauce' is said to stand at 3..9, where ' sauce'"):
        read(tmp_path, [row(text, moved)], pieces)
    both = [kitchen.entity(text, name, "herb") for name in ("soy sauce", "sauce")]
    with pytest.raises(DataError, match=r"row a: 'soy sauce' and 'sauce' overlap; .*leave out"):
        read(tmp_path, [row(text, *both)], pieces)
    none = kitchen.write(tmp_path / "none.jsonl", [row(text)])
    with pytest.raises(DataError, match="no row has an entity to learn from"):
        read_tagged(none, None, pieces, 510)
    lost = row("rice", {"text": "basil", "type": "herb"})
    few = kitchen.write(tmp_path / "few.jsonl", [lost, kitchen.row(1)])
    with pytest.raises(DataError, match=r"1 texts with entities .* 8 are .* \(1 left out: "):
        read_tagged(few, None, pieces, 510)
    alike = [row(text, kitchen.entity(text, "soy", kind)) for kind in ("Herb", "herb")]
    alike[1]["id"] = "b"
    with pytest.raises(SettingsError, match="the types of the rows: a type stands there twice"):
        read(tmp_path, alike, pieces)


def test_a_long_text_is_cut_at_lines_and_never_inside_a_name(
    tmp_path: Path, pieces: Pieces
) -> None:
    text = "one two three\nfour five six seven soy sauce"
    given = row(text, {**kitchen.entity(text, "soy sauce", "herb"), "regions": []})
    whole = read(tmp_path, [given], pieces).samples[0]
    assert whole.id == "a" and whole.shown == (False,)
    parts = read(tmp_path, [given], pieces, 5).samples[:3]
    assert [part.tokens for part in parts] == [
        ("one", "two", "three"),
        ("four", "five", "six", "seven"),
        ("soy", "sauce"),
    ]
    assert [part.shown for part in parts] == [(), (), (False,)]
    assert [part.id for part in parts] == ["a:0", "a:3", "a:7"] and parts[0].breaks == ()

"""Type schemas: those that come with Deixis, a user's own, and every mistake in one."""

from pathlib import Path

import pytest

from deixis.errors import SettingsError
from deixis.prompts import knowledge_templates
from deixis.type_schema import TypeSchema

TAGS = {"PER", "LOC", "ORG", "OTHER"}


def written(folder: Path, content: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_gmner_has_the_four_types_of_its_data_set() -> None:
    schema = TypeSchema.load("gmner")
    assert schema.name == "gmner"
    assert [each.name for each in schema.types] == ["PER", "LOC", "ORG", "OTHER"]
    assert all(each.crf == each.name and each.fine_types == () for each in schema.types)


def test_fmnerg_has_eight_coarse_and_fifty_one_distinct_fine_types() -> None:
    schema = TypeSchema.load("fmnerg")
    fine = [name for each in schema.types for name in each.fine_types]
    assert len({each.name for each in schema.types}) == len(schema.types) == 8
    assert len(fine) == 51
    assert len(set(fine)) == 51


@pytest.mark.parametrize("name", ["gmner", "fmnerg", "mnre", "ace"])
def test_every_type_that_comes_with_deixis_has_a_template_and_every_tag_a_type(name: str) -> None:
    schema = TypeSchema.load(name)
    for each in schema.types:
        assert knowledge_templates.find(each.template, None) is not None, each.name
    assert {each.crf for each in schema.types} == TAGS


def test_alternatives_are_the_types_of_the_same_tag() -> None:
    schema = TypeSchema.load("fmnerg")
    assert [each.name for each in schema.alternatives("location")] == ["location", "building"]
    assert [each.name for each in schema.alternatives("building")] == ["location", "building"]
    assert [each.name for each in schema.alternatives("person")] == ["person"]
    assert [each.name for each in schema.of_tag("OTHER")] == ["other", "art", "event", "product"]


def test_a_type_without_a_tag_has_itself_as_the_only_alternative(tmp_path: Path) -> None:
    path = written(tmp_path, "types: [{name: SHIP}, {name: BIRD}]")
    schema = TypeSchema.load(path)
    assert [each.name for each in schema.alternatives("SHIP")] == ["SHIP"]
    assert schema.of_tag("PER") == []
    assert schema.name == "mine"


def test_a_fine_type_names_its_coarse_type() -> None:
    schema = TypeSchema.load("fmnerg")
    for word in ("sports_facility", "Sports Facility ", "SPORTS_FACILITY"):
        entity_type, fine = schema.of_fine_type(word) or (None, None)
        assert entity_type == schema.get("building") and fine == "sports_facility"
    assert schema.of_fine_type("unknown") is None and schema.of_fine_type("") is None
    assert schema.get("art").name == "art"
    with pytest.raises(KeyError):
        schema.get("ART")


@pytest.mark.parametrize(
    ("given", "seen_as"),
    [
        ("name: PLAYER, crf: PER", "person"),
        ("name: CLUB, crf: ORG", "group"),
        ("name: SHIP, crf: OTHER", "thing"),
        ("name: PLACE, crf: LOC", "thing"),
        ("name: SHIP", "thing"),
        ("name: HERO, template: person", "person"),
        ("name: TEAM, template: organization", "group"),
        ("name: PLAYER, seen_as: person", "person"),
        ("name: BAND, crf: PER, seen_as: group", "group"),
        ("name: MASCOT, template: person, seen_as: thing", "thing"),
    ],
)
def test_what_a_type_is_seen_as(tmp_path: Path, given: str, seen_as: str) -> None:
    schema = TypeSchema.load(written(tmp_path, f"types: [{{{given}}}]"))
    assert schema.types[0].seen_as == seen_as


def test_a_type_is_seen_as_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, "types: [{name: X, seen_as: crowd}]")
    with pytest.raises(SettingsError, match=r"seen_as.*'person', 'group' or 'thing'"):
        TypeSchema.load(path)


@pytest.mark.parametrize("name", ["gmner", "fmnerg", "mnre", "ace"])
def test_what_the_shipped_types_are_seen_as(name: str) -> None:
    seen = {each.seen_as: each.template for each in TypeSchema.load(name).types}
    assert seen["person"] == "person" and seen["group"] == "organization"
    assert [each.seen_as for each in TypeSchema.load(name).types].count("thing") >= 2


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("SHIP", "ship"),
        ("sports car", "sports_car"),
        ("../../etc/passwd", "______etc_passwd"),
        ("船", "船"),
        ("鳥", "鳥"),
    ],
)
def test_the_template_of_a_type_is_a_plain_file_name(
    tmp_path: Path, name: str, template: str
) -> None:
    schema = TypeSchema.load(written(tmp_path, f"types: [{{name: {name!r}}}]"))
    assert schema.types[0].template == template
    assert TypeSchema.model_validate_json(schema.model_dump_json()) == schema


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("type: []", "there is no 'type' (did you mean 'types'?"),
        ("types: []", "types: Tuple should have at least 1 item"),
        ("types: SHIP", "types: Input should be a valid tuple"),
        ("types: [SHIP]", "types.0: Input should be"),
        ("types: [{name: ''}]", "types.0.name: String should have at least 1 character"),
        ("types: [{description: a ship}]", "types.0.name: Field required"),
        ("types: [{nmae: SHIP}]", "there is no 'types.0.nmae' (did you mean 'name'?"),
        (
            "types: [{name: SHIP}, {name: BIRD, fine_typs: [owl]}]",
            "there is no 'types.1.fine_typs' (did you mean 'fine_types'?",
        ),
        ("types: [{name: SHIP, crf: ''}]", "types.0.crf: String should have at least 1"),
        ("types: [{name: SHIP, template: ../person}]", "types.0.template: String should match"),
        ("types: [{name: SHIP, fine_types: owl}]", "types.0.fine_types: Input should be"),
        ("types: [{name: NO}]", "types.0.name: Input should be a valid string"),
        ("types: [{name: AB, fine_types: [yes]}]", "types.0.fine_types.0: Input should be"),
        ("types: [{name: SHIP}, {name: SHIP}]", "a type stands there twice: SHIP, SHIP"),
        ("types: [{name: SHIP}, {name: ship}]", "a type stands there twice: SHIP, ship"),
        (
            "types: [{name: A, fine_types: [a_b]}, {name: B, fine_types: [A B]}]",
            "a fine type stands there twice: a_b, A B",
        ),
        ("types: [{name: A, fine_types: [' ']}]", "a fine type has no letters: ' '"),
        (
            "types: [{name: SHIP, fine_types: [a]}, {name: BIRD, fine_types: [a, b]}]",
            "a fine type stands there twice: a",
        ),
        ("types: [{name: SHIP", "line 1 is no valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        TypeSchema.load(path)
    assert said in str(caught.value)
    assert path in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gmnre", "", "../type_schemas/gmner"])
def test_a_schema_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(
        SettingsError, match=r"there is no type schema .*known: ace, fmnerg, gmner, mnre, vrd"
    ):
        TypeSchema.load(name)

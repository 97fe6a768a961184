"""Relations and events of a type schema: those that come with Deixis, lookups, mistakes."""

from collections import Counter
from pathlib import Path

import pytest

from deixis.errors import SettingsError
from deixis.type_schema import TypeSchema

TYPES = "types: [{name: PER}, {name: ORG}]"


def written(folder: Path, content: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_mnre_has_22_relations_whose_sides_are_those_of_their_names() -> None:
    schema = TypeSchema.load("mnre")
    assert len(schema.relations) == 22 and schema.events == ()
    for relation in schema.relations:
        _, subject, object_, name = relation.name.split("/")
        assert relation.subject == (subject.upper(),) and relation.object == (object_.upper(),)
        assert name and relation.description
    assert schema.relation("none") is None, "that there is no relation is none of them"


def test_ace_has_18_relations_in_six_families_and_33_events_in_eight() -> None:
    schema = TypeSchema.load("ace")
    assert [each.name for each in schema.types] == ["PER", "ORG", "GPE", "LOC", "FAC", "VEH", "WEA"]
    relations = Counter(each.name.split(":")[0] for each in schema.relations)
    assert relations == {
        "PHYS": 2, "PART-WHOLE": 3, "PER-SOC": 3, "ORG-AFF": 7, "ART": 1, "GEN-AFF": 2
    }  # fmt: skip
    events = Counter(each.name.split(":")[0] for each in schema.events)
    assert events == {
        "Life": 5, "Movement": 1, "Transaction": 2, "Business": 4,
        "Conflict": 2, "Contact": 2, "Personnel": 4, "Justice": 13,
    }  # fmt: skip
    assert all(each.roles and each.description for each in schema.events)
    roles = {role for each in schema.events for role in each.roles}
    values = {"Time", "Price", "Money", "Crime", "Sentence", "Position"}
    assert len(roles - values) == 22 and values < roles


def test_vrd_has_100_things_and_70_relations_between_any() -> None:
    schema = TypeSchema.load("vrd")
    assert (len(schema.types), len(schema.relations), len(schema.events)) == (100, 70, 0)
    assert not any(each.subject or each.object for each in schema.relations)
    found = schema.relation("In the front of")
    assert found is not None and found.name == "in the front of"
    assert schema.relation("on") != schema.relation("on the top of")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Personnel:Start-Position", "Personnel:Start-Position"),
        ("personnel.start_position", "Personnel:Start-Position"),
        ("Start-position", "Personnel:Start-Position"),
        (" START  POSITION ", "Personnel:Start-Position"),
        ("die", "Life:Die"),
        ("Life", None),
        ("", None),
        (":", None),
    ],
)
def test_an_event_is_known_by_any_spelling(word: str, name: str | None) -> None:
    event = TypeSchema.load("ace").event(word)
    assert (event and event.name) == name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("/per/org/member_of", "/per/org/member_of"),
        ("PER/ORG/Member-Of", "/per/org/member_of"),
        ("member of", "/per/org/member_of"),
        ("/per/per/alternate names", "/per/per/alternate_names"),
        ("alternate_names", None),  # of two people, or of two organizations
        ("owner", None),
    ],
)
def test_a_relation_is_known_by_any_spelling_that_means_one(word: str, name: str | None) -> None:
    relation = TypeSchema.load("mnre").relation(word)
    assert (relation and relation.name) == name


def test_a_role_is_one_of_its_event() -> None:
    schema = TypeSchema.load("ace")
    assert schema.role("attack", "ATTACKER ") == "Attacker"
    assert schema.role("attack", "victim") is None
    assert schema.role("picnic", "Place") is None


def test_a_whole_name_counts_before_the_end_of_another(tmp_path: Path) -> None:
    path = written(tmp_path, f"{TYPES}\nrelations: [{{name: owns}}, {{name: part/owns}}]")
    schema = TypeSchema.load(path)
    found = schema.relation("Owns")
    assert found is not None and found.name == "owns"
    assert found.subject == found.object == (), "any type"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "relations: [{name: a}, {name: owns, subject: [PERS]}]",
            "relations.1.subject: there is no entity type 'PERS' (did you mean 'PER'?); known: PER",
        ),
        ("relations: [{name: a, object: [per]}]", "relations.0.object: there is no entity type"),
        ("relations: [{name: a_b}, {name: A-B}]", "relations: a name stands there twice: a_b, A-B"),
        ("relations: [{name: ''}]", "relations.0.name: String should have at least 1 character"),
        ("relations: [{name: '/'}]", "relations: a name has no letters: '/'"),
        (
            "relations: [{name: a, subjct: [PER]}]",
            "there is no 'relations.0.subjct' (did you mean 'subject'?",
        ),
        ("relation: [{name: a}]", "there is no 'relation' (did you mean 'relations'?"),
        ("relations: [{name: a, subject: PER}]", "relations.0.subject: Input should be a valid"),
        ("events: [{name: Die}, {name: die}]", "events: a name stands there twice: Die, die"),
        ("events: [{name: Die, rols: [X]}]", "there is no 'events.0.rols' (did you mean 'roles'?"),
        ("events: [{name: A}, {name: B, roles: [X, x]}]", "events.1.roles: a role stands there"),
        ("events: [{name: A, roles: ['']}]", "events.0.roles: a role has no letters: ''"),
        ("events: [{roles: [X]}]", "events.0.name: Field required"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    path = written(tmp_path, f"{TYPES}\n{content}")
    with pytest.raises(SettingsError) as caught:
        TypeSchema.load(path)
    assert said in str(caught.value)
    assert path in str(caught.value) and "\n" not in str(caught.value)


def test_a_schema_without_relations_and_events_is_written_as_before(tmp_path: Path) -> None:
    assert TypeSchema.load("gmner").model_dump().keys() == {"name", "description", "types"}
    schema = TypeSchema.load("ace")
    assert TypeSchema.model_validate_json(schema.model_dump_json()) == schema


def test_a_file_that_was_edited_is_read_anew(tmp_path: Path) -> None:
    first = TypeSchema.load(written(tmp_path, f"{TYPES}\nevents: [{{name: one}}]"))
    again = TypeSchema.load(written(tmp_path, f"{TYPES}\nevents: [{{name: two}}]"))
    assert first.event("one") and again.event("two") and not again.event("one")

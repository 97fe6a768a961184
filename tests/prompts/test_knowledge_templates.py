"""Templates of visual knowledge: those that come with Deixis, and a user's own."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from deixis.errors import SettingsError
from deixis.prompts import FOLDER
from deixis.prompts.knowledge_templates import (
    AskedAttribute,
    KnowledgeTemplate,
    find,
    save,
)

SHIPPED = {"art", "building", "event", "location", "organization", "other", "person", "product"}
SHIP = KnowledgeTemplate(
    type="SHIP",
    about="a vessel: “größer” than a boat",
    attributes=(
        AskedAttribute(name="hull", ask="colour of the hull", values=("no", "1", "grün")),
        AskedAttribute(name="masts", ask="how many masts"),
    ),
    written_by="scripted:any",
)


def test_there_are_eight_templates() -> None:
    assert {path.stem for path in (FOLDER / "knowledge").glob("*.yaml")} == SHIPPED


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_template_asks_for_distinct_attributes_with_distinct_values(name: str) -> None:
    template = find(name, None)
    assert template is not None
    names = [each.name for each in template.attributes]
    assert len(set(names)) == len(names) >= 3
    assert template.written_by is None
    for each in template.attributes:
        assert len(set(each.values)) == len(each.values) != 1
        assert "unknown" not in each.values


def test_the_template_of_persons_asks_for_what_the_paper_lists() -> None:
    template = find("person", None)
    assert template is not None
    assert {"gender", "age", "skin_tone", "hair_color", "facial_contour", "clothing",
            "special_number"} <= {each.name for each in template.attributes}  # fmt: skip


def test_a_type_without_a_template_has_none(tmp_path: Path) -> None:
    assert find("ship", tmp_path) is None


@pytest.mark.parametrize("own_folder", [True, False])
def test_a_file_of_the_user_takes_the_place_of_ours(
    tmp_path: Path, user_folder: Path, own_folder: bool
) -> None:
    folder = tmp_path / "mine" if own_folder else None
    place = tmp_path / "mine" if own_folder else user_folder / "templates"
    place.mkdir(parents=True)
    content = "type: person\nabout: one\nattributes: [{name: hat, ask: which hat}]"
    (place / "person.yaml").write_text(content)
    template = find("person", folder)
    assert template is not None and [each.name for each in template.attributes] == ["hat"]
    other = find("product", folder)
    assert other is not None and other.attributes[0].name == "trademark"


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    path = save("ship", SHIP, folder)
    assert path == folder / "ship.yaml"
    assert find("ship", folder) == SHIP
    assert path.read_text(encoding="utf-8").startswith("# Written by scripted:any; edit it")
    assert [each.name for each in folder.iterdir()] == ["ship.yaml"], "no draft is left"


def test_saving_again_replaces_the_whole_file(tmp_path: Path) -> None:
    save("ship", SHIP, tmp_path)
    less = SHIP.model_copy(update={"attributes": SHIP.attributes[:1]})
    save("ship", less, tmp_path)
    assert find("ship", tmp_path) == less


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"cannot write .*set options\.templates"):
        save("ship", SHIP, tmp_path / "file" / "templates")


def test_a_save_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "ship.yaml").mkdir()
    with pytest.raises(SettingsError, match="cannot write the template"):
        save("ship", SHIP, tmp_path)
    assert os.listdir(tmp_path) == ["ship.yaml"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("attributes: [", "no valid YAML"),
        ("", "must hold names and values"),
        ("type: a\nabout: b\nattributes: []", "attributes: Tuple should have at least 1"),
        ("type: a\nabout: b", "attributes: Field required"),
        ("type: a\nabout: b\natributes: []", "no 'atributes' (did you mean 'attributes'"),
        (
            "type: a\nabout: b\nattributes: [{name: x, ask: y, vals: [a]}]",
            "no 'attributes.0.vals' (did you mean 'values'",
        ),
        ("type: a\nabout: b\nattributes: [{name: Hair Color, ask: y}]", "attributes.0.name: "),
        ("type: a\nabout: b\nattributes: [{name: x, ask: ''}]", "attributes.0.ask: "),
        ("type: a\nabout: b\nattributes: [{name: x, ask: y, values: [yes]}]", "values.0: "),
        ("type: a\nabout: b\nattributes: [{name: look, ask: y}]", "'look' has a meaning of its"),
    ],
)
def test_a_mistake_in_a_file_is_told(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "person.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError) as caught:
        find("person", tmp_path)
    assert said in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["", "9a", "a b", "a-b", "A", "é", "a" * 41, "a\n", "look", "fine_type", "json", "copy",
     "schema", "model_config", "model_dump", "__init__"],
)  # fmt: skip
def test_an_attribute_has_a_name_that_a_reply_can_have_a_field_of(name: str) -> None:
    with pytest.raises(ValidationError):
        AskedAttribute(name=name, ask="how it looks")

"""The templating agent: a type without a template has one written, once, for a person to edit."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from deixis.agents.main.recognize import recognize
from deixis.agents.main.template import GENERIC, template_for
from deixis.errors import SettingsError

ASKED = [
    {"name": "hull", "ask": "colour of the hull"},
    {"name": "masts", "ask": "how many masts"},
    {"name": "flag", "ask": "which flag it flies"},
]


@pytest.fixture
def schema(tmp_path: Path) -> str:
    path = tmp_path / "ships.yaml"
    path.write_text(
        "types:\n- {name: SHIP, crf: OTHER, description: a vessel}\n- {name: STAR}\n"
        "- {name: PER, template: person, crf: PER}\n"
    )
    return str(path)


def reply(attributes: Any = None) -> str:
    return json.dumps({"attributes": attributes or ASKED})


def test_a_template_is_written_saved_and_announced(
    schema: str, toolbox_of: Any, user_folder: Path
) -> None:
    asked: list[tuple[str, str]] = []

    def script(name: str, messages: list[Any], _options: Any) -> str:
        asked.append((name, messages[1].text))
        return reply()

    toolbox = toolbox_of(script, schema=schema)
    template, update = template_for(toolbox.types.get("SHIP"), toolbox, {})
    assert asked == [("templater", "Type: SHIP (a vessel)")]
    assert [each.name for each in template.attributes] == ["hull", "masts", "flag"]
    assert (template.about, template.written_by) == ("a vessel", "scripted:templater")
    path = user_folder / "templates" / "ship.yaml"
    assert path.is_file()
    (notice,) = update["notices"].values()
    assert notice["message"] == f"wrote a template for 'SHIP'; read and edit it: {path}"
    assert len(update["calls"]) == 1


def test_the_file_that_a_person_has_edited_is_used(
    schema: str, toolbox_of: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    toolbox = toolbox_of(lambda *_: reply(), schema=schema, templates=folder)
    ship = toolbox.types.get("SHIP")
    template_for(ship, toolbox, {})
    path = folder / "ship.yaml"
    data = yaml.safe_load(path.read_text())
    data["attributes"] = [{"name": "funnels", "ask": "how many funnels"}]
    path.write_text(yaml.safe_dump(data))
    toolbox = toolbox_of(schema=schema, templates=folder)  # asks nobody
    template, update = template_for(ship, toolbox, {})
    assert [each.name for each in template.attributes] == ["funnels"]
    assert update == {}
    path.write_text("attributes: {}")
    with pytest.raises(SettingsError, match=r"ship\.yaml: "):
        template_for(ship, toolbox, {})


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot",
        ValueError("down"),
        reply(ASKED[:2]),
        reply([{"name": "Hull Color", "ask": "x y z"}, *ASKED[1:]]),
        reply([{"name": "../../evil", "ask": "x y z"}, *ASKED[1:]]),
        reply([{"name": "model_dump", "ask": "x y z"}, *ASKED[1:]]),
        reply([{"name": "fine_type", "ask": "x y z"}, *ASKED[1:]]),
        reply([{"name": "hull", "ask": "x" * 61}, *ASKED[1:]]),
        reply([{**ASKED[0], "values": ["a"]}, *ASKED[1:]]),
        reply([{"name": f"part_{i}", "ask": "how it is"} for i in range(7)]),
    ],
)
def test_when_the_agent_fails_a_generic_template_serves_and_is_not_saved(
    schema: str, toolbox_of: Any, user_folder: Path, answer: Any
) -> None:
    toolbox = toolbox_of(lambda *_: answer, schema=schema)
    template, update = template_for(toolbox.types.get("STAR"), toolbox, {})
    assert template.attributes == GENERIC and template.about == "a STAR"
    assert not user_folder.exists()
    said = [each["message"] for each in update["notices"].values()]
    assert "no template for 'STAR'; a generic one was used and not saved" in said
    assert any("templater scripted:templater gave no answer" in each for each in said)


def test_markup_in_a_reply_is_kept_as_text(schema: str, toolbox_of: Any, tmp_path: Path) -> None:
    evil = [{"name": "hull", "ask": "{{ 7*7 }}: !!python/x #"}, *ASKED[1:]]
    toolbox = toolbox_of(lambda *_: reply(evil), schema=schema, templates=tmp_path / "t")
    ship = toolbox.types.get("SHIP")
    first, _ = template_for(ship, toolbox, {})
    again, _ = template_for(ship, toolbox, {})
    assert again == first and again.attributes[0].ask == "{{ 7*7 }}: !!python/x #"


def test_an_attribute_named_twice_is_asked_once(
    schema: str, toolbox_of: Any, tmp_path: Path
) -> None:
    twice = [*ASKED, {"name": "hull", "ask": "what it is made of"}]
    toolbox = toolbox_of(lambda *_: reply(twice), schema=schema, templates=tmp_path)
    template, _ = template_for(toolbox.types.get("SHIP"), toolbox, {})
    assert [each.name for each in template.attributes] == ["hull", "masts", "flag"]


def test_every_type_of_a_text_gets_its_template_and_every_call_is_counted(
    schema: str, toolbox_of: Any, run: Any, user_folder: Path
) -> None:
    def script(name: str, _messages: Any, _options: Any) -> str:
        if name == "templater":
            return reply()
        found = [("Titanic", "SHIP"), ("Sirius", "STAR"), ("Ann", "PER"), ("Bismarck", "SHIP")]
        entities = [{"text": text, "type": kind, "confidence": 0.9} for text, kind in found]
        return json.dumps({"entities": entities})

    toolbox = toolbox_of(script, schema=schema, recognizer="scripted:recognizer")
    state = {"text": "Ann saw Sirius from the Titanic, not the Bismarck"}
    update = run(recognize, state, toolbox)
    assert set(update["templates"]) == {"ship", "star", "person"}
    roles = sorted(call["role"] for call in update["calls"].values())
    assert roles == ["recognizer", "templater", "templater"]
    assert {path.stem for path in (user_folder / "templates").iterdir()} == {"ship", "star"}
    again = run(recognize, state, toolbox)
    assert len(again["calls"]) == 1, "the templates are there now"


def test_a_folder_that_cannot_be_written_stops_the_run(
    schema: str, toolbox_of: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    toolbox = toolbox_of(lambda *_: reply(), schema=schema, templates=tmp_path / "file")
    with pytest.raises(SettingsError, match="cannot write the template"):
        template_for(toolbox.types.get("SHIP"), toolbox, {})

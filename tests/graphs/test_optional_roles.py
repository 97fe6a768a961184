"""The main graph needs a recognizer; every other role may be left out, alone or with others."""

import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis import Settings, build_graph
from deixis.base.boxes import Box
from deixis.base.records import Mask
from deixis.errors import SettingsError
from deixis.graphs.build import toolbox_of
from deixis.testing import fill, tools
from deixis.tools.base import Detection, Picture, Word

pytestmark = pytest.mark.extra("starter")

TEXT = "Ann Miller of the US Navy"
MODELS = {
    "corrector": "scripted:corrector",
    "committee": ("scripted:m1", "scripted:m2"),
    "voter": "scripted:voter",
    "expander": "scripted:expander",
    "templater": "scripted:templater",
    "entailer": "scripted:entailer",
}
TOOLS = {"detector": "eyes", "reader": "glasses", "segmenter": "scissors"}


def chosen(roles: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every choice of the roles: each is played, or nobody plays it."""
    choices = product(*(((role, spec), (role, "none")) for role, spec in roles.items()))
    return [dict(choice) for choice in choices]


def names_of(roles: dict[str, Any]) -> str:
    return "+".join(role for role, spec in roles.items() if spec != "none") or "nobody"


@pytest.fixture
def alone() -> Settings:
    """A stack of a recognizer."""
    return Settings.model_validate(
        {
            "name": "alone",
            "roles": {"recognizer": "crf"},
            "options": {"cache": "off", "gate": 0.999},
        }
    )


@pytest.fixture
def eyes(scripted: Any) -> Iterator[None]:
    """Members that disagree on one thing; a person and a name to be seen."""

    def script(name: str, _messages: Any, options: dict[str, Any]) -> str:
        reply = fill(options["json_schema"])
        if name in ("m1", "m2"):
            reply["e1"]["clothing"] = f"the coat of {name}"
        return json.dumps(reply)

    scripted(script)
    seen = Detection("person", (10.0, 5.0, 50.0, 60.0), 0.9)
    word = Word("US NAVY", (2.0, 2.0, 40.0, 12.0), 0.9)
    with tools(eyes=[seen], glasses=[word], scissors=Scissors()):
        yield


def picture() -> Picture:
    return np.full((64, 64, 3), 240, np.uint8)


class Scissors:
    """A segmenter that takes the box for the mask."""

    def segment(self, picture: Picture, boxes: Sequence[Box]) -> list[Mask]:
        masks = []
        for x1, y1, x2, y2 in boxes:
            inside = np.zeros(picture.shape[:2], np.bool_)
            inside[int(y1) : int(y2), int(x1) : int(x2)] = True
            masks.append(Mask.from_array(inside))
        return masks


@pytest.mark.usefixtures("eyes")
@pytest.mark.parametrize("models", chosen(MODELS), ids=names_of)
def test_every_choice_of_models_runs(alone: Settings, models: dict[str, Any]) -> None:
    played = {role for role, spec in models.items() if spec != "none"}
    out = build_graph(alone.with_roles(models | TOOLS)).invoke({"image": picture(), "text": TEXT})
    asked = {usage["role"] for usage in out["usage"]}
    committee = {"committee"} & played
    voter = {"voter"} & played if committee else set()
    assert asked == committee | voter | (played & {"corrector", "expander", "entailer"})
    assert out["warnings"] == []
    person = out["entities"][0]
    assert bool(person["knowledge"]["attributes"]) == bool(committee)
    assert person["expression"].startswith("Ann Miller (PER)")
    assert person["groundable"] and person["regions"][0]["mask"]


@pytest.mark.usefixtures("eyes")
@pytest.mark.parametrize("given", chosen(TOOLS), ids=names_of)
def test_every_choice_of_tools_runs_without_a_model(alone: Settings, given: dict[str, str]) -> None:
    out = build_graph(alone.with_roles(given)).invoke({"image": picture(), "text": TEXT})
    assert out["usage"] == [] and out["warnings"] == []
    person, navy = out["entities"]
    boxes = {"person": person["regions"], "navy": navy["regions"]}
    assert bool(boxes["person"]) == (given["detector"] != "none")
    assert bool(boxes["navy"]) == (given["reader"] != "none")
    masked = [region["mask"] is not None for regions in boxes.values() for region in regions]
    assert all(masked) if given["segmenter"] != "none" else not any(masked)


def evidence(entity: dict[str, Any], step: str, subject: str) -> list[str]:
    (own,) = [
        decision["evidence"]
        for decision in entity["decisions"]
        if (decision["step"], decision["subject"]) == (step, subject)
    ]
    return list(own)


@pytest.mark.usefixtures("eyes")
def test_what_is_missing_is_a_decision_of_every_entity(alone: Settings) -> None:
    for entity in build_graph(alone).invoke({"text": TEXT})["entities"]:
        assert evidence(entity, "vote", "knowledge") == ["there is no committee to ask"]
        (reason,) = evidence(entity, "expand", "expression")
        assert reason.startswith("there is no expander")


@pytest.mark.usefixtures("eyes")
def test_without_a_voter_the_plurality_decides_and_a_tie_is_unknown(alone: Settings) -> None:
    torn = build_graph(alone.with_roles({"committee": MODELS["committee"]}))
    person = torn.invoke({"text": TEXT})["entities"][0]
    remark, votes = evidence(person, "vote", "clothing")
    assert remark == "disputed, and there is no voter; plurality, a tie is unknown"
    assert "the coat of m1" in votes and "the coat of m2" in votes
    known = {fact["name"] for fact in person["knowledge"]["attributes"]}
    assert known and "clothing" not in known
    three = [*MODELS["committee"], "scripted:m1"]
    person = torn.invoke({"text": TEXT}, context={"committee": three})["entities"][0]
    known = {fact["name"]: fact["value"] for fact in person["knowledge"]["attributes"]}
    assert known["clothing"] == "the coat of m1"


@pytest.mark.usefixtures("eyes")
@pytest.mark.parametrize("nobody", ["none", None, []])
def test_context_sends_the_committee_home(alone: Settings, nobody: Any) -> None:
    graph = build_graph(alone.with_roles(MODELS | {"corrector": None, "entailer": None}))
    out = graph.invoke({"text": TEXT}, context={"committee": nobody})
    assert {usage["role"] for usage in out["usage"]} == {"expander"}


@pytest.mark.usefixtures("eyes")
def test_a_type_without_a_template_needs_somebody_to_write_it(
    alone: Settings, tmp_path: Path
) -> None:
    schema = tmp_path / "ships.yaml"
    schema.write_text("types:\n- {name: FLEET, crf: ORG, description: ships}\n")
    fleet = alone.model_copy(update={"types": str(schema)})
    silent = build_graph(fleet).invoke({"text": TEXT})
    assert silent["warnings"] == [], "nobody asks what a template would say"
    assert silent["entities"][0]["expression"].endswith("ships")
    asking = build_graph(fleet.with_roles({"committee": "scripted:any"})).invoke({"text": TEXT})
    (warning,) = asking["warnings"]
    assert warning["message"].startswith("no templater and no template for 'FLEET'")
    assert asking["entities"][0]["knowledge"]["attributes"]


def test_who_is_never_asked_needs_no_key_and_no_weights(
    alone: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    idle = {"voter": "openai:gpt-5-mini", "templater": "gguf:/no/such/file.gguf"}
    toolbox = toolbox_of(alone.with_roles(idle))
    toolbox.check()
    seats = {seat.role: seat for seat in toolbox.cast.seats()}
    assert seats["voter"].idle and seats["templater"].idle and not seats["recognizer"].idle
    assert seats["templater"].files() == []
    with pytest.raises(SettingsError, match="no language-model provider 'opnai'"):
        toolbox_of(alone.with_roles({"voter": "opnai:gpt-5-mini"}))


def test_credentials_of_who_is_never_asked_stay_out_of_the_settings(alone: Settings) -> None:
    voter = "openai:m?base_url=http://ann:secret@127.0.0.1:8000/v1"
    assert "secret" not in toolbox_of(alone.with_roles({"voter": voter})).settings.roles.voter

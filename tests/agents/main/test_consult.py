"""consult: one call a member, and a reply that cannot name what was not asked."""

import json
from typing import Any

import pytest

from deixis.agents.main.asked import asked_about
from deixis.agents.main.consult import consult, member_tasks
from deixis.testing import fill

TEXT = "Ann met NASA"
CLOSED = ["black", "brown", "blond", "red", "grey", "white", "none", "unknown"]


@pytest.fixture
def state(mention: Any, templates: Any) -> dict[str, Any]:
    return {
        "text": TEXT,
        "mentions": {"e1": mention("Ann"), "e2": mention("NASA", 8, "ORG")},
        "templates": templates("person", "organization"),
    }


def test_every_member_gets_one_task_and_none_without_a_mention(state: dict[str, Any]) -> None:
    tasks = member_tasks(state, 3)
    assert [task["member"] for task in tasks] == [0, 1, 2]
    assert all(task["mentions"] == state["mentions"] for task in tasks)
    assert member_tasks({**state, "mentions": {}}, 3) == []


def test_a_member_is_asked_once_about_all_entities(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    asked: list[tuple[str, list[Any], dict[str, Any]]] = []

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        asked.append((name, messages, options["json_schema"]))
        return json.dumps(fill(options["json_schema"]))

    update = run(consult, member_tasks(state, 3)[1], toolbox_of(script))
    ((name, messages, schema),) = asked
    assert name == "m2"
    assert list(schema["properties"]) == schema["required"] == ["e1", "e2"]
    assert schema["additionalProperties"] is False
    ann, nasa = schema["$defs"]["person"], schema["$defs"]["organization"]
    assert ann["properties"]["hair_color"]["enum"] == CLOSED
    assert "pattern" in ann["properties"]["clothing"]
    assert ann["additionalProperties"] is nasa["additionalProperties"] is False
    assert list(nasa["properties"]) == ["logo", "colors", "uniform", "slogan"]
    assert "e1: Ann (a person)" in messages[1].text
    assert "e2: NASA (a company" in messages[1].text and TEXT in messages[1].text
    assert "hair_color (colour of the hair: black, brown" in messages[0].text
    (testimony,) = update["testimonies"].values()
    assert list(update["testimonies"]) == ["m2"]
    assert testimony["status"] == "ok" and testimony["model"] == "scripted:m2"
    assert testimony["answers"]["e2"] == dict.fromkeys(nasa["properties"], "dark blue")
    (call,) = update["calls"].values()
    assert call["role"] == "committee" and call["model"] == "scripted:m2"
    assert (call["input_tokens"], call["output_tokens"]) == (7, 3)
    assert update["notices"] == {}


def test_fine_types_are_asked_for_where_the_schema_has_them(
    toolbox_of: Any, run: Any, mention: Any, templates: Any
) -> None:
    schemas: list[dict[str, Any]] = []

    def script(_name: str, _messages: Any, options: dict[str, Any]) -> str:
        schemas.append(options["json_schema"])
        return json.dumps(fill(options["json_schema"]))

    toolbox = toolbox_of(script, schema="fmnerg")
    state = {
        "text": "in Rome",
        "mentions": {"e1": mention("Rome", 3, "location")},
        "templates": templates("location", "building"),
    }
    update = run(consult, member_tasks(state, 1)[0], toolbox)
    offered = schemas[0]["$defs"]["location"]["properties"]["fine_type"]["enum"]
    both = [*toolbox.types.get("location").fine_types, *toolbox.types.get("building").fine_types]
    assert offered == [*both, "unknown"]
    assert update["testimonies"]["m1"]["answers"]["e1"]["fine_type"] == "city"


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda answer: answer.pop("e2"), "invalid"),
        (lambda answer: answer.update(e3=answer["e1"]), "invalid"),
        (lambda answer: answer["e1"].update(hair_color="purple"), "invalid"),
        (lambda answer: answer["e1"].update(shoes="red"), "invalid"),
        (lambda answer: answer["e1"].update(clothing=None), "invalid"),
        (lambda answer: answer["e1"].update(clothing=["a", "b"]), "invalid"),
    ],
)
def test_a_member_that_says_what_was_not_asked_abstains(
    state: dict[str, Any], toolbox_of: Any, run: Any, spoil: Any, status: str
) -> None:
    def script(_name: str, _messages: Any, options: dict[str, Any]) -> str:
        answer = fill(options["json_schema"])
        spoil(answer)
        return json.dumps(answer)

    update = run(consult, member_tasks(state, 1)[0], toolbox_of(script))
    assert update["testimonies"]["m1"]["answers"] == {}
    assert update["testimonies"]["m1"]["status"] == status
    assert len(update["calls"]) == 2, "a wrong reply is repaired once"


@pytest.mark.parametrize(
    ("reply", "status"), [("", "empty"), (ValueError("boom"), "failed"), ("I won't", "invalid")]
)
def test_a_member_that_cannot_answer_abstains_and_says_why(
    state: dict[str, Any], toolbox_of: Any, run: Any, reply: Any, status: str
) -> None:
    update = run(consult, member_tasks(state, 1)[0], toolbox_of(lambda *_: reply))
    testimony = update["testimonies"]["m1"]
    assert testimony["answers"] == {} and testimony["status"] == status and testimony["detail"]
    (notice,) = update["notices"].values()
    assert notice["step"] == "consult"
    assert f"committee scripted:m1 gave no answer ({status})" in notice["message"]


def test_an_endless_answer_is_cut_and_put_on_one_line(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    def script(_name: str, _messages: Any, options: dict[str, Any]) -> str:
        return json.dumps(fill(options["json_schema"], "very\nblue " * 500))

    update = run(consult, member_tasks(state, 1)[0], toolbox_of(script))
    said = update["testimonies"]["m1"]["answers"]["e1"]["clothing"]
    assert said.startswith("very blue very") and "\n" not in said
    assert len(said) <= 84 and said.endswith(("very", "blue"))


def test_templates_of_one_type_name_do_not_hide_each_other(
    tmp_path: Any, toolbox_of: Any, run: Any, mention: Any, templates: Any
) -> None:
    """A user copied person.yaml to player.yaml and left its first line as it was."""
    path = tmp_path / "types.yaml"
    path.write_text("types: [{name: PER, template: person, crf: PER}, {name: PLAYER}]")
    heard: list[str] = []

    def script(_name: str, messages: list[Any], options: dict[str, Any]) -> str:
        heard.append(messages[0].text)
        return json.dumps(fill(options["json_schema"]))

    person = templates("person")["person"]
    player = {**person, "attributes": [{"name": "jersey", "ask": "its number", "values": []}]}
    state = {
        "text": "Ann and Bob",
        "mentions": {"e1": mention("Ann"), "e2": mention("Bob", 8, "PLAYER")},
        "templates": {"person": person, "player": player},
    }
    run(consult, member_tasks(state, 1)[0], toolbox_of(script, schema=str(path)))
    assert "- person: gender" in heard[0] and "- player: jersey (its number)" in heard[0]


def test_mentions_of_one_name_are_one_question(
    state: dict[str, Any], mention: Any, toolbox_of: Any, run: Any
) -> None:
    state["mentions"] = {"e1": mention("Ann Lee"), "e2": mention("Lee", 20)}
    asked: list[Any] = []

    def script(_name: str, _messages: Any, options: dict[str, Any]) -> str:
        asked.append(list(options["json_schema"]["properties"]))
        return json.dumps(fill(options["json_schema"]))

    (task,) = member_tasks(state, 1, asked_about(state))
    run(consult, task, toolbox_of(script))
    assert asked == [["e1"]]


def test_prompts_begin_alike_whichever_type_a_text_names_first(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    systems: list[str] = []

    def script(_name: str, messages: Any, options: dict[str, Any]) -> str:
        systems.append(messages[0].text)
        return json.dumps(fill(options["json_schema"]))

    turned = dict(reversed(state["mentions"].items()))
    for mentions in (state["mentions"], turned):
        task = member_tasks({**state, "mentions": mentions}, 1)[0]
        run(consult, {**task, "mentions": mentions}, toolbox_of(script))
    assert systems[0] == systems[1] and systems[0].index("person") < systems[0].index("logo")

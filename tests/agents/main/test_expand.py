"""expand: one call a sample, one expression an entity, whatever the reply."""

import json
from typing import Any

import pytest

from deixis.agents.main.expand import expand

DASH = "\N{EN DASH}"


@pytest.fixture
def state(mention: Any, templates: Any) -> dict[str, Any]:
    return {
        "text": "Ann met NASA",
        "mentions": {"e1": mention("Ann"), "e2": mention("NASA", 8, "ORG")},
        "templates": templates("person", "organization"),
        "knowledge": {"e1": {"attributes": [], "summary": "grey hair"}},
        "observation": {"caption": "Seen: 1 person"},
    }


def test_an_expression_has_the_form_of_the_paper(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        assert name == "expander"
        asked.append((messages[1].text, options["json_schema"]))
        return json.dumps({"e1": "an old  woman", "e2": "a space agency"})

    update = run(expand, state, toolbox_of(script))
    assert update["expressions"] == {
        "e1": f"Ann (PER) {DASH} an old woman",
        "e2": f"NASA (ORG) {DASH} a space agency",
    }
    ((prompt, schema),) = asked
    assert list(schema["properties"]) == ["e1", "e2"]
    assert "e1: Ann (PER): grey hair" in prompt and "e2: NASA (ORG)\n" in prompt + "\n"
    assert "Picture: Seen: 1 person" in prompt
    said = update["decisions"]["e1/expand/expression"]
    assert said["model"] == "scripted:expander" and said["evidence"] == []
    assert said["outcome"] == update["expressions"]["e1"]
    assert len(update["calls"]) == 1


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("Ann", "the phrase only repeats the name"),
        (" ann. ", "the phrase only repeats the name"),
        ("the ANN", "the phrase only repeats the name"),
        ("", "no phrase (ok)"),
        (" \n ", "no phrase (ok)"),
    ],
)
def test_a_phrase_that_says_nothing_gives_way_to_the_description(
    state: dict[str, Any], toolbox_of: Any, run: Any, phrase: str, reason: str
) -> None:
    reply = json.dumps({"e1": phrase, "e2": "a space agency"})
    update = run(expand, state, toolbox_of(lambda *_: reply))
    assert update["expressions"]["e1"] == f"Ann (PER) {DASH} a person"
    said = update["decisions"]["e1/expand/expression"]
    assert said["model"] is None
    assert said["evidence"] == [f"{reason}; the type's description serves"]
    assert update["expressions"]["e2"].endswith("a space agency")


@pytest.mark.parametrize(
    ("reply", "status"),
    [("", "empty"), ("no", "invalid"), ('{"e1": "a woman"}', "invalid"), (ValueError(), "failed")],
)
def test_without_an_answer_the_description_serves(
    state: dict[str, Any], toolbox_of: Any, run: Any, reply: Any, status: str
) -> None:
    update = run(expand, state, toolbox_of(lambda *_: reply))
    assert update["expressions"]["e1"] == f"Ann (PER) {DASH} a person"
    assert update["expressions"]["e2"].startswith(f"NASA (ORG) {DASH} a company")
    said = update["decisions"]["e2/expand/expression"]
    assert said["evidence"] == [f"no phrase ({status}); the type's description serves"]
    (notice,) = update["notices"].values()
    assert notice["step"] == "expand" and "scripted:expander" in notice["message"]


def test_without_knowledge_or_a_caption_it_is_asked_all_the_same(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    for key in ("knowledge", "observation"):
        del state[key]
    prompts: list[str] = []

    def script(_name: str, messages: list[Any], _options: Any) -> str:
        prompts.append(messages[1].text)
        return json.dumps({"e1": "a woman", "e2": "an agency"})

    assert len(run(expand, state, toolbox_of(script))["expressions"]) == 2
    assert "Picture:" not in prompts[0]


def test_a_text_without_a_mention_costs_nothing(toolbox_of: Any, run: Any) -> None:
    assert run(expand, {"text": "hi", "mentions": {}, "templates": {}}, toolbox_of()) == {}


def test_the_type_is_the_one_that_was_voted(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    state["kinds"] = {"e2": {"type": "OTHER", "fine_type": "award"}, "e1": {"type": None}}
    prompts: list[str] = []

    def script(_name: str, messages: list[Any], _options: Any) -> str:
        prompts.append(messages[1].text)
        return json.dumps({"e1": "a woman", "e2": "an agency"})

    update = run(expand, state, toolbox_of(script))
    assert update["expressions"]["e2"] == f"NASA (OTHER) {DASH} an agency"
    assert "e2: NASA (OTHER)" in prompts[0] and "e1: Ann (PER)" in prompts[0]
    failed = run(expand, state, toolbox_of(lambda *_: "no"))
    assert failed["expressions"]["e2"].startswith(f"NASA (OTHER) {DASH} a company")


@pytest.mark.parametrize(
    ("phrase", "fault"),
    [
        ("Ann in a blue coat", "names it"),
        ("the head of NASA", "names something else, 'NASA'"),
        ("NASA", "names something else, 'NASA'"),
        ("tall hat, tall hat", "says one thing twice"),
    ],
)
def test_a_phrase_that_names_something_gives_way_and_says_so(
    state: dict[str, Any], toolbox_of: Any, run: Any, phrase: str, fault: str
) -> None:
    reply = json.dumps({"e1": phrase, "e2": "a blue disc with stars"})
    update = run(expand, state, toolbox_of(lambda *_: reply))
    assert update["expressions"] == {
        "e1": f"Ann (PER) {DASH} a person",
        "e2": f"NASA (ORG) {DASH} a blue disc with stars",
    }
    decision = update["decisions"]["e1/expand/expression"]
    reason = f"the phrase {phrase!r} {fault}; the type's description serves"
    assert decision["model"] is None and decision["evidence"] == [reason]


def test_mentions_of_one_name_have_one_phrase(
    state: dict[str, Any], mention: Any, toolbox_of: Any, run: Any
) -> None:
    state["mentions"] = {"e1": mention("Ann Lee"), "e2": mention("Lee", 20)}
    update = run(expand, state, toolbox_of(lambda *_: json.dumps({"e1": "a tall woman"})))
    assert update["expressions"] == {
        "e1": f"Ann Lee (PER) {DASH} a tall woman",
        "e2": f"Lee (PER) {DASH} a tall woman",
    }


def test_what_is_known_to_be_unseen_is_not_described(
    state: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    state["verdicts"] = {"e1": {"groundable": True}, "e2": {"groundable": False}}
    update = run(expand, state, toolbox_of(lambda *_: json.dumps({"e1": "a tall woman"})))
    assert update["expressions"]["e1"].endswith("a tall woman")
    decision = update["decisions"]["e2/expand/expression"]
    assert decision["replies"] == [] and "not known to be shown" in decision["evidence"][0]
    state["verdicts"]["e1"] = {"groundable": False}
    assert run(expand, state, toolbox_of())["calls"] == {}, "nobody is left to ask about"

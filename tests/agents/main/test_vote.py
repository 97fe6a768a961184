"""vote: agreement is free, disputes cost one call, and every vote is named."""

import json
from typing import Any

import pytest

from deixis.agents.main.ballot import tally
from deixis.agents.main.vote import _options, vote

ANN = {
    "gender": "female",
    "age": "elderly",
    "skin_tone": "light",
    "hair_color": "grey",
    "facial_contour": "unknown",
    "clothing": "a navy uniform",
    "special_number": "unknown",
}


def answered(model: str, ann: dict[str, str] | None) -> dict[str, Any]:
    if ann is None:
        said = {"status": "refused", "detail": "it declined", "answers": {}}
    else:
        said = {"status": "ok", "detail": "", "answers": {"e1": {**ANN, **ann}}}
    return {"model": model, "replies": [f"consult/{model[-1]}/1"], **said}


@pytest.fixture
def state_of(mention: Any, templates: Any) -> Any:
    def make(*answers: dict[str, str] | None) -> dict[str, Any]:
        return {
            "text": "Ann sings",
            "mentions": {"e1": mention("Ann")},
            "templates": templates("person"),
            "testimonies": {
                f"m{i}": answered(f"scripted:m{i}", each) for i, each in enumerate(answers, 1)
            },
        }

    return make


class Voter:
    """A voter that chooses by name and keeps the schemas and prompts it was given."""

    def __init__(self, **choices: str) -> None:
        self.choices = choices
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, messages: list[Any], options: dict[str, Any]) -> str:
        assert name == "voter"
        schema = options["json_schema"]
        self.asked.append((messages[1].text, schema))
        reply = {
            entity: {
                key: self.choices.get(key, "a tall woman")
                for key in schema["$defs"][entity]["properties"]
            }
            for entity in schema["properties"]
        }
        return json.dumps(reply)


def values(update: dict[str, Any], entity: str = "e1") -> dict[str, Any]:
    return {each["name"]: each for each in update["knowledge"][entity]["attributes"]}


def test_what_is_agreed_needs_no_call(state_of: Any, toolbox_of: Any, run: Any) -> None:
    update = run(vote, state_of({}, {"clothing": "Navy uniform."}, {}), toolbox_of())
    known = values(update)
    assert known["clothing"] == {
        "name": "clothing",
        "value": "a navy uniform",
        "votes": 3,
        "agreement": 1.0,
    }
    assert "facial_contour" not in known
    assert update["knowledge"]["e1"]["summary"].startswith("gender: female; age: elderly")
    assert "calls" not in update
    said = update["decisions"]["e1/vote/age"]
    assert said["model"] is None and said["confidence"] == 1.0
    assert said["evidence"] == ["members who knew agreed", "votes: 3 x 'elderly'"]
    unknown = update["decisions"]["e1/vote/facial_contour"]
    assert unknown["outcome"] == "unknown" and unknown["confidence"] is None
    assert unknown["evidence"] == ["no member knew", "votes: none"]


def test_one_who_knows_is_enough_and_agreement_tells(
    state_of: Any, toolbox_of: Any, run: Any
) -> None:
    update = run(vote, state_of({}, {"age": "unknown"}, {"age": "unknown"}), toolbox_of())
    assert values(update)["age"]["votes"] == 1
    assert values(update)["age"]["agreement"] == pytest.approx(1 / 3)


def test_all_disputes_go_to_the_voter_in_one_call_and_its_choice_holds(
    state_of: Any, toolbox_of: Any, run: Any, mention: Any
) -> None:
    voter = Voter(age="middle-aged", clothing="a red dress", hair_color="unknown")
    state = state_of(
        {"age": "middle-aged", "hair_color": "red"}, {}, {"clothing": "a red dress"}
    )  # fmt: skip
    update = run(vote, state, toolbox_of(voter))
    ((prompt, schema),) = voter.asked
    asked = schema["$defs"]["e1"]["properties"]
    assert set(asked) == {"age", "hair_color", "clothing", "look"}
    assert set(asked["age"]["enum"]) == {"middle-aged", "elderly", "unknown"}
    assert asked["age"]["enum"][-1] == "unknown"
    lines = prompt.splitlines()
    assert "gender: female" in lines, "what is agreed is said once, and is no choice"
    assert {"age: elderly | middle-aged", "age: middle-aged | elderly"} & {*lines}
    known = values(update)
    assert known["age"]["value"] == "middle-aged" and known["age"]["votes"] == 1
    assert known["clothing"]["value"] == "a red dress"
    assert "hair_color" not in known, "the voter may answer unknown"
    said = update["decisions"]["e1/vote/hair_color"]
    assert said["outcome"] == "unknown" and said["model"] == "scripted:voter"
    assert said["evidence"][0] == "disputed; the voter chose"
    assert "2 x 'grey'" in said["evidence"][1] and "1 x 'red'" in said["evidence"][1]
    assert update["knowledge"]["e1"]["summary"] == "a tall woman"
    assert len(update["calls"]) == 1


def test_disputes_of_two_entities_are_one_call(
    state_of: Any, toolbox_of: Any, run: Any, mention: Any
) -> None:
    state = state_of({}, {"age": "child"})
    state["mentions"] = {**state["mentions"], "e2": mention("Bob", 4), "e3": mention("Cy", 8)}
    for number, each in enumerate(state["testimonies"].values()):
        each["answers"]["e2"] = {**ANN, "hair_color": ["red", "black"][number]}
        each["answers"]["e3"] = dict.fromkeys(ANN, "unknown")
    voter = Voter(age="child", hair_color="black")
    update = run(vote, state, toolbox_of(voter))
    ((_, schema),) = voter.asked
    assert list(schema["properties"]) == ["e1", "e2"], "of e3 nobody knew anything"
    assert values(update)["age"]["value"] == "child"
    assert values(update, "e2")["hair_color"]["value"] == "black"
    assert update["knowledge"]["e3"] == {"attributes": [], "summary": None}


@pytest.mark.parametrize("reply", ["", "no", ValueError("down"), '{"e1": {"age": "ancient"}}'])
def test_when_the_voter_fails_the_plurality_decides_and_a_tie_is_unknown(
    state_of: Any, toolbox_of: Any, run: Any, reply: Any
) -> None:
    state = state_of({"age": "child", "hair_color": "red"}, {}, {"hair_color": "black"})
    update = run(vote, state, toolbox_of(lambda *_: reply))
    known = values(update)
    assert known["age"]["value"] == "elderly" and known["age"]["votes"] == 2
    assert "hair_color" not in known
    for name in ("age", "hair_color"):
        said = update["decisions"][f"e1/vote/{name}"]
        assert said["model"] is None
        assert "the voter gave no answer" in said["evidence"][0]
        assert "plurality, a tie is unknown" in said["evidence"][0]
    (notice,) = update["notices"].values()
    assert "voter scripted:voter gave no answer" in notice["message"]
    assert update["knowledge"]["e1"]["summary"].startswith("gender: female")


def test_below_the_quorum_nothing_is_known_and_nobody_guesses(
    state_of: Any, toolbox_of: Any, run: Any
) -> None:
    update = run(vote, state_of({}, None, None), toolbox_of())
    assert "knowledge" not in update
    (said,) = update["decisions"].values()
    assert said["outcome"] is None and said["subject"] == "knowledge"
    assert said["evidence"][0] == "1 of 3 members answered, 2 are needed"
    assert "m2 (scripted:m2) abstained: refused, it declined" in said["evidence"]
    (notice,) = update["notices"].values()
    assert notice["message"].startswith("no visual knowledge: 1 of 3 members")


def test_the_quorum_is_a_setting(state_of: Any, toolbox_of: Any, run: Any) -> None:
    state = state_of({}, None, None)
    assert values(run(vote, state, toolbox_of(quorum=1)))["age"]["votes"] == 1
    assert "knowledge" not in run(vote, state_of({}, {}, None), toolbox_of(quorum=3))


def test_who_abstained_is_named_where_the_others_decide(
    state_of: Any, toolbox_of: Any, run: Any
) -> None:
    update = run(vote, state_of({}, None, {}), toolbox_of())
    assert values(update)["age"]["agreement"] == 1.0
    for each in update["decisions"].values():
        assert each["evidence"][-1] == "m2 (scripted:m2) abstained: refused, it declined"


def test_a_text_without_a_mention_is_no_failed_vote(toolbox_of: Any, run: Any) -> None:
    state = {"text": "hi", "mentions": {}, "templates": {}, "testimonies": {}}
    assert run(vote, state, toolbox_of()) == {}


def test_the_voter_cannot_tell_who_gave_which_answer(
    state_of: Any, toolbox_of: Any, run: Any
) -> None:
    one, two = {"age": "child"}, {"age": "young adult"}
    prompts = []
    for order in ((one, two, {}), ({}, two, one), (two, {}, one)):
        voter = Voter(age="child")
        run(vote, state_of(*order), toolbox_of(voter))
        prompts.append(voter.asked[0][0])
    assert len(set(prompts)) == 1
    first = {
        _options(str(seed), tally({"m1": "a b", "m2": "c d"}, closed=False))[0]
        for seed in range(20)
    }
    assert first == {"a b", "c d"}, "samples differ in the order"


def test_a_voted_fine_type_decides_the_coarse_type(
    toolbox_of: Any, run: Any, mention: Any, templates: Any
) -> None:
    place = {"landmark": "unknown", "scenery": "unknown", "symbol": "unknown"}

    def state(*fine_types: str) -> dict[str, Any]:
        return {
            "text": "at Wembley",
            "mentions": {"e1": mention("Wembley", 3, "location")},
            "templates": templates("location", "building"),
            "testimonies": {
                f"m{i}": {
                    "model": "m",
                    "status": "ok",
                    "detail": "",
                    "replies": [],
                    "answers": {"e1": {**place, "fine_type": fine}},
                }
                for i, fine in enumerate(fine_types)
            },
        }

    agreed = run(vote, state(*["sports_facility"] * 3), toolbox_of(schema="fmnerg"))
    assert agreed["kinds"] == {"e1": {"type": "building", "fine_type": "sports_facility"}}
    assert agreed["decisions"]["e1/vote/fine_type"]["outcome"] == "sports_facility"
    assert agreed["knowledge"]["e1"]["attributes"] == [], "a fine type is not how it looks"
    voter = Voter(fine_type="city")
    disputed = run(vote, state("city", "park", "park"), toolbox_of(voter, schema="fmnerg"))
    assert disputed["kinds"] == {"e1": {"type": "location", "fine_type": "city"}}
    unsure = run(vote, state(*["unknown"] * 3), toolbox_of(schema="fmnerg"))
    assert unsure["kinds"] == {}


def test_an_attribute_is_closed_by_its_own_template_only(
    tmp_path: Any, toolbox_of: Any, run: Any, mention: Any
) -> None:
    path = tmp_path / "types.yaml"
    path.write_text("types: [{name: A, crf: PER}, {name: B}]")
    asked = {"name": "color", "ask": "colour", "values": ["none", "red"]}
    state = {
        "text": "x y",
        "mentions": {"e1": mention("x", 0, "A"), "e2": mention("y", 2, "B")},
        "templates": {
            "a": {"type": "a", "about": "a", "attributes": [asked]},
            "b": {"type": "b", "about": "b", "attributes": [{**asked, "values": []}]},
        },
        "testimonies": {
            name: {
                "model": "m",
                "status": "ok",
                "detail": "",
                "replies": [],
                "answers": {"e1": {"color": "none"}, "e2": {"color": said}},
            }
            for name, said in (("m1", "None"), ("m2", "Red."), ("m3", "red"))
        },
    }
    update = run(vote, state, toolbox_of(schema=str(path)))
    assert values(update)["color"]["value"] == "none"
    assert values(update, "e2")["color"]["value"] == "Red."


def test_all_mentions_of_a_name_have_its_knowledge(
    state_of: Any, mention: Any, toolbox_of: Any, run: Any
) -> None:
    state = state_of({}, {})
    state["mentions"] = {"e1": mention("Ann Lee"), "e2": mention("Lee", 20)}
    update = run(vote, state, toolbox_of())
    assert update["knowledge"]["e2"] == update["knowledge"]["e1"] and values(update, "e2")
    assert update["decisions"]["e2/vote/age"]["outcome"] == "elderly"


def test_what_is_known_to_be_unseen_is_unknown_and_says_why(
    state_of: Any, mention: Any, toolbox_of: Any, run: Any
) -> None:
    state = state_of({}, {})
    state["mentions"]["e2"] = mention("Bob", 20)
    state["verdicts"] = {"e1": {"groundable": True}, "e2": {"groundable": False}}
    update = run(vote, state, toolbox_of())
    assert set(update["knowledge"]) == {"e1"}
    (reason,) = update["decisions"]["e2/vote/knowledge"]["evidence"]
    assert "nobody was asked" in reason
    state["verdicts"]["e1"] = {"groundable": False}
    assert set(run(vote, state, toolbox_of())["decisions"]) == {
        "e1/vote/knowledge",
        "e2/vote/knowledge",
    }


def test_a_look_that_says_one_thing_twice_gives_way_to_what_is_known(
    state_of: Any, toolbox_of: Any, run: Any
) -> None:
    voter = Voter(clothing="a red coat", look="child-like, child-like")
    state = state_of({"clothing": "a red coat"}, {"clothing": "a blue hat"})
    update = run(vote, state, toolbox_of(voter))
    assert update["knowledge"]["e1"]["summary"].startswith("gender: female; age: elderly")

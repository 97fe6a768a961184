"""Who is asked next: the cheapest first, and others where those before do not agree."""

from math import exp, log
from typing import Any

import pytest

from deixis import Settings
from deixis.agents.context.committee import belief, order, weight
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.agreement import next_tasks, spared, standing
from deixis.agents.main.vote import vote
from deixis.errors import SettingsError
from deixis.testing import fill

ANN = {"gender": "female", "hair_color": "grey", "clothing": "a navy uniform", "hat": "unknown"}


@pytest.fixture
def box(toolbox_of: Any) -> Any:
    def make(members: int = 3, **options: Any) -> Toolbox:
        box: Toolbox = toolbox_of(members=members, committee="until_agreed", **options)
        return box

    return make


@pytest.fixture
def state_of(mention: Any, templates: Any) -> Any:
    """A sample with Ann and Bob; each answer is what a member says of them, in order."""

    def make(*answers: Any, chances: Any = None) -> dict[str, Any]:
        testimonies, calls = {}, {}
        for number, said in enumerate(answers, start=1):
            key = f"consult/{number}/1"
            testimonies[f"m{number}"] = {
                "model": f"scripted:m{number}",
                "status": "ok" if said else "refused",
                "detail": "" if said else "it declined",
                "answers": {entity: {**ANN, **own} for entity, own in (said or {}).items()},
                "replies": [key],
            }
            calls[key] = {"chances": (chances or {}).get(number, {})}
        mentions = {"e1": mention("Ann"), "e2": mention("Bob", 8)}
        known = {"text": "Ann met Bob", "mentions": mentions, "templates": templates("person")}
        return {**known, "testimonies": testimonies, "calls": calls}

    return make


def seats(state: dict[str, Any], toolbox: Toolbox) -> dict[int, list[str]]:
    tasks = next_tasks(state, toolbox, ["e1", "e2"])  # type: ignore[arg-type]
    return {task["member"]: list(task["mentions"]) for task in tasks}


BOTH: dict[str, Any] = {"e1": {}, "e2": {}}
BALD: dict[str, Any] = {"e1": {}, "e2": {"hair_color": "bald"}}


def test_two_first_and_the_third_about_what_they_do_not_agree_on(box: Any, state_of: Any) -> None:
    toolbox = box()
    assert seats(state_of(), toolbox) == {0: ["e1", "e2"], 1: ["e1", "e2"]}
    assert seats(state_of(BOTH, BOTH), toolbox) == {}
    assert seats(state_of(BOTH, BALD), toolbox) == {2: ["e2"]}
    assert seats(state_of(BOTH, BALD, {"e2": {}}), toolbox) == {}


def test_agreement_is_what_a_vote_takes_for_the_same(box: Any, state_of: Any) -> None:
    spelled: dict[str, Any] = {"e1": {"clothing": "Navy uniform."}, "e2": {"hat": "N/A"}}
    assert seats(state_of(BOTH, spelled), box()) == {}
    closed: dict[str, Any] = {"e1": {}, "e2": {"gender": "Female"}}
    assert seats(state_of(BOTH, closed), box()) == {2: ["e2"]}


def test_who_does_not_know_differs_from_who_does(box: Any, state_of: Any) -> None:
    assert seats(state_of(BOTH, {"e1": {"clothing": "unknown"}, "e2": {}}), box()) == {2: ["e1"]}


def test_who_fails_has_no_say(box: Any, state_of: Any) -> None:
    assert seats(state_of(BOTH, None), box()) == {2: ["e1", "e2"]}
    assert seats(state_of(None, BOTH, BOTH), box()) == {}


def test_belief_is_bayes_rule_for_members_who_err_on_their_own() -> None:
    right, wrong = 0.7 * 0.7, 0.3 * 0.3
    assert belief([weight(0.7)] * 2) == pytest.approx(right / (right + wrong))
    assert belief([weight(0.9), -weight(0.9)]) == pytest.approx(0.5)
    assert weight(0.2) == 0.0 and exp(weight(1.0)) == pytest.approx(99.0)
    assert weight(0.8) == pytest.approx(log(4))


def test_the_bound_counts_with_the_accuracy_that_is_assumed(box: Any, state_of: Any) -> None:
    both = state_of(BOTH, BOTH)
    assert standing(both, box(), "e1").sure == pytest.approx(0.49 / 0.58)
    assert standing(both, box(members=4, agreed_at=0.9), "e1").sure is None
    assert standing(both, box(agreed_at=0.9, member_accuracy=0.8), "e1").sure is not None
    four = box(members=4, agreed_at=0.9)
    assert seats(both, four) == {2: ["e1", "e2"]}
    assert seats(state_of(BOTH, BOTH, BALD), four) == {3: ["e2"]}


def test_a_member_s_own_probabilities_come_before_what_is_assumed(box: Any, state_of: Any) -> None:
    unsure = {"e1/gender": {"female": 0.55, "male": 0.45}}
    both = state_of(BOTH, BOTH, chances={1: unsure, 2: unsure})
    assert seats(both, box()) == {2: ["e1"]}
    sure = {"e1/gender": {"female": 0.97, "male": 0.03}}
    least = standing(state_of(BOTH, BOTH, chances={1: sure, 2: unsure}), box(), "e1").sure
    assert least == pytest.approx(0.49 / 0.58), "the other attributes are less sure now"


def test_one_sure_member_alone_is_no_agreement(box: Any, state_of: Any) -> None:
    sure = {"e2/hair_color": {"bald": 0.99, "grey": 0.01}}
    doubt = {"e2/hair_color": {"grey": 0.5, "bald": 0.5}}
    assert seats(state_of(BALD, BOTH, chances={1: sure, 2: doubt}), box()) == {2: ["e2"]}


def test_more_must_answer_where_the_quorum_is_higher(box: Any, state_of: Any) -> None:
    toolbox = box(members=5, quorum=3)
    assert list(seats(state_of(), toolbox)) == [0, 1, 2]
    assert list(seats(state_of(BOTH, None, BOTH), toolbox)) == [3]


def test_the_cheapest_are_asked_first_and_what_has_no_price_costs_nothing() -> None:
    settings = Settings.model_validate(
        {
            "name": "test",
            "roles": {"committee": ["openai:dear", "ollama:x", "openai:cheap?seed=1", "ollama:y"]},
            "options": {
                "committee": "until_agreed",
                "prices": {
                    "openai": {"input": 5, "output": 20},
                    "openai:cheap": {"input": 1, "output": 30},
                },
            },
        }
    )
    assert order(settings) == [1, 3, 2, 0]
    assert order(settings.with_options(committee="all")) == [0, 1, 2, 3]


def test_who_was_not_asked_is_told_and_who_was_asked_of_another_is_not_named(
    box: Any, state_of: Any, run: Any
) -> None:
    toolbox = box(script=lambda _name, _messages, options: fill(options["json_schema"]))
    update = run(vote, state_of(BOTH, BALD, None), toolbox)
    agreed = update["decisions"]["e1/vote/committee"]
    assert agreed["outcome"] == "agreed" and agreed["confidence"] == pytest.approx(0.49 / 0.58)
    assert agreed["evidence"] == [
        "m1, m2 agree, and the least sure attribute is right with 0.84; 0.8 is enough "
        "(options.agreed_at)",
        "not asked: m3 (scripted:m3)",
    ]
    assert agreed["replies"] == ["consult/1/1", "consult/2/1"]
    assert "e2/vote/committee" not in update["decisions"]
    hair = update["decisions"]["e1/vote/hair_color"]
    assert hair["replies"] == ["consult/1/1", "consult/2/1"] and len(hair["evidence"]) == 2
    assert "m3 (scripted:m3) abstained" in update["decisions"]["e2/vote/gender"]["evidence"][-1]


def test_nothing_is_settled_while_somebody_is_to_be_asked(
    box: Any, state_of: Any, run: Any
) -> None:
    assert run(vote, state_of(BOTH, BALD), box()) == {}


def test_all_at_once_spares_nobody(toolbox_of: Any, state_of: Any) -> None:
    toolbox = toolbox_of()
    assert list(seats(state_of(), toolbox)) == [0, 1, 2]
    assert spared(state_of(BOTH, BOTH, BOTH), toolbox, "e1", "vote") == {}


@pytest.mark.parametrize(
    ("members", "options", "wrong"),
    [
        (2, {"committee": "until_agreed"}, "2 are asked in any case .quorum 2. and .* has 2"),
        (3, {"committee": "until_agreed", "quorum": 3}, "3 are asked in any case"),
        (3, {"agreed_at": 0.9}, "agreed_at has no effect where all members are asked"),
        (3, {"member_accuracy": 0.9}, "member_accuracy has no effect"),
        (3, {"committee": "until_agreed", "agreed_at": 0.9}, "never reached: 2 of 3 .* 0.84"),
    ],
)
def test_what_has_no_effect_is_an_error(
    toolbox_of: Any, members: int, options: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(SettingsError, match=wrong):
        toolbox_of(members=members, **options)

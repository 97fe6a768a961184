"""entail: evidence makes a yes, looking in vain a no, not looking neither."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.main.entail import entail
from deixis.agents.main.evidence import Cue, probability_shown

PICTURE = {"sha256": "00", "width": 400, "height": 300, "source": "bytes"}
LOOKED = {"people": "looked", "words": "looked"}


def seen(
    people: int = 0, words: tuple[str, ...] = (), looking: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "caption": None,
        "objects": [
            {"id": f"o{i}", "label": "person", "box": [100.0 * i, 0.0, 100.0 * i + 80, 300.0],
             "score": 0.8}
            for i in range(people)
        ],
        "words": [
            {"id": f"w{i}", "text": text, "box": [10.0, 10.0 + 30 * i, 70.0, 30.0 + 30 * i],
             "score": 0.9}
            for i, text in enumerate(words)
        ],
        "looking": LOOKED if looking is None else looking,
    }  # fmt: skip


@pytest.fixture
def judged(mention: Any, toolbox_of: Any, run: Any) -> Any:
    def judge(
        observation: dict[str, Any], *names: tuple[str, str], prior: Any = 0.5, **more: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        mentions, start = {}, 0
        for number, (text, kind) in enumerate(names, start=1):
            own = prior[number - 1] if isinstance(prior, list) else prior
            mentions[f"e{number}"] = mention(text, start, kind, own)
            start += len(text) + 1
        state = {
            "text": " ".join(text for text, _ in names),
            "picture": more.pop("picture", PICTURE),
            "mentions": mentions,
            "observation": observation,
        }
        update = run(entail, state, toolbox_of(**more))
        said = {key.partition("/")[0]: each for key, each in update["decisions"].items()}
        return update["verdicts"], said

    return judge


@pytest.mark.extra
@pytest.mark.parametrize(
    ("observation", "name", "kind", "groundable", "ratio", "said"),
    [
        (seen(1), "Ann Lee", "PER", True, 4, "it is a person, and one person was seen"),
        (seen(3), "Ann Lee", "PER", True, 4, "it is a person, and 3 people were seen"),
        (seen(0), "Ann Lee", "PER", False, 0.15, "no people were seen"),
        (seen(0, ("ANN LEE",)), "Ann Lee", "PER", True, 40, "its name is read in 'ANN LEE'"),
        (seen(1, ("COMO LEE",)), "Ann Lee", "PER", True, 12, "the part 'Lee' of its name is read"),
        (seen(0, ("NASA",)), "NASA", "ORG", True, 40, "its name is read in 'NASA'"),
        (seen(0, ("OPEN", "NASA!")), "#NASA", "ORG", True, 40, "read in 'NASA!'"),
        (seen(2, ("EXIT",)), "NASA", "ORG", False, 0.7, "its name is not among the words read"),
        (seen(2), "NASA", "ORG", False, 0.7, "no writing was read"),
        (seen(1, ("EXIT",)), "Ann Lee", "PER", True, 4, "one person was seen"),
        (seen(1, looking={"people": "looked", "words": "off"}), "Ann", "PER", True, 4, "seen"),
        (seen(1, looking={"people": "looked", "words": "failed"}), "Ann", "PER", True, 4, "seen"),
        (
            seen(0, ("ANN LEE",), {"people": "failed", "words": "looked"}),
            *("Ann Lee", "PER", True, 40, "its name is read"),
        ),
    ],
)
def test_evidence_decides(
    judged: Any,
    observation: dict[str, Any],
    name: str,
    kind: str,
    groundable: bool,
    ratio: float,
    said: str,
) -> None:
    verdicts, decisions = judged(observation, (name, kind))
    verdict, decision = verdicts["e1"], decisions["e1"]
    assert verdict["groundable"] is groundable
    assert verdict["probability"] == pytest.approx(ratio / (1 + ratio))
    assert bool(verdict["candidates"]) is groundable
    assert decision["outcome"] == ("yes" if groundable else "no")
    assert decision["confidence"] == pytest.approx(max(ratio, 1) / (1 + ratio))
    assert any(said in line for line in decision["evidence"]), decision["evidence"]


@pytest.mark.parametrize(
    ("looking", "kind", "said"),
    [
        ({"people": "failed", "words": "looked"}, "PER", "people could not be looked for"),
        ({"people": "looked", "words": "failed"}, "ORG", "the writing could not be read"),
        ({"people": "looked", "words": "failed"}, "PER", "the writing could not be read"),
        ({"people": "failed", "words": "failed"}, "PER", "people could not be looked for"),
        ({"people": "off", "words": "off"}, "PER", "no tool that could find it is among the roles"),
        (
            {"people": "looked", "words": "off"},
            "ORG",
            "no tool that could find it is among the roles",
        ),
    ],
)
def test_a_tool_that_could_not_look_leaves_it_undecided(
    judged: Any, looking: dict[str, str], kind: str, said: str
) -> None:
    verdicts, decisions = judged(seen(looking=looking), ("Ann Lee", kind))
    assert verdicts["e1"]["groundable"] is None
    assert decisions["e1"]["outcome"] is None and decisions["e1"]["confidence"] is None
    assert said in decisions["e1"]["evidence"]


def test_people_that_could_not_be_looked_for_leave_organizations_decided(judged: Any) -> None:
    observation = seen(looking={"people": "failed", "words": "looked"})
    verdicts, _ = judged(observation, ("NASA", "ORG"))
    assert verdicts["e1"]["groundable"] is False


def test_without_a_picture_nothing_is_decided(judged: Any) -> None:
    observation = {"caption": None, "objects": [], "words": [], "looking": {}}
    verdicts, decisions = judged(observation, ("Ann", "PER"), ("NASA", "ORG"), picture=None)
    assert {each["groundable"] for each in verdicts.values()} == {None}
    assert decisions["e2"]["evidence"] == ["there is no picture"]


@pytest.mark.parametrize(
    ("prior", "threshold", "groundable"),
    [(0.19, 0.5, False), (0.21, 0.5, True), (0.5, 0.81, False), (0.5, 0.79, True)],
)
def test_prior_and_evidence_are_held_against_the_threshold(
    judged: Any, prior: float, threshold: float, groundable: bool
) -> None:
    verdicts, decisions = judged(
        seen(1), ("Ann", "PER"), prior=prior, groundable_threshold=threshold
    )
    assert verdicts["e1"]["groundable"] is groundable
    below = [line for line in decisions["e1"]["evidence"] if "is below the threshold" in line]
    assert bool(below) is not groundable
    assert bool(verdicts["e1"]["candidates"]) is groundable


def test_an_unknown_prior_is_even_and_said_to_be(judged: Any) -> None:
    verdicts, decisions = judged(seen(1), ("Ann", "PER"), prior=None)
    assert verdicts["e1"]["probability"] == pytest.approx(0.8)
    assert any("nothing is known" in line for line in decisions["e1"]["evidence"])


def test_people_are_candidates_from_left_to_right_and_a_name_tag_tells_them_apart(
    judged: Any,
) -> None:
    observation = seen(2, ("LEE",))
    observation["objects"].reverse()
    observation["words"][0]["box"] = [110.0, 50.0, 150.0, 60.0]  # on the second from the left
    verdicts, _ = judged(observation, ("Ann Lee", "PER"))
    first, second = verdicts["e1"]["candidates"]
    assert (first["what"], second["what"]) == (
        "person 1 of 2 from the left",
        "person 2 of 2 from the left, with 'LEE' written there",
    )
    assert (first["key"], second["key"]) == ("o0", "o1")
    assert second["strength"] == pytest.approx(0.8) and first["strength"] == pytest.approx(0.4)


def test_writing_is_the_candidate_of_what_is_no_person_or_of_a_person_nobody_sees(
    judged: Any,
) -> None:
    for kind in ("ORG", "PER"):
        verdicts, _ = judged(seen(0, ("VISIT NASA",)), ("NASA", kind))
        (candidate,) = verdicts["e1"]["candidates"]
        assert candidate["what"] == "the writing 'VISIT NASA'" and candidate["role"] == "reader"
        x1, y1, x2, y2 = candidate["box"]
        assert 30 < x1 < x2 <= 70 and (y1, y2) == (10, 30), "only the name's part of the line"


def test_a_word_names_one_thing(judged: Any) -> None:
    observation, names = seen(1, ("HOPPER",)), (("Grace Hopper", "PER"), ("USS Hopper", "ORG"))
    verdicts, decisions = judged(observation, *names, prior=[0.6, 0.3])
    assert verdicts["e1"]["groundable"] is True and verdicts["e2"]["groundable"] is False
    assert any("'HOPPER' was taken for 'Grace Hopper'" in x for x in decisions["e2"]["evidence"])
    verdicts, decisions = judged(observation, *names, prior=[0.3, 0.6])
    assert verdicts["e2"]["groundable"] is True
    assert verdicts["e1"]["groundable"] is True, "people are seen all the same"
    assert not any("HOPPER" in line for line in decisions["e1"]["evidence"])


def test_a_name_that_is_read_whole_keeps_its_writing(judged: Any) -> None:
    names = (("Hopper", "PER"), ("Hopper", "ORG"))
    verdicts, _ = judged(seen(0, ("HOPPER",)), *names, prior=[0.6, 0.3])
    assert verdicts["e1"]["groundable"] is verdicts["e2"]["groundable"] is True


@given(st.floats(0.001, 0.999), st.lists(st.floats(0.01, 100), max_size=4, unique=True))
def test_the_strongest_finding_counts(prior: float, ratios: list[float]) -> None:
    cues = [Cue(ratio, "") for ratio in ratios]
    shown = probability_shown(prior, cues)
    assert 0 < shown < 1
    if not ratios:
        assert shown == pytest.approx(prior)
    else:
        strongest = max(ratios, key=lambda ratio: abs(math.log(ratio)))
        assert shown / (1 - shown) == pytest.approx(prior / (1 - prior) * strongest)


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_a_prior_that_is_certain_can_still_be_weighed(prior: float) -> None:
    assert 0 < probability_shown(prior, [Cue(4.0, "seen")]) < 1


@pytest.mark.parametrize(
    ("curve", "groundable", "probability"),
    [
        ({"a": 1, "b": 0, "threshold": 0.81}, False, 0.8),
        ({"a": 1, "b": 0, "threshold": 0.79}, True, 0.8),
        ({"a": 1, "b": -2, "threshold": 0.5}, False, 0.351),
        ({"a": 2, "b": 0, "threshold": 0.9}, True, 0.941),
    ],
)
def test_a_curve_says_what_the_evidence_is_worth(
    judged: Any, curve: dict[str, float], groundable: bool, probability: float
) -> None:
    curves = {"evidence": {"PER": curve}}
    verdicts, decisions = judged(seen(1), ("Ann", "PER"), ("Bob", "LOC"), calibration=curves)
    assert verdicts["e1"]["groundable"] is groundable
    assert verdicts["e1"]["probability"] == pytest.approx(probability, abs=0.001)
    worth = [line for line in decisions["e1"]["evidence"] if "(calibrated)" in line]
    assert worth == [f"0.80 by evidence is worth {probability:.2f} (calibrated)"]
    assert "calibrated" not in str(decisions["e2"]), "the curve is of persons alone"

"""Looking for descriptions: what a detector of phrases and a model with eyes add."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from deixis.agents.main.ask_model import MODEL_POINTS
from deixis.agents.main.entail import entail
from deixis.agents.main.ground import ground
from deixis.errors import ToolError
from deixis.testing import tools
from deixis.tools import registry
from deixis.tools.base import Detection, Picture

DASH = "\N{EN DASH}"
LEFT, RIGHT = (0.0, 0.0, 80.0, 300.0), (200.0, 0.0, 280.0, 300.0)


class Phrases:
    """A detector that takes any phrase and finds what a test has put into ``there``."""

    labels: tuple[str, ...] | None = None

    def __init__(self) -> None:
        self.there: dict[str, list[tuple[Any, float]]] = {}
        self.asked: list[list[str]] = []

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        assert picture.shape == (300, 400, 3)
        self.asked.append(list(phrases))
        if "broken" in self.there:
            raise ToolError("it is broken")
        return [
            Detection(phrase, box, score)
            for phrase in phrases
            for box, score in self.there.get(phrase, [])
        ]


@pytest.fixture
def detector() -> Iterator[Phrases]:
    """The tool ``phrases``."""
    phrases = Phrases()
    with tools(phrases=phrases):
        yield phrases


def verdicts(update: dict[str, Any]) -> dict[str, Any]:
    return {entity: each["groundable"] for entity, each in update["verdicts"].items()}


def test_what_is_described_and_found_is_pointed_at(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    detector.there["a tall woman"] = [(LEFT, 0.6), (RIGHT, 0.3)]
    toolbox = toolbox_of(detector="phrases")
    update = run(entail, described, toolbox)
    assert detector.asked == [["a tall woman", "a blue logo"]], "all descriptions at once"
    assert verdicts(update) == {"e1": True, "e2": False}
    assert update["verdicts"]["e1"]["probability"] == pytest.approx(7 / 8), "odds 1 x (1 + 10s)"
    said = update["decisions"]["e2/entail/groundable"]["evidence"]
    assert said[0].startswith("nothing was found that is 'a blue logo' (odds x 0.4)")
    grounded = run(ground, {**described, **update}, toolbox)
    (region,) = grounded["regions"]["e1"]
    assert region["box"] == list(LEFT) and region["source"] == "phrases"
    trace = grounded["decisions"]["e1/ground/box"]["evidence"]
    assert any("score 0.30" in line and "less likely" in line for line in trace)


def test_two_descriptions_of_one_thing_do_not_share_its_box(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    nearly = (1.0, 1.0, 80.0, 299.0)
    detector.there.update({"a tall woman": [(LEFT, 0.6)], "a blue logo": [(nearly, 0.4)]})
    toolbox = toolbox_of(detector="phrases")
    grounded = run(ground, {**described, **run(entail, described, toolbox)}, toolbox)
    assert list(grounded["regions"]) == ["e1"]
    assert "went to 'Ann'" in grounded["decisions"]["e2/ground/groundable"]["evidence"][0]


def test_a_person_seen_and_described_is_one_candidate(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    described["observation"]["objects"] = [
        {"id": f"o{n}", "label": "person", "box": list(box), "score": 0.5}
        for n, box in enumerate((LEFT, RIGHT), start=1)
    ]
    described["observation"]["looking"] = {"people": "looked"}
    detector.there["a tall woman"] = [(RIGHT, 0.5)]
    verdict = run(entail, described, toolbox_of(detector="phrases"))["verdicts"]["e1"]
    strengths = {each["key"]: each["strength"] for each in verdict["candidates"]}
    assert strengths == {"o1": 0.5, "o2": 0.75}


def test_a_detector_that_fails_leaves_it_open(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    detector.there["broken"] = []
    update = run(entail, described, toolbox_of(detector="phrases"))
    assert verdicts(update) == {"e1": None, "e2": None}
    (said,) = update["notices"].values()
    assert said["step"] == "entail" and "it is broken" in said["message"]


def test_a_model_is_asked_once_about_all_descriptions_with_the_picture(
    described: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    asked: list[Any] = []

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        assert name == "eyes"
        asked.append(messages[1].content)
        return (
            '{"e1": {"visible": "yes", "confidence": 1.0},'
            ' "e2": {"visible": "no", "confidence": 0.5}}'
        )

    toolbox = toolbox_of(script, entailer="scripted:eyes")
    update = run(entail, described, toolbox)
    ((_number, image, question),) = asked
    assert image["type"] == "image" and image["mime_type"] == "image/jpeg"
    assert f"e1: <post>Ann (PER) {DASH} a tall woman</post>" in question["text"]
    assert verdicts(update) == {"e1": True, "e2": False}
    assert update["verdicts"]["e1"]["probability"] == pytest.approx(12 / 13)
    said = update["decisions"]["e1/entail/groundable"]
    assert said["evidence"][0].startswith("scripted:eyes says yes (confidence 1.00) (odds x 12)")
    assert said["replies"] == ["entail/1/1"]
    grounded = run(ground, {**described, **update}, toolbox)
    assert grounded["verdicts"]["e1"]["groundable"] is None, "seen, but nobody points at it"
    assert "nothing points at it" in next(iter(grounded["notices"].values()))["message"]


@pytest.mark.parametrize("reply", ["", "no JSON", ValueError("down")])
def test_a_model_without_an_answer_leaves_it_open(
    described: dict[str, Any], toolbox_of: Any, run: Any, reply: Any
) -> None:
    update = run(entail, described, toolbox_of(lambda *_: reply, entailer="scripted:eyes"))
    assert verdicts(update) == {"e1": None, "e2": None}
    assert len(update["notices"]) == 1
    said = update["decisions"]["e1/entail/groundable"]["evidence"]
    assert any("scripted:eyes gave no answer" in line for line in said)


def test_an_unclear_answer_is_no_evidence(
    described: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    unclear = '{"visible": "unclear", "confidence": 0.9}'
    toolbox = toolbox_of(lambda *_: f'{{"e1": {unclear}, "e2": {unclear}}}', entailer="scripted:e")
    assert verdicts(run(entail, described, toolbox)) == {"e1": None, "e2": None}


def said_to(messages: list[Any]) -> str:
    """What a model is told in words."""
    return f"{messages[0].content}\n{messages[1].content[-1]['text']}"


def pointing(described: dict[str, Any], toolbox_of: Any, run: Any, name: str, **more: Any) -> Any:
    """Run entail with a model that sees e1 and says of it what `more` says, and not e2."""
    seen = {"visible": "yes", "confidence": 1.0, "box": None, **more}
    unseen = {"visible": "no", "confidence": 1.0, "box": None}
    asked: list[Any] = []

    def script(_name: str, messages: list[Any], options: dict[str, Any]) -> str:
        asked.append((said_to(messages), options["json_schema"]))
        return json.dumps({"e1": seen, "e2": unseen})

    looked = {"detector": "phrases"} if "phrases" in registry.TOOLS else {}
    toolbox = toolbox_of(script, entailer=f"scripted:{name}", **looked, image_side=200)
    update = run(entail, described, toolbox)
    ((question, schema),) = asked
    return update, question, schema, toolbox


@pytest.mark.parametrize(
    ("name", "box", "form"),
    [
        ("qwen3-vl", [500, 0, 700, 1000], "[x1, y1, x2, y2], whole numbers from 0 to 1000"),
        ("gemini-2.5-flash", [0, 500, 1000, 700], "[y1, x1, y2, x2], whole numbers from 0 to 1000"),
        # It sees 200 x 150 pixels, which its processor makes 196 x 140 (multiples of 28).
        ("qwen2.5-vl", [98, 0, 137, 140], "[x1, y1, x2, y2], whole pixels"),
        ("mine?family=qwen25vl", [98, 0, 137, 140], "[x1, y1, x2, y2], whole pixels"),
        # A square of 200 x 200, the picture between two bands of 25 pixels.
        ("mine?family=llava", [0.5, 0.125, 0.7, 0.875], "numbers from 0 to 1 with 2 decimals"),
    ],
)
def test_a_model_that_points_is_asked_in_its_own_form_and_its_box_is_given(
    described: dict[str, Any], toolbox_of: Any, run: Any, name: str, box: list[float], form: str
) -> None:
    update, question, schema, toolbox = pointing(described, toolbox_of, run, name, box=box)
    assert form in question
    four, several, nothing = schema["$defs"]["Verdict"]["properties"]["box"]["anyOf"]
    assert four["items"] == {"type": "number" if "llava" in name else "integer"}
    assert nothing == {"type": "null"} and four["minItems"] == four["maxItems"] == 4
    assert several["items"] == four
    (candidate,) = update["verdicts"]["e1"]["candidates"]
    assert candidate["role"] == "entailer" and candidate["strength"] == MODEL_POINTS
    grounded = run(ground, {**described, **update}, toolbox)
    (region,) = grounded["regions"]["e1"]
    assert region["box"] == pytest.approx(RIGHT, abs=1.1) and region["source"] == f"scripted:{name}"
    assert region["score"] == pytest.approx(12 / 13 * MODEL_POINTS)
    said = grounded["decisions"]["e1/ground/box"]
    assert said["evidence"] == [f"what scripted:{name} points at (confidence 1.00)"]


def test_a_model_may_point_at_several(described: dict[str, Any], toolbox_of: Any, run: Any) -> None:
    several = [[0, 0, 200, 1000], [500, 0, 700, 1000], [501, 0, 701, 999], [9, 9, 9, 9]]
    update, *_ = pointing(described, toolbox_of, run, "qwen3-vl", box=several)
    found = update["verdicts"]["e1"]["candidates"]
    assert [each["box"] for each in found] == [pytest.approx(LEFT), pytest.approx(RIGHT)]
    assert [each["strength"] for each in found] == [MODEL_POINTS] * 2, "said twice, no surer"
    said = update["decisions"]["e1/entail/groundable"]["evidence"]
    assert "[9, 9, 9, 9] is no box in the picture" in said[0]


def test_a_model_whose_boxes_nobody_can_read_is_asked_for_none(
    described: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    asked: list[Any] = []

    def script(_name: str, messages: list[Any], options: dict[str, Any]) -> str:
        asked.append((said_to(messages), json.dumps(options["json_schema"])))
        one = '{"visible": "no", "confidence": 1.0}'
        return f'{{"e1": {one}, "e2": {one}}}'

    run(entail, described, toolbox_of(script, entailer="scripted:llava-1.5"))
    assert "box" not in asked[0][0] and '"box"' not in asked[0][1]


@pytest.mark.parametrize(
    "bad", [[700, 0, 500, 1000], [1200, 0, 1400, 9], [1, 2, 3], "here", [1, 2, None, 4], {"x": 9}]
)
def test_a_bad_box_is_dropped_and_told_and_the_verdict_kept(
    described: dict[str, Any], toolbox_of: Any, run: Any, bad: Any
) -> None:
    update, *_ = pointing(described, toolbox_of, run, "qwen3-vl", box=bad)
    assert verdicts(update) == {"e1": True, "e2": False}
    assert update["verdicts"]["e1"]["candidates"] == []
    said = update["decisions"]["e1/entail/groundable"]
    assert f"{bad!r} is no box in the picture" in said["evidence"][0]
    assert said["replies"] == ["entail/1/1"], "it was not asked again"


def test_a_box_is_no_candidate_without_a_yes(
    described: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    more = {"visible": "unclear", "box": [500, 0, 700, 1000]}
    update, *_ = pointing(described, toolbox_of, run, "qwen3-vl", **more)
    assert update["verdicts"]["e1"] == {"groundable": None, "probability": 0.5, "candidates": []}


def test_what_detector_and_model_point_at_is_one_candidate(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    detector.there["a tall woman"] = [(LEFT, 0.5), (RIGHT, 0.5)]
    detector.there["a blue logo"] = [((300.0, 0.0, 390.0, 90.0), 0.5)]
    update, *_, toolbox = pointing(described, toolbox_of, run, "qwen3-vl", box=[501, 5, 700, 999])
    found = {each["key"]: each for each in update["verdicts"]["e1"]["candidates"]}
    strengths = {key: each["strength"] for key, each in found.items()}
    assert strengths == {"d1": 0.5, "d2": pytest.approx(1 - 0.5 * (1 - MODEL_POINTS))}
    assert found["d2"]["box"] == list(RIGHT), "the detector's edges are the closer ones"
    (region,) = run(ground, {**described, **update}, toolbox)["regions"]["e1"]
    assert region["box"] == list(RIGHT) and region["source"] == "phrases"


def test_a_place_of_its_own_has_a_key_of_its_own(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    detector.there["a tall woman"] = [(LEFT, 0.5), (LEFT, 0.4), (RIGHT, 0.5)]
    update, *_ = pointing(described, toolbox_of, run, "qwen3-vl", box=[0, 0, 1000, 1000])
    roles = [each["role"] for each in update["verdicts"]["e1"]["candidates"]]
    assert roles == ["detector", "detector", "entailer"]


def test_without_a_picture_nobody_is_asked(
    described: dict[str, Any], toolbox_of: Any, run: Any, detector: Phrases
) -> None:
    described["picture"] = None
    update = run(entail, described, toolbox_of(entailer="scripted:eyes", detector="phrases"))
    assert verdicts(update) == {"e1": None, "e2": None} and detector.asked == []

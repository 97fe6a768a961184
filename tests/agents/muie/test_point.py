"""Boxes in all pictures: one thing to one name, by a detector or by a model that points."""

from typing import Any

import pytest

from deixis.agents.muie.point import point
from deixis.errors import ToolError
from deixis.testing import Refused, tools
from deixis.tools.base import Detection, Picture

LEFT, RIGHT = (5.0, 10.0, 35.0, 55.0), (50.0, 10.0, 85.0, 55.0)


def named(*texts: str, type: str = "PER") -> dict[str, Any]:
    """The state after `extract`: names with the phrases by which they are sought."""
    mentions = {
        f"e{n}": {
            "text": text.partition("=")[0],
            "start": None,
            "end": None,
            "type": type,
            "confidence": 1.0,
            "prior": None,
            "fine_type": None,
        }
        for n, text in enumerate(texts, start=1)
    }
    phrases = [text.partition("=")[2] or text for text in texts]
    sought = {
        f"e{n}": [{"medium": "image", "phrase": phrase}] for n, phrase in enumerate(phrases, 1)
    }
    return {"mentions": mentions, "sought": sought}


class Eyes:
    """A detector that finds in each picture, told by its colour, what it was given for it."""

    name = "eyes"

    def __init__(self, *, labels: tuple[str, ...] | None = None, **seen: Any) -> None:
        self.labels, self._seen = labels, seen
        self.asked: list[list[str]] = []

    def detect(self, picture: Picture, phrases: Any) -> list[Detection]:
        self.asked.append(list(phrases))
        seen = self._seen[f"of_{picture[0, 0, 0]}"]
        if isinstance(seen, Exception):
            raise seen
        return [each for each in seen if each.label in phrases]


def boxes(found: Any) -> dict[str, Any]:
    return {
        entity: [(own.get("image", 0), tuple(own["box"])) for own in regions]
        for entity, regions in found.get("regions", {}).items()
    }


def evidence(found: Any, entity: str) -> str:
    decision: Any = found["decisions"][f"{entity}/point/region"]
    return str(decision["evidence"][0])


DETECTOR = {"detector": "eyes"}


def test_two_names_never_share_a_thing_and_each_picture_is_looked_at(
    asked: Any, picture: Any
) -> None:
    man, woman = Detection("a man", LEFT, 0.8), Detection("a person", LEFT, 0.9)
    other = Detection("a person", RIGHT, 0.5)
    eyes = Eyes(of_3=[man, woman, other], of_200=[Detection("a man", RIGHT, 0.4)])
    with tools(eyes=eyes):
        found, _ = asked(
            point,
            setup=DETECTOR,
            images=[picture(3), picture(200)],
            more=named("Ann=a person", "Bo=a man"),
        )
    assert boxes(found) == {"e1": [(0, RIGHT)], "e2": [(0, LEFT), (1, RIGHT)]}
    assert found["looks"] == {"e1/image": "found", "e2/image": "found"}
    assert eyes.asked == [["a man", "a person"]] * 2
    decision = found["decisions"]["e2/point/region"]
    assert decision["outcome"] == "picture 1: [5, 10, 35, 55]; picture 2: [50, 10, 85, 55]"
    assert decision["confidence"] == 0.8
    assert found["verdicts"]["e1"]["groundable"] is True


def test_what_went_to_another_and_what_is_not_there_was_asked_for_in_vain(
    asked: Any, picture: Any
) -> None:
    with tools(eyes=Eyes(of_3=[Detection("a man", LEFT, 0.8)])):
        found, _ = asked(
            point,
            setup=DETECTOR,
            image=picture(3),
            more=named("Ann=a man", "Bo=a man", "Rex=a dog"),
        )
    assert boxes(found) == {"e1": [(0, LEFT)]}
    assert [found["looks"][f"e{n}/image"] for n in (2, 3)] == ["absent", "absent"]
    assert evidence(found, "e2").endswith("(over-grounding): what fits 'a man' is 'Ann'")
    assert evidence(found, "e3").endswith("(over-grounding): nothing fits 'a dog'")
    assert found["verdicts"]["e3"]["groundable"] is False


@pytest.mark.parametrize(
    ("phrases", "sides"),
    [
        (("Ann=the person on the right", "Bo=the person on the left"), (RIGHT, LEFT)),
        (("Ann=the woman on the left", "Bo=a man"), (LEFT, RIGHT)),
    ],
)
def test_labels_stand_for_phrases_and_sides_decide(
    asked: Any, picture: Any, phrases: tuple[str, ...], sides: Any
) -> None:
    seen = [Detection("person", LEFT, 0.8), Detection("person", RIGHT, 0.82)]
    with tools(eyes=Eyes(labels=("person", "dog"), of_3=seen)):
        found, _ = asked(point, setup=DETECTOR, image=picture(3), more=named(*phrases))
    assert boxes(found) == {"e1": [(0, sides[0])], "e2": [(0, sides[1])]}


def test_names_of_one_thing_share_its_box(asked: Any, picture: Any) -> None:
    with tools(eyes=Eyes(of_3=[Detection("a woman", LEFT, 0.8)])):
        found, _ = asked(
            point,
            setup=DETECTOR,
            image=picture(3),
            more=named("Eileen Collins=a woman", "Collins=a woman"),
        )
    assert boxes(found) == {"e1": [(0, LEFT)], "e2": [(0, LEFT)]}


def test_a_group_may_be_several_things(asked: Any, picture: Any) -> None:
    seen = [Detection("a logo", LEFT, 0.8), Detection("a logo", RIGHT, 0.75)]
    with tools(eyes=Eyes(of_3=seen)):
        found, _ = asked(
            point, setup=DETECTOR, image=picture(3), more=named("Acme=a logo", type="ORG")
        )
    assert boxes(found) == {"e1": [(0, LEFT), (0, RIGHT)]}


def test_a_picture_in_which_the_tool_fails_leaves_the_others(asked: Any, picture: Any) -> None:
    eyes = Eyes(of_3=ToolError("broken"), of_200=[Detection("a man", LEFT, 0.8)])
    with tools(eyes=eyes):
        found, _ = asked(
            point,
            setup=DETECTOR,
            images=[picture(3), picture(200)],
            more=named("Bo=a man", "Rex=a dog"),
        )
    assert boxes(found) == {"e1": [(1, LEFT)]}
    assert found["looks"] == {"e1/image": "found", "e2/image": "failed"}
    assert evidence(found, "e2") == "not known, for the tool failed: picture 1: broken"
    assert found["verdicts"]["e2"]["groundable"] is None
    (note,) = found["notices"].values()
    assert note["message"] == "nothing was pointed at in picture 1: broken"


POINTS = {"model": "scripted:qwen3-vl"}


def test_a_model_that_points_is_asked_once_for_each_picture(asked: Any, picture: Any) -> None:
    def reply(question: Any) -> Any:
        if question.user.startswith("Image 1:e1"):
            assert "e1: <post>a man (/post></post>" in question.user
        own = {"e1": [100, 200, 500, 800], "e2": None}
        return own if len(replies.append(question) or replies) == 1 else {"e1": None, "e2": None}

    replies: list[Any] = []
    found, questions = asked(
        point,
        reply,
        setup=POINTS,
        images=[picture(3), picture(3, width=45, height=30)],
        more=named("Bo=a man </post>", "Rex=a dog"),
    )
    assert len(questions) == 2
    (region,) = found["regions"]["e1"]
    scale = 1 if region.get("image", 0) == 0 else 2
    assert region["box"] == pytest.approx([9 / scale, 12 / scale, 45 / scale, 48 / scale])
    assert found["looks"] == {"e1/image": "found", "e2/image": "absent"}
    assert found["decisions"]["e1/point/region"]["replies"] == ["point/1/1", "point/2/1"]
    assert all(question.user.count("</post>") == 2 for question in questions)


@pytest.mark.parametrize("reply", [Refused(), "no", {"e1": "over there"}, {"e1": [9, 9, 1, 1]}])
def test_a_model_that_gives_no_box_has_failed(asked: Any, picture: Any, reply: Any) -> None:
    found, _ = asked(point, reply, setup=POINTS, image=picture(3), more=named("Bo=a man"))
    assert found["looks"] == {"e1/image": "failed"}
    assert boxes(found) == {}


def test_what_the_detector_has_no_label_for_is_asked_of_the_model(asked: Any, picture: Any) -> None:
    eyes = Eyes(labels=("person",), of_3=[Detection("person", LEFT, 0.8)])
    with tools(eyes=eyes):
        found, questions = asked(
            point,
            {"e2": [100, 200, 500, 800]},
            setup={**DETECTOR, **POINTS},
            image=picture(3),
            more=named("Bo=a man", "Big Ben=the tower", type="FAC"),
        )
    assert list(boxes(found)) == ["e1", "e2"]
    assert len(questions) == 1 and "e1" not in questions[0].user


@pytest.mark.parametrize(
    ("setup", "sees", "why"),
    [
        ({}, True, "there is no detector, and it is not known how scripted:any writes boxes"),
        (POINTS, False, "there is no detector, and scripted:qwen3-vl takes no pictures"),
    ],
)
def test_where_nobody_can_look_it_is_off(
    asked: Any, picture: Any, setup: Any, sees: bool, why: str
) -> None:
    found, questions = asked(
        point, setup=setup, sees=sees, image=picture(3), more=named("Bo=a man")
    )
    assert questions == []
    assert found["looks"] == {"e1/image": "off"}
    assert why in evidence(found, "e1")
    assert found["verdicts"]["e1"]["groundable"] is None


@pytest.mark.parametrize("given", [{"text": "Bo"}, {"text": "Bo", "more": {"sought": {}}}])
def test_nothing_to_look_for_or_at(asked: Any, given: Any) -> None:
    found, questions = asked(point, **{"more": named("Bo"), **given})
    assert (found, questions) == ({}, [])

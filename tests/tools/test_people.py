"""Which body is whose: faces and bodies brought together."""

from deixis.base.boxes import Box
from deixis.tools.base import Detection
from deixis.tools.people import people

WIDTH, HEIGHT = 1000, 800
LEFT, RIGHT = (100.0, 100.0, 300.0, 700.0), (280.0, 120.0, 480.0, 720.0)


def body(box: Box, score: float = 0.6) -> Detection:
    return Detection("person", box, score)


def face(x: float, y: float, side: float = 60.0, score: float = 0.8) -> Detection:
    return Detection("face", (x - side / 2, y - side / 2, x + side / 2, y + side / 2), score)


def joined(*detections: Detection, least: float = 0.4) -> list[Detection]:
    found = [seen for seen in detections if seen.label == "person"]
    faces = [seen for seen in detections if seen.label == "face"]
    return people(found, faces, WIDTH, HEIGHT, least)


def test_a_face_and_its_body_are_one_person() -> None:
    (person,) = joined(body(LEFT, 0.3), face(200, 150))
    assert person.label == "person" and person.score == 0.8
    assert person.box == (100, 93, 300, 700), "hair, and all of the body"


def test_a_body_is_stretched_over_a_face_that_stands_out() -> None:
    ((x1, y1, x2, y2),) = [person.box for person in joined(body(LEFT), face(285, 130))]
    assert (x1, x2, y2) == (100, 315, 700) and y1 < 75


def test_each_face_gets_a_body_of_its_own() -> None:
    """The right face lies in both boxes, and fits the left one better than nothing."""
    persons = joined(body(LEFT), body(RIGHT), face(290, 180), face(200, 150))
    assert [(person.box[0], person.box[2]) for person in persons] == [(260, 480), (100, 300)]


def test_a_face_without_a_body_has_one_below_it() -> None:
    near, far = joined(body(LEFT), face(200, 150), face(800, 150, score=0.5))
    assert near.box[3] == 700
    assert far.score == 0.5 and far.box[1] < 120 and far.box[3] > 700
    assert 800 - far.box[0] == far.box[2] - 800


def test_a_body_without_a_face_speaks_for_itself() -> None:
    assert joined(body(LEFT, 0.3)) == []
    assert joined(body(LEFT, 0.5)) == [body(LEFT, 0.5)]
    assert joined(body(LEFT, 0.3), least=0.2) == [body(LEFT, 0.3)]


def test_a_face_at_the_feet_or_as_large_as_the_body_is_none_of_it() -> None:
    assert len(joined(body(LEFT), face(200, 650))) == 2
    assert len(joined(body(LEFT), face(200, 400, side=190))) == 1
    assert len(joined(body((100.0, 100.0, 300.0, 300.0)), face(200, 200, side=190))) == 2


def test_nobody_is_nobody() -> None:
    assert joined() == []

"""Relations and events as a drawing: everything is there, apart, and the same each time."""

import re
from itertools import combinations

import pytest

from deixis.schema import Argument, Entity, Event, Extraction, Relation
from deixis.show.graph_drawing import MOST_NODES, Drawing, drawing

from .told import ENTITIES, told

PAIRS = [(i, (i * 7 + 3) % 15) for i in range(15)] + [(0, 9), (0, 4), (3, 0), (5, 5)]


def crowd(number: int) -> Extraction:
    """Return as many entities, each with a relation to another."""
    entities = [
        Entity(id=f"e{i}", text=f"Name {i}", start=None, end=None, type="person", confidence=1.0)
        for i in range(number)
    ]
    relations = [
        Relation(
            id=f"r{at}", subject=f"e{i}", type="head of government of", object=f"e{j}", confidence=1
        )
        for at, (i, j) in enumerate(PAIRS)
    ]
    return Extraction(text="", image=None, entities=entities, relations=relations)


def drawn(extraction: Extraction) -> Drawing:
    whole = drawing(extraction)
    assert whole is not None
    return whole


def test_all_that_takes_part_is_drawn() -> None:
    whole = drawn(told())
    assert sorted(node.words for node in whole.nodes) == [
        *("1 Ann <b>Lee</b>", "2 NASA", "3 Bob", "4 Rome", "6 the <i>dog"),
        "Contact.<Meet>",
    ]
    assert [node.entity for node in whole.nodes if node.words == "3 Bob"] == [2]
    assert [node.note for node in whole.nodes if node.entity is None] == ["met"]
    assert [arrow.words for arrow in whole.arrows] == [
        *("<works> for", "knows", "knows"),
        *("person", "person", "place", "<role>"),
    ]


@pytest.mark.parametrize("extraction", [told(), crowd(15)], ids=["few", "fifteen"])
def test_nodes_stand_apart_and_words_beside_them(extraction: Extraction) -> None:
    whole = drawn(extraction)
    boxes = [(node.x, node.y, node.wide, node.tall) for node in whole.nodes]
    for (x, y, wide, tall), (left, top, w, h) in combinations(boxes, 2):
        assert abs(x - left) >= (wide + w) / 2 + 20 or abs(y - top) >= (tall + h) / 2 + 20
    for x, y, wide, tall in boxes:
        assert wide / 2 <= x <= whole.width - wide / 2
        assert tall / 2 <= y <= whole.height - tall / 2
    for arrow in whole.arrows:
        assert arrow.x - arrow.wide / 2 >= 0 and arrow.x + arrow.wide / 2 <= whole.width
    covered = sum(
        abs(arrow.x - x) < (arrow.wide + wide) / 2 and abs(arrow.y - y) < (20 + tall) / 2
        for arrow in whole.arrows
        for x, y, wide, tall in boxes
    )
    assert covered <= len(whole.arrows) // 8


def test_an_arrow_goes_from_rim_to_rim() -> None:
    whole = drawn(told(events=[], relations=told().relations[:1]))
    (arrow,) = whole.arrows
    numbers = [float(value) for value in re.findall(r"[\d.]+", arrow.path)]
    for node, point in zip(whole.nodes, (numbers[:2], numbers[-2:]), strict=True):
        away = [abs(point[0] - node.x) / node.wide, abs(point[1] - node.y) / node.tall]
        assert 0.49 < max(away) < 0.66, "on the rim, or a little before it"


def test_a_drawing_is_the_same_each_time() -> None:
    assert drawing(crowd(15)) == drawing(crowd(15))


def test_two_relations_of_the_same_two_are_one_arrow_and_one_to_itself_is_a_loop() -> None:
    ends = [("e1", "a", "e2"), ("e1", "b", "e2"), ("e1", "b", "e2"), ("e3", "self", "e3")]
    relations = [
        Relation(id=f"r{i}", subject=one, type=kind, object=other, confidence=1.0)
        for i, (one, kind, other) in enumerate(ends)
    ]
    whole = drawn(told(relations=relations, events=[]))
    assert [arrow.words for arrow in whole.arrows] == ["a, b", "self"]
    assert "C" in whole.arrows[1].path


def test_nothing_and_too_much_are_not_drawn() -> None:
    assert drawing(Extraction(text="", image=None, entities=[])) is None
    arguments = [Argument(role="part", entity="e1", confidence=1.0)]
    events = [
        Event(id=f"v{i}", type="Meet", arguments=arguments, confidence=1.0)
        for i in range(MOST_NODES)
    ]
    assert drawing(told(relations=[], events=events)) is None
    assert len(drawn(told(relations=[], events=events[:-1])).nodes) == MOST_NODES


def test_an_entity_that_a_page_has_left_out_is_left_out_of_the_drawing() -> None:
    short = told().model_copy(update={"entities": ENTITIES[:1]})
    whole = drawn(short)
    assert [node.words for node in whole.nodes if node.entity is not None] == ["1 Ann <b>Lee</b>"]
    assert [arrow.words for arrow in whole.arrows] == ["person"]

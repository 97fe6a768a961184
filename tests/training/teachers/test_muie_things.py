"""What the entities of a row are called in an answer, and by which phrases they are found."""

import pytest

from deixis.formats.muie_rows import Frame, MuieEntity, MuieRow
from deixis.rows import RowRegion
from deixis.training.teachers.muie_things import largest, names_of, things_of
from deixis.type_schema import TypeSchema

TYPES = TypeSchema.load("ace")


def at(x: float, image: int = 0, side: float = 10) -> RowRegion:
    return RowRegion(box=(x, 0, x + side, side), image=image)


def written(text: str, kind: str, *regions: RowRegion, start: int = 0) -> MuieEntity:
    place = {"start": start, "end": start + len(text)}
    return MuieEntity(text=text, type=kind, regions=regions, **place)


def seen(text: str, *regions: RowRegion) -> MuieEntity:
    return MuieEntity(text=text, type="PER", regions=regions)


def row_of(*entities: MuieEntity) -> MuieRow:
    return MuieRow(id="1", task="ner", image="a.png", entities=entities)


def phrases(*entities: MuieEntity) -> list[str | None]:
    return [thing.sought.get("image") for thing in things_of(row_of(*entities), TYPES).values()]


LEFT, RIGHT = "the person on the left", "the person on the right"


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        ([written("Ann", "PER", at(5))], ["the person"]),
        ([written("Ann", "PER", at(50)), written("Bo", "PER", at(5))], [RIGHT, LEFT]),
        ([written("Ann", "PER", at(50)), written("Bo", "PER")], ["the person", None]),
        (
            [written(name, "PER", at(x)) for name, x in (("A", 30), ("B", 90), ("C", 60))],
            [LEFT, RIGHT, "the person in the middle"],
        ),
        (
            [seen("dog", at(x)) for x in (30, 90, 60, 45)],
            [
                "the dog on the left",
                "the dog on the right",
                "the dog number 3 from the left",
                "the dog number 2 from the left",
            ],
        ),
        ([written("US Navy", "ORG", at(5)), written("Acme", "ORG", at(50))], ["US Navy", "Acme"]),
        # One thing under two names, and two things of a kind in different pictures.
        ([written("Ann Lee", "PER", at(5)), written("Lee", "PER", at(5))], ["the person"] * 2),
        ([seen("cat", at(5)), seen("cat", at(50, image=1))], ["the cat"] * 2),
        ([seen("cat", at(5)), seen("dog", at(50))], ["the cat", "the dog"]),
        ([MuieEntity(text="Ann", type="PER")], [None]),
    ],
)
def test_phrases_for_a_picture(entities: list[MuieEntity], expected: list[str | None]) -> None:
    assert phrases(*entities) == expected


def test_an_expression_of_the_row_is_the_phrase() -> None:
    ann = written("Ann", "PER", at(50)).model_copy(update={"expression": "the woman\nat the desk"})
    assert phrases(ann, written("Bo", "PER", at(5))) == [
        "the woman at the desk",
        "the person on the left",
    ]


def test_only_what_is_only_seen_is_numbered() -> None:
    heard = MuieEntity(text="dog", type="PER", spans=((0.0, 1.0),), regions=(at(90),))
    rest = (written("Dog", "PER", at(50)), heard, MuieEntity(text="dog", type="PER"))
    row = row_of(seen("dog", at(5)), seen("Dog", at(20)), seen("cat", at(1)), *rest)
    assert names_of(row) == ["dog 1", "Dog 2", "cat", "Dog", "dog", "dog"]
    things = things_of(row, TYPES)
    assert list(things) == ["dog 1", "dog 2", "cat", "dog"]
    assert [len(thing.entities) for thing in things.values()] == [1, 1, 1, 3]


def test_a_phrase_for_each_medium_that_has_it() -> None:
    ann = MuieEntity(
        text="Ann\nLee",
        type="PER",
        spans=((0.0, 1.0),),
        track=(Frame(frame=3, regions=(at(5),)),),
        regions=(),
    )
    bo = MuieEntity(text="dog", type="PER", track=(Frame(frame=3, regions=()),))
    ann_thing, bo_thing = things_of(row_of(ann, bo), TYPES).values()
    assert ann_thing.name == "Ann\nLee"
    assert ann_thing.sought == {"video": "the person", "audio": "Ann Lee"}
    assert bo_thing.sought == {}


def test_the_largest_box_is_meant() -> None:
    ann = written("Ann", "PER", at(5), at(50, side=20), at(90, image=1, side=40))
    assert largest([ann], 0) == (50, 0, 70, 20)
    assert largest([ann], 1) == (90, 0, 130, 40)
    assert largest([ann], 2) is None
    assert phrases(ann, written("Bo", "PER", at(30)))[0] == "the person on the right"

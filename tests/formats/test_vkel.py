import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError
from deixis.formats.vkel import parse, write
from deixis.rows import RowEntity, RowRegion

Read = list[tuple[str, str, str | None, list[tuple[float, ...]] | None]]

BOXES = ", whose bounding boxes are"
ANN: Read = [("Ann", "person", None, None)]
LOST: Read = [("Ann", "person", "author", None)]
ANN_AUTHOR = "Ann is a(an) person and a(an) author"

CASES: list[tuple[str, Read, int]] = [
    (
        f"{ANN_AUTHOR}{BOXES} (0.1, 0.2, 0.5, 1.0)",
        [("Ann", "person", "author", [(0.1, 0.2, 0.5, 1)])],
        0,
    ),
    (
        f"{ANN_AUTHOR}{BOXES} (0.1, 0.2, 0.5, 1); B. is a(an) art and a(an) art_other{BOXES} None",
        [("Ann", "person", "author", [(0.1, 0.2, 0.5, 1)]), ("B.", "art", "art_other", [])],
        0,
    ),
    (
        f"{ANN_AUTHOR}{BOXES} (0, 0, 1, 1), (0, 0, .5, 1e-1).",
        [("Ann", "person", "author", [(0, 0, 1, 1), (0, 0, 0.5, 0.1)])],
        0,
    ),
    (
        f"{ANN_AUTHOR}{BOXES} [0, 0, 1, 1] and [0, 0, 1, 0.5]",
        [("Ann", "person", "author", [(0, 0, 1, 1), (0, 0, 1, 0.5)])],
        0,
    ),
    (f"{ANN_AUTHOR} whose bounding boxes are none .", [("Ann", "person", "author", [])], 0),
    (
        "ann is a(an) person; h&amp ; m is a(an) organization .",
        [("ann", "person", None, None), ("h&amp ; m", "organization", None, None)],
        0,
    ),
    (
        "Fox &amp ; Fin Financial Group is a(an) organization",
        [("Fox &amp ; Fin Financial Group", "organization", None, None)],
        0,
    ),
    (
        f"Ann is a(an) Ship's crew (all) and a(an) 1st. mate, or so{BOXES} None",
        [("Ann", "Ship's crew (all)", "1st. mate, or so", [])],
        0,
    ),
    (f"Ann is a(an) person, whose box is (0, 0, 1, 1); {ANN[0][0]} is a(an) person", ANN, 1),
    ("no entity found.", [], 0),
    ("No entity found", [], 0),
    ("", [], 0),
    ("None.", [], 0),
    ("Ann is a(an) person\nBo is a(an) person.\n", [*ANN, ("Bo", "person", None, None)], 0),
    ("Ann is a(an)\nperson and\na(an) author", [("Ann", "person", "author", None)], 0),
    ("Here they are:\nAnn is a(an) person", ANN, 1),
    ("Ann is a person", [], 1),
    ("Ann is a(an) person; Bo is", ANN, 1),
    ("Ann is a(an) ; Bo is a(an) person", [("Bo", "person", None, None)], 1),
    (f"{ANN_AUTHOR}{BOXES} (0.1, 0.2, 0.5)", LOST, 1),
    (f"{ANN_AUTHOR}{BOXES} (0.1, 0.2, 0.5, 1.0", LOST, 1),
    (f"{ANN_AUTHOR}{BOXES} (a, b, c, d)", LOST, 1),
    (f"{ANN_AUTHOR}{BOXES} (nan, 0, 1, 1)", LOST, 1),
    (f"{ANN_AUTHOR}{BOXES}", LOST, 1),
    (f"{ANN_AUTHOR}{BOXES} on the left", LOST, 1),
    (" is a(an) person", [], 1),
    ("Ann is a(an) person!", [], 1),
    ("\udc00 is a(an) person", [], 1),
    ("is a(an) is a(an) person", [("is a(an)", "person", None, None)], 0),
]


def read(answer: str) -> tuple[Read, int]:
    parsed = parse(answer)
    found = [
        (e.text, e.type, e.fine_type, None if e.regions is None else [r.box for r in e.regions])
        for e in parsed.entities
    ]
    return found, len(parsed.problems)  # type: ignore[return-value]


@pytest.mark.parametrize(("answer", "entities", "problems"), CASES, ids=range(len(CASES)))
def test_what_is_read(answer: str, entities: Read, problems: int) -> None:
    assert read(answer) == (entities, problems)


def test_boxes_become_pixels() -> None:
    (entity,) = parse(f"{ANN_AUTHOR}{BOXES} (0.25, 0.5, 0.5, 1.0)", (200, 100)).entities
    assert entity.regions == (RowRegion(box=(50, 50, 100, 100)),)
    unknown = parse(f"{ANN_AUTHOR}{BOXES} (0.25, 0.5, 0.5, 1.0)", None)
    assert unknown.entities[0].regions is None
    assert "size is not known" in unknown.problems[0].reason


def test_the_sketch_of_the_paper() -> None:
    ada = RowEntity(
        text="Ada Lovelace",
        type="person",
        fine_type="author",
        regions=(RowRegion(box=(0.448, 0.02, 0.913, 1.0)),),
    )
    assert write([ada]) == (
        "Ada Lovelace is a(an) person and a(an) author, "
        "whose bounding boxes are (0.448, 0.02, 0.913, 1.0)"
    )
    assert write([]) == "no entity found."


@pytest.mark.parametrize(
    "entity",
    [
        RowEntity(text="Ann ", type="person"),
        RowEntity(text="a\nb", type="person"),
        RowEntity(text="X is a(an) person; Y", type="person"),
        RowEntity(text="Ann", type="a; b"),
        RowEntity(text="Ann", type="person", fine_type=""),
    ],
)
def test_what_the_format_cannot_hold(entity: RowEntity) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        write([entity])


numbers = st.floats(0, 1)
regions = st.builds(RowRegion, box=st.tuples(numbers, numbers, numbers, numbers))
WORDS = ["Ann", "J.", "O'Neil", "&amp ;", "(live)", "is", "a,b", "ü"]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
entities = st.builds(
    RowEntity,
    text=names,
    start=st.none(),
    end=st.none(),
    type=st.sampled_from(["person", "art"]),
    fine_type=st.sampled_from([None, "author", "art_other"]),
    regions=st.none() | st.lists(regions, max_size=2).map(tuple),
)


@given(st.lists(entities, max_size=3))
def test_round_trip(given_entities: list[RowEntity]) -> None:
    assert parse(write(given_entities)) == (tuple(given_entities), ())


@given(st.text(min_size=1), st.text())
def test_what_is_written_is_read_as_the_same_or_refused(text: str, kind: str) -> None:
    entity = RowEntity(text=text, type=kind)
    try:
        written = write([entity])
    except DataError:
        return
    assert parse(written) == ((entity,), ())


PIECES = ["Ann", " is a(an) ", "person", " and a(an) ", BOXES, " (0, 1, ", "2, 3)", ";", ".", "\n"]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_never_raises_and_drops_nothing(answer: str) -> None:
    parsed = parse(answer)
    if not parsed.problems and not parsed.entities:
        assert re.sub(r"[\s;.]", "", answer).lower() in ("", "none", "noentityfound")

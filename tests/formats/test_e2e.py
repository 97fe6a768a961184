import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError
from deixis.formats.e2e import parse, write
from deixis.rows import RowEntity, RowRegion

EDGES = Path(__file__).parents[2].parent / "shared" / "data" / "reference" / "edge_cases.json"

Read = list[tuple[str, str, list[tuple[float, ...]] | None]]

ANN: Read = [("Ann", "PER", [])]
BAD: Read = [("Ann", "PER", None)]

CASES: list[tuple[str, Read, int]] = [
    (
        "Ann Lee|PER|[1,2,3,4]; Acme|ORG|None",
        [("Ann Lee", "PER", [(1, 2, 3, 4)]), ("Acme", "ORG", [])],
        0,
    ),
    ("Ann|PER|[[1,2,3,4],[5,6,7,8]]", [("Ann", "PER", [(1, 2, 3, 4), (5, 6, 7, 8)])], 0),
    ("Ann|PER|[1,2,3]", BAD, 1),
    ("Ann|PER|", [], 1),
    ("None", [], 0),
    ("", [], 0),
    (" none ; NONE\n", [], 0),
    ("Ann|PER|n/a", ANN, 0),
    ("Ann|PER|[1.5,2,3e1,4]", [("Ann", "PER", [(1.5, 2, 30, 4)])], 0),
    ("A|B|PER|None", [("A | B", "PER", [])], 1),
    ("AT&amp;T|ORG|None", [("T", "ORG", [])], 1),
    ("<think>x</think> Ann|PER|None", ANN, 0),
    ("<THINK>a; b|c</think><answer> Ann|PER|None </ANSWER> bye", ANN, 0),
    ("<think>Ann|PER|[1,2,3,4]", [("<think>Ann", "PER", [(1, 2, 3, 4)])], 0),
    ("<answer>Ann|PER|None", [("<answer>Ann", "PER", [])], 1),
    ("```json\nAnn|PER|None\n```", ANN, 2),
    ("Ann|PER|[true,1,2,3]", [("Ann", "PER", [(1, 1, 2, 3)])], 0),
    ("Ann｜PER｜None", ANN, 0),  # noqa: RUF001
    ("Ann|PER|None；Bo|PER|None", [*ANN, ("Bo", "PER", [])], 0),  # noqa: RUF001
    ("Ann|PER|[]", BAD, 1),
    ("Ann|PER|[[1,2,3,4],[5,6]]", BAD, 1),
    ("Ann|PER|(1,2) (3,4)", [("Ann", "PER", [(1, 2, 3, 4)])], 0),
    ("Ann|PER|[1,2,3,4", [("Ann", "PER", [(1, 2, 3, 4)])], 0),
    ("Ann|PER|[9,9,1,1]", [("Ann", "PER", [(9, 9, 1, 1)])], 0),
    ("Ann|PER|somewhere", BAD, 1),
    ("Ann|PER|[1e999,0,1,1]", BAD, 1),
    ("Ann|PER|[NaN,0,1,1]", BAD, 1),
    ("Ann|PER|" + "[" * 100_000, BAD, 1),
    ("Ann|PER|" + "9" * 5000, BAD, 1),
    ("Ann||PER||None", ANN, 0),
    ("|||", [], 1),
    ("There is nobody in this text.", [], 1),
    ("\ud800|PER|None", [], 1),
]


def read(answer: str) -> tuple[Read, int]:
    parsed = parse(answer)
    found = [
        (e.text, e.type, None if e.regions is None else [r.box for r in e.regions])
        for e in parsed.entities
    ]
    return found, len(parsed.problems)  # type: ignore[return-value]


@pytest.mark.parametrize(("answer", "entities", "problems"), CASES, ids=range(len(CASES)))
def test_what_is_read(answer: str, entities: Read, problems: int) -> None:
    assert read(answer) == (entities, problems)


@pytest.mark.skipif(not EDGES.is_file(), reason="the reference answers are not beside the checkout")
def test_the_released_evaluator_reads_the_same() -> None:
    cases = json.loads(EDGES.read_text())["e2e_text_parsing"]
    assert len(cases) >= 13
    for case in cases:
        wanted = [
            (
                e["text"],
                e["type"],
                [tuple(b) for b in e["boxes"] or []] if e["region_valid"] else None,
            )
            for e in case["lenient"]
        ]
        entities, problems = read(case["raw"])
        assert entities == wanted, case["raw"]
        assert problems or case["strict"] == "ok", case["raw"]


def test_a_problem_says_what_and_why() -> None:
    (problem,) = parse("Ann|PER|None; Bo|PER").problems
    assert problem.piece == "Bo|PER"
    assert "text|TYPE|region" in problem.reason


def test_boxes_become_pixels_of_the_original_picture() -> None:
    (entity,) = parse("Ann|PER|[10,20,30,40]", (2.0, 0.5)).entities
    assert entity.regions == (RowRegion(box=(20, 10, 60, 20)),)
    unknown = parse("Ann|PER|[10,20,30,40]; Bo|PER|None", None)
    assert [e.regions for e in unknown.entities] == [None, ()]
    assert len(unknown.problems) == 1


@pytest.mark.parametrize(
    "entity",
    [
        RowEntity(text="Fox &amp ; Fin", type="ORG", regions=()),
        RowEntity(text="a|b", type="ORG", regions=()),
        RowEntity(text=" Ann", type="PER", regions=()),
        RowEntity(text="a\nb", type="PER", regions=()),
        RowEntity(text="</think>", type="PER", regions=()),
        RowEntity(text="Ann", type="", regions=()),
        RowEntity(text="Ann", type="PER", regions=None),
        RowEntity(text="Ann", type="person", fine_type="author", regions=()),
    ],
)
def test_what_the_format_cannot_hold(entity: RowEntity) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        write([entity])


def test_offsets_are_not_held() -> None:
    located = RowEntity(text="Ann", start=3, end=6, type="PER", regions=())
    assert write([located]) == "Ann|PER|None"
    assert write([]) == "None"


numbers = st.floats(allow_nan=False, allow_infinity=False)
regions = st.builds(RowRegion, box=st.tuples(numbers, numbers, numbers, numbers))
WORDS = ["Ann", "J.", "O'Neil", "&amp", "(live)", "[x]", "a,b", "ü"]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
entities = st.builds(
    RowEntity,
    text=names,
    start=st.none(),
    end=st.none(),
    type=st.sampled_from(["PER", "LOC"]),
    fine_type=st.none(),
    regions=st.lists(regions, max_size=2).map(tuple),
)


@given(st.lists(entities, max_size=3))
def test_round_trip(given_entities: list[RowEntity]) -> None:
    assert parse(write(given_entities)) == (tuple(given_entities), ())


@given(st.text(min_size=1), st.text())
def test_what_is_written_is_read_as_the_same_or_refused(text: str, kind: str) -> None:
    entity = RowEntity(text=text, type=kind, regions=())
    try:
        written = write([entity])
    except DataError:
        return
    assert parse(written) == ((entity,), ())


@given(st.text(alphabet="An|;[]().,-1e9 \n<>/answerthik") | st.text())
def test_never_raises(answer: str) -> None:
    parsed = parse(answer)
    assert parsed.entities or parsed.problems or write([]) == "None"

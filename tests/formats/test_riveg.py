import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError
from deixis.formats.answers import Split
from deixis.formats.riveg import (
    Expression,
    parse,
    parse_expression,
    split,
    write,
    write_annotation,
    write_expression,
)
from deixis.rows import Row, RowEntity, RowRegion

Read = list[tuple[str, str, list[tuple[float, ...]] | None]]

POINTED = "Imageid:17.jpg#0###Ann (PER)###Ann (PER)-a woman###2###&[1, 2, 3, 4]"
ANN: Read = [("Ann", "PER", None)]
BOX = (1, 2, 3, 4)

CASES: list[tuple[str, Read, int]] = [
    (POINTED, [("Ann", "PER", [(1, 2, 3, 4)])], 0),
    (
        "17.jpg###Ann (PER)###2###&[1, 2, 3, 4]&[5, 6, 7, 8.5]",
        [("Ann", "PER", [(1, 2, 3, 4), (5, 6, 7, 8.5)])],
        0,
    ),
    ("17.jpg###Ann (PER)###0", [("Ann", "PER", [])], 0),
    ("17.jpg###Ann (PER)###0###&[0, 0, 0, 0]", [("Ann", "PER", [])], 0),
    ("17.jpg###Ann(PER)###a woman###0###&[0, 0, 0, 0]", [("Ann", "PER", [])], 0),
    ("17.jpg###Ann(PER)###\ta woman###2###&[1.0, 2.0, 3.0, 4.0]", [("Ann", "PER", [BOX])], 0),
    ("Imageid:17.jpg#6aac###Ann(PER)###Ann(PER)-a woman###2", ANN, 0),
    ("Imageid:O_2.jpg#0f25###A # B(ORG)###A # B(ORG)-They say ###0", [("A # B", "ORG", [])], 0),
    ("Imageid:1.jpg#d5ab3###B . B(PER)###B . B(PER)-I'm sorry###0", [("B . B", "PER", [])], 0),
    ("17.jpg###Ann(PER)###x###0###&[1, 2, 3, 4]", [("Ann", "PER", [])], 1),
    ("17.jpg###Ann(PER)###x###0###&[1, 2, 3]", [("Ann", "PER", [])], 1),
    ("Imageid:17.jpg#6!c###Ann(PER)###Ann(PER)-a woman###2", [], 1),
    ("Ann (PER) - a ### woman", [], 1),
    ("Imageid:17.jpg#1###Ann (PER)###Ann (PER)-a ###woman###2", ANN, 0),
    ("17.jpg###The Band (live) (ORG)###0", [("The Band (live)", "ORG", [])], 0),
    ("Ann (PER) – a woman", ANN, 0),  # noqa: RUF001
    ("Ann (PER)-a woman (left)", ANN, 0),
    ("The Band (live) (ORG) - people", [("The Band (live)", "ORG", None)], 0),
    ("Ann (PER) — x\n\nBo (PER) - y\n", [*ANN, ("Bo", "PER", None)], 0),
    ("", [], 0),
    ("Ann (PER)", [], 1),
    ("Ann – a woman", [], 1),  # noqa: RUF001
    ("(PER) - a woman", [], 1),
    ("Ann () - a woman", [], 1),
    ("Ann (PER) -", [], 1),
    ("17.jpg###Ann###0", [], 1),
    ("17.jpg###Ann (PER)###two", [], 1),
    ("17###Ann (PER)###0", [], 1),
    ("17.jpg###Ann (PER)###2###&[1, 2, 3]", ANN, 1),
    ("17.jpg###Ann (PER)###2###&[1, 2, 3, x]", ANN, 1),
    ("17.jpg###Ann (PER)###2###[1, 2, 3, 4]", [], 1),
    ("17.jpg### (PER)###0", [], 1),
    ("17.jpg###Ann (PER)###" + "9" * 5000, ANN, 0),
    ("17.jpg###\ud800 (PER)###0", [], 1),
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


def test_lines_are_grouped_by_picture() -> None:
    lines = [POINTED, "O_2.jpg###Bo (PER)###0", "17.jpg###Acme (ORG)###0"]
    grouped = [("17", f"{lines[0]}\n{lines[2]}"), ("O_2", lines[1])]
    assert split("\n".join(lines)) == Split(grouped, {})
    assert split("Ann (PER) - a woman") is None
    assert split("") is None


def test_a_line_that_does_not_fit_is_told_and_the_others_are_read() -> None:
    divided = split(f"{POINTED}\n\nof her husband.\n17###Bo(PER)###x###0\n17.jpg###Bo(PER)###0")
    assert divided is not None
    assert divided.samples == [("17", f"{POINTED}\n17.jpg###Bo(PER)###0")]
    assert [(place, each.piece) for place, each in divided.misfits.items()] == [
        (3, "of her husband."),
        (4, "17###Bo(PER)###x###0"),
    ]


def test_expressions() -> None:
    ada = Expression("Ada Lovelace", "PER", "a woman in a dress")
    assert write_expression(ada) == "Ada Lovelace (PER) – a woman in a dress"  # noqa: RUF001
    assert parse_expression("Ada Lovelace (PER)-a woman in a dress") == ada
    with pytest.raises(DataError, match="cannot hold"):
        write_expression(Expression("Ada (A) - B", "PER", "a woman"))


@pytest.mark.parametrize(
    "entity",
    [
        RowEntity(text="a###b", type="PER", regions=()),
        RowEntity(text=" Ann", type="PER", regions=()),
        RowEntity(text="a\nb", type="PER", regions=()),
        RowEntity(text="Ann", type="P(E)R", regions=()),
        RowEntity(text="Ann", type="person", fine_type="author", regions=()),
    ],
)
def test_what_the_format_cannot_hold(entity: RowEntity) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        write([entity])


def test_an_id_that_the_format_cannot_hold() -> None:
    ann = RowEntity(text="Ann", type="PER", regions=())
    assert write([ann], "16_05") == "16_05.jpg###Ann(PER)###Ann###0###&[0, 0, 0, 0]"
    for name in ("a.jpg###b", "Imageid:17", "a\nb", ""):
        with pytest.raises(DataError, match="cannot hold"):
            write([ann], name)


numbers = st.floats(allow_nan=False, allow_infinity=False)
regions = st.builds(RowRegion, box=st.tuples(numbers, numbers, numbers, numbers))
WORDS = ["Ann", "J.", "O'Neil", "&amp ;", "(live)", "-", "a,b", "#1"]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
entities = st.builds(
    RowEntity,
    text=names,
    start=st.none(),
    end=st.none(),
    type=st.sampled_from(["PER", "LOC"]),
    fine_type=st.none(),
    regions=st.none() | st.lists(regions, max_size=2).map(tuple),
)


@given(st.lists(entities, max_size=3))
def test_round_trip(given_entities: list[RowEntity]) -> None:
    assert parse(write(given_entities)) == (tuple(given_entities), ())


@given(st.text(min_size=1), st.text(), st.text())
def test_what_is_written_is_read_as_the_same_or_refused(text: str, kind: str, said: str) -> None:
    entity = RowEntity(text=text, type=kind, regions=())
    expression = Expression(text, kind, said)
    try:
        assert parse(write([entity])) == ((entity,), ())
        assert parse_expression(write_expression(expression)) == expression
    except DataError as error:
        assert "cannot hold" in str(error)


PIECES = ["Ann", " (PER)", "###", "17.jpg", "Imageid:", "0", "2", "&[1, 2, ", "3, 4]", "-", "\n"]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_never_raises_and_drops_nothing(answer: str) -> None:
    parsed = parse(answer)
    lines = sum(bool(line.strip()) for line in answer.split("\n"))
    assert len(parsed.entities) + len(parsed.problems) >= lines
    split(answer)


@pytest.mark.parametrize("name", ["(ORG)", " (ORG)", "Ann()", "Ann( )"])
def test_a_line_without_a_name_or_a_type_is_told(name: str) -> None:
    parsed = parse(f"1.jpg###{name}###a woman###0")
    assert not parsed.entities and len(parsed.problems) == 1


def test_gold_is_written_as_people_annotate_it() -> None:
    box = [{"box": BOX}]
    named: list[tuple[str, object]] = [
        ("Ann\nLee", box),
        ("Bo", []),
        ("Cy", None),
        ("Ann Lee", box),
    ]
    entities = [{"text": text, "type": "PER", "regions": seen} for text, seen in named]
    row = {"id": "1", "text": "x", "image": "a.jpg", "entities": entities}
    assert write_annotation(Row.model_validate(row)) == (
        "Named entities: 1. Ann Lee (PER) 2. Bo (PER) 3. Cy (PER) 4. Ann Lee (PER)\n"
        "Reasoning: The Image shows Ann Lee. The Image does not show Bo."
    )
    blind = Row.model_validate({**row, "image": None, "entities": entities[1:2]})
    assert write_annotation(blind) == "Named entities: 1. Bo (PER)"
    assert write_annotation(Row(id="1")) == "Named entities: none"

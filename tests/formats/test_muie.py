import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError
from deixis.formats.muie import (
    Answer,
    Entity,
    Event,
    Item,
    Phrase,
    Relation,
    Task,
    parse,
    parse_answer,
    row_of,
    write,
    write_answer,
)
from deixis.formats.muie_calls import Call
from deixis.formats.muie_rows import MuieRow
from deixis.rows import RowEntity, RowRegion

ANN = Entity(Phrase("Ann", True), "person")
LONDON = Entity(Phrase("London"), "location")
RULES = Relation(Phrase("Ann", True), "member_of", Phrase("Acme"))
FIRED = Event(
    Phrase("fired"), "Attack", (("Agent", Phrase("Ann", True)), ("Time", Phrase("May 3, 1815")))
)

CASES: list[tuple[Task, str, list[Item], int]] = [
    (
        "ner",
        "(Ann<concept>, person)(London, location)",
        [ANN, LONDON],
        0,
    ),
    ("ner", "(Ann <Concept> , person), (Ann<concept>,person).", [ANN, ANN], 0),
    ("ner", "(Washington, D.C., location)", [Entity(Phrase("Washington, D.C."), "location")], 0),
    (
        "ner",
        "(The Band (live), organization)",
        [Entity(Phrase("The Band (live)"), "organization")],
        0,
    ),
    ("ner", "", [], 0),
    ("ner", "None", [], 0),
    ("ner", "There is Ann.", [], 1),
    ("ner", "Found: (Ann<concept>, person)", [ANN], 1),
    ("ner", "(Ann<concept>, person", [], 1),
    ("ner", "Ann, person)", [], 1),
    ("ner", "(Ann)", [], 1),
    ("ner", "(, person)", [], 1),
    ("ner", "(<concept>, person)", [], 1),
    ("ner", "(Ann<concept>, )", [], 1),
    ("ner", "()", [], 1),
    ("ner", "(Ann<concept>, person) bye (Ann<concept>, person)", [ANN, ANN], 1),
    ("re", "(Ann<concept>, member_of, Acme)", [RULES], 0),
    ("re", "(Ann, Acme)", [], 1),
    ("re", "(Ann, member_of, Acme, Inc.)", [], 1),
    ("re", "(Ann, , Acme)", [], 1),
    ("re", "(, member_of, Acme)", [], 1),
    ("ee", "(fired, Attack, Agent: Ann<concept>, Time: May 3, 1815)", [FIRED], 0),
    ("ee", "(fired, Attack)", [Event(Phrase("fired"), "Attack")], 0),
    ("ee", "(fired)", [], 1),
    ("ee", "(fired, )", [], 1),
    ("ee", "(fired, Attack, Ann)", [], 1),
    ("ee", "(fired, Attack, : Ann)", [], 1),
    ("ee", "(fired, Attack, Agent: )", [], 1),
    ("ner", "<Instruction>Segment: Ann</Instruction>", [], 1),
    ("ner", "<UIE> (Ann<concept> , person)(London, location)...", [ANN, LONDON], 0),
    ("ner", "<UIE>(Ann<concept>, person)</UIE>\n<uie> (London, location) </uie>", [ANN, LONDON], 0),
    ("ner", "<UIE>None", [], 0),
    ("ner", "<UIE", [], 1),
    ("ner", "<UIE>(Ann<concept>, person", [], 1),
    ("re", "<UIE> (Ann<concept> , member_of , Acme)", [RULES], 0),
]


@pytest.mark.parametrize(("task", "answer", "items", "problems"), CASES, ids=range(len(CASES)))
def test_what_is_read(task: Task, answer: str, items: list[Item], problems: int) -> None:
    read = parse_answer(answer, task)
    assert list(read.items) == items
    assert len(read.problems) == problems
    assert read.calls == ()


def test_calls_of_modules() -> None:
    text = (
        "(Ann<concept>, person)<Module>ImageSegmentation</Module><Instruction>Segment: Ann"
        "</Instruction><Module>AudioSegmentation</Module>"
    )
    calls = Call("ImageSegmentation", ("Segment: Ann",)), Call("AudioSegmentation")
    assert parse_answer(text, "ner") == Answer((ANN,), calls)
    assert write_answer(Answer((ANN,), calls)) == text


def test_an_answer_as_figure_2_has_it() -> None:
    calls = (Call("Image Segmenter", ("the woman", "the man")), Call("Video Tracker", ("Ann",)))
    text = write_answer(Answer((ANN, LONDON), calls), closed=False)
    assert text == (
        "<UIE> (Ann<concept>, person)(London, location)\n"
        "<Module>Image Segmenter <Instruction>the woman, the man\n"
        "<Module>Video Tracker <Instruction>Ann"
    )
    assert write_answer(Answer(()), closed=False) == "<UIE> None"
    with pytest.raises(DataError, match="cannot hold"):  # a list is cut at its commas
        write_answer(Answer((ANN,), (Call("Image Segmenter", ("a, b",)),)), closed=False)


def test_rows_say_what_should_be_looked_for() -> None:
    ann, london = parse("(Ann<concept>, person)(London, location)").entities
    assert (ann.text, ann.type, ann.regions) == ("Ann", "person", None)
    assert london.regions == ()
    assert write([ann, london]) == "(Ann<concept>, person)(London, location)"
    assert parse(write([])) == ((), ())
    assert len(parse("(\ud800, person)").problems) == 1


def test_rows_to_be_scored() -> None:
    gold = MuieRow(id="1", task="re", text="Ann and Bo of Acme", image="1.jpg")
    text = "(Ann<concept>, member_of, Acme)(Bo, member_of, Acme)"
    row = row_of(parse_answer(text, "re"), gold)
    assert (row.id, row.task, row.image, row.text) == ("1", "re", "1.jpg", gold.text)
    assert [(e.text, e.regions) for e in row.entities] == [("Ann", None), ("Acme", ()), ("Bo", ())]
    assert [(r.subject, r.type, r.object) for r in row.relations] == [
        (0, "member_of", 1),
        (2, "member_of", 1),
    ]
    (event,) = row_of(Answer((FIRED,)), gold).events
    assert event.trigger is not None
    assert (event.trigger.text, event.type) == ("fired", "Attack")
    assert [(a.role, a.entity) for a in event.arguments] == [("Agent", 0), ("Time", 1)]
    twice = row_of(Answer((ANN, ANN)), gold)
    assert [(e.text, e.type) for e in twice.entities] == [("Ann", "person")] * 2


@pytest.mark.parametrize(
    "entity",
    [
        RowEntity(text="Ann", type="person", regions=(RowRegion(box=(0, 0, 1, 1)),)),
        RowEntity(text="Ann", type="person", fine_type="author"),
        RowEntity(text="Ann :)", type="person"),
        RowEntity(text="Ann", type="a, b"),
        RowEntity(text="Ann<concept>", type="person", regions=()),
    ],
)
def test_what_the_format_cannot_hold(entity: RowEntity) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        write([entity])


@pytest.mark.parametrize(
    "answer",
    [
        Answer((Relation(Phrase("a, b"), "x", Phrase("c")),)),
        Answer((ANN, RULES)),
        Answer((Event(Phrase("f"), "Attack", (("Agent", Phrase("a, b: c")),)),)),
        Answer((), (Call("a</Module>"),)),
        Answer((ANN,), (), parse_answer("x", "ner").problems),
    ],
)
def test_answers_that_the_format_cannot_hold(answer: Answer) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        write_answer(answer)


WORDS = ["Ann", "J.", "O'Neil", "&amp ;", "<b>", "-", "h&m", "ü"]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
phrases = st.builds(Phrase, names, st.booleans())
events = st.builds(
    Event, phrases, names, st.lists(st.tuples(names, phrases), max_size=2).map(tuple)
)
calls = st.lists(st.builds(Call, names, st.lists(names, max_size=2).map(tuple)), max_size=2).map(
    tuple
)


@given(
    st.lists(st.builds(Entity, phrases, names), max_size=2)
    | st.lists(st.builds(Relation, phrases, names, phrases), min_size=1, max_size=2)
    | st.lists(events, min_size=1, max_size=2),
    calls,
)
def test_round_trip(items: list[Item], said: tuple[Call, ...]) -> None:
    answer = Answer(tuple(items), said)
    task: Task = "ner"
    if items:
        task = {Entity: "ner", Relation: "re", Event: "ee"}[type(items[0])]  # type: ignore[assignment]
    assert parse_answer(write_answer(answer), task) == answer


@given(st.text(min_size=1), st.text())
def test_what_is_written_is_read_as_the_same_or_refused(text: str, kind: str) -> None:
    entity = RowEntity(text=text, type=kind)
    try:
        written = write([entity])
    except DataError:
        return
    assert parse(written) == ((entity,), ())


PIECES = ["(", ")", ",", ":", "Ann", "<concept>", "<Module>", "</Module>", "<Instruction>", " "]
PIECES += ["<UIE>", "</Instruction>", "\n"]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_never_raises_and_drops_nothing(answer: str) -> None:
    for task in ("ner", "re", "ee"):
        read = parse_answer(answer, task)
        if "Ann" in answer:
            assert any(read)

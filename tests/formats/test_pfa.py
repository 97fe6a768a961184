import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DataError
from deixis.formats.pfa import Answer, parse, parse_answer, write, write_answer
from deixis.rows import RowEntity, RowRegion

FULL = (
    "Task 1 Answer: Two people: one sings; one listens.\n"
    "Task 2 Answer: NER: :PER; Ada Lovelace:ORG; Royal Society\n"
    "image-entity pair: {'a': 'Ada Lovelace'}"
)
Pairs = tuple[tuple[str, str], ...]
ANN = (("Ann", "PER"),)

CASES: list[tuple[str, str, Pairs, dict[str, str], int]] = [
    (
        FULL,
        "Two people: one sings; one listens.",
        (("Ada Lovelace", "PER"), ("Royal Society", "ORG")),
        {"a": "Ada Lovelace"},
        0,
    ),
    ("", "", (), {}, 0),
    ("Task 1 Answer: A dinner: NER is not meant", "A dinner: NER is not meant", (), {}, 0),
    ("task 1 answer : A cat.", "A cat.", (), {}, 0),
    ("Sure! Task 1 Answer: A cat.", "A cat.", (), {}, 1),
    ("A cat.", "", (), {}, 1),
    ("NER::PER; Ann image entities pair: {'a': 'Ann'}", "", ANN, {"a": "Ann"}, 0),
    ("NER::PER; Ann Image-Entity Pairs: {}", "", ANN, {}, 0),
    ("NER: PER; Ann", "", (), {}, 1),
    ("NER: None", "", (), {}, 0),
    ("NER: :PER; :ORG; Acme", "", (("Acme", "ORG"),), {}, 1),
    ("NER: :; Ann", "", (), {}, 1),
    ("NER::ORG; Fox &amp ; Fin:PER; Ann", "", (("Fox &amp ; Fin", "ORG"), *ANN), {}, 0),
    ("NER::OTHER; Space: Part 2:PER; Ann", "", (("Space: Part 2", "OTHER"), *ANN), {}, 0),
    ("Task 2 Answer: hm NER::PER; Ann", "", ANN, {}, 1),
    ("image-entity pair: {'a': 'Levi's', 'b': 'Bo'}", "", (), {"a": "Levi's", "b": "Bo"}, 0),
    ('image-entity pair: {"a": "Levi\'s"}', "", (), {"a": "Levi's"}, 0),
    (r"image-entity pair: {'a': 'Levi\'s'}", "", (), {"a": "Levi's"}, 0),
    ("image-entity pair: {a: 'Ann', 2: 'Bo'}", "", (), {"a": "Ann", "2": "Bo"}, 0),
    ("image-entity pair: {'a': 'Ann'", "", (), {"a": "Ann"}, 0),
    ("image-entity pair: {'a': 'Ann", "", (), {}, 1),
    ("image-entity pair: {'a': None}", "", (), {}, 1),
    ("image-entity pair: {'a': 'Ann', 'a': 'Bo'}", "", (), {"a": "Bo"}, 1),
    ("image-entity pair: a is Ann", "", (), {}, 1),
    ("image-entity pair: {'a': 'Ann'} NER::PER; Ann", "", ANN, {}, 1),
]


@pytest.mark.parametrize(
    ("answer", "summary", "pairs", "patches", "problems"), CASES, ids=range(len(CASES))
)
def test_what_is_read(
    answer: str, summary: str, pairs: Pairs, patches: dict[str, str], problems: int
) -> None:
    read = parse_answer(answer)
    assert (read.summary, read.pairs, read.patches) == (summary, pairs, patches)
    assert len(read.problems) == problems


def test_rows_have_the_pairs() -> None:
    ada, society = parse(FULL).entities
    assert (ada.text, ada.type, ada.regions) == ("Ada Lovelace", "PER", None)
    assert (society.text, society.type) == ("Royal Society", "ORG")
    assert write([ada, society]) == "Task 2 Answer: NER: :PER; Ada Lovelace:ORG; Royal Society"
    assert parse(write([])) == ((), ())
    (problem,) = parse("NER::PER; \ud800").problems
    assert "no text" in problem.reason


@pytest.mark.parametrize(
    "entity",
    [
        RowEntity(text="Ann", type="PER", regions=()),
        RowEntity(text="Ann", type="PER", regions=(RowRegion(box=(0, 0, 1, 1)),)),
        RowEntity(text="Ann", type="person", fine_type="author"),
        RowEntity(text="Re: Fox &amp ; Fin", type="ORG"),
        RowEntity(text="Ann", type="P;R"),
    ],
)
def test_what_the_format_cannot_hold(entity: RowEntity) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        write([entity])


def test_an_answer_that_the_format_cannot_hold() -> None:
    assert write_answer(parse_answer(FULL)) == FULL
    for answer in (
        Answer("See Task 2 Answer: x", (), {}),
        Answer("", (), {"a b": "Ann"}),
        Answer(" padded ", (), {}),
    ):
        with pytest.raises(DataError, match="cannot hold"):
            write_answer(answer)


def test_parts_of_an_answer() -> None:
    assert write_answer(Answer("A dog.", (), {}), ["summary"]) == "Task 1 Answer: A dog."
    text = write_answer(Answer("", (), {}), ["patches", "pairs"])
    assert text == "Task 2 Answer: NER: None\nimage-entity pair: {}"
    with pytest.raises(DataError, match="cannot hold"):
        write_answer(parse_answer(FULL), ["summary"])


WORDS = ["Ann", "J.", "O'Neil", "&amp", "(live)", "\\n", "a,b", "ü"]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
answers = st.builds(
    Answer,
    names,
    st.lists(st.tuples(names, st.sampled_from(["PER", "ORG"])), max_size=3).map(tuple),
    st.dictionaries(st.sampled_from("abc"), names),
    st.just(()),
)


@given(answers)
def test_round_trip(answer: Answer) -> None:
    assert parse_answer(write_answer(answer)) == answer


@given(st.text(), st.text(min_size=1), st.text(), st.text())
def test_what_is_written_is_read_as_the_same_or_refused(
    summary: str, entity: str, label: str, shown: str
) -> None:
    answer = Answer(summary, ((entity, label),), {"a": shown})
    try:
        text = write_answer(answer)
    except DataError:
        return
    assert parse_answer(text) == answer


PIECES = [*FULL.partition("NER:"), "Task 1 Answer:", "image-entity pair:", ":PER;", "'", "{", ","]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_never_raises_and_drops_nothing(answer: str) -> None:
    read = parse_answer(answer)
    if answer.strip() and read == Answer("", (), {}):
        assert ":" in answer or answer.strip().lower().strip(".") == "none"
    parse(answer)

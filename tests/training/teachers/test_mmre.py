"""M-MRE's course: answers to all its questions are read back to the gold, or refused."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.mmre.read import read_marked, read_plain
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.llms.answers.reading import Text
from deixis.llms.box_conventions import THOUSANDTHS
from deixis.llms.photos import Photo
from deixis.prompts import Prompt
from deixis.rows import RowEntity
from deixis.training.courses import course_named
from deixis.training.lessons.course import Question, UntaughtError
from deixis.training.lessons.records import Lessons, in_words

from .conftest import stack_of

TYPES = ["PER", "LOC", "ORG", "OTHER"]
WORDS = [
    *("Ann", "O'Neil", "AT & T", "St. John's", "Ünal", "Re: Zero", "New York", "New York Times"),
    *('"Q"', "café", "{x}", "李 雷", "C:D;E", "None", "a\nb", "NER: x", "{'a': 'Ann'}", "e\u0301t"),
]
SUMMARIES = [
    *("Two people: one sings; one listens.", "A man\n\nin a hat.", 'It says "Task" & {a: b}.'),
    *("A dinner: NER is not meant.", "Patch a: a dog.", "  Padded.  ", "Entities: none."),
]


def row_of(chance: random.Random, number: int) -> MmreRow:
    names = chance.sample(WORDS, chance.randint(0, 4))
    text, entities, patches = f"{number} ", [], []
    for name in names:
        start = len(text)
        text += f"{name} | "
        kind = chance.choice(TYPES)
        entities.append(RowEntity(text=name, start=start, end=start + len(name), type=kind))
    for letter in "abc"[: chance.randint(0, 3)]:
        x, y = chance.randint(-5, 150), chance.randint(0, 100)
        box = (x, y, x + chance.randint(6, 50), y + chance.randint(1, 60))
        patches.append(Patch(letter=letter, box=box, entity=chance.choice([None, *names])))
    return MmreRow(
        id=str(number),
        text=text,
        image=f"{number}.png",
        entities=entities,
        summary=chance.choice(SUMMARIES),
        patches=patches,
    )


@pytest.mark.extra("transformers")
@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("tasks", ["joint", "summary", "mner"])
@pytest.mark.parametrize("pfa", [True, False])
def test_the_graph_makes_the_gold_of_what_it_is_answered(
    rehearsed: Callable[..., Lessons], asked_again: Any, pfa: bool, tasks: str, count: int
) -> None:
    chance = random.Random(5)
    rows = [row_of(chance, number) for number in range(count)]
    lessons = rehearsed("mmre", rows, "gmner", pfa=pfa, tasks=tasks)
    kept = [row for row in rows if row.id in {each.row for each in lessons.lessons}]
    assert len(kept) == lessons.manifest.lessons > count / 2
    assert set(lessons.manifest.left_out) <= {
        "the form of the answer cannot hold the summary or the name of an entity"
    }
    patches = {"patches": lambda row: [patch.model_dump() for patch in row.patches]}
    for id_, result in asked_again(lessons, kept, **patches).items():
        row = next(row for row in kept if row.id == id_)
        assert result.caption == (row.summary.strip() if tasks != "mner" else None)
        named = Counter((each.text, each.type, each.start) for each in result.entities)
        gold = Counter((each.text, each.type, each.start) for each in row.entities)
        assert named == (gold if tasks != "summary" else Counter())
        for entity in result.entities:
            own = [patch.box for patch in row.patches if patch.entity == entity.text]
            clipped = [(max(x1, 0), y1, min(x2, 200), min(y2, 150)) for x1, y1, x2, y2 in own]
            shown = sorted(clipped) if pfa or row.patches else []
            assert sorted(region.box for region in entity.regions) == shown


def question_of(row: MmreRow, **options: Any) -> Question:
    return Question(
        row,
        Prompt("", "", "mmre/pfa" if options["pfa"] else "mmre/plain", 1),
        Text,
        [Photo(b"", "", 200, 150)],
        [(200, 150)],
        THOUSANDTHS,
        stack_of("mmre", "gmner", "scripted:nobody", options),
    )


names = st.sampled_from(WORDS) | st.text(min_size=1, max_size=12)


@given(
    st.text(min_size=1, max_size=40),
    st.lists(st.tuples(names, st.sampled_from(TYPES)), max_size=4),
    st.lists(st.integers(0, 4), max_size=4),
    st.booleans(),
)
def test_any_answer_is_read_as_the_gold_or_refused(
    summary: str, named: list[tuple[str, str]], shown: list[int], pfa: bool
) -> None:
    entities = [RowEntity(text=text, type=kind) for text, kind in named]
    patches = [
        Patch(letter=letter, box=(0, 0, 1, 1), entity=named[at][0] if at < len(named) else None)
        for letter, at in zip("abcd", shown, strict=False)
    ]
    row = MmreRow(id="1", summary=summary, entities=entities, patches=patches)
    course = course_named("mmre")
    try:
        text = in_words(course.teach(question_of(row, pfa=pfa)), THOUSANDTHS, [])
    except UntaughtError:
        return
    read = read_marked(text) if pfa else read_plain(text, {*TYPES}.__contains__, names=True)
    assert read.summary == summary.strip()
    assert list(read.pairs or ()) == named
    if patches:
        wanted = {each.letter: each.entity for each in patches if each.entity}
        assert read.matched
        assert read.patches == wanted


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"summary": " \n"}, "no summary"),
        ({"entities": [RowEntity(text="Ann", type="person")]}, "schema has not the type"),
        ({"patches": [Patch(letter="a", box=(0, 0, 1, 1), entity="Bo")]}, "no entity of the row"),
        ({"summary": "See Task 2 Answer: x"}, "cannot hold"),
        ({"entities": [RowEntity(text="A:PER; B", type="PER")]}, "cannot hold"),
    ],
)
def test_what_has_no_answer_says_why(changes: dict[str, Any], reason: str) -> None:
    row = MmreRow(id="1", summary="A dog.", entities=[RowEntity(text="Ann", type="PER")])
    with pytest.raises(UntaughtError, match=reason):
        course_named("mmre").teach(question_of(row.model_copy(update=changes), pfa=True))


def test_an_answer_has_the_parts_that_are_asked_for() -> None:
    entities = [RowEntity(text="Ann", type="PER")]
    row = MmreRow(id="1", summary="A dog.", entities=entities)
    patches = [Patch(letter="b", box=(0, 0, 9, 9), entity="Ann")]
    shown = row.model_copy(update={"patches": patches})
    said = {
        ("joint", True): "Task 1 Answer: A dog.\nTask 2 Answer: NER: :PER; Ann\n"
        "image-entity pair: {'b': 'Ann'}",
        ("summary", True): "Task 1 Answer: A dog.",
        ("mner", True): "Task 2 Answer: NER: :PER; Ann\nimage-entity pair: {'b': 'Ann'}",
        ("joint", False): "A dog.\n:PER; Ann\n{'b': 'Ann'}",
        ("mner", False): ":PER; Ann\n{'b': 'Ann'}",
    }
    teach = course_named("mmre").teach
    for (tasks, pfa), text in said.items():
        assert teach(question_of(shown, pfa=pfa, tasks=tasks)) == (text,)
    assert teach(question_of(row, pfa=True, tasks="mner")) == ("Task 2 Answer: NER: :PER; Ann",)
    blind = question_of(shown, pfa=True)._replace(media=[])
    assert teach(blind) == ("Task 2 Answer: NER: :PER; Ann",)
    nobody = row.model_copy(update={"entities": ()})
    assert teach(question_of(nobody, pfa=False, tasks="mner")) == ("None",)

"""Answers with and without the Prompt Format Adapter: what is read, and what is still open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.mmre.read import Parts, read_marked, read_plain

LABELS = {"PER", "ORG"}
FULL = (
    "Task 1 Answer: Two people: one sings; one listens.\n"
    "Task 2 Answer: NER: :PER; Ada Lovelace:ORG; Royal Society\n"
    "image-entity pair: {'a': 'Ada Lovelace'}"
)
PAIRS = (("Ada Lovelace", "PER"), ("Royal Society", "ORG"))


def plain(answer: str, names: bool = True) -> Parts:
    return read_plain(answer, lambda word: word.strip() in LABELS, names=names)


def test_all_three_parts() -> None:
    told = read_marked(FULL)
    assert told.summary == "Two people: one sings; one listens."
    assert (told.pairs, told.patches, told.matched) == (PAIRS, {"a": "Ada Lovelace"}, True)
    assert told.problems == ()


@pytest.mark.parametrize(
    ("answer", "pairs", "matched", "problems"),
    [
        ("", None, False, 0),
        ("Task 1 Answer: A cat.", None, False, 0),
        ("NER: None", (), False, 0),
        ("NER: :PER; Ann", (("Ann", "PER"),), False, 0),
        ("NER: None\nimage-entity pair: {}", (), True, 0),
        ("NER: None\nimage-entity pair: {'a': 'Ann'}\n\nAnything else?", (), True, 1),
        ("NER: None\nimage-entity pair: {'a': 'Ann'", (), False, 0),
        ("NER: None\nimage-entity pair: {'a': 'Ann', b}", (), False, 1),
        ("NER: None\nimage-entity pair: {'a': 'Ann', 'a': 'Bo'}", (), False, 1),
        ("NER: None\nimage-entity pair: a is Ann", (), False, 1),
        # the pairs of patches are looked for behind the entities
        ("image-entity pair: {'a': 'Ann'}\nNER: :PER; Ann", (("Ann", "PER"),), False, 1),
    ],
)
def test_a_part_that_is_not_there_is_not_an_empty_one(
    answer: str, pairs: object, matched: bool, problems: int
) -> None:
    told = read_marked(answer)
    assert (told.pairs, told.matched, len(told.problems)) == (pairs, matched, problems)


@pytest.mark.parametrize(
    ("answer", "summary", "pairs", "patches", "matched"),
    [
        (
            "Two people: one sings; one listens.\n:PER; Ada Lovelace:ORG; Royal Society\n"
            "{'a': 'Ada Lovelace'}",
            "Two people: one sings; one listens.",
            PAIRS,
            {"a": "Ada Lovelace"},
            True,
        ),
        ("{'a': 'Ann'}\n:PER; Ann", None, (("Ann", "PER"),), {"a": "Ann"}, True),
        ("A cat.\n{'a': 'Ann'} Bye", "A cat.", None, {"a": "Ann"}, True),
        (
            "A sign {now: 'on'}.\n:PER; Ann {'a': 'Ann'}",
            "A sign {now: 'on'}.",
            (("Ann", "PER"),),
            {"a": "Ann"},
            True,
        ),
        ("A cat.\n:PER; Ann {}", "A cat.", (("Ann", "PER"),), {}, True),
        (":PER; Ann\n{'a': 'Ann', b}", None, (("Ann", "PER"),), {"a": "Ann"}, False),
        (":PER; Ann:SHIP; Titanic", None, (("Ann", "PER"), ("Titanic", "SHIP")), {}, False),
        ("A cat named Ann (PER).", "A cat named Ann (PER).", None, {}, False),
        ("Seen: a ship; a cat {blue}", "Seen: a ship; a cat {blue}", None, {}, False),
        ("", None, None, {}, False),
        (FULL, "Two people: one sings; one listens.", PAIRS, {"a": "Ada Lovelace"}, True),
    ],
)
def test_without_markers_the_delimiters_tell_the_parts(
    answer: str, summary: object, pairs: object, patches: object, matched: bool
) -> None:
    told = plain(answer)
    assert (told.summary, told.pairs, told.patches) == (summary, pairs, patches)
    assert told.matched is matched


def test_where_a_summary_alone_was_asked_for_all_is_summary() -> None:
    told = plain("A sign: it says :PER; Ann {'a': 'Ann'}", names=False)
    assert told.summary == "A sign: it says :PER; Ann {'a': 'Ann'}"
    assert (told.pairs, told.patches, told.problems) == (None, {}, ())
    assert plain("Task 1 Answer: A cat.", names=False).summary == "A cat."


PIECES = ["NER:", "Task 1 Answer:", "image-entity pair:", ":PER;", "Ann", "{'a': 'Ann'}", "{", "}"]


@given(st.lists(st.sampled_from(PIECES)).map(" ".join) | st.text(), st.booleans())
def test_no_answer_raises_and_none_is_lost(answer: str, names: bool) -> None:
    read_marked(answer)
    told = plain(answer, names)
    if any(each.isalnum() for each in answer) and told == Parts(None, None, {}, told.matched, ()):
        raise AssertionError("nothing is told of it")

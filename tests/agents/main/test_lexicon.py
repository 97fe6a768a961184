"""The list of words and names is sound, and finds whole words of any form."""

import pytest

from deixis.agents.main.lexicon import lexicon, tokens_of


def test_the_list_is_of_labels_of_coco_and_of_folded_words() -> None:
    known = lexicon()
    labels = frozenset().union(
        *known._nouns.values(), *(own for own, _ in known._names), *(own for own, _ in known._talk)
    )
    assert labels >= {"dog", "cell phone", "wine glass"}
    assert not [label for label in labels if label != label.lower() or "," in label]
    assert "mercedes-benz" not in known._nouns
    for label, others in known.alike.items():
        assert label not in others and all(label in known.alike[other] for other in others)


@pytest.mark.parametrize(
    ("text", "noun", "plural"),
    [
        ("my golden retriever", "golden retriever", False),
        ("three Puppies", "Puppies", True),
        ("two buses", "buses", True),
        ("BOAT", "BOAT", False),
        ("a sail-boat", None, None),
        ("hotdogs and hot dogs", "hot dogs", True),
        ("carpet", None, None),
        ("", None, None),
    ],
)
def test_the_longest_noun_counts_in_any_form(
    text: str, noun: str | None, plural: bool | None
) -> None:
    last = lexicon().noun_before(tokens_of(text))
    assert (last and last.text) == noun
    assert last is None or last.plural == plural


def test_a_noun_before_another_is_none() -> None:
    assert lexicon().noun_behind(["dog", "walker"]) is None
    first = lexicon().noun_behind(["dog", "walks"])
    assert first and first.labels == {"dog"}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Toyota", "car"),
        ("TOYOTA Hilux", "truck"),
        ("Toyotas", None),
        ("MS Nordkapp", "boat"),
        ("MS", None),
        ("Ford", None),
        ("Ford Fiesta", "car"),
        ("Ford 2000", "car"),
        ("The Ford Fiesta", None),
        ("Samsung A52", "cell phone"),
    ],
)
def test_makers_and_models_are_found_in_names(name: str, label: str | None) -> None:
    named = lexicon().named(name)
    assert (named is None) == (label is None)
    assert named is None or label in named[1]


def test_a_maker_is_known_alone() -> None:
    assert lexicon().maker("Nokia") == ("nokia", {"cell phone"})
    assert lexicon().maker("Nokia Theatre") is None

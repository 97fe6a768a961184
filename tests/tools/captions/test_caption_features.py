"""What is read from a description."""

import pytest

from deixis.tools.captions.features import Named, first_sentence, mention_features, people_in


@pytest.mark.parametrize(
    ("caption", "people"),
    [
        ("a car on a road", "0"),
        ("a man with a dog", "1"),
        ("a man and a woman", "2"),
        ("a couple of young people", "2"),
        ("three men in suits", "3"),
        ("a crowd at night", "many"),
        ("a man before a crowd", "1+"),
    ],
)
def test_people_are_counted(caption: str, people: str) -> None:
    assert people_in(caption.split()) == people


def test_a_description_without_an_end_is_one_sentence() -> None:
    assert first_sentence(" A man. He waves.") == "A man."
    assert first_sentence("a man in a suit") == "a man in a suit"
    assert first_sentence("") == ""


def test_each_feature_begins_with_the_type() -> None:
    mentions = [Named(0, 1, "PER", "actor"), Named(2, 3, "LOC", None)]
    person, place = mention_features(["Ann", "in", "Rome"], mentions, "Ann waves. A dog.")
    assert all(feature.startswith("PER") for feature in person)
    assert all(feature.startswith("LOC") for feature in place)
    assert "PER#told=all" in person and "LOC#told=none" in place
    assert "PER w=dog" in person and "PER#told first" in person


def test_a_person_knows_how_many_share_the_picture() -> None:
    mentions = [Named(0, 1, "PER", None), Named(2, 3, "PER", None)]
    first, second = mention_features(["Ann", "and", "Bob"], mentions, "a man waves")
    assert "PER#0/2#people=1" in first and "PER#1/2#people=1" in second


def test_without_a_description_only_the_text_tells() -> None:
    (row,) = mention_features(["Ann", "sings"], [Named(0, 1, "PER", "musician")], "")
    assert "PER fine=musician" in row and "PER after1=sings" in row
    assert not any("w=" in name or "people" in name or "told" in name for name in row)

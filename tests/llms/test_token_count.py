"""Tokens are counted by rule: about as tokenizers of byte pairs cut a text."""

import pytest

from deixis.llms.token_count import about_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("Grace Hopper of the US Navy", 6),
        ("uniform", 1),
        ("photographers", 2),
        ("in 1906", 3),
        ("19061992", 3),
        ('{"e1": {"hair_color": "grey"}}', 12),
        ("#MustSee http://t.co/x", 9),
        ("a\n\nb", 3),
    ],
)
def test_words_numbers_and_marks(text: str, tokens: int) -> None:
    assert about_tokens(text) == tokens


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("東京タワー", 3, 6), ("Москва столица России", 5, 9), ("Zürich", 1, 2), ("🙂🙂", 1, 4)],
)
def test_other_alphabets_take_more(text: str, least: int, most: int) -> None:
    assert least <= about_tokens(text) <= most

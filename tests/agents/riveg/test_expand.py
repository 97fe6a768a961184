"""Expressions as models write them, and the phrase that is left of them."""

import pytest

from deixis.agents.riveg.expand import phrase_in

NAME = "Grace Hopper"
PHRASES = {
    "A computer scientist": "A computer scientist",
    "A computer scientist.": "A computer scientist",
    '"A computer scientist"': "A computer scientist",
    "**A computer scientist**": "A computer scientist",
    "*A computer scientist.*": "A computer scientist",
    "`A computer scientist`": "A computer scientist",
    "- A computer scientist": "A computer scientist",
    "1. A computer scientist": "A computer scientist",
    "A: A computer scientist": "A computer scientist",
    "Answer: A computer scientist": "A computer scientist",
    "**Answer:** A computer scientist": "A computer scientist",
    "Sure! Here is the answer:\n\nA computer scientist": "A computer scientist",
    "Sure! Here is the answer: A computer scientist": "A computer scientist",
    "Certainly! A computer scientist.": "A computer scientist",
    "```\nA computer scientist\n```": "A computer scientist",
    '{"answer": "A computer scientist"}': "A computer scientist",
    "Grace Hopper is a computer scientist.": "a computer scientist",
    "Grace Hopper is a computer scientist. She worked for the Navy.": "a computer scientist",
    "**Grace Hopper** is a computer scientist": "a computer scientist",
    '"Grace Hopper" refers to a computer scientist in the text.': "a computer scientist",
    "In the Text, Grace Hopper is a computer scientist": "a computer scientist",
    "Based on the provided information, Grace Hopper is a computer scientist": (
        "a computer scientist"
    ),
    "Grace Hopper, in the text, is a computer scientist.": "a computer scientist",
    "Grace Hopper: a computer scientist": "a computer scientist",
    "Grace Hopper - a computer scientist": "a computer scientist",
    "Grace Hopper (PER) – A computer scientist": "A computer scientist",  # noqa: RUF001
    "She is a computer scientist": "a computer scientist",
    "It is a computer scientist": "a computer scientist",
    "A computer scientist named Grace Hopper": "A computer scientist",
    "A U.S. Navy officer": "A U.S. Navy officer",
    "Grace Hopper": "Grace Hopper",
    "Grace Hopper's ship": "Grace Hopper's ship",
    "": "",
}


@pytest.mark.parametrize(("reply", "phrase"), PHRASES.items(), ids=range(len(PHRASES)))
def test_a_phrase_is_left(reply: str, phrase: str) -> None:
    assert phrase_in(reply, NAME) == phrase

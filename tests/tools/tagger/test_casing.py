"""How a token is written is one class of a few, told from it and its neighbours alone."""

from hypothesis import given
from hypothesis import strategies as st

from deixis.tools.tagger.casing import casing

TOKENS = st.text(min_size=1)


@given(token=TOKENS, previous=st.one_of(st.just(""), TOKENS), following=st.text())
def test_every_token_has_a_class(token: str, previous: str, following: str) -> None:
    assert 0 < casing(token, previous, following) < 32


def test_words_that_differ_in_case_alone_differ_in_class() -> None:
    assert len({casing(word, "in", "and") for word in ("paris", "Paris", "PARIS")}) == 3

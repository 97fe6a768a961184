import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.tools.tagger.tokenization import tokenize


def texts(source: str) -> list[str]:
    return [token.text for token in tokenize(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        (" \n\t\u3000", []),
        ("Grace Hopper's code.", ["Grace", "Hopper", "'", "s", "code", "."]),
        ("don\u2019t", ["don", "\u2019", "t"]),
        ("RT @Some_One: #Go2Win", ["RT", "@", "Some", "_", "One", ":", "#", "Go2Win"]),
        ("U.S. Navy", ["U", ".", "S", ".", "Navy"]),
        ("wi-fi 2013/14 -x x-", ["wi-fi", "2013/14", "-", "x", "x", "-"]),
        ("A &amp; B &amp ; C & D", ["A", "&amp", ";", "B", "&amp", ";", "C", "&", "D"]),
        ("(https://t.co/aB3) end", ["(", "https://t.co/aB3", ")", "end"]),
        ("❤\ufe0f", ["❤", "\ufe0f"]),
        ("👩\u200d🚀!", ["👩", "\u200d", "🚀", "!"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("東京タワー", ["東京タワー"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("a\0b", ["a", "\0", "b"]),
        ("a\u2028b\xa0c", ["a", "b", "c"]),
    ],
)
def test_tokens(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("ab1 @#-/&;\n\0\ufe0f\u200d"))))
def test_offsets_cover_all_that_is_not_white_space(source: str) -> None:
    tokens = tokenize(source)
    position = 0
    for token in tokens:
        assert token.start < token.end
        assert source[token.start : token.end] == token.text
        assert not any(char.isspace() for char in token.text)
        assert not source[position : token.start].strip()
        position = token.end
    assert not source[position:].strip()


@pytest.mark.slow
def test_long_inputs() -> None:
    assert texts("x" * 100_000) == ["x" * 100_000]
    assert len(tokenize("a-" * 50_000)) == 2
    assert len(tokenize("." * 100_000)) == 100_000
    assert len(tokenize("&amp" * 25_000)) == 50_000

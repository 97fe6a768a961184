"""Folding: what reads alike is alike, and every character knows where it came from."""
# ruff: noqa: RUF001 (characters that look alike are what this is about)

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.base import folding
from deixis.base.folding import Folded, bare, caseless, key, loose, spelled, without_entities

FOLDS = (folding.given, spelled, loose, caseless, bare)
ODD = st.text(
    st.sampled_from(
        "aZ \t\n&;#amplt39e\u0301\u0308\u200b\u200d\u00ad\ufe0f\u00a0ﬁ½…’“–-Ａé한ᅡ👩🚀🇫🇷🏽"
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Grace Hopper", "Grace Hopper"),
        ("Zoe\u0308 Salda\u0148a\u0301", "Zo\u00eb Salda\u0148\u00e1"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
        ("\uff76\uff9e\uff70", "ガー"),
        ("Ｇｒａｃｅ 𝐇𝐨𝐩𝐩𝐞𝐫 ﬁn", "Grace Hopper fin"),
        ("O’Neil “x” co‑op", 'O\'Neil "x" co-op'),
        ("Jean–Luc – 5", "Jean-Luc – 5"),
        ("a\u00a0\u2003 b\t\n c", "a b\nc"),
        ("a&nbsp; b", "a b"),
        ("AT&amp;T &amp;amp; &#39;x&#x27; &eacute;", "AT&T & 'x' é"),
        ("&amp ; &nonsense; &", "&amp ; &nonsense; &"),
        ("so\u00adft zero\u200bwidth \ufeff\u202ax", "soft zerowidth x"),
        ("❤️", "❤"),
        ("Disney™ ½ x² …", "Disney™ ½ x² …"),
        (" \u0301a", " a"),
        ("a&nbsp;\u0301b", "a b"),
        ("&#101;\u0301 &amp;\u0323", "\u00e9 &\u0323"),
        ("🇫🇷\u20dd", "🇫🇷\u20dd"),
        ("", ""),
    ],
)
def test_the_spelling_of_a_recognizer(text: str, said: str) -> None:
    assert spelled(text).text == said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("½ … № ｶﾞ", "1⁄2 ... No ガ"),
        ("a—b – c − d", "a-b - c - d"),
        ("Fox &amp ; Fin", "fox & FIN"),
        ("New\n  York", "new york"),
        ("STRASSE İ", "straße i\u0307"),
        ("👩\u200d🚀 ❤️", "👩🚀 ❤"),
    ],
)
def test_what_reads_alike_has_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("smart", "sm art"), ("Zoe", "Zoë"), ("US", "U S"), ("a", "")]
)
def test_what_reads_otherwise_has_not(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize("fold", FOLDS)
@given(text=st.text() | ODD)
def test_every_character_has_a_place(fold: Callable[[str], Folded], text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts) and list(folded.ends) == sorted(folded.ends)


@given(st.text())
def test_composed_and_decomposed_texts_are_one(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    for fold in (spelled, loose, caseless):
        one, other = (fold(form).text for form in forms)
        assert one == other


def test_the_places_of_an_entity_and_a_letter_with_marks() -> None:
    folded = spelled("x&amp;e\u0323\u0302\u200b!")
    assert folded.text == "x&\u1ec7!"
    assert [folded.span(i, i + 1) for i in range(4)] == [(0, 1), (1, 6), (6, 9), (10, 11)]


@pytest.mark.parametrize("fold", [spelled, loose, caseless, bare])
@given(text=ODD)
def test_no_mark_is_cut_from_what_it_is_on(fold: Callable[[str], Folded], text: str) -> None:
    marks = {i for i, character in enumerate(text) if unicodedata.combining(character)}
    for read, end in zip(fold(text).text, fold(text).ends, strict=True):
        assert read.isspace() or end not in marks


def test_entities_are_read() -> None:
    assert without_entities("AT&amp;T; ‘e\u0301’ &#39;") == "AT&T; ‘e\u0301’ '"

"""Where a string that a model wrote stands in the text as given."""
# ruff: noqa: RUF001 (characters that look alike are what this is about)

import html
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.agents.reading.mention import locate
from deixis.base.folding import key


@pytest.mark.parametrize(
    ("text", "wanted", "span"),
    [
        ("Grace Hopper", "Grace Hopper", (0, 12)),
        ("GRACE hopper", "Grace Hopper", (0, 12)),
        ("grace, Grace", "Grace", (7, 12)),
        ("🚀 NASA", "nasa", (2, 6)),
        ("İİ met ANN", "ANN", (7, 10)),
        ("İİ met ANN", "ann", (7, 10)),
        ("İstanbul", "İstanbul", (0, 8)),
        ("e\u0301 Ann", "Ann", (3, 6)),
        ("MUSIC for the US", "US", (14, 16)),
        ("MUSIC for us", "US", (10, 12)),
        ("#GraceHopper", "Hopper", (6, 12)),
        ("我爱北京天安门", "北京", (2, 4)),
        ("Ann", "  Ann ", (0, 3)),
        ("Ann", "Anna", None),
        ("Ann", "   ", None),
        ("a.b", ".", (1, 2)),
    ],
)
def test_a_name_is_located(text: str, wanted: str, span: tuple[int, int] | None) -> None:
    assert locate(text, wanted, []) == span


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("met O’Neil", "O'Neil", "O’Neil"),
        ("met O'Neil", "O’Neil", "O'Neil"),
        ("met O&#39;Neil.", "O'Neil", "O&#39;Neil"),
        ("saw “Up”", '"Up"', "“Up”"),
        ("saw &quot;Up&quot;", '"Up"', "&quot;Up&quot;"),
        ("Zoe\u0308 met", "Zoë", "Zoe\u0308"),
        ("Zoë met", "Zoe\u0308", "Zoë"),
        ("\u1112\u1161\u11ab", "한", "\u1112\u1161\u11ab"),
        ("in New\u00a0York", "New York", "New\u00a0York"),
        ("in New  York", "New York", "New  York"),
        ("in New\nYork", "New York", "New\nYork"),
        ("in New\t York", "New\u3000York", "New\t York"),
        ("in New&nbsp;York", "New York", "New&nbsp;York"),
        ("2014–15", "2014-15", "2014–15"),
        ("Obama—Biden", "Obama-Biden", "Obama—Biden"),
        ("co‑op", "co-op", "co‑op"),
        ("−5", "-5", "−5"),
        ("at AT&amp;T today", "AT&T", "AT&amp;T"),
        ("at AT&T today", "AT&amp;T", "AT&T"),
        ("at AT&amp;T today", "AT&amp;T", "AT&amp;T"),
        ("Fox &amp ; Fin", "Fox & Fin", "Fox &amp ; Fin"),
        ("ﬁn and more", "fin", "ﬁn"),
        ("Ｇｒａｃｅ", "grace", "Ｇｒａｃｅ"),
        ("Hop\u00adper", "Hopper", "Hop\u00adper"),
        ("Hopper", "Hop\u00adper", "Hopper"),
        ("Hop\u200bper\u200b!", "Hopper", "Hop\u200bper"),
        ("wait…", "wait...", "wait…"),
        ("I ❤️ NY", "I ❤ NY", "I ❤️ NY"),
        ("I ❤ NY", "❤️", "❤"),
        ("the 👩\u200d🚀", "👩🚀", "👩\u200d🚀"),
        ("Straße", "STRASSE", "Straße"),
        ("in İstanbul", "istanbul", "İstanbul"),
        ("ISTANBUL", "İstanbul", "ISTANBUL"),
        ("محمَّد صلاح", "محمد", "محمَّد"),
        ("محـمـد", "محمَد", "محـمـد"),
        ("שָׁלוֹם", "שלום", "שָׁלוֹם"),
        ("in New \u200b\u00a0 York", "New York", "New \u200b\u00a0 York"),
        ("in New\u2800York", "New York", "New\u2800York"),
        ("Kaʿaba Oʾahu", "O'ahu", "Oʾahu"),
        ("Ann 's dog", "Ann's", "Ann 's"),
        ("Spider - Man", "Spider-Man", "Spider - Man"),
        ("J.K. Rowling", "J. K. Rowling", "J.K. Rowling"),
        ("at AT & T", "AT&T", "AT & T"),
        ("at &#0065;T&#38T", "AT&T", "&#0065;T&#38T"),
        ("go # NASA", "#NASA", "# NASA"),
    ],
)
def test_a_name_is_located_however_it_is_written(text: str, wanted: str, found: str) -> None:
    span = locate(text, wanted, [])
    assert span is not None and text[slice(*span)] == found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Zoe\u0308", "Zoe"),  # it would cut the letter from its mark
        ("\u1112\u1161\u11ab", "하"),
        ("ﬁn", "in"),
        ("AT&amp;T", "amp"),
        ("wait…", "."),
        ("🇫🇷", "🇷"),
        ("NewYork", "New York"),
        ("New York", "NewYork"),
        ("résumé", "resume"),
        ("text", "\u200b"),
    ],
)
def test_no_name_is_read_into_a_text(text: str, wanted: str) -> None:
    assert locate(text, wanted, []) is None


def test_as_it_is_written_comes_first_and_whole_words_before_parts() -> None:
    assert locate("O’Neil O'Neil", "O'Neil", []) == (7, 13)
    assert locate("sm\u00adart art", "art", []) == (7, 10)
    assert locate("Zoe\u0308s Zoë", "Zoë", []) == (6, 9)
    assert locate("g\u0303art art", "art", []) == (6, 9)


def test_a_span_that_is_taken_is_not_given_again() -> None:
    assert locate("Ann Ann", "Ann", [(0, 3)]) == (4, 7)
    assert locate("Annan Ann", "Ann", [(6, 9)]) == (0, 3)
    assert locate("Ann", "Ann", [(1, 2)]) is None
    assert locate("O’Neil O’Neil", "O'Neil", [(0, 6)]) == (7, 13)
    assert locate("AT&amp;T", "AT&T", [(3, 4)]) is None


@given(st.text(max_size=30), st.text(max_size=6), st.integers(0, 30), st.integers(0, 5))
def test_what_is_located_stands_there(text: str, wanted: str, start: int, size: int) -> None:
    taken = [(start, start + size)] if size else []
    found = locate(text, wanted, taken)
    if found is not None:
        assert key(text[slice(*found)]) == key(wanted)
        assert all(found[1] <= s or e <= found[0] for s, e in taken)


VARIANTS: dict[str, Callable[[str], str]] = {
    "composed": lambda said: unicodedata.normalize("NFC", said),
    "decomposed": lambda said: unicodedata.normalize("NFD", said),
    "straight": lambda said: said.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}),
    "curly": lambda said: said.replace("'", "’"),
    "hyphens": lambda said: said.translate({0x2013: "-", 0x2014: "-", 0x2011: "-"}),
    "dashes": lambda said: said.replace("-", "–"),
    "one space": lambda said: " ".join(said.split()),
    "hard spaces": lambda said: said.replace(" ", "\u00a0"),
    "lines": lambda said: "\n".join(said.split()),
    "entities": html.escape,
    "unseen": lambda said: said.replace("o", "o\u200b"),
    "soft": lambda said: said.replace("e", "e\u00ad"),
    "wide": lambda said: html.unescape(said).translate(
        {code: code + 0xFEE0 for code in range(0x41, 0x7B)}
    ),
    "upper": str.upper,
    "dots": lambda said: said.replace("…", "..."),
}
WORDS = st.sampled_from(
    [
        *("Zoë", "Zoe\u0308", "O’Neil", "O'Neil", "New", "York\u00a0City", "Coca-Cola", "Jean–Luc"),
        *("AT&T", "AT&amp;T", "co\u00adop", "ﬁn", "end…", "❤️", "NASA", "“Up”", "한국", "I"),
        *("\u1112\u1161\u11ab", "it's", "Hoppe\u200br", "Œuvre", "straße", "2014—15"),
    ]
)
SPACES = st.sampled_from([" ", " ", "  ", "\n", "\t", "\u00a0", ", "])


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@settings(max_examples=30)
@given(data=st.data())
def test_a_span_is_found_by_any_of_its_spellings(
    variant: Callable[[str], str], data: st.DataObject
) -> None:
    one = st.tuples(WORDS, SPACES)
    words = data.draw(st.lists(one, min_size=1, max_size=8, unique_by=lambda pair: key(pair[0])))
    pieces = [piece for pair in words for piece in pair]
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    text, wanted = "".join(pieces), "".join(pieces[2 * first : 2 * last + 1])
    start = len("".join(pieces[: 2 * first]))
    assert locate(text, variant(wanted), []) == (start, start + len(wanted))

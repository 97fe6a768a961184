"""The recognizer finds the same names however a text is encoded."""
# ruff: noqa: RUF001 (characters that look alike are what this is about)

import unicodedata
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.base.folding import key
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.tokenization import tokenize

pytestmark = pytest.mark.extra

ACCENTS = "Beyoncé met Zoë Saldaña and José Mourinho in Zürich"
TEXT = 'Grace Hopper of the US Navy & Sinead O\'Connor met "Jean-Luc Picard" in New York.'
SPELLINGS: dict[str, Callable[[str], str]] = {
    "curly": lambda text: text.replace("'", "’").replace(' "', " “").replace('" ', "” "),
    "entities": lambda text: text.replace("&", "&amp;").replace('"', "&quot;"),
    "numbers": lambda text: text.replace("'", "&#39;"),
    "hard spaces": lambda text: text.replace(" ", "\u00a0"),
    "wide spaces": lambda text: text.replace(" ", "\u3000"),
    "two spaces": lambda text: text.replace(" ", "  "),
    "spaces of HTML": lambda text: text.replace(" ", "&nbsp;"),
    "hard hyphen": lambda text: text.replace("-", "‑"),
    "minus": lambda text: text.replace("-", "−"),
    "en dash": lambda text: text.replace("-", "–"),
    "soft hyphens": lambda text: text.replace("pp", "p\u00adp"),
    "no width": lambda text: "\u200b".join(text),
    "joiners": lambda text: text.replace("o", "o\u200d"),
    "byte order mark": lambda text: f"\ufeff{text}\ufeff",
    "wide letters": lambda text: text.translate({n: n + 0xFEE0 for n in range(0x41, 0x7B)}),
    "bold letters": lambda text: text.translate(
        {ord("A") + n: chr(0x1D400 + n) for n in range(26)}
    ),
}


@pytest.fixture(scope="module")
def tagger() -> CrfTagger:
    return CrfTagger()


def mentions(tagger: CrfTagger, text: str) -> list[tuple[str, str]]:
    return [(key(text[each.start : each.end]), each.type) for each in tagger.tag(text)]


def test_composed_and_decomposed_texts_have_the_same_names(tagger: CrfTagger) -> None:
    text = unicodedata.normalize("NFD", ACCENTS)
    found = [unicodedata.normalize("NFC", text[a:b]) for a, b, *_ in tagger.tag(text)]
    assert found == ["Beyoncé", "Zoë Saldaña", "José Mourinho", "Zürich"]
    assert [each[2:] for each in tagger.tag(text)] == [each[2:] for each in tagger.tag(ACCENTS)]


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_what_reads_alike_has_the_same_names(
    tagger: CrfTagger, spelling: Callable[[str], str]
) -> None:
    names = mentions(tagger, TEXT)
    assert ("grace hopper", "PER") in names and ("new york", "LOC") in names
    text = spelling(TEXT)
    assert text != TEXT and mentions(tagger, text) == names
    for each in tagger.tag(text):
        found = text[each.start : each.end]
        assert found == found.strip(" \u00a0\u3000\u200b\u200d\u00ad\ufeff;&")


def test_a_name_ends_with_its_last_mark(tagger: CrfTagger) -> None:
    text = unicodedata.normalize("NFD", "I met José Mourinhó\u200b\ufe0f and Adele in Chicago")
    names = {text[each.start : each.end] for each in tagger.tag(text)}
    assert "Jose\u0301 Mourinho\u0301" in names


def test_tokens_given_are_read_alike(tagger: CrfTagger) -> None:
    whole, cut = (
        [token.text for token in tokenize(unicodedata.normalize(form, ACCENTS))]
        for form in ("NFC", "NFD")
    )
    assert tagger.tag_tokens(whole) == tagger.tag_tokens(cut) != []
    assert tagger.tag_tokens(["\u200b", "Chicago"])[0].start == 1


@settings(max_examples=25, deadline=None)
@given(
    text=st.text(st.sampled_from("Ann BobJose\u0301\u200b\u200d👩🚀🇫🇷&amp;\n\u00a0"), max_size=40)
)
def test_mentions_never_overlap_or_cut_a_letter(tagger: CrfTagger, text: str) -> None:
    spans = tagger.tag(text)
    for one, two in pairwise(spans):
        assert one.end <= two.start
    for each in spans:
        assert not unicodedata.combining(text[each.start])
        assert each.end == len(text) or not unicodedata.combining(text[each.end])

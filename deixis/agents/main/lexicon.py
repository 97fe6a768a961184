"""The words and names of ``things.yaml``, and where a text has them.

A list written by hand from general knowledge: it knows common words, and never all of them.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from deixis.base.yaml_files import read_yaml

FILE = Path(__file__).with_name("things.yaml")
_LONGEST = 3  # words of a noun
_TOKEN = re.compile(r"[\w'’-]+|[^\w\s]")  # noqa: RUF001


class Noun(NamedTuple):
    """A noun of the list: as it stands in the text, the labels of what it is, in the plural?"""

    text: str
    labels: frozenset[str]
    plural: bool


class Lexicon:
    """What is known of words and names.

    Attributes:
        alike: label to the labels that detectors take for it, without itself.
        not_things: what ends the name of something else.
        compounds: what makes another noun of the noun before it.
        of_people: nouns that are also said of people.
    """

    def __init__(self, file: Path = FILE) -> None:
        lists = read_yaml(file)
        groups = [frozenset(group) for group in lists["alike"]]
        labels = set().union(*groups)
        self.alike = {
            label: frozenset().union(*(group for group in groups if label in group)) - {label}
            for label in labels
        }
        self.not_things, self.compounds, self.of_people = (
            frozenset(_split(lists[name])) for name in ("not_things", "compounds", "of_people")
        )
        self._nouns: dict[str, frozenset[str]] = {}
        for label, words in lists["nouns"].items():
            for word in _split(words):
                self._nouns[word] = self._nouns.get(word, frozenset()) | {label}
        self._names = [
            *(
                (_labels(names), _any_of(_split(listed)))
                for names, listed in lists["names"].items()
            ),
            *(
                (_labels(names), _behind(_split(makers), _split(lists["models"].get(names, ""))))
                for names, makers in lists["shared"].items()
            ),
        ]
        self._makers = [
            (_labels(names), _split(makers)) for names, makers in lists["shared"].items()
        ]
        self._talk = [
            (_labels(names), _any_of(_split(words))) for names, words in lists["talk"].items()
        ]

    def noun_before(self, tokens: Sequence[str]) -> Noun | None:
        """Return the longest noun with which tokens end."""
        parts = (tokens[-length:] for length in range(min(_LONGEST, len(tokens)), 0, -1))
        return next(filter(None, map(self._noun, parts)), None)

    def noun_behind(self, tokens: Sequence[str]) -> Noun | None:
        """Return the longest noun with which tokens begin, unless it begins a longer word."""
        for length in range(min(_LONGEST, len(tokens)), 0, -1):
            noun = self._noun(tokens[:length])
            if noun:
                return None if fold(*tokens[length : length + 1]) in self.compounds else noun
        return None

    def _noun(self, tokens: Sequence[str]) -> Noun | None:
        word = fold(*tokens)
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), f"{word[:-3]}y"):
            if form in self._nouns and (form == word or word.endswith("s")):
                return Noun(" ".join(tokens), self._nouns[form], form != word)
        return None

    def named(self, name: str) -> tuple[str, frozenset[str]] | None:
        """Return the name of a maker or a model in a name, and the labels of what it is."""
        return _first(self._names, fold(*tokens_of(name)))

    def maker(self, name: str) -> tuple[str, frozenset[str]] | None:
        """Return a name if it is that of a maker, others' too, and the labels of what it is."""
        word = fold(*tokens_of(name))
        labels = frozenset[str]().union(*(own for own, makers in self._makers if word in makers))
        return (word, labels) if labels else None

    def talk(self, text: str) -> tuple[str, frozenset[str]] | None:
        """Return words of a text that go with an animal, and its label."""
        return _first(self._talk, fold(*tokens_of(text)))


@cache
def lexicon() -> Lexicon:
    """Return the list that is shipped, read once."""
    return Lexicon()


def tokens_of(text: str) -> list[str]:
    """Split a text into words and other signs."""
    return _TOKEN.findall(text)


def fold(*tokens: str) -> str:
    """Return tokens as they are compared: lower case, one space between them."""
    return " ".join(tokens).casefold().replace("’", "'")  # noqa: RUF001


def _first(
    known: Iterable[tuple[frozenset[str], re.Pattern[str]]], words: str
) -> tuple[str, frozenset[str]] | None:
    """Return what matches, with the labels of all lists in which that stands."""
    matches = [(match[0], labels) for labels, form in known if (match := form.search(words))]
    if not matches:
        return None
    return matches[0][0], frozenset().union(*(labels for _, labels in matches))


def _split(words: str) -> list[str]:
    return [fold(*tokens_of(word)) for word in words.split(",") if word.strip()]


def _labels(names: str) -> frozenset[str]:
    return frozenset(names.split(", "))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of whole words; a star is any word."""
    forms = sorted(
        (re.escape(word).replace(r"\*", r"[\w'-]+") for word in words), key=len, reverse=True
    )
    return re.compile(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])")


def _behind(makers: Iterable[str], models: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of a maker with a model or a number behind, at the start of a name."""
    maker, model = _any_of(makers).pattern, _any_of(models).pattern if models else r"(?!)"
    return re.compile(rf"^{maker}.* (?:{model}|[\w-]*\d[\w-]*)")

"""What a mention, its post and a description of the picture have to do with each other.

A feature is a string. Each holds for one coarse type, which it begins with: a man in the picture
speaks for a person, and against a place.
"""

import re
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from typing import NamedTuple

from deixis.tools.tagger.features import normalize
from deixis.tools.tagger.tokenization import tokenize


class Named(NamedTuple):
    """A mention in tokens, half-open; ``type`` is PER, LOC, ORG or OTHER."""

    start: int
    end: int
    type: str
    fine_type: str | None


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NUMBERS = {"two": 2, "couple": 2, "pair": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_MANY = _set(
    "group crowd several many multiple people individuals players men women children others "
    "audience team family friends fans students spectators"
)
_ONE = _set(
    "man woman person boy girl baby child player guy lady individual singer athlete he she "
    "male female gentleman kid toddler actor actress artist politician"
)
_MALE = _set("man men boy boys he his him male guy guys gentleman actor father son")
_FEMALE = _set("woman women girl girls she her hers female lady ladies actress mother daughter")
_WRITING = _set(
    "text words sign logo poster banner reads reading written letter quote tweet screenshot "
    "message caption title newspaper article headline"
)
_SMALL = _set("the and for with from this that you are was has have")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_MOST = 400
"""Tokens of a description that are read: a bound far above any that a model writes."""


class Description(NamedTuple):
    """A description of a picture, as its words."""

    words: tuple[str, ...]
    first: tuple[str, ...]
    """Those of its first sentence."""

    @classmethod
    def of(cls, caption: str) -> "Description":
        """Take a description apart."""
        return cls(_words(caption), _words(first_sentence(caption)))


def first_sentence(caption: str) -> str:
    """Return the first sentence of a description: what a terse model would say."""
    return _SENTENCE_END.split(caption.strip(), maxsplit=1)[0]


def _words(text: str) -> tuple[str, ...]:
    return tuple(normalize(token.text) for token in tokenize(text)[:_MOST])


def mention_features(
    tokens: Sequence[str], mentions: Sequence[Named], caption: str
) -> list[list[str]]:
    """Return the features of each mention, sorted.

    Those that begin with the type and ``#`` are coarse: they hold for many mentions, and one of
    them tells more than a word does.

    Args:
        tokens: those of the text.
        mentions: all mentions of the text, sorted by start.
        caption: a description of the picture; "" where there is none.
    """
    seen = Description.of(caption)
    lows = [normalize(token) for token in tokens]
    told = [_told(lows[mention.start : mention.end], seen) for mention in mentions]
    picture = list(_picture(seen))
    coarse, words = ([own for own in picture if (own[0] == "#") is one] for one in (True, False))
    coarse.append(f"#shared={min(len(set(filter(_telling, lows)) & set(seen.words)), 5)}")
    features = []
    for order, mention in enumerate(mentions):
        alike = [k for k, other in enumerate(mentions) if other.type == mention.type]
        place = f"{min(alike.index(order), 3)}/{min(len(alike), 4)}"
        found = [*_of_text(tokens, lows, mention), f"#place={place}"]
        found += [f"#has={other.type}" for other in mentions if other.type != mention.type]
        if seen.words:
            fine = mention.fine_type or "?"
            best = max((told[k] for k in alike if k != order), default=0.0)
            found += ["#described", *coarse, *words]
            found += [f"#{about}{own}" for about in (fine, place) for own in coarse]
            found += [f"{about}&{word}" for about in (fine, place) for word in words]
            found.append(f"#mentions={min(len(mentions), 5)}&people={people_in(seen.words)}")
            found += _of_name(lows[mention.start : mention.end], seen, told[order], best)
            found += _of_gender(lows, mention, seen)
        features.append(sorted({_named(mention.type, feature) for feature in found}))
    return features


def _named(kind: str, feature: str) -> str:
    return f"{kind}{feature}" if feature[0] == "#" else f"{kind} {feature}"


def _of_text(tokens: Sequence[str], lows: Sequence[str], mention: Named) -> Iterator[str]:
    """The fine type, the name's own words, and those around it."""
    start, end = mention.start, mention.end
    yield f"fine={mention.fine_type or '?'}"
    yield from (f"own={word}" for word in lows[start:end])
    for offset in (1, 2):
        yield f"before{offset}={lows[start - offset] if start >= offset else ''}"
        yield f"after{offset}={lows[end - 1 + offset] if end - 1 + offset < len(lows) else ''}"
    yield f"upper={all(token.isupper() for token in tokens[start:end])}"


def _picture(seen: Description) -> Iterator[str]:
    """The words of the description, and, after ``#``, how many people, men and women it has."""
    bag = set(seen.words)
    yield from (f"w={word}" for word in sorted(bag))
    yield f"#people={people_in(seen.words)}"
    yield f"#first={people_in(seen.first)}"
    yield f"#writing={min(len(bag & _WRITING), 3)}"
    yield f"#gender={_gender(bag)}"
    yield f"#length={min(len(seen.words) // 20, 4)}"


def _gender(words: Set[str]) -> str:
    return f"{'m' if words & _MALE else ''}{'f' if words & _FEMALE else ''}"


def people_in(words: Sequence[str]) -> str:
    """Return how many people a description tells of: 0, 1, 2, ..., many."""
    for word, after in pairwise([*words, ""]):
        if word in _NUMBERS and (after in _MANY or after in ("of", "young")):
            return str(_NUMBERS[word])
    bag = set(words)
    singles = len(bag & {"man", "woman", "boy", "girl", "person"})
    many = bool(bag & _MANY)
    if bag & _ONE:
        return f"{max(singles, 1)}{'+' if many else ''}"
    return "many" if many else "0"


def _told(own: Sequence[str], seen: Description) -> float:
    """Return how much of a name the description says, 0..1."""
    telling = [word for word in own if _telling(word)]
    said = set(seen.words)
    return sum(_said(word, said) for word in telling) / max(1, len(telling))


def _telling(word: str) -> bool:
    return len(word) > 2 and word[0].isalnum() and word not in _SMALL


def _said(word: str, said: Set[str]) -> bool:
    """Whether a word is said, or, where it is long, one that begins alike or is within it."""
    return word in said or (
        len(word) > 5
        and any(other[:5] == word[:5] or (len(other) > 4 and other in word) for other in said)
    )


def _of_name(own: Sequence[str], seen: Description, told: float, best: float) -> Iterator[str]:
    """How much of the name the description says, and how much of another of the same type."""
    share, others = ("all" if part == 1.0 else "some" if part else "none" for part in (told, best))
    yield f"#told={share}"
    yield f"#told={share}&others={others}"
    yield f"#told={share}&people={people_in(seen.words)}"
    if set(filter(_telling, own)) & set(seen.first):
        yield "#told first"
    if set(own) & set(seen.words):
        yield "#word told"


def _of_gender(lows: Sequence[str], mention: Named, seen: Description) -> Iterator[str]:
    """Men and women in the picture beside the name's letters and the text's pronouns."""
    gender, first = _gender(set(seen.words)), lows[mention.start]
    yield f"#gender={gender}&own={first}"
    yield f"#gender={gender}&ends={first[-1:]}"
    yield f"#gender={gender}&ends={first[-2:]}"
    yield f"#gender={gender}&text={_gender(set(lows))}"

"""What the recognizer looks at: strings for each token, numbers for each mention."""

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from deixis.errors import ModelFileError
from deixis.tools.tagger.tokenization import encodable


class WordEntry(NamedTuple):
    """What the lexicon knows of a word: clusters coarse to fine, name marks; both may be ()."""

    clusters: tuple[str, ...]
    names: tuple[str, ...]


Lexicon = dict[str, WordEntry]
"""Entries by lower-cased word."""

PRIOR_FEATURES = (
    "one",
    "mentions",
    "same_type",
    "first",
    "position",
    "hashtag",
    "handle",
    "single_word",
    "words",
    "text_length",
    "retweet",
    "address",
    "sentence_end",
)
"""The columns of `prior_features`, in order."""

_UNKNOWN = WordEntry((), ())
_WINDOW = (-2, -1, 0, 1, 2)
_AFFIXES = (1, 2, 3, 4, 5)
_TOPIC = 12
"""Tokens to each side that tell the topic."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DIGITS = re.compile(r"\d")
_LONGEST = 30
"""Characters of a token that are looked at: a token may be 100,000 long."""
_KEPT = 1 << 12
"""Tokens of which it is kept what is read from their letters alone."""


class MentionSpan(NamedTuple):
    """A mention in tokens: ``tokens[start:end]``, half-open."""

    start: int
    end: int
    type: str


def load_lexicon(path: Path) -> Lexicon:
    """Read a gzip text of ``word<TAB>clusters<TAB>names`` lines, items separated by spaces.

    Raises:
        ModelFileError: the file is missing or does not parse.
    """
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
        table = {
            word: WordEntry(tuple(clusters.split()), tuple(names.split()))
            for word, clusters, names in (line.split("\t") for line in lines)
        }
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ModelFileError(f"{path}: the lexicon cannot be read ({error})") from None
    if not table:
        raise ModelFileError(f"{path}: the lexicon is empty")
    return table


def normalize(token: str) -> str:
    """Lower-case a token, digits as ``0``, all pieces of web addresses as ``<url>``."""
    return _normalized(token[:_LONGEST])


@lru_cache(maxsize=_KEPT)
def _normalized(token: str) -> str:
    lower = token.lower()
    if lower.startswith(("http", "co/", "//t")):
        return "<url>"
    return _DIGITS.sub("0", lower)


def shape(token: str) -> str:
    """Abstract a token to upper, lower and other letters and digits; runs end at two."""
    return _shape(token[:_LONGEST])


@lru_cache(maxsize=_KEPT)
def _shape(token: str) -> str:
    marks: list[str] = []
    for char in token:
        if char.isupper():
            mark = "X"
        elif char.islower():
            mark = "x"
        elif char.isdigit():
            mark = "d"
        elif char.isalpha():
            mark = "a"
        else:
            mark = char
        if marks[-2:] != [mark, mark]:
            marks.append(mark)
    return "".join(marks)


def token_features(tokens: Sequence[str], lexicon: Lexicon) -> list[list[str]]:
    """Return the feature strings of each token of one text.

    Args:
        tokens: the tokens of one text, none of them empty.
        lexicon: the one that the model was trained with.
    """
    tokens = [encodable(token[:_LONGEST]) for token in tokens]
    lows = [normalize(token) for token in tokens]
    shapes = [shape(token) for token in tokens]
    entries = [lexicon.get(low, _UNKNOWN) for low in lows]
    around = [
        [f"={low}", f"^{form}", *(f"~{level}{c}" for level, c in enumerate(entry.clusters))]
        for low, form, entry in zip(lows, shapes, entries, strict=True)
    ]
    names = [
        [f"!{mark}" if token[0].isupper() else f"!l{mark}" for mark in entry.names]
        for token, entry in zip(tokens, entries, strict=True)
    ]
    coarse = [
        entry.clusters[0] if entry.clusters and len(low) > 2 else ""
        for low, entry in zip(lows, entries, strict=True)
    ]
    whole = _text_features(tokens)
    last = len(tokens) - 1
    rows: list[list[str]] = []
    for i, (token, low, form) in enumerate(zip(tokens, lows, shapes, strict=True)):
        row = [f"{whole[0]}{form}", *whole]
        for offset in _WINDOW:
            j = i + offset
            if 0 <= j <= last:
                row += [f"{offset}{feature}" for feature in around[j]]
                if abs(offset) < 2:
                    row += [f"{offset}{mark}" for mark in names[j]]
            else:
                row.append(f"{offset}none")
        row += _letters(low)
        if i:
            row += [f"b{lows[i - 1]} {low}", f"c{shapes[i - 1]} {form}"]
        if i < last:
            row += [f"n{low} {lows[i + 1]}", f"m{form} {shapes[i + 1]}"]
        if 0 < i < last:
            row.append(f"t{lows[i - 1]} {lows[i + 1]}")
        if token[0].isupper():
            row += [f"k{cluster}" for cluster in _topics(coarse, i)]
            # A first name before a capitalised word, seen from both.
            if i < last and names[i] and names[i][0][1] == "F" and tokens[i + 1][0].isupper():
                row.append(f"!first {bool(names[i + 1])}")
            if i and names[i - 1] and names[i - 1][0][1] == "F":
                row.append(f"!second {bool(names[i])}")
        tagged = i > 0 and tokens[i - 1] in ("@", "#")
        if tagged:
            row += _tag_features(token, form, tokens[i - 1], lows[i - 2] if i > 1 else "")
        if tagged or not entries[i].clusters:
            row += _part_features(token, tagged, lexicon)
        rows.append(row)
    return rows


@lru_cache(maxsize=_KEPT)
def _letters(low: str) -> tuple[str, ...]:
    """The beginnings, ends and parts of a word."""
    edged = f"<{low[:20]}>"
    return (
        *(f"p{low[:n]}" for n in _AFFIXES if len(low) >= n),
        *(f"s{low[-n:]}" for n in _AFFIXES if len(low) >= n),
        *(f"g{edged[k : k + n]}" for n in (3, 4) for k in range(len(edged) - n + 1)),
    )


def _topics(coarse: Sequence[str], position: int) -> list[str]:
    """What the text is about near a word: sports, politics, music, ..."""
    near = set(coarse[max(0, position - _TOPIC) : position + _TOPIC + 1])
    return sorted(near - {""})


def _text_features(tokens: Sequence[str]) -> list[str]:
    """How much of the text is capitalised or shouted: what a capital is worth here."""
    words = [token for token in tokens if token[0].isalpha()]
    count = max(1, len(words))
    capital = sum(word[0].isupper() for word in words) / count
    shouted = sum(len(word) > 1 and word[:_LONGEST].isupper() for word in words) / count
    return [f"cap{int(capital * 4.99)}", f"up{int(shouted * 3.99)}"]


def _tag_features(token: str, form: str, mark: str, before: str) -> list[str]:
    """The words inside a hashtag or a handle, and what the sign itself follows."""
    parts = _PARTS.findall(token[:_LONGEST])
    place = before if before in ("rt", "via", "") else "mid"
    return [
        f"a{mark}",
        f"a{mark}{form}",
        f"a{mark} {place}",
        f"a{len(parts)}",
        *(f"h{part.lower()}" for part in parts),
    ]


def _part_features(token: str, tagged: bool, lexicon: Lexicon) -> list[str]:
    """The clusters of the words that a hashtag or a name such as ``GoBears`` is made of."""
    parts = [part.lower() for part in _PARTS.findall(token[:_LONGEST])]
    if not parts or (len(parts) == 1 and not tagged):
        return []
    row: list[str] = []
    clusters = [lexicon.get(part, _UNKNOWN).clusters if len(part) > 1 else () for part in parts]
    for ids in clusters:
        row += [f"q{level}{c}" for level, c in enumerate(ids)] if ids else ["q?"]
    row += [f"qf{level}{c}" for level, c in enumerate(clusters[0])]
    row += [f"ql{level}{c}" for level, c in enumerate(clusters[-1])]
    return row


def prior_features(tokens: Sequence[str], spans: Sequence[MentionSpan]) -> list[list[float]]:
    """Return for each mention the numbers that tell whether it is likely to be pictured.

    Args:
        tokens: the tokens of one text.
        spans: all mentions of that text, sorted by start.

    Returns:
        One row for each mention, with the columns of `PRIOR_FEATURES`, each about 0..1.
    """
    rows: list[list[float]] = []
    of_type = Counter(span.type for span in spans)
    address = any(normalize(token) == "<url>" for token in tokens)
    for order, span in enumerate(spans):
        before = tokens[span.start - 1] if span.start else ""
        after = tokens[span.end] if span.end < len(tokens) else ""
        rows.append(
            [
                1.0,
                min(len(spans), 8) / 8,
                min(of_type[span.type], 8) / 8,
                float(order == 0),
                span.start / len(tokens),
                float(before == "#"),
                float(before == "@"),
                float(span.end - span.start == 1),
                min(span.end - span.start, 6) / 6,
                min(len(tokens), 40) / 40,
                float(normalize(tokens[0]) == "rt"),
                float(address),
                float(after in ("", ".", "!", "?", ":")),
            ]
        )
    return rows

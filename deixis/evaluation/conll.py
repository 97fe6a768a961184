"""Read CoNLL text: an ``IMGID:`` line, then ``token<TAB>tag`` lines, then an empty line."""

from pathlib import Path
from typing import NamedTuple

from deixis.errors import DataError

TYPES = ("PER", "LOC", "ORG", "OTHER")
_TAGS = frozenset(["O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI")])


class TaggedTweet(NamedTuple):
    """One sample: its id, its tokens and one BIO tag for each token."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]


class Mention(NamedTuple):
    """An entity of a sample: ``tokens[start:end]`` (half-open, in tokens) and its type."""

    start: int
    end: int
    type: str


def read_conll(path: Path) -> list[TaggedTweet]:
    """Read a whole file.

    Tokens are kept as they are: some consist of invisible characters only, so no line is ever
    stripped or split at white space other than the tab.

    Args:
        path: UTF-8 text.

    Raises:
        DataError: a line does not parse; the message names the file and the line.
        OSError: the file cannot be read.
    """
    try:
        # Not read_text(): it would turn the carriage returns of a token into line ends.
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    samples: list[TaggedTweet] = []
    identity: str | None = None
    tokens: list[str] = []
    tags: list[str] = []
    seen: set[str] = set()

    def close(number: int) -> None:
        if identity is None:
            return
        if not tokens:
            raise DataError(f"{path}:{number}: sample {identity!r} has no token")
        samples.append(TaggedTweet(identity, tuple(tokens), tuple(tags)))
        tokens.clear()
        tags.clear()

    # Not splitlines(): tokens may hold U+0085 or U+2028, which it takes for line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        where = f"{path}:{number}"
        if not line:
            close(number)
            identity = None
        elif identity is None:
            if not line.startswith("IMGID:") or line == "IMGID:":
                raise DataError(f"{where}: expected 'IMGID:' and an id, found {line[:60]!r}")
            identity = line.removeprefix("IMGID:")
            if identity in seen:
                raise DataError(f"{where}: the id {identity!r} stands twice")
            seen.add(identity)
        else:
            token, tab, tag = line.rpartition("\t")
            if not tab or not token:
                raise DataError(f"{where}: expected token, tab, tag; found {line[:60]!r}")
            if tag not in _TAGS:
                raise DataError(f"{where}: unknown tag {tag[:60]!r}")
            if tag.startswith("I-") and (not tags or tags[-1] not in (tag, f"B-{tag[2:]}")):
                raise DataError(f"{where}: {tag} continues no {tag[2:]} entity")
            tokens.append(token)
            tags.append(tag)
    close(text.count("\n") + 1)
    return samples


def mentions(tags: tuple[str, ...] | list[str]) -> list[Mention]:
    """Return the entities that BIO tags spell, in order; ``I-X`` after no X opens one."""
    found: list[Mention] = []
    start = 0
    kind = ""
    for position, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            found.append(Mention(start, position, kind))
            kind = ""
        if tag != "O" and not kind:
            start, kind = position, tag[2:]
    return found

"""Read CoNLL text: an ``IMGID:`` line, then ``token<TAB>tag`` lines, then an empty line."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from deixis.base.text_files import read_text
from deixis.errors import DataError

TYPES = ("PER", "LOC", "ORG", "OTHER")


class TaggedTweet(NamedTuple):
    """One sample: its id, its tokens and one BIO tag for each token.

    ``fine_tags`` are those of the third column: the same prefixes with fine types; empty when
    the file has two columns.
    """

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    fine_tags: tuple[str, ...] = ()


class Mention(NamedTuple):
    """An entity of a sample: ``tokens[start:end]`` (half-open, in tokens) and its type."""

    start: int
    end: int
    type: str


def read_conll(
    path: Path,
    types: Collection[str] = TYPES,
    *,
    fine_types: Collection[str] = (),
    allow_orphans: bool = False,
) -> list[TaggedTweet]:
    """Read a whole file.

    Tokens are kept as they are: some consist of invisible characters only, so no line is ever
    stripped or split at white space other than the tab.

    Args:
        path: as `deixis.base.text_files` reads it.
        types: what may stand behind ``B-`` and ``I-``.
        fine_types: the same for a third column; without any there are two columns.
        allow_orphans: whether an ``I-X`` that continues no X is kept; it then opens an entity.

    Raises:
        DataError: a line does not parse; the message names the file and the line.
        InputError: the file cannot be read.
    """
    columns = [_tags(known) for known in (types, fine_types) if known]
    samples: list[TaggedTweet] = []
    identity: str | None = None
    rows: list[list[str]] = []
    seen: set[str] = set()
    # The line behind the last closes a sample that no empty line ends.
    # Not splitlines(): tokens may hold U+0085 or U+2028, which it takes for line ends.
    for number, line in enumerate([*read_text(path).split("\n"), ""], start=1):
        where = f"{path}:{number}"
        if not line:
            if identity is not None and not rows:
                raise DataError(f"{where}: sample {identity!r} has no token")
            if identity is not None:
                samples.append(TaggedTweet(identity, *zip(*rows, strict=True)))
            identity, rows = None, []
        elif identity is None:
            if not line.startswith("IMGID:") or line == "IMGID:":
                raise DataError(f"{where}: expected 'IMGID:' and an id, found {line[:60]!r}")
            identity = line.removeprefix("IMGID:")
            if identity in seen:
                raise DataError(f"{where}: the id {identity!r} stands twice")
            seen.add(identity)
        else:
            row = line.rsplit("\t", len(columns))
            if len(row) != len(columns) + 1 or not row[0]:
                wanted = "token, tab, tag" + ", tab, fine tag" * (len(columns) - 1)
                raise DataError(f"{where}: expected {wanted}; found {line[:60]!r}")
            before = rows[-1][1] if rows else "O"
            problem = _problem(row[1:], columns, before, allow_orphans)
            if problem:
                raise DataError(f"{where}: {problem}")
            rows.append(row)
    return samples


def _tags(types: Collection[str]) -> frozenset[str]:
    return frozenset(["O", *(f"{prefix}-{kind}" for kind in types for prefix in "BI")])


def _problem(
    tags: Sequence[str], columns: Sequence[frozenset[str]], before: str, allow_orphans: bool
) -> str | None:
    """Say what is wrong with the tags of one token; `before` is the (coarse) tag before it."""
    for tag, known in zip(tags, columns, strict=True):
        if tag not in known:
            return f"unknown tag {tag[:60]!r}"
        if tag[0] != tags[0][0]:
            return f"the tags {tags[0]!r} and {tag!r} do not go together"
    if not allow_orphans and _opens(tags[0], before) and tags[0][0] == "I":
        return f"{tags[0]} continues no {tags[0][2:]} entity"
    return None


def _opens(tag: str, before: str) -> bool:
    """Say whether a tag opens an entity: ``B-X``, or ``I-X`` after no X."""
    return tag[0] == "B" or (tag[0] == "I" and before[1:] != tag[1:])


def orphans(tags: Sequence[str]) -> int:
    """Count the entities that an ``I-X`` after no X opens."""
    before = ["O", *tags]
    return sum(_opens(tag, last) and tag[0] == "I" for last, tag in zip(before, tags, strict=False))


def mentions(tags: Sequence[str]) -> list[Mention]:
    """Return the entities that BIO tags spell, in order; ``I-X`` after no X opens one."""
    entities: list[Mention] = []
    start = 0
    kind = ""
    for position, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            entities.append(Mention(start, position, kind))
            kind = ""
        if tag != "O" and not kind:
            start, kind = position, tag[2:]
    return entities

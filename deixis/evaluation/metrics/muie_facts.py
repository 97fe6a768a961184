"""What was extracted in MUIE (section 6.1, appendix C.1): F1 of facts, a micro F1 over multisets.

A phrase is its offsets in the text or, where it has none and its text is not in the row's (it
comes from another medium), its text in folded case: speech and pictures have no spelling.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.errors import DataError
from deixis.evaluation.metrics.mner import Score
from deixis.formats.muie_rows import MuieEntity, MuieRow, Trigger

Phrase = tuple[int, int] | str
Fact = tuple[Hashable, ...]
_NUMBERED = re.compile(r"(.*\S)\s+\d{1,2}", re.DOTALL)


class Extraction(NamedTuple):
    """F1 of what was extracted: entities, relations, triggers and arguments of events."""

    entities: Score
    relations: Score
    triggers: Score
    arguments: Score


class Facts(NamedTuple):
    """The facts of a row, counted; each ends with its type."""

    entities: Counter[Fact]
    relations: Counter[Fact]
    triggers: Counter[Fact]
    arguments: Counter[Fact]


class Phrases(NamedTuple):
    """The phrases of a row's entities, and of the triggers of its events (None: it has none)."""

    entities: list[Phrase]
    triggers: list[Phrase | None]

    @property
    def holders(self) -> list[Phrase | None]:
        """All that may have a place in a medium: the entities, then the triggers."""
        return [*self.entities, *self.triggers]


def phrases_of(row: MuieRow, text: str) -> Phrases:
    """Find the phrases of a row in the text of the gold.

    One without offsets takes the first place of its text that no phrase of the same text took
    before it. Of entities that are in no text, several that differ by a number behind them are
    one phrase each time: "dog 1" and "dog 2" are two dogs, which is how the graph tells them apart.
    """
    taken: dict[str, int] = {}

    def place(what: MuieEntity | Trigger) -> Phrase:
        if what.start is not None and what.end is not None:
            return what.start, what.end
        found = _search(what.text, text, taken.get(what.text, 0))
        if found is None:
            return what.text.casefold()
        taken[what.text] = found.end()
        return found.span()

    entities = _unnumbered([place(entity) for entity in row.entities])
    triggers = [place(event.trigger) if event.trigger else None for event in row.events]
    return Phrases(entities, triggers)


def _unnumbered(phrases: Sequence[Phrase]) -> list[Phrase]:
    numbered = ((phrase, _NUMBERED.fullmatch(phrase)) for phrase in phrases if type(phrase) is str)
    stems: dict[Phrase, str] = {phrase: match[1] for phrase, match in numbered if match}
    alike = Counter(stems.values())
    return [stem if alike[stem := stems.get(own, "")] > 1 else own for own in phrases]


def facts_of(row: MuieRow, text: str) -> Facts:
    """Count the facts of a row; `text` is that of the gold.

    Raises:
        DataError: a relation or an argument names an entity that the row does not have.
    """
    phrases = phrases_of(row, text)
    kinds = [entity.type for entity in row.entities]
    named = phrases.entities
    try:
        return Facts(
            Counter(zip(named, kinds, strict=True) if row.task == "ner" else ()),
            Counter((named[r.subject], named[r.object], r.type) for r in row.relations),
            Counter(
                (phrase, event.type)
                for phrase, event in zip(phrases.triggers, row.events, strict=True)
                if phrase is not None
            ),
            Counter((named[a.entity], a.role, e.type) for e in row.events for a in e.arguments),
        )
    except IndexError:
        raise DataError(
            f"row {row.id!r}: a relation or an argument names an entity that is not there"
        ) from None


def score_extraction(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> Extraction:
    """Score what was extracted (appendix C.1).

    An entity (of rows of the task NER only) needs phrase and type, a relation both phrases and
    its type, a trigger its phrase and the event's type, an argument its phrase, its role and
    the event's type.

    Args:
        gold: rows.
        predicted: the same samples in the same order (see `phrases_of`).

    Raises:
        DataError: a relation or an argument names an entity that its row does not have.
        ValueError: the two do not have the same samples.
    """
    return Extraction(
        *(Score(*map(int, counts.sum(0))) for counts in extraction_counts(gold, predicted))
    )


def extraction_counts(
    gold: Sequence[MuieRow], predicted: Sequence[MuieRow], kind: str | None = None
) -> tuple[NDArray[np.int64], ...]:
    """Count by rows, as `score_extraction` adds up; of one type of entity, relation or event.

    Returns:
        For entities, relations, triggers and arguments the correct, predicted and gold ones of
        each row, shape ``(N, 3)``.
    """
    check_same(gold, predicted)
    rows = []
    for wanted, guess in zip(gold, predicted, strict=True):
        sides = [
            [_of(kind, each) for each in facts_of(row, wanted.text)] for row in (wanted, guess)
        ]
        for right, facts in zip(*sides, strict=True):
            rows.append(((right & facts).total(), facts.total(), right.total()))
    return tuple(np.array(rows, dtype=np.int64).reshape(-1, 4, 3).transpose(1, 0, 2))


def types_of(rows: Iterable[MuieRow]) -> set[str]:
    """Return the types of entities, relations and events that are scored."""
    return {str(fact[-1]) for row in rows for facts in facts_of(row, row.text) for fact in facts}


def check_same(gold: Sequence[MuieRow], predicted: Sequence[MuieRow]) -> None:
    """Check that both sides have the same samples.

    Raises:
        ValueError: they do not.
    """
    if [(row.id, row.task) for row in gold] != [(row.id, row.task) for row in predicted]:
        raise ValueError("gold and predictions do not have the same ids and tasks in order")


def _of(kind: str | None, facts: Counter[Fact]) -> Counter[Fact]:
    return Counter({f: n for f, n in facts.items() if kind is None or f[-1] == kind})


def _search(phrase: str, text: str, start: int) -> re.Match[str] | None:
    """Find a phrase, as whole words if it can be."""
    bare = re.escape(phrase)
    whole = re.compile(rf"(?<!\w){bare}(?!\w)").search(text, start)
    return whole or re.compile(bare).search(text, start)

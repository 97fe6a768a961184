"""Counting a committee's answers: what is agreed, what is disputed. No model is asked."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from deixis.agents.context.state import State
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.consult import UNKNOWN

FINE_TYPE = "fine_type"

_ARTICLES = {"a", "an", "the"}
_UNKNOWN = {"", "unknown", "n a", "na", "none", "unsure", "not sure", "unspecified", "not known"}


class Tally(NamedTuple):
    """The answers to one attribute of one entity.

    ``values`` maps each distinct answer, as first given, to its number of votes;
    ``answered`` counts the members who testified at all, also with "unknown".
    """

    values: dict[str, int]
    answered: int

    @property
    def winner(self) -> str | None:
        """The answer with the most votes; None when there is none, or a tie."""
        if not self.values:
            return None
        (first, most), *rest = Counter(self.values).most_common(2)
        return None if rest and rest[0][1] == most else first

    @property
    def disputed(self) -> bool:
        """Whether members gave different answers."""
        return len(self.values) > 1


@lru_cache(maxsize=1024)  # members say the same, and each answer is compared again and again
def normalise(value: str) -> str:
    """Fold case, accents, punctuation, white space and articles away."""
    plain = value.lower()
    if not value.isascii():
        plain = unicodedata.normalize("NFKD", value).casefold()
        plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = re.sub(r"[\W_]+", " ", plain).split()
    # At the end it is no article: the logo of a team can be an A, and "n/a" is "n a".
    return " ".join([word for word in words[:-1] if word not in _ARTICLES] + words[-1:])


def key_of(value: str, *, closed: bool) -> str:
    """Return what is the same for all spellings of an answer, "" for one that knows nothing.

    Args:
        value: the answer.
        closed: as for `tally`.
    """
    key = value if closed else normalise(value)
    return "" if value == UNKNOWN or (key in _UNKNOWN and not closed) else key


def closed_attributes(state: State, entity: str, toolbox: Toolbox) -> set[str]:
    """Return the attributes asked of an entity that have a fixed list of values."""
    template = toolbox.types.get(state["mentions"][entity]["type"]).template
    asked = state["templates"][template]["attributes"]
    return {attribute["name"] for attribute in asked if attribute["values"]} | {FINE_TYPE}


def tally(answers: Mapping[str, str], *, closed: bool) -> Tally:
    """Count the members' answers to one attribute.

    Args:
        answers: member to answer.
        closed: the attribute has a fixed list of values, in which "none" may be one; they
            are told apart as they are spelled.
    """
    spelling: dict[str, str] = {}
    votes: Counter[str] = Counter()
    for value in answers.values():
        key = key_of(value, closed=closed)
        if not key:
            continue
        spelling.setdefault(key, " ".join(value.split()))
        votes[key] += 1
    return Tally({spelling[key]: count for key, count in votes.items()}, len(answers))

"""What one reply says, in whichever style: entities, relations and events, all by names."""

from typing import NamedTuple

from deixis.agents.muie.pairing import Looking
from deixis.type_schema import TypeSchema

LONGEST = 80
"""Characters of what a model wrote that a notice repeats."""
LONGEST_NAME = 200
"""Characters of a name."""


class Named(NamedTuple):
    """An entity.

    Attributes:
        name: as the model has it.
        type: of the type schema; None where the task asks for none.
        fine_type: of that type, or None.
        sought: where to look for it, and by which words.
        unasked: whether it is marked as one to look for, and nobody was told to look.
    """

    name: str
    type: str | None = None
    fine_type: str | None = None
    sought: tuple[Looking, ...] = ()
    unasked: bool = False


class Linked(NamedTuple):
    """A relation of the type schema between two names."""

    subject: str
    type: str
    object: str


class Happened(NamedTuple):
    """An event of the type schema; arguments are pairs of a role that it has and a name."""

    type: str
    trigger: str
    arguments: tuple[tuple[str, str], ...] = ()


class Said(NamedTuple):
    """What one reply says, and what of it is not used, in words."""

    named: list[Named]
    linked: list[Linked]
    happened: list[Happened]
    told: list[str]


class Labels:
    """Looks up the labels that a model writes; ``told`` says which are not in the schema."""

    def __init__(self, types: TypeSchema) -> None:
        self._types = types
        self.told: list[str] = []

    def type(self, word: str, name: str) -> tuple[str, str | None] | None:
        """Return the type and the fine type that a model means by a word, or None."""
        if (kind := self._types.named(word)) is not None:
            return kind.name, None
        if (fine := self._types.of_fine_type(word)) is not None:
            return fine[0].name, fine[1]
        self.told.append(f"the model gave {_short(name)} the type {_short(word)}, which is none")
        return None

    def relation(self, subject: str, word: str, object_: str) -> Linked | None:
        """Return a relation, or None if the schema has no such one."""
        if (kind := self._types.relation(word)) is not None:
            return Linked(subject, kind.name, object_)
        self.told.append(
            f"the model relates {_short(subject)} to {_short(object_)} by {_short(word)}, which is "
            "no relation"
        )
        return None

    def event(self, word: str, trigger: str, arguments: list[tuple[str, str]]) -> Happened | None:
        """Return an event with the arguments whose roles it has; None if there is no such one."""
        kind = self._types.event(word)
        if kind is None:
            what = f"of the type {_short(word)}, which is none"
            self.told.append(f"the model names an event ({_short(trigger)}) {what}")
            return None
        own = []
        for role_word, name in arguments:
            role = self._types.role(kind.name, role_word)
            if role is None:
                what = f"{_short(role_word)}, a role that {kind.name} has not"
                self.told.append(f"the model gave {_short(name)} {what}")
            else:
                own.append((role, name))
        return Happened(kind.name, trigger, tuple(own))


def _short(words: str) -> str:
    return repr(words[:LONGEST])

"""What the entities, relations and events of a file are called, gathered while it is written."""

from collections import Counter
from collections.abc import Iterable

from deixis.exchange.items import Item
from deixis.type_schema import FOLDER, TypeSchema


class Labels:
    """All types that items have, and those of the type schema that they are likely of.

    Where none is named, that is the shipped one which has all types that were looked for or are
    there; without one, there are those of the items alone.

    Args:
        schema: name or file of the type schema; None looks for it.

    Raises:
        SettingsError: there is none, or it is wrong.
    """

    def __init__(self, schema: str | None = None) -> None:
        self._given = TypeSchema.load(schema) if schema is not None else None
        self._looked_for: dict[str, None] = {}
        self._fine: dict[str, dict[str, None]] = {}
        self._relations: dict[str, None] = {}
        self._roles: dict[str, dict[str, None]] = {}

    def add(self, item: Item) -> None:
        """Take the types of an item in."""
        if item.extraction:
            self._looked_for |= dict.fromkeys(item.extraction.types)
        for entity in item.row.entities:
            fine = self._fine.setdefault(entity.type, {})
            if entity.fine_type is not None:
                fine[entity.fine_type] = None
        self._relations |= dict.fromkeys(each.type for each in item.row.relations)
        for event in item.row.events:
            roles = self._roles.setdefault(event.type, {})
            roles |= dict.fromkeys(each.role for each in event.arguments)

    def types(self) -> dict[str, list[str]]:
        """Return the types of entities, each with its fine types, in the order of the schema."""
        schema = self._schema()
        kinds = schema.types if schema else ()
        known = {each.name: dict.fromkeys(each.fine_types) for each in kinds}
        first = known if self._given else self._looked_for
        order = dict.fromkeys([*first, *known, *self._looked_for, *sorted(self._fine)])
        return {name: [*(known.get(name, {}) | self._fine.get(name, {}))] for name in order}

    def relations(self) -> list[str]:
        """Return the types of relations."""
        schema = self._schema()
        given = [each.name for each in schema.relations] if schema else []
        return [*dict.fromkeys([*given, *sorted(self._relations)])]

    def events(self) -> dict[str, list[str]]:
        """Return the types of events, each with the roles of its arguments."""
        schema = self._schema()
        known = {each.name: dict.fromkeys(each.roles) for each in schema.events} if schema else {}
        order = dict.fromkeys([*known, *sorted(self._roles)])
        return {name: [*(known.get(name, {}) | self._roles.get(name, {}))] for name in order}

    def _schema(self) -> TypeSchema | None:
        if self._given is not None:
            return self._given
        schemas = (TypeSchema.load(path.stem) for path in sorted(FOLDER.glob("*.yaml")))
        fitting = [schema for schema in schemas if self._fits(schema)]
        return min(fitting, key=lambda schema: len(schema.types), default=None)

    def _fits(self, schema: TypeSchema) -> bool:
        types = {each.name for each in schema.types}
        return (
            bool(self._looked_for or self._fine)
            and types >= self._looked_for.keys() | self._fine.keys()
            and (not self._looked_for or types == self._looked_for.keys())
            and {each.name for each in schema.relations} >= self._relations.keys()
            and {each.name for each in schema.events} >= self._roles.keys()
        )


class LeftOut:
    """What could not be written, by reason: how often, and where first."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def add(self, why: str, where: str) -> None:
        """Note that something was left out, and in which item."""
        self._counts[why] += 1
        self._first.setdefault(why, where)

    def lines(self) -> list[str]:
        """Return a line for each reason."""
        return [
            f"{why} ({count:,} in all, first in {self._first[why]!r})"
            for why, count in self._counts.items()
        ]


def unique(names: Iterable[str]) -> list[str]:
    """Return names once each, in the order of their first place."""
    return [*dict.fromkeys(names)]

"""Type schemas: which entities, relations and events are looked for, as YAML files to edit."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deixis.base.folding import key
from deixis.base.problems import describe_problem, nearest
from deixis.base.yaml_files import mapping_of, read_settings_file
from deixis.errors import SettingsError

_T = TypeVar("_T")
SeenAs = Literal["person", "group", "thing"]
_SEEN_AS: dict[str, SeenAs] = {
    "PER": "person",
    "ORG": "group",
    "person": "person",
    "organization": "group",
}
"""By template, or by tag of the shipped recognizers."""
FOLDER = Path(str(files("deixis"))) / "type_schemas"


_NAMESPACES = re.compile(r"[/:.]")
"""What stands before the own name of a label: ``/per/org/member_of``, ``Life:Die``."""


def _folded(word: str) -> str:
    return "".join(key(word.replace("_", " ")).split())


def _letters(word: str) -> str:
    """Return what is compared of a label: its letters and digits, in one case."""
    return "".join(character for character in key(word) if character.isalnum())


class _Label(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    description: str = ""


class RelationType(_Label):
    """One relation between two entities.

    ``subject`` and ``object`` list the entity types that may stand on a side; none listed is any.
    """

    subject: tuple[str, ...] = ()
    object: tuple[str, ...] = ()


class EventType(_Label):
    """One kind of event, with the roles that its arguments may have."""

    roles: tuple[str, ...] = ()


class EntityType(BaseModel):
    """One coarse type.

    ``template`` names the visual-knowledge template (the lower-cased type name when left
    out). ``crf`` is the tag of a recognizer that may turn out to be this type: of the
    shipped ones PER, LOC, ORG or OTHER; its own name when left out. Among several types of one
    tag, a mention is of the one that lists its fine type, if the recognizer says one, or else of
    the one of the tag's name, or the first; a fine type that is voted for moves it to another.

    ``seen_as`` says what such an entity looks like in a picture: a ``person`` is looked for
    among the people, a ``group`` may be several things at once (a crew, a logo shown twice), a
    ``thing`` is one. Left out, the template decides (``person``, ``organization``), or else the
    tag (PER is a person, ORG a group).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    description: str = ""
    template: str = Field(default="", pattern=r"^[\w-]*$")
    crf: str | None = Field(default=None, min_length=1)
    seen_as: SeenAs = "thing"
    fine_types: tuple[str, ...] = ()

    def model_post_init(self, _context: Any) -> None:
        """Fill in the template's name, and what the type is seen as."""
        if not self.template:
            slug = "".join(c if c.isalnum() else "_" for c in self.name.lower())
            object.__setattr__(self, "template", slug)
        if "seen_as" not in self.model_fields_set:
            seen_as = _SEEN_AS.get(self.template) or _SEEN_AS.get(self.crf or "") or "thing"
            object.__setattr__(self, "seen_as", seen_as)


def _absent(labels: tuple[_Label, ...]) -> bool:
    return not labels


class TypeSchema(BaseModel):
    """The coarse types, each with its fine types; and the relations and events, if any.

    Without these, a schema is written and counted as one that cannot have them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    types: tuple[EntityType, ...] = Field(min_length=1)
    relations: tuple[RelationType, ...] = Field(default=(), exclude_if=_absent)
    events: tuple[EventType, ...] = Field(default=(), exclude_if=_absent)

    @classmethod
    def load(cls, name_or_path: str) -> "TypeSchema":
        """Read a schema that comes with Deixis, or a YAML file.

        Raises:
            SettingsError: no such schema, or the file has an error (where, and what).
        """
        path = Path(os.path.expanduser(name_or_path))
        if path.suffix not in {".yaml", ".yml"}:
            path = FOLDER / f"{name_or_path}.yaml"
            known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
            if name_or_path not in known:
                raise SettingsError(
                    f"there is no type schema {name_or_path!r}{nearest(name_or_path, known)}; "
                    f"known: {', '.join(known)}, or give the path of a .yaml file"
                )
        return _parsed(path, read_settings_file(path))

    def get(self, name: str) -> EntityType:
        """Return the type called `name`; KeyError when there is none."""
        return {kind.name: kind for kind in self.types}[name]

    def named(self, word: str) -> EntityType | None:
        """Return the type that a model's word for it means, in any case, or None.

        The word is the type's name or that of its template: PER is also ``person``.
        """
        name = word.strip().casefold()
        for of_type in ("name", "template"):
            for entity_type in self.types:
                if name == getattr(entity_type, of_type).casefold():
                    return entity_type
        return None

    def of_tag(self, tag: str) -> list[EntityType]:
        """Return the types that a tag of a recognizer may stand for, that of its name first."""
        named = [kind for kind in self.types if kind.name == tag]
        return named + [kind for kind in self.types if kind.crf == tag != kind.name]

    def of_fine_type(self, word: str) -> tuple[EntityType, str] | None:
        """Return the fine type that a model's word means, after the type that has it, or None.

        Case, accents, white space and underscores do not count: *Sports Facility* is
        ``sports_facility``.
        """
        return self._by_fine_type.get(_folded(word))

    @cached_property
    def _by_fine_type(self) -> dict[str, tuple[EntityType, str]]:
        pairs = ((kind, fine) for kind in reversed(self.types) for fine in kind.fine_types)
        return {_folded(fine): (kind, fine) for kind, fine in pairs}

    def relation(self, word: str) -> RelationType | None:
        """Return the relation that a model's word for it means, or None.

        Only letters and digits count, in any case; and the name alone will do where only one
        relation ends in it: *Member of* is ``/per/org/member_of``.
        """
        return self._by_relation.get(_letters(word))

    def event(self, word: str) -> EventType | None:
        """Return the event that a model's word for it means, or None, as `relation` does.

        *start position* is ``Personnel:Start-Position``.
        """
        return self._by_event.get(_letters(word))

    def role(self, event: str, word: str) -> str | None:
        """Return the role of an event that a model's word for it means, or None."""
        kind = self.event(event)
        return _by_letters(kind.roles, str).get(_letters(word)) if kind else None

    @cached_property
    def _by_relation(self) -> dict[str, RelationType]:
        return _by_letters(self.relations, lambda relation: relation.name)

    @cached_property
    def _by_event(self) -> dict[str, EventType]:
        return _by_letters(self.events, lambda event: event.name)

    def alternatives(self, name: str) -> list[EntityType]:
        """Return the types that a mention recognised as `name` may still turn out to be."""
        given = self.get(name)
        return self.of_tag(given.crf or given.name)

    def fine_types(self, name: str) -> list[str]:
        """Return the fine types that a mention recognised as `name` may have."""
        return [fine for other in self.alternatives(name) for fine in other.fine_types]

    def kind(self, name: str) -> str:
        """Return what the questions about a type are called, all types considered.

        That is its template, or its own name where another type has the template and other fine
        types.
        """
        return self._kinds[name]

    @cached_property
    def _kinds(self) -> dict[str, str]:
        fine = {given.name: self.fine_types(given.name) for given in self.types}
        return {
            given.name: given.template
            if all(
                fine[other.name] == fine[given.name]
                for other in self.types
                if other.template == given.template
            )
            else given.name
            for given in self.types
        }


@lru_cache(maxsize=16)  # the labels of a data set take up to a second, and are read many times
def _parsed(path: Path, text: str) -> TypeSchema:
    return checked({"name": path.stem, **mapping_of(text, path)}, str(path))


def checked(given: Mapping[str, Any], where: str) -> TypeSchema:
    """Return the schema of what a file says; raises SettingsError, which says where it stands."""
    try:
        schema = TypeSchema.model_validate(given)
    except ValidationError as error:
        raise SettingsError(f"{where}: {describe_problem(error, TypeSchema)}") from None
    for problem in _problems(schema):
        raise SettingsError(f"{where}: {problem}")
    return schema


def _by_letters(labels: Iterable[_T], name_of: Callable[[_T], str]) -> dict[str, _T]:
    """Return labels by the letters of their name, whole or, where only one has it, its end."""
    whole: dict[str, _T] = {}
    ends: dict[str, list[_T]] = {}
    for label in labels:
        whole[_letters(name_of(label))] = label
        ends.setdefault(_letters(_NAMESPACES.split(name_of(label))[-1]), []).append(label)
    alone = {end: same[0] for end, same in ends.items() if end and len(same) == 1}
    return {**alone, **whole}


def _problems(schema: TypeSchema) -> Iterator[str]:
    """Say what is wrong with a schema whose fields are right each by itself."""
    names = [kind.name for kind in schema.types]
    if len({name.casefold() for name in names}) != len(names):
        yield f"a type stands there twice: {', '.join(names)}"
    fine = [fine for kind in schema.types for fine in kind.fine_types]
    yield from _alike(fine, _folded, "a fine type")
    yield from _alike([each.name for each in schema.relations], _letters, "relations: a name")
    yield from _alike([each.name for each in schema.events], _letters, "events: a name")
    for number, event in enumerate(schema.events):
        yield from _alike(event.roles, _letters, f"events.{number}.roles: a role")
    for number, relation in enumerate(schema.relations):
        sides: Mapping[str, tuple[str, ...]]
        sides = {"subject": relation.subject, "object": relation.object}
        for side, allowed in sides.items():
            for name in allowed:
                if name not in names:
                    yield (
                        f"relations.{number}.{side}: there is no entity type {name!r}"
                        f"{nearest(name, names)}; known: {', '.join(names)}"
                    )


def _alike(names: Iterable[str], spelling: Callable[[str], str], what: str) -> Iterator[str]:
    """Say which names have no letters, and which are one name spelt in several ways."""
    same: dict[str, list[str]] = {}
    for name in names:
        same.setdefault(spelling(name), []).append(name)
    if "" in same:
        yield f"{what} has no letters: {same[''][0]!r}"
    twice = [name for alike in same.values() if len(alike) > 1 for name in alike]
    if twice:
        yield f"{what} stands there twice: {', '.join(twice)}"

"""Type schemas: which kinds of entity are looked for, as YAML files a person edits."""

import os
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deixis.base.folding import key
from deixis.base.problems import describe_problem, nearest
from deixis.base.yaml_files import read_yaml
from deixis.errors import SettingsError

SeenAs = Literal["person", "group", "thing"]
_SEEN_AS: dict[str, SeenAs] = {
    "PER": "person",
    "ORG": "group",
    "person": "person",
    "organization": "group",
}
"""By template, or by tag of the shipped recognizers."""
FOLDER = Path(str(files("deixis"))) / "type_schemas"


def _folded(word: str) -> str:
    return "".join(key(word.replace("_", " ")).split())


class EntityType(BaseModel):
    """One coarse type.

    ``template`` names the visual-knowledge template (the lower-cased type name when left
    out). ``crf`` is the tag of the shipped recognizers (PER, LOC, ORG or OTHER) that may
    turn out to be this type. Among several types of one tag, a mention is of the one that lists
    its fine type, if the recognizer says one, or else of the first; a fine type that is voted
    for moves it to another.

    ``seen_as`` says what such an entity looks like in a picture: a ``person`` is looked for
    among the people, a ``group`` may be several things at once (a crew, a logo shown twice), a
    ``thing`` is one. Left out, the template decides (``person``, ``organization``), or else the
    tag (PER is a person, ORG a group).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    description: str = ""
    template: str = Field(default="", pattern=r"^[\w-]*$")
    crf: str | None = Field(default=None, pattern="^(PER|LOC|ORG|OTHER)$")
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


class TypeSchema(BaseModel):
    """The coarse types, each with its fine types."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    types: tuple[EntityType, ...] = Field(min_length=1)

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
        try:
            schema = cls.model_validate({"name": path.stem, **read_yaml(path)})
        except ValidationError as error:
            raise SettingsError(f"{path}: {describe_problem(error, cls)}") from None
        names = [kind.name for kind in schema.types]
        if len({name.casefold() for name in names}) != len(names):
            raise SettingsError(f"{path}: a type stands there twice: {', '.join(names)}")
        spellings: dict[str, list[str]] = {}
        for fine in (fine for kind in schema.types for fine in kind.fine_types):
            spellings.setdefault(_folded(fine), []).append(fine)
        if "" in spellings:
            raise SettingsError(f"{path}: a fine type has no letters: {spellings[''][0]!r}")
        twice = [fine for same in spellings.values() if len(same) > 1 for fine in same]
        if twice:
            raise SettingsError(f"{path}: a fine type stands there twice: {', '.join(twice)}")
        return schema

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
        """Return the types that a tag of the shipped recognizers may stand for."""
        return [kind for kind in self.types if kind.crf == tag]

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

    def alternatives(self, name: str) -> list[EntityType]:
        """Return the types that a mention recognised as `name` may still turn out to be."""
        given = self.get(name)
        return self.of_tag(given.crf) if given.crf else [given]

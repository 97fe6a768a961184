"""A plan of variants of one system: what each changes, checked whole before anything is asked."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from deixis.base.problems import describe_problem
from deixis.base.yaml_files import read_yaml
from deixis.errors import SettingsError
from deixis.settings import Options, Settings

SEED = "$seed"
"""Stands in a plan for the number of a repetition."""
_FOLDERS = ("prompts", "templates", "examples", "cache_folder")


def _several(given: Any) -> Any:
    return given if isinstance(given, list | tuple) else [given]


class Change(BaseModel):
    """What is changed of a stack.

    Attributes:
        stack: another one, a name or a file; paths are relative to the plan.
        graph: another graph.
        graph_options: what the graph is told, beside what the stack tells it; null for nothing,
            so that the graph's own default counts.
        roles: who plays what; ``none`` is nobody.
        options: as in a stack; folders are relative to the plan.
        types: type schema, in the file ``schema``.
        gold_mentions: whether the entities of the gold are given, so that none is recognized.
        limit: only the first so many rows.
        seeds: a repetition for each, which stands where the plan says ``$seed``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    stack: str | None = None
    graph: str | None = None
    graph_options: dict[str, Any] = {}
    roles: dict[str, Any] = {}
    options: dict[str, Any] = {}
    types: str | None = Field(default=None, alias="schema")
    gold_mentions: bool | None = None
    limit: int | None = Field(default=None, ge=1)
    seeds: Annotated[tuple[int, ...], BeforeValidator(_several)] = ()

    def over(self, below: "Change") -> "Change":
        """Return this change on top of another, as one."""
        both = {
            name: {**getattr(below, name), **given} if isinstance(given, dict) else given
            for name in Change.model_fields
            if (given := getattr(self, name)) not in (None, ())
        }
        return Change.model_construct(**{**dict(below), **both})

    def with_seed(self, seed: int | None) -> "Change":
        """Return this change with the seed in its place."""
        places = {name: _sown(getattr(self, name), seed) for name in _SOWN}
        return self.model_copy(update=places)

    @property
    def is_seeded(self) -> bool:
        """Whether a seed stands anywhere in it."""
        return any(SEED in str(getattr(self, name)) for name in _SOWN)


_SOWN = ("graph_options", "roles", "options")


def _sown(value: Any, seed: int | None) -> Any:
    if value == SEED:
        return seed
    if isinstance(value, str):
        return value.replace(SEED, str(seed))
    if isinstance(value, list):
        return [_sown(each, seed) for each in value]
    return {k: _sown(v, seed) for k, v in value.items()} if isinstance(value, dict) else value


class Variant(Change):
    """One line of the table; ``about`` says what it stands for, such as a row of a paper.

    Both begin with a letter or a digit: a spreadsheet would take a line of CSV that begins with
    an equals sign for a formula.
    """

    name: str = Field(pattern=r"^[^\W_][^\n\r\t]{0,79}$")
    about: str = Field(default="", pattern=r"^([^\W_][^\n\r\t]*)?$")


class Plan(Change):
    """A plan: its own changes hold for all variants, of which the first is the base line.

    Attributes:
        description: what the plan is for.
        gold: labelled rows, which are also what is run; relative to the plan.
        metrics: what is scored (`deixis.evaluation.ablations.metrics`).
        convention: how mentions are compared, as for ``deixis eval``.
        iou: the IoU that a region must reach.
        rounds: draws for intervals and p.
        draws: seed of the draws.
        variants: at least one.
    """

    description: str = ""
    gold: str | None = None
    metrics: tuple[str, ...] = Field(default=("gmner",), min_length=1)
    convention: str = "deixis"
    iou: float = 0.5
    rounds: int = Field(default=10_000, ge=1)
    draws: int = 0
    variants: tuple[Variant, ...] = Field(min_length=1)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a plan.

        Raises:
            SettingsError: it cannot be read, or is wrong; the message names file and place.
        """
        data = read_yaml(path)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            problem = describe_problem(error, cls)
            raise SettingsError(f"{path}: {_named(problem, data.get('variants'))}") from None


def _named(problem: str, variants: Any) -> str:
    """Say of a variant that is given by its number what it is called."""
    found = re.search(r"\bvariants\.(\d+)", problem)
    try:
        name = variants[int(found[1])]["name"] if found else None
    except (LookupError, TypeError):
        name = None
    return problem if name is None else f"variant {name!r}: {problem}"


def repetitions(plan: Plan, variant: Variant) -> list[tuple[int | None, Change]]:
    """Return each repetition of a variant: its seed, and the change with the seed in its place.

    Raises:
        SettingsError: there are seeds and nothing that takes them, or the other way round.
    """
    change = variant.over(plan)
    if not change.is_seeded:
        if variant.seeds:
            raise SettingsError(f"seeds: nothing in it says {SEED}, so all would be the same")
        return [(None, change)]
    if not change.seeds:
        raise SettingsError(f"it says {SEED} and has no seeds; write seeds: [0, 1, 2]")
    if len(set(change.seeds)) < len(change.seeds):
        raise SettingsError("seeds: one stands twice")
    return [(seed, change.with_seed(seed)) for seed in change.seeds]


def settings_of(change: Change, plan: Path) -> Settings:
    """Return the settings that a change makes of its stack.

    Args:
        change: of a variant and its plan together.
        plan: the file; what a variant names by a path is relative to it.

    Raises:
        SettingsError: the stack, a role, an option or the type schema is wrong.
    """

    def beside(given: str) -> Path:
        return plan.parent / os.path.expanduser(given)

    stack = change.stack or "starter"
    is_file = Path(stack).suffix in {".yaml", ".yml"}
    settings = Settings.load(beside(stack) if is_file else stack).with_roles(change.roles)
    if change.graph is not None and change.graph != settings.graph:
        settings = settings.with_graph(change.graph)
    both = {**settings.graph_options, **change.graph_options}
    told = {name: value for name, value in both.items() if value is not None}
    settings = settings.with_graph(settings.graph, **told)
    settings = settings.with_options(**_options(settings.options, change.options, beside))
    if change.types is None:
        return settings
    types = beside(change.types) if Path(change.types).suffix in {".yaml", ".yml"} else change.types
    settings = settings.model_copy(update={"types": str(types)})
    _ = settings.type_schema  # a wrong one is told here
    return settings


def _options(now: Options, changes: Mapping[str, Any], beside: Any) -> dict[str, Any]:
    """Return the options that change, checked.

    Raises:
        SettingsError: there is no such option, or its value is wrong.
    """
    given = {
        name: beside(value) if name in _FOLDERS and isinstance(value, str) else value
        for name, value in changes.items()
    }
    try:
        checked = Options.model_validate({**now.model_dump(), **given})
    except ValidationError as error:
        raise SettingsError(f"options: {describe_problem(error, Options)}") from None
    return {name: getattr(checked, name) for name in given}

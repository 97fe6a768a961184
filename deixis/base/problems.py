"""What is said of a wrong value: where it stands, what is wrong, and the nearest right name."""

import difflib
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any

from pydantic import BaseModel, ValidationError


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Return where the first problem of a validation error is, "" for the whole, and what."""
    problem = error.errors(include_url=False, include_input=False)[0]
    return ".".join(str(part) for part in problem["loc"]), _message(problem)


def _message(problem: Mapping[str, Any]) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")  # before what a validator raised


def problem_line(error: ValidationError) -> str:
    """Return the first problem of a validation error in one line, with its place if it has one."""
    return ": ".join(filter(None, first_problem(error)))


def describe_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Say one problem of a validation error in one line, with the nearest right name.

    An unknown name comes first: a value that is missing was then likely misspelt.
    """
    problems = error.errors(include_url=False)
    unknown = [entry for entry in problems if entry["type"] in {"extra_forbidden", "invalid_key"}]
    problem = (unknown or problems)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    if problem["type"] != "extra_forbidden":
        return f"{place}: {_message(problem)}"
    *parents, wrong = problem["loc"]
    owner: Any = model
    for parent in parents:
        if isinstance(parent, int):
            owner = owner.__args__[0]  # tuple[EntityType, ...] -> EntityType
        elif not hasattr(owner, "model_fields"):
            owner = owner.__args__[1]  # dict[str, Limit] -> Limit
        else:
            owner = owner.model_fields[parent].annotation
        if isinstance(owner, UnionType):
            owner = owner.__args__[0]  # Lora | None -> Lora
    names = [field.alias or key for key, field in owner.model_fields.items()]
    return f"there is no {place!r}{nearest(str(wrong), names)}; known: {', '.join(names)}"

"""What a graph that does several tasks is asked for."""

from typing import Literal

from deixis.base.problems import nearest
from deixis.errors import InputError

MuieTask = Literal["ner", "re", "ee"]
TASKS = "tasks"
"""The note that has the tasks, as `checked_tasks` returns them."""
KNOWN: tuple[MuieTask, ...] = ("ner", "re", "ee")
"""Entities, relations and events (Zhang et al., 2024, section 3)."""


def checked_tasks(given: object) -> list[MuieTask]:
    """Return the tasks asked for, in the order of `KNOWN`; entities alone for None.

    Args:
        given: a task, several with commas between them, or a list.

    Raises:
        InputError: something else.
    """
    if given is None:
        return ["ner"]
    asked = given.split(",") if isinstance(given, str) else given
    if not isinstance(asked, list | tuple) or not asked:
        raise InputError(f'task must be "ner", "re", "ee" or a list of them; got {given!r}')
    names = [name.strip().lower() if isinstance(name, str) else name for name in asked]
    for name in names:
        if name not in KNOWN:
            hint = nearest(name, KNOWN) if isinstance(name, str) else ""
            raise InputError(f"there is no task {name!r}{hint}; known: {', '.join(KNOWN)}")
    return [task for task in KNOWN if task in names]

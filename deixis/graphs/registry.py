"""Graphs by name: files of this folder, entry points, and ``module:OBJECT`` of one's own."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from deixis import graphs
from deixis.agents.context.system import System
from deixis.base.plugins import plugins
from deixis.base.problems import nearest
from deixis.errors import SettingsError

ENTRY_POINTS = "deixis.graphs"
"""Group under which other packages register ``name = "module:OBJECT"``."""
_OTHERS = {"build", "registry", "routes", "studio"}


def names() -> list[str]:
    """Return the names of all graphs: a file ``NAME.py`` here holds ``SYSTEM``."""
    return sorted({**plugins(ENTRY_POINTS), **_own()})


def _own() -> dict[str, str]:
    """Return where the graphs of Deixis are; no package takes the place of one."""
    own = {module.name for module in iter_modules(graphs.__path__)} - _OTHERS
    return {name: f"{graphs.__name__}.{name}:SYSTEM" for name in own}


def find(name: str) -> System[Any]:
    """Return the graph of a name, or the one that ``module:OBJECT`` says.

    Raises:
        SettingsError: there is none (with the nearest right name), or it cannot be imported.
    """
    known = {**plugins(ENTRY_POINTS), **_own()}
    if ":" not in name and name not in known:
        raise SettingsError(
            f"there is no graph {name!r}{nearest(name, known)}; known: {', '.join(sorted(known))}, "
            "or give module:OBJECT of your own"
        )
    if name not in known and "" not in sys.path:
        sys.path.append("")  # an installed command does not look in the current folder by itself
    module, _, attribute = known.get(name, name).partition(":")
    try:
        system = getattr(import_module(module), attribute)
    except Exception as error:  # somebody else's module may raise anything
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise SettingsError(f"the graph {name!r} cannot be imported: {problem}") from error
    if not isinstance(system, System):
        raise SettingsError(f"the graph {name!r} is no deixis.agents.context.system.System")
    return system

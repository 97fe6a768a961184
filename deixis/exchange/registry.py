"""Forms of other tools by name: files of this folder, entry points, ``module:OBJECT`` of one's own.

A file of a form holds ``EXPORTER``, ``IMPORTER`` or both. An entry point of another package names
such a module.
"""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from deixis import exchange
from deixis.base.plugins import plugins
from deixis.base.problems import nearest
from deixis.errors import InputError, SettingsError
from deixis.exchange.items import Exporter, How, Importer

ENTRY_POINTS = "deixis.exchange"
"""Group under which other packages register ``name = "module"``."""

Form = TypeVar("Form", Exporter, Importer)
_VERBS = {Exporter: "exported to", Importer: "imported from"}


def names(kind: type[Form]) -> list[str]:
    """Return the names of all forms that are written (`Exporter`) or read (`Importer`)."""
    return sorted({**plugins(ENTRY_POINTS), **_own(kind)})


def find(name: str, kind: type[Form]) -> Form:
    """Return who writes or reads a form: by its name, or ``module:OBJECT`` of one's own.

    Raises:
        SettingsError: there is none (with the nearest right name), or it cannot be imported.
    """
    own, others = _own(kind), plugins(ENTRY_POINTS)
    if name in own:  # no package takes the place of one
        return own[name]
    if ":" not in name and name not in others:
        known = names(kind)
        raise SettingsError(
            f"nothing is {_VERBS[kind]} {name!r}{nearest(name, known)}; known: {', '.join(known)}, "
            "or give module:OBJECT of your own"
        )
    if name not in others and "" not in sys.path:
        sys.path.append("")  # an installed command does not look in the current folder by itself
    module, _, attribute = others.get(name, name).partition(":")
    try:
        form = getattr(import_module(module), attribute or _attribute(kind))
    except Exception as error:  # somebody else's module may raise anything
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise SettingsError(f"the form {name!r} cannot be loaded: {problem}") from error
    if not isinstance(form, kind):
        raise SettingsError(f"the form {name!r} is no deixis.exchange.items.{kind.__name__}")
    return form


def _own(kind: type[Form]) -> dict[str, Form]:
    """Return the forms of Deixis; none of their files loads an optional package by itself."""
    files = iter_modules(exchange.__path__, f"{exchange.__name__}.")
    held = (getattr(import_module(file.name), _attribute(kind), None) for file in files)
    return {form.name: form for form in held if isinstance(form, kind)}


def _attribute(kind: type[Form]) -> str:
    return kind.__name__.upper()


def heeded(form: Exporter | Importer, how: How) -> How:
    """Return what a form is told, of which it heeds all.

    Raises:
        InputError: something was given that has no effect on it; the message names what has.
    """
    given = [name for name, value in how._asdict().items() if value is not None]
    if idle := [f"--{name}" for name in given if name not in form.options]:
        those = ", ".join(f"--{name}" for name in form.options) or "no option of this kind"
        raise InputError(f"{form.name} does not heed {', '.join(idle)}; it heeds {those}")
    return how

"""What determines the results of a run, as one short hash: rows of one file share it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from deixis import __version__, prompts
from deixis.agents.context.committee import order
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.template import template_for
from deixis.base.gathering import files_in
from deixis.errors import SettingsError
from deixis.llms.servers.redaction import shown
from deixis.prompts import knowledge_templates
from deixis.settings import Settings

_ASIDE = {"prompts", "templates", "examples", "cache", "cache_folder"} | {
    *("budget", "limits", "prices", "tracing", "urls")
}
"""Options that change no result, or name a place whose contents are hashed instead."""


def write_templates(toolbox: Toolbox) -> dict[str, Any]:
    """Have templates written for the types that have none, so that all rows use the same.

    Returns:
        The update of a graph's state: ``calls`` that were made and ``notices``.

    Raises:
        SettingsError: there is no template for a type, and none could be written.
    """
    update: dict[str, Any] = {}
    folder = toolbox.settings.options.templates
    if not toolbox.cast.uses("templater") or toolbox.cast.idle("templater"):
        return update
    for kind in toolbox.types.types:
        before = update.get("notices", {})
        _, update = template_for(kind, toolbox, update)
        if knowledge_templates.find(kind.template, folder) is None:
            notices = [own for key, own in update["notices"].items() if key not in before]
            if any(notice["kind"] == "budget" for notice in notices):
                raise SettingsError(
                    f"the budget is used up before the type {kind.name!r} has a knowledge "
                    "template; run it again with a larger one: templates that were written stay"
                )
            path = knowledge_templates.user_folder(folder) / f"{kind.template}.yaml"
            # The last says that a generic one served, which it does not here.
            reasons = "; ".join(notice["message"] for notice in notices[:-1]) or "no templater"
            raise SettingsError(
                f"there is no knowledge template for the type {kind.name!r}, and none could be "
                f"written ({reasons}); write {path}"
            )
    return update


def identity(settings: Settings) -> dict[str, str]:
    """Return everything that determines a result: a name such as ``roles.voter`` to its value.

    Contents count, not paths: of prompts, of the type schema, of knowledge templates. The
    budget, the limits, the prices and the cache do not. Of what comes in long texts the value
    is a hash.

    Raises:
        SettingsError: a file that the settings name cannot be read.
    """
    known: dict[str, Any] = {"deixis": __version__}
    for name, given in settings.roles:
        specs = tuple(map(shown, given)) if name == "committee" else given and shown(given)
        known[f"roles.{name}"] = specs
    options = settings.options.model_dump(mode="json", exclude=_ASIDE)
    known |= {f"options.{name}": value for name, value in options.items()}
    if settings.options.committee != "all":  # prices say in what order
        known["committee asked"] = order(settings)
    known["graph"] = settings.graph
    known |= {f"graph_options.{name}": value for name, value in settings.graph_options.items()}
    if (examples := settings.options.examples) is not None and examples.is_dir():
        known |= {f"examples.{path.name}": _file_hash(path) for path in files_in(examples)}
    types = settings.type_schema
    known["schema"] = _hash(types.model_dump_json(exclude={"description"}))
    for name in prompts.names():
        known[f"prompts.{name}"] = _file_hash(prompts.find(name, settings.options.prompts))
    for name in sorted({kind.template for kind in types.types}):
        template = knowledge_templates.find(name, settings.options.templates)
        known[f"templates.{name}"] = _hash(template.model_dump_json() if template else "")
    return {
        name: value if isinstance(value, str) else _json(value) for name, value in known.items()
    }


def fingerprint(known: dict[str, str]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of an identity."""
    return _hash(_json(known))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _file_hash(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SettingsError(f"cannot read the prompt {path}: {error.strerror}") from None

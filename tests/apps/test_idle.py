"""Threads of llama.cpp for a command that has the computer to itself."""

import os

import pytest

from deixis.apps import idle
from deixis.settings import Settings


def test_models_that_name_no_threads_get_those_that_are_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idle, "idle_cores", lambda: 3)
    roles = idle.on_idle_cores(
        Settings.load("starter").with_roles(
            {
                "committee": ["embedded:smollm2-135m?seed=1", "openai:gpt-5-mini", "gguf:/m.gguf?"],
                "expander": "embedded:smollm2-135m?threads=2",
            }
        )
    ).roles
    assert roles.committee == (
        "embedded:smollm2-135m?seed=1&threads=3",
        "openai:gpt-5-mini",
        "gguf:/m.gguf?threads=3",
    )
    assert roles.expander == "embedded:smollm2-135m?threads=2"
    assert roles.recognizer == Settings.load("starter").roles.recognizer


def test_one_idle_core_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load("starter")
    monkeypatch.setattr(idle, "idle_cores", lambda: 1)
    assert idle.on_idle_cores(settings) is settings


def test_nothing_is_tried_where_no_model_could_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "idle_cores", lambda: pytest.fail("there is no such model"))
    settings = Settings.load("fast")
    assert idle.on_idle_cores(settings) is settings


def test_cores_are_counted() -> None:
    assert 1 <= idle.idle_cores() <= min(idle.MOST, os.cpu_count() or 1)


@pytest.mark.parametrize(("shares", "cores"), [([1, 1], 2), ([1, 0.6], 1), ([0.5, 0.5], 1)])
def test_a_core_counts_where_a_thread_has_nearly_all_of_it(
    monkeypatch: pytest.MonkeyPatch, shares: list[float], cores: int
) -> None:
    given = iter(shares)
    monkeypatch.setattr(os, "cpu_count", lambda: len(shares))
    monkeypatch.setattr(idle, "_share", lambda: next(given))
    assert idle.idle_cores() == cores

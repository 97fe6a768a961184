"""Limits, prices and a budget in a stack, and how an entry is found for a model."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deixis.settings import Budget, Limit, Price, Settings, entry_for

ROLES = {
    "recognizer": "crf",
    "committee": ["scripted:a", "scripted:b"],
    "voter": "scripted:a",
    "expander": "scripted:a",
    "templater": "scripted:a",
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"roles": ROLES, **changes}))
    return path


def test_limits_prices_and_a_budget_are_read_from_a_stack(tmp_path: Path) -> None:
    options = {
        "budget": {"calls": 100},
        "limits": {"openai": {"requests_per_minute": 60, "tokens_per_minute": 9000}},
        "prices": {"openai:gpt-5-mini": {"input": 0.25, "output": 2}},
    }
    read = Settings.load(written(tmp_path, options=options)).options
    assert read.budget == Budget(calls=100, tokens=None)
    assert read.limits == {"openai": Limit(requests_per_minute=60, tokens_per_minute=9000)}
    assert read.prices == {"openai:gpt-5-mini": Price(input=0.25, output=2.0)}
    assert (read.gate, read.posts_per_call) == (0.7, 1)


TABLE = {
    key: number
    for number, key in enumerate(
        ["openai", "openai:gpt-5", "openai:gpt-5-mini", "openai:gpt-5-mini?seed=1", "ollama:q"]
    )
}


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ("openai:gpt-5-mini?seed=1", "openai:gpt-5-mini?seed=1"),
        ("openai:gpt-5-mini?seed=12", "openai:gpt-5-mini"),
        ("openai:gpt-5-mini", "openai:gpt-5-mini"),
        ("openai:gpt-5-minimal", "openai"),
        ("openai:gpt-5?temperature=0", "openai:gpt-5"),
        ("openai:gpt-4", "openai"),
        ("openai", "openai"),
        ("ollama:q:7b", "ollama:q"),
        ("ollama:q2", None),
        ("openaiish:gpt-5", None),
        ("", None),
    ],
)
def test_the_longest_beginning_of_a_spec_counts(spec: str, key: str | None) -> None:
    assert entry_for(spec, TABLE) == (None if key is None else (key, TABLE[key]))
    assert entry_for(spec, dict(reversed(TABLE.items()))) == entry_for(spec, TABLE)
    assert entry_for(spec, {}) is None

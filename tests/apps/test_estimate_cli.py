"""``deixis batch --estimate``: what it prints, and that nothing is asked or written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.extra("starter")]

STACK = """
roles:
  recognizer: crf
  committee: ["openai:gpt-5-mini", "openai:gpt-5-nano", "anthropic:claude-haiku-4-5"]
  voter: "openai:gpt-5-mini"
options:
  cache: off
  prices: {"openai:gpt-5-mini": {input: 0.25, output: 2.0}}
  limits: {openai: {requests_per_minute: 60}}
"""


@pytest.fixture
def told(deixis: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "stack.yaml").write_text(STACK, encoding="utf-8")
    rows = [{"id": str(n), "text": f"Grace Hopper met Ann Miller, {n}"} for n in range(8)]
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join([*map(json.dumps, rows), "{}"]), encoding="utf-8")

    def run(*options: str) -> tuple[int, str, str]:
        stack = str(tmp_path / "stack.yaml")
        result: tuple[int, str, str] = deixis("batch", str(source), "--stack", stack, *options)
        return result

    return run


def test_a_table_and_what_it_leaves_open(told: Any, tmp_path: Path) -> None:
    code, out, err = told("--estimate", "--sample", "4")
    assert code == 0
    assert "8 rows, from 4 of them" in out and "committee" in out and "voter" in out
    assert "hours at the limits (openai: requests_per_minute)" in out
    unpriced = "no price is set (options.prices) for: anthropic:claude-haiku-4-5, openai:gpt-5-nano"
    assert unpriced in out
    assert "1 rows of the input are wrong and are left out\n" in err
    assert {path.name for path in tmp_path.glob("*")} >= {"rows.jsonl", "stack.yaml"}
    assert not list(tmp_path.glob("*.failures.jsonl"))


def test_json_and_one_row(told: Any) -> None:
    code, out, _ = told("--estimate", "--sample", "1", "--json")
    document = json.loads(out)
    assert code == 0 and document["rows"] == 8 and document["margin"] is None
    assert document["total"]["calls"] == 8 * 3 + document["parts"][-1]["calls"]
    assert document["total"]["batched"] == pytest.approx(document["total"]["cost"] / 2)
    assert told("--estimate", "--sample", "1")[1].count("give a larger --sample") == 1


def test_where_no_model_is_asked_it_says_so(told: Any) -> None:
    nobody = ("--role", "committee=none", "--role", "voter=none")
    assert told("--estimate", "--sample", "2", *nobody)[1] == (
        "8 rows, from 2 of them: no language model is asked\n"
    )


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--budget", "calls=5"], "--budget"),
        (["--renew"], "--renew"),
        (["--engine", "ray"], "--engine"),
        (["--provider-batch"], "--provider-batch"),
    ],
)
def test_what_has_no_effect_is_an_error(told: Any, options: list[str], name: str) -> None:
    code, _, err = told("--estimate", "--sample", "2", *options)
    assert code == 2 and f"{name} has no effect with --estimate" in err


def test_fifty_rows_are_looked_at_where_nobody_says(told: Any) -> None:
    assert "8 rows, from 8 of them" in told("--estimate")[1]
    code, _, err = told("--sample", "3", "--out", "results.jsonl")
    assert code == 2 and "--sample goes with --estimate" in err


def test_without_it_there_must_be_a_place_for_results(told: Any) -> None:
    code, _, err = told()
    assert code == 2 and "name a file of results: --out results.jsonl" in err

"""``deixis batch`` and ``deixis report``: what they print, and how they end."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.apps.batch_cli import parse_budget
from deixis.apps.batch_runs import SHOWN, describe
from deixis.batch.tally import Tally
from deixis.errors import InputError
from deixis.settings import Budget

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def batch(
    deixis: Run,
    tmp_path: Path,
    blind_stack: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run ``deixis batch`` on the rows given, with a model that answers at once."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    named = ("--stack", blind_stack, "--out", tmp_path / "out.jsonl")

    def run(rows: list[Any], *arguments: object) -> tuple[int, str, str]:
        (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return deixis("batch", tmp_path / "in.jsonl", *named, *arguments)

    return run


ROWS = [{"id": f"r{n}", "text": f"Grace Hopper in the year {n}"} for n in range(3)]


@pytest.mark.extra("starter")
def test_all_rows_finished(batch: Run, tmp_path: Path) -> None:
    code, printed, said = batch(ROWS)
    assert (code, said.strip()) == (0, "")
    assert "3/3 rows" in printed and "0 failed" in printed and "out.jsonl" in printed
    code, printed, said = batch(ROWS)
    assert code == 0 and "3 rows were finished earlier" in said and "0 calls" in printed


@pytest.mark.extra("starter")
def test_json_is_one_document_on_stdout(batch: Run, tmp_path: Path) -> None:
    code, printed, _ = batch(ROWS, "--json", "--limit", 2, "--shuffle-seed", 1)
    summary = json.loads(printed)
    assert code == 0 and summary["out"] == str(tmp_path / "out.jsonl")
    names = ("rows", "earlier", "done", "failed", "left", "stopped", "cost")
    assert [summary[name] for name in names] == [2, 0, 2, 0, 0, "", None]
    assert summary["calls"] > 0 and summary["input_tokens"] == 7 * summary["calls"]
    (line, _) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["settings"] == summary["settings"]


@pytest.mark.extra("starter")
def test_wrong_rows_are_listed_first_and_counted(batch: Run, tmp_path: Path) -> None:
    wrong = [{"id": f"w{n}", "text": "x", "image": f"{n}.jpg"} for n in range(SHOWN + 5)]
    code, printed, said = batch([ROWS[0], *wrong])
    assert code == 1 and "1 failed" not in said
    assert "line 2 ('w0'): the image '0.jpg' is not there" in said
    assert said.count("is not there") == SHOWN and f"{SHOWN + 5} rows of the input" in said
    failures = tmp_path / "out.failures.jsonl"
    assert len(failures.read_text().splitlines()) == SHOWN + 5 and str(failures) in said
    assert f"{SHOWN + 5} failed" in printed


@pytest.mark.extra("starter")
def test_the_budget_ends_a_run(batch: Run) -> None:
    code, printed, said = batch(ROWS, "--budget", "calls=1", "--concurrency", 1, "--json")
    summary = json.loads(printed)
    assert code == 1 and "larger --budget" in said
    assert (summary["stopped"], summary["done"], summary["left"]) == ("budget", 0, 3)
    assert batch(ROWS, "--budget", "calls=100,tokens=100000")[0] == 0


@pytest.mark.parametrize(
    "text", ["", "calls", "calls=x", "calls=1;tokens=2", "euros=3", "calls=-1"]
)
def test_a_wrong_budget_is_one_line(batch: Run, text: str) -> None:
    code, printed, said = batch(ROWS, "--budget", text)
    assert (code, printed) == (2, "") and said.startswith("Error: --budget takes calls=N")
    with pytest.raises(InputError):
        parse_budget(text)


def test_budgets() -> None:
    assert parse_budget("calls=7, tokens=9") == Budget(calls=7, tokens=9)
    assert parse_budget("tokens=0") == Budget(tokens=0)


def test_unusable_input_is_2(batch: Run, tmp_path: Path) -> None:
    code, printed, said = batch([7, None])
    assert (code, printed) == (2, "")
    assert "line 1: a row is a JSON object" in said and "line 2: a row" in said
    assert said.splitlines()[-1].startswith("Error: ") and "no row that can be run" in said


@pytest.mark.extra("starter", "langchain_openai")
def test_a_model_that_cannot_be_asked_is_told_before_any_row(batch: Run, tmp_path: Path) -> None:
    code, printed, said = batch(ROWS, "--role", "voter=openai:gpt-5-mini")
    assert (code, printed) == (2, "") and "OPENAI_API_KEY" in said
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert batch(ROWS)[0] == 0, "nothing is left locked"


@pytest.mark.extra("starter")
def test_rows_that_changed_are_told_until_they_are_run_again(batch: Run) -> None:
    assert batch(ROWS)[0] == 0
    changed = [ROWS[0], {**ROWS[1], "text": "Katherine Johnson"}, ROWS[2]]
    code, printed, said = batch(changed, "--json")
    assert code == 1 and json.loads(printed)["changed"] == 1
    assert "1 finished rows have changed in the input: 'r1' (text)" in said and "--renew" in said
    code, printed, said = batch(changed, "--json", "--renew")
    summary = json.loads(printed)
    assert code == 0 and "they are run again" in said
    assert [summary[name] for name in ("earlier", "done", "changed")] == [2, 1, 0]
    code, _, said = batch(ROWS[:2])
    assert code == 2 and "'r2' is no row of" in said
    code, _, said = batch([ROWS[0], changed[1]], "--renew")
    assert code == 0 and "1 results of rows that are not in the input any more" in said


@pytest.mark.extra("starter")
def test_rows_from_standard_input(deixis: Run, batch: Run, tmp_path: Path) -> None:
    named = ("--stack", tmp_path / "stack.yaml", "--out", tmp_path / "out.jsonl")
    typed = "".join(json.dumps(row) + "\n" for row in ROWS)
    assert deixis("batch", "-", *named, typed=typed)[0] == 0
    code, _, said = deixis("batch", "-", *named, typed=typed)
    assert code == 0 and "3 rows were finished earlier" in said


@pytest.mark.parametrize("out", ["-", ".", "/", "", "/dev/stdout", "/dev/null"])
def test_an_output_that_is_no_file(
    deixis: Run, batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text(json.dumps(ROWS[0]))
    before = sorted(os.listdir(tmp_path))
    code, printed, said = deixis("batch", "in.jsonl", "--stack", "stack.yaml", "--out", out)
    assert (code, printed) == (2, "") and said.count("\n") <= 2
    assert "is a folder" in said or "no file that a run could go on from" in said
    assert sorted(os.listdir(tmp_path)) == before


def test_the_line_of_progress() -> None:
    tally = Tally(
        100,
        earlier=10,
        done=30,
        failed=3,
        wrong=3,
        warned=4,
        calls=90,
        input_tokens=5,
        seconds=10.0,
    )
    assert describe(tally) == (
        "43/100 rows, 3/s, 0:00:19 left, 90 calls, 5 tokens, 0 cached, 4 with warnings, 3 failed"
    )
    tally.cost, tally.cached_input_tokens = 0.125, 4
    assert "5 tokens (4 of them from the provider's cache), " in describe(tally)
    assert "cost 0.125" in describe(tally)


@pytest.mark.extra("starter")
def test_report(batch: Run, deixis: Run, tmp_path: Path) -> None:
    batch([*ROWS, 7])
    gold = tmp_path / "gold.jsonl"
    entity = {"text": "Grace Hopper", "start": 0, "end": 12, "type": "PER", "regions": []}
    gold.write_text("".join(json.dumps({**row, "entities": [entity]}) + "\n" for row in ROWS))
    code, printed, said = deixis("report", tmp_path / "out.jsonl", "--gold", gold, "--samples", 1)
    page = (tmp_path / "out.html").read_text()
    assert (code, said) == (0, "") and str(tmp_path / "out.html") in printed
    assert "Scores" in page and "a row is a JSON object" in page and "The first 1 of 3" in page
    for mine in (tmp_path / "out.jsonl", gold):
        before = mine.read_bytes()
        code, _, said = deixis("report", tmp_path / "out.jsonl", "--gold", gold, "--out", mine)
        assert code == 2 and "give another --out" in said and mine.read_bytes() == before
    code, _, said = deixis("report", tmp_path / "none.jsonl")
    assert code == 2 and "cannot read" in said
    code, _, said = deixis("report", tmp_path / "out.jsonl", "--gold", gold, "--task", "gmnr")
    assert code == 2 and "gmner" in said

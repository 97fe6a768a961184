"""``-``, pipes and full disks: stdout has the data and nothing else, stderr has the rest."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]
DEIXIS = (sys.executable, "-c", "from deixis.apps.cli import main; main()")
ROW = {"id": "1", "text": "Ada", "entities": [{"text": "Ada", "type": "PER", "regions": []}]}


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Rows as they are typed in, and as the file rows.jsonl."""
    monkeypatch.chdir(tmp_path)
    text = json.dumps(ROW) + "\n"
    Path("rows.jsonl").write_text(text)
    return text


def test_rows_go_to_stdout(deixis: Run, rows: str) -> None:
    Path("dev.txt").write_text("IMGID:1\nAda\tB-PER\n\n")
    Path("xml").mkdir()
    command = ("dataset", "convert", "gmner", ".", "--split", "dev", "--out", "-")
    code, printed, said = deixis(*command)
    assert code == 0 and [json.loads(line)["id"] for line in printed.splitlines()] == ["1"]
    assert "wrote 1 rows" in said and not Path("-").exists()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_rows_come_from_stdin(deixis: Run, rows: str, options: tuple[str, ...]) -> None:
    command = ("--task", "gmner", *options)
    code, printed, said = deixis("eval", "rows.jsonl", "-", *command, typed=rows)
    assert (code, said) == (0, "") and "100" in printed
    assert deixis("eval", "-", "rows.jsonl", *command, typed=rows)[0] == 0
    assert deixis("compare", "rows.jsonl", "-", "rows.jsonl", *command, typed=rows)[0] == 0


@pytest.mark.parametrize("command", [("eval", "-", "-", "--task", "gmner"), ("compare", "-", "-")])
def test_stdin_is_for_one_file(deixis: Run, rows: str, command: tuple[str, ...]) -> None:
    code, printed, said = deixis(*command, typed=rows)
    assert (code, printed, said.count("\n")) == (2, "", 1)
    assert "standard input" in said


def test_a_page_goes_to_stdout_and_tables_to_stderr(deixis: Run, rows: str) -> None:
    code, printed, said = deixis("compare", "rows.jsonl", "rows.jsonl", "--html", "-")
    assert code == 0 and printed.startswith("<!DOCTYPE html>")
    assert "agreement: 1 of 1" in said and "agreement: 1 of 1" not in printed
    code, printed, said = deixis("compare", "rows.jsonl", "rows.jsonl", "--html", "-", "--json")
    assert (code, printed) == (2, "") and "stdout" in said


def test_a_report_from_stdin_to_stdout(deixis: Run, rows: str) -> None:
    result = {"settings": "s", "image": None, "entities": [], "usage": [], "warnings": []}
    line = json.dumps({"id": "1", "text": "Ada", **result}) + "\n"
    command = ("report", "-", "--gold", "rows.jsonl", "--task", "mner", "--out", "-")
    code, printed, said = deixis(*command, typed=line)
    assert code == 0 and printed.startswith("<!DOCTYPE html>") and "1 rows finished" in printed
    assert said == "wrote -\n" and not Path("-").exists()


def test_answers_go_from_one_cache_to_another(
    deixis: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deixis.llms.cache.llm_cache import Answer, LlmCache, Request

    LlmCache(tmp_path / "one").get_or_ask(
        Request("ollama:qwen", "You see.", "Which colour?", {}, ("ab",)),
        lambda: "blue",
        keep=lambda text: Answer(text, 7, 3),
        revive=lambda answer: answer.text,
    )
    code, exported, said = deixis("cache", "export", "-", "--folder", tmp_path / "one")
    assert code == 0 and json.loads(exported)["text"] == "blue" and "wrote 1 answers" in said
    command = ("cache", "import", "-", "--folder", tmp_path / "two")
    assert deixis(*command, typed=exported) == (
        0,
        "took 1 answers, kept 0 that were here or newer\n",
        "",
    )
    code, printed, said = deixis("cache", "export", "-", "--json", "--folder", tmp_path / "one")
    assert (code, printed) == (2, "") and "--json" in said


def test_an_error_of_a_run_begins_at_once(deixis: Run, tmp_path: Path) -> None:
    said = deixis("run", tmp_path / "missing.jpg", "Ada", "--role", "reader=none")[2]
    assert said.startswith("Error: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Error: the text is missing; give it with --text, see: deixis run --help\n"),
        (["nope"], "Error: No such command 'nope'; see: deixis --help\n"),
        (["cache", "stats", "--al"], "see: deixis cache stats --help\n"),
    ],
)
def test_wrong_arguments_are_one_line(deixis: Run, arguments: list[str], said: str) -> None:
    code, printed, told = deixis(*arguments)
    assert (code, printed, told.count("\n")) == (2, "", 1) and told.endswith(said)


@pytest.mark.process
@pytest.mark.parametrize("arguments", ["graphs", "graphs --json", "--help"])
def test_a_full_disk_behind_stdout_is_one_line(arguments: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*DEIXIS, *arguments.split()], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: cannot write the output: No space left on device")
    assert done.stderr.count("\n") == 1


@pytest.mark.process
@pytest.mark.parametrize("arguments", ["graphs", "graphs --json", "report r.jsonl --out -"])
def test_whoever_reads_stdout_may_stop(tmp_path: Path, arguments: str) -> None:
    result = {"settings": "s", "image": None, "entities": [], "usage": [], "warnings": []}
    (tmp_path / "r.jsonl").write_text(json.dumps({"id": "1", "text": "Ada", **result}) + "\n")
    process = subprocess.Popen(
        [*DEIXIS, *arguments.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.process
def test_streams_that_are_closed() -> None:
    line = 'exec "$@" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", line, "sh", *DEIXIS, "graphs"]).returncode == 0
    assert subprocess.run(["sh", "-c", line, "sh", *DEIXIS, "run"]).returncode == 2

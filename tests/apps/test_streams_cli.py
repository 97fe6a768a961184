"""Commands that read what can be read only once: ``-``, pipes, and packed files."""

import gzip
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
ENTITY = {"text": "Ann", "start": 0, "end": 3, "type": "PER", "regions": []}
ROWS = "".join(
    json.dumps({"id": n, "text": "Ann", "image": None, "entities": [ENTITY]}) + "\n"
    for n in range(3)
)


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress(ROWS.encode()))
    return path


def test_standard_input(deixis: Run, gold: Path, tmp_path: Path) -> None:
    for command in (
        ("eval", gold, "-", "--task", "gmner", "--json"),
        ("compare", gold, "-", "--json", "--html", tmp_path / "page.html"),
        ("compare", "-", gold, "--json"),
        ("dataset", "stats", "-", "--json"),
    ):
        code, printed, said = deixis(*command, typed=ROWS)
        assert code == 0, said
        assert json.loads(printed)
    code, printed, said = deixis("eval", "-", "-", "--task", "gmner", typed=ROWS)
    assert (code, printed) == (2, "") and "can be read once" in said


def test_a_report_on_a_stream_says_where_it_goes(deixis: Run, tmp_path: Path) -> None:
    line = {"id": "a", "settings": "s", "text": "Ann", "image": None, "entities": []}
    rows = json.dumps({**line, "usage": [], "warnings": []}) + "\n"
    code, _, said = deixis("report", "-", typed=rows)
    assert code == 2 and "give --out" in said
    assert deixis("report", "-", "--out", tmp_path / "page.html", typed=rows)[0] == 0
    assert "1 rows finished" in (tmp_path / "page.html").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are POSIX")
def test_a_pipe_is_read_once(deixis: Run, gold: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(ROWS,))
    writer.start()
    code, _, said = deixis("compare", pipe, gold, "--html", tmp_path / "page.html")
    writer.join()
    assert code == 0 and "page.html" in said


def test_what_is_told_of_other_files(deixis: Run, gold: Path, tmp_path: Path) -> None:
    whole = tmp_path / "list.json"
    whole.write_text(json.dumps([json.loads(line) for line in ROWS.splitlines()], indent=1))
    for name, content, hint in (
        ("list.json", whole.read_bytes(), "jq -c '.[]'"),
        ("rows.zip", b"PK\x03\x04", "unpack it"),
        ("rows.jsonl", ROWS.encode("utf-16"), "iconv"),
    ):
        (tmp_path / name).write_bytes(content)
        code, printed, said = deixis("eval", gold, tmp_path / name, "--task", "gmner")
        assert (code, printed) == (2, "") and hint in said and "Traceback" not in said

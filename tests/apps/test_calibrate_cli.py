"""``deixis calibrate``: what it prints, writes and refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.settings import Settings
from deixis.testing import tools

Run = Callable[..., tuple[int, str, str]]
EVIL = "<b>[red]m"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Results and gold: 60 persons, and 10 places by a judge with a hostile name."""
    monkeypatch.setenv("COLUMNS", "200")
    draws = np.random.default_rng(3)
    lines, gold = [], []
    for number in range(70):
        judge, kind = ("evidence", "PER") if number < 60 else (EVIL, "LOC")
        stated = float(draws.uniform(0.05, 0.95))
        made = {"step": "entail", "subject": "groundable", "model": judge}
        made |= {"outcome": "yes" if stated >= 0.5 else "no", "confidence": max(stated, 1 - stated)}
        entity: dict[str, Any] = {"text": "Ann", "start": 0, "end": 3, "type": kind}
        lines.append({"id": number, "entities": [{**entity, "decisions": [made], "regions": []}]})
        seen = [{"box": [0, 0, 9, 9]}] if draws.random() < stated / 2 else []
        gold.append({"id": number, "entities": [{**entity, "regions": seen}]})
    for name, rows in (("out.jsonl", lines), ("gold.jsonl", gold)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "out.jsonl", tmp_path / "gold.jsonl"


def test_it_prints_a_table_and_what_is_too_little(deixis: Run, files: tuple[Path, ...]) -> None:
    code, printed, err = deixis("calibrate", *files)
    assert code == 0
    rows = [line.split() for line in printed.splitlines()[2:]]
    assert rows[0][:4] == ["evidence,", "all", "types", "60"] and rows[1][:3] == [
        "evidence,",
        "PER",
        "60",
    ]
    assert rows[0][4:] == rows[1][3:], "there is one type"
    assert rows[3][:3] == [f"{EVIL},", "LOC", "10"] and rows[3][-3:] == ["-", "-", "-"]
    assert f"warning {EVIL}, LOC: 10 mentions are fewer than 30; there is no curve" in err


def test_it_writes_a_stack_and_a_page(deixis: Run, files: tuple[Path, ...]) -> None:
    out, page = files[0].parent / "new.yaml", files[0].parent / "page.html"
    options = ("--stack", "starter", "--out", out, "--html", page)
    code, printed, err = deixis("calibrate", *files, *options, "--json")
    assert code == 0 and f"wrote {out}\n" in err and f"wrote {page}\n" in err
    parts = {(part["judge"], part["type"]): part for part in json.loads(printed)["parts"]}
    written = Settings.load(out).options.calibration
    assert {judge: sorted(own) for judge, own in written.items()} == {"evidence": ["*", "PER"]}
    assert written["evidence"]["PER"].model_dump() == parts["evidence", "PER"]["curve"]
    html = page.read_text()
    assert EVIL not in html and "&lt;b&gt;[red]m" in html
    assert html.count("<svg ") == 4 and html.count("<circle ") > 10


def test_what_it_refuses(deixis: Run, files: tuple[Path, ...]) -> None:
    results, gold = files
    stack = results.parent / "stack.yaml"
    stack.write_text("roles: {recognizer: crf}\n")
    new = results.parent / "new.yaml"
    for arguments, said in (
        (("--out", new), "--stack and --out go together"),
        (("--stack", stack), "--stack and --out go together"),
        (("--stack", stack, "--out", stack), "is one of the files that are read"),
        (("--html", gold), "is one of the files that are read"),
        (("--stack", stack, "--out", new, "--html", new), "name one file"),
        (("--html", "-", "--json"), "several things want stdout"),
    ):
        code, printed, err = deixis("calibrate", *files, *arguments)
        assert (code, printed) == (2, "") and said in err, arguments
    assert not new.exists() and stack.read_text() == "roles: {recognizer: crf}\n"
    settings = {"options.calibration": '{"evidence": {}}'}
    (results.parent / "out.settings.json").write_text(json.dumps(settings))
    code, _, err = deixis("calibrate", *files)
    assert code == 2 and "was made with curves already" in err


def test_a_stack_without_the_type_is_not_written(deixis: Run, files: tuple[Path, ...]) -> None:
    types = files[0].parent / "types.yaml"
    types.write_text("name: t\ntypes: [{name: DOG, description: a dog, crf: OTHER}]\n")
    stack, new = files[0].parent / "stack.yaml", files[0].parent / "new.yaml"
    stack.write_text("schema: types.yaml\nroles: {recognizer: crf}\n")
    code, printed, err = deixis("calibrate", *files, "--stack", stack, "--out", new)
    assert (code, printed) == (2, "") and "does not have the type 'PER'" in err
    assert not new.exists()


def test_nothing_to_calibrate(deixis: Run, files: tuple[Path, ...]) -> None:
    code, printed, err = deixis("calibrate", files[1], files[1])
    assert (code, printed) == (2, "") and "no mention was judged with a probability" in err


class Reads:
    """Says how likely the number in a post makes it, far too surely."""

    name = "reads"

    def shown(self, text: str, caption: str, mentions: Any) -> list[float]:
        return [0.1 + 0.8 * int(text.split()[1]) / 60 for _ in mentions]


@pytest.mark.slow
def test_a_run_is_calibrated_and_its_stack_runs(deixis: Run, tmp_path: Path) -> None:
    stack, posts, gold = (tmp_path / name for name in ("stack.yaml", "in.jsonl", "gold.jsonl"))
    stack.write_text("roles: {recognizer: crf, entailer: reads}\noptions: {cache: 'off'}\n")
    rows, wanted = [], []
    for number in range(60):
        entity = {"text": "Ann", "type": "PER", "start": 0, "end": 3}
        row = {"id": number, "text": f"Ann {number}"}
        rows.append({**row, "caption": "a picture", "mentions": [entity]})
        seen = [{"box": [0, 0, 9, 9]}] if number >= 45 else []
        wanted.append({**row, "entities": [{**entity, "regions": seen}]})
    for path, lines in ((posts, rows), (gold, wanted)):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first, second, new = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "new.yaml"))
    with tools(reads=Reads()):
        code, _, err = deixis("batch", posts, "--stack", stack, "--out", first)
        assert code == 0, err
        code, printed, err = deixis(
            "calibrate", first, gold, "--stack", stack, "--out", new, "--json"
        )
        assert code == 0, err
        code, _, err = deixis("batch", posts, "--stack", new, "--out", second)
        assert code == 0, err
    part = json.loads(printed)["parts"][1]
    assert (part["judge"], part["type"], part["mentions"]) == ("reads", "PER", 60)
    assert part["before"]["accuracy"] == 0.75 and part["after"]["accuracy"] >= 0.95
    decided = [
        json.loads(line)["entities"][0]["decisions"][-1] for line in second.read_text().splitlines()
    ]
    assert sum(each["outcome"] == "yes" for each in decided) == 15
    assert all("(calibrated)" in str(each["evidence"]) for each in decided)
    code, _, err = deixis("calibrate", second, gold)
    assert code == 2 and "was made with curves already" in err

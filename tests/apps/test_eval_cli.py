"""``deixis eval``: what they print, of what they warn, how they fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .scored import FIRST, GOLD, write

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("COLUMNS", "80")
    return write(tmp_path / "gold.jsonl", GOLD), write(tmp_path / "one.jsonl", FIRST)


RULES = """\
gmner, 3 samples; convention deixis: exact text, optimal one-to-one, duplicates \
count, IoU >= 0.5, any predicted region, pixels of the original picture
"""
BASELINES = """\
NER+None, gold+None: F1 of these and of gold names and types, nothing called \
visible
"""
EVAL = f"""\
{RULES}\
         P      R     F1       95% right pred gold NER+None gold+None
all  40.00  40.00  40.00  0.0-50.0     2    5    5    40.00     40.00
LOC   0.00   0.00   0.00   0.0-0.0     0    1    1   100.00    100.00
ORG 100.00 100.00 100.00 0.0-100.0     1    1    1   100.00    100.00
PER  33.33  33.33  33.33 0.0-100.0     1    3    3     0.00      0.00
{BASELINES}\
where the name is right: Acc@0.5 33.33, Acc@0.75 0.00, mean IoU 16.67, \
entailment accuracy 60.00, grounding precision@0.5 50.00
             0.1    0.2    0.3    0.4    0.5    0.6    0.7    0.8    0.9      1
F1 at IoU  40.00  40.00  40.00  40.00  40.00  20.00  20.00  20.00  20.00  20.00
LOC         0.00   0.00   0.00   0.00   0.00   0.00   0.00   0.00   0.00   0.00
ORG       100.00 100.00 100.00 100.00 100.00 100.00 100.00 100.00 100.00 100.00
PER        33.33  33.33  33.33  33.33  33.33   0.00   0.00   0.00   0.00   0.00
"""


def test_eval_prints_tables(deixis: Run, files: tuple[Path, ...]) -> None:
    result = deixis("eval", *files, "--task", "gmner", "--by", "type")
    assert result == (0, EVAL, "")


def test_eval_without_regions_has_one_table(deixis: Run, files: tuple[Path, ...]) -> None:
    code, printed, err = deixis("eval", *files, "--task", "mner", "--convention", "vkel")
    assert (code, err) == (0, "")
    assert printed.splitlines()[1:] == [
        "         P      R     F1         95% right pred gold",
        "all 100.00 100.00 100.00 100.0-100.0     5    5    5",
    ]
    assert "exact text (case folded)" in printed and "IoU" not in printed


def document(result: tuple[int, str, str]) -> Any:
    code, printed, err = result
    assert (code, err) == (0, "")
    return json.loads(printed)


def test_eval_prints_json(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, first = files
    options = ("--iou", 0.6, "--convention", "riveg", "--by", "entities", "--json")
    found = document(deixis("eval", gold, first, "--task", "eeg", *options))
    assert found["gold"] == str(gold) and found["predictions"] == str(first)
    kind = {"name": "eeg", "type": None, "region": "box", "kind": "mentions"}
    assert found["task"] == kind
    assert found["convention"]["matching"] == "greedy" and found["iou"] == 0.6
    assert found["score"]["correct"] == 1 and found["score"]["f1"] == 0.2
    assert found["score"]["baselines"]["gold_and_none"]["correct"] == 2
    assert found["parts"]["2"]["correct"] == 1 and found["parts"]["2"]["gold"] == 4
    assert found["grounding"]["accuracy@0.5"] == pytest.approx(1 / 3)
    assert found["score"]["sweep"]["0.5"]["correct"] == 2


def test_fine_types(deixis: Run, tmp_path: Path) -> None:
    row = {"id": "a", "entities": [{"text": "Ada", "type": "person", "regions": []}]}
    paths = []
    for name, fine in (("gold", "author"), ("said", "actor")):
        row["entities"][0]["fine_type"] = fine  # type: ignore[index]
        paths.append(tmp_path / name)
        paths[-1].write_text(json.dumps(row))
    assert document(deixis("eval", *paths, "--task", "fmnerg", "--json"))["score"]["f1"] == 0
    coarse = document(deixis("eval", *paths, "--task", "fmnerg", "--coarse", "--json"))
    assert coarse["score"]["f1"] == 1 and coarse["task"]["type"] == "type"


def test_what_is_missing_or_odd_is_told(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, first = files
    write(first, {"a": [("Ada", "PER", None), ("Rome", "LOC", [[5, 5, 5, 5]])]})
    code, printed, err = deixis("eval", gold, first, "--task", "gmner", "--json")
    assert code == 0
    assert err == (
        f"warning {first}: 2 samples have no predictions and count as empty ('b', 'c')\n"
        f"warning {first}: 1 predictions do not say whether they can be seen: never right\n"
        f"warning {first}: 1 predicted regions have no area or lack a mask: never right\n"
    )
    found = json.loads(printed)
    assert (found["missing"], found["undecided"], found["unusable_regions"]) == (["b", "c"], 1, 1)


def test_foreign_format(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, answers = files
    lines = ["Ada|PER|[0,0,10,10]; Rome|LOC|None", "Bob|PER|[1,2,3]; NASA|ORG|None; who?", "None"]
    answers.write_text("\n".join(lines))
    options = ("--task", "gmner", "--format", "e2e", "--convention", "e2e", "--json")
    code, printed, err = deixis("eval", gold, answers, *options)
    assert code == 0 and f"{answers}: 2 pieces of answers could not be read ('b'): '" in err
    found = json.loads(printed)
    assert [each["piece"] for each in found["unreadable"]["b"]] == ["Bob|PER|[1,2,3]", "who?"]
    score = found["score"]
    assert (score["correct"], score["predicted"], score["gold"]) == (3, 4, 5)
    assert found["undecided"] == 1
    code, printed, err = deixis("eval", gold, answers, "--task", "gmner", "--format", "x")
    assert (code, printed) == (2, "") and "no format 'x'" in err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--task", "ner"), "there is no task 'ner'; known: gmner"),
        (("--task", "gmner", "--by", "size"), "there is no breakdown 'size'"),
        (("--task", "mner", "--by", "groundable"), "mner scores no regions"),
        (("--task", "gmner", "--convention", "x"), "there is no convention 'x'"),
        (("--task", "gmner", "--coarse"), "gmner compares no fine types"),
        (("--task", "gmner", "--iou", "1.5"), "the IoU is above 0 and up to 1; got 1.5"),
        (("--task", "gmner", "--rounds", "0"), "at least one round"),
        (("--task", "fmnerg"), "'Ada' of 'a' has no fine type"),
        (("--task", "smner"), "'Ada' of 'a' has a region without a mask"),
        (("--task", "gmner", "--convention", "hindex"), "'Ada' of 'a' has no start and end"),
    ],
)
def test_errors_are_one_line(
    deixis: Run, files: tuple[Path, ...], options: tuple[str, ...], problem: str
) -> None:
    code, printed, err = deixis("eval", *files, *options)
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert problem in err


def test_files_that_do_not_fit(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, first = files
    write(first, {"a": [], "z": []})
    code, printed, err = deixis("eval", gold, first, "--task", "gmner")
    assert (code, printed) == (2, "") and "1 predictions have an id" in err and "'z'" in err
    first.write_text('{"id": "a"}\n{"id": 1.5}\nnothing\n')
    code, printed, err = deixis("eval", gold, first, "--task", "gmner")
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert f"{first}:2: id: " in err and f"{first}:3: not JSON" in err
    code, _, err = deixis("eval", gold.parent / "none", first, "--task", "gmner")
    assert code == 2 and "cannot read" in err

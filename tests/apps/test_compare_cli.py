"""``deixis compare``: what it prints, of what it warns, how it fails."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .scored import FIRST, GOLD, write

Run = Callable[..., tuple[int, str, str]]

SECOND = {**FIRST, "a": GOLD["a"], "b": GOLD["b"]}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    monkeypatch.setenv("COLUMNS", "80")
    gold, first, second = (tmp_path / name for name in ("gold.jsonl", "one.jsonl", "two.jsonl"))
    return write(gold, GOLD), write(first, FIRST), write(second, SECOND)


RULES = """\
gmner, 3 samples; convention deixis: exact text, optimal one-to-one, duplicates \
count, IoU >= 0.5, any predicted region, pixels of the original picture
"""
SCORES = """\
           P     R    F1       95% right pred gold NER+None gold+None
first  40.00 40.00 40.00  0.0-50.0     2    5    5    40.00     40.00
second 80.00 80.00 80.00 0.0-100.0     4    5    5    40.00     40.00
NER+None, gold+None: F1 of these and of gold names and types, nothing called \
visible
                             P               R              F1
second - first          +40.00          +40.00          +40.00
95%            +0.00 to +50.00 +0.00 to +50.00 +0.00 to +50.00
p                       0.0000          0.0000          0.0000
samples with fewer errors in the second: 2, with more: 0, with as many: 1
"""
AGREEMENT = """\
agreement: 1 of 3 rows are the same; F1 of one against the other 60.00 (50.0-100.0)
mentions that differ: only first 0, only second 0, type 0, groundable 2, region 0
"""
RIGHT = "of these are right: first 0, second 2, both 0, neither 0\n"


def test_it_prints_tables(deixis: Run, files: tuple[Path, ...]) -> None:
    code, printed, err = deixis("compare", *files, "--task", "gmner")
    assert (code, err) == (0, "")
    printed = re.sub(r"0\.[45]\d{3}", "0.0000", printed)  # p, which draws decide
    assert printed == RULES + SCORES + AGREEMENT + RIGHT


def test_without_gold_it_prints_how_they_agree(deixis: Run, files: tuple[Path, ...]) -> None:
    assert deixis("compare", *files[1:]) == (0, RULES + AGREEMENT, "")


def test_costs_and_warnings(deixis: Run, files: tuple[Path, ...]) -> None:
    _, first, second = files
    used = {"role": "vlm", "model": "m", "calls": 1, "input_tokens": 5000, "cost": 0.125}
    write(first, FIRST, usage=[used], warnings=[{"step": "look", "message": "no [bold] 7"}])
    write(second, SECOND, usage=[used, {**used, "calls": 3, "cost": None}])
    code, printed, err = deixis("compare", first, second)
    assert (code, err) == (0, "")
    lines = [line.split() for line in printed.removeprefix(RULES + AGREEMENT).splitlines()]
    assert lines[:2] == [
        ["first", "second", "first,", "per", "row", "second,", "per", "row"],
        ["calls", "3", "12", "1", "4"],
    ]
    assert ["input", "tokens", "15,000", "30,000", "5,000", "10,000"] in lines
    assert ["cost", "0.375", "0.375", "0.125", "0.125"] in lines
    assert "9 calls of the second have no price and are not in its cost" in printed
    assert ["warnings", "of", "look:", "no", "[bold]", "N", "3", "0"] in lines
    write(first, FIRST)
    _, printed, _ = deixis("compare", first, second)
    assert re.search(r"calls +- +12 +- +4\n", printed)


def document(result: tuple[int, str, str]) -> Any:
    code, printed, err = result
    assert (code, err) == (0, "")
    return json.loads(printed)


def test_it_prints_json(deixis: Run, files: tuple[Path, ...]) -> None:
    options = ("--task", "gmner", "--seed", 5, "--json")
    found = document(deixis("compare", *files, *options))
    assert [found[each]["predictions"] for each in ("first", "second")] == [*map(str, files[1:])]
    assert [found[each]["score"]["f1"] for each in ("first", "second")] == [0.4, 0.8]
    assert found["difference"]["f1"]["value"] == pytest.approx(0.4)
    assert found["difference"]["f1"]["p"] == pytest.approx(0.5, abs=0.03)  # 2 swaps of 4
    assert (found["won"], found["lost"], found["tied"]) == (2, 0, 1)
    assert (found["seed"], found["rounds"]) == (5, 10_000)
    assert found["agreement"]["right"] == {"first": 0, "second": 2, "both": 0, "neither": 0}
    assert [each["id"] for each in found["disagreements"]] == ["a", "b"]
    assert found == document(deixis("compare", *files, *options))
    bare = document(deixis("compare", *files[1:], *options, "--top", 1))
    assert (bare["gold"], bare["agreement"]["right"], "difference" in bare) == (None, None, False)
    assert bare["first"] == {"predictions": str(files[1]), "unreadable": {}}
    assert bare["agreement"]["f1"] == found["agreement"]["f1"] and bare["iou"] == 0.5
    assert [each["id"] for each in bare["disagreements"]] == ["a"]


def test_the_page(deixis: Run, files: tuple[Path, ...]) -> None:
    page = files[0].parent / "new" / "page.html"
    code, printed, err = deixis("compare", *files, "--html", page, "--json")
    assert (code, err) == (0, f"wrote {page}\n") and json.loads(printed)["won"] == 2
    html = page.read_text()
    assert "the first alone is right on 0, the second alone on 2" in html
    assert html.count("how they came about") == 2 * 2, "these files are of no run"
    deixis("compare", *files[1:], "--html", page, "--top", 0)
    assert "0 of the 2 rows that differ" in page.read_text() and "Scores" not in page.read_text()


def test_rows_of_one_file_are_told(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, first, second = files
    write(first, {"a": FIRST["a"]})
    alone = f"warning {second}: 2 rows are not in the other file ('b', 'c')\n"
    code, printed, err = deixis("compare", first, second, "--json")
    assert (code, err) == (0, alone)
    rows = {"both": 1, "only_first": [], "only_second": ["b", "c"]}
    assert json.loads(printed)["rows"] == rows
    code, _, err = deixis("compare", gold, first, second, "--task", "mner")
    assert (code, err.removeprefix(alone)) == (
        0,
        f"warning {first}: 2 samples have no predictions and count as empty ('b', 'c')\n",
    )


def test_foreign_format(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, answers, _ = files
    answers.write_text("Ada|PER|[0,0,10,10]; Rome|LOC|None\nBob|PER|[1,2,3]; who?\nNone")
    options = ("--format", "e2e", "--convention", "e2e", "--json")
    code, printed, err = deixis("compare", gold, answers, answers, *options)
    assert code == 0 and err.count(f"{answers}: 2 pieces of answers could not be read ('b')") == 2
    found = json.loads(printed)
    for side in ("first", "second"):
        assert [each["piece"] for each in found[side]["unreadable"]["b"]] == [
            "Bob|PER|[1,2,3]",
            "who?",
        ]
    assert found["agreement"]["same_share"] == 1
    code, _, err = deixis("compare", answers, answers, *options)
    assert code == 2 and "give that first" in err


def test_no_page_takes_the_place_of_a_file(deixis: Run, files: tuple[Path, ...]) -> None:
    for page in files:
        before = page.read_bytes()
        code, printed, err = deixis("compare", *files, "--html", page)
        assert (code, printed, page.read_bytes()) == (2, "", before)
        assert f"{page} is one of the files that are compared" in err


def test_files_that_do_not_fit(deixis: Run, files: tuple[Path, ...]) -> None:
    gold, first, second = files
    write(first, FIRST, text="one")
    write(second, SECOND, text="two")
    code, printed, err = deixis("compare", first, second)
    assert (code, printed, err.count("\n")) == (2, "", 1) and "texts of 'a' differ" in err
    write(second, {"a": [], "z": []})
    code, printed, err = deixis("compare", gold, first, second)
    assert (code, printed) == (2, "") and "1 predictions have an id" in err and "'z'" in err
    write(second, {"z": []})
    assert "no id is in both files" in deixis("compare", first, second)[2]
    assert "takes two files, or gold and two files; got 1" in deixis("compare", first)[2]
    assert "got 4" in deixis("compare", gold, gold, gold, gold)[2]


@pytest.mark.extra("eval")
def test_m_mre(deixis: Run, tmp_path: Path) -> None:
    pytest.importorskip("rouge_score", reason="the eval extra is not installed")
    row = {"text": "Ann", "entities": [{"text": "Ann", "type": "PER", "regions": []}]}
    gold, one, two = (tmp_path / f"{name}.jsonl" for name in ("gold", "one", "two"))
    for path, more in ((gold, {"summary": "A wall."}), (one, {"caption": "It."}), (two, {})):
        path.write_text(json.dumps({"id": "a", **row, **more}) + "\n")
    two.write_text(json.dumps({"id": "a", "text": "Ann", "caption": "A wall."}) + "\n")
    page = tmp_path / "page.html"
    options = ("--task", "mmre", "--rounds", 50, "--html", page)
    code, printed, err = deixis("compare", gold, one, two, *options)
    assert (code, err) == (0, f"wrote {page}\n")
    rows = [line.split() for line in printed.splitlines()]
    assert ["f1", "100.00", "0.00", "-100.00", "-100.00", "to", "-100.00", "1.0000"] in rows
    assert ["rouge1", "0.00", "100.00", "+100.00"] in [row[:4] for row in rows]
    assert ["patch_accuracy", "-", "-", "-", "-", "-"] in rows
    assert "mentions that differ: only first 1" in printed
    assert '<th scope="row">rougeL</th>' in page.read_text()
    found = json.loads(deixis("compare", gold, one, two, *options[:4], "--json")[1])
    assert found["difference"]["rougeL"]["value"] == 1.0
    assert found["second"]["measures"]["f1"]["value"] == 0.0
    assert found["first"]["predictions"] == str(one) and found["agreement"]["same_rows"] == 0
    code, _, err = deixis("compare", one, two, "--task", "mmre", "--wording", "stemmed")
    assert code == 2 and "--wording compares summaries with those of a gold file" in err
    code, _, err = deixis("compare", gold, one, two, "--task", "mner", "--iou", 0.7)
    assert code == 2 and "--iou has no effect: mner" in err


def test_muie(deixis: Run, tmp_path: Path) -> None:
    box = {"text": "Ann", "type": "PER", "regions": [{"box": [0, 0, 10, 10]}]}
    half = {**box, "regions": [{"box": [0, 0, 5, 10]}]}
    files = []
    for name, entity in (("gold", box), ("one", half), ("two", box)):
        row = {"id": "a", "task": "ner", "text": "Ann", "image": "a.png", "entities": [entity]}
        files.append(tmp_path / f"{name}.jsonl")
        files[-1].write_text(json.dumps(row) + "\n")
    options = ("--task", "muie", "--rounds", 50, "--json")
    found = document(deixis("compare", *files, *options, "--iou", 0.6))
    assert found["difference"]["mean_iou_image"]["value"] == 0.5
    assert found["difference"]["mean_iou_audio"] == {
        "value": None,
        "interval": [None, None],
        "p": None,
    }
    assert found["first"]["measures"]["entities_f1"]["value"] == 1.0
    assert found["agreement"]["kinds"]["region"] == 1, "0.5 does not reach --iou"
    again = document(deixis("compare", *files, *options))
    assert again["agreement"]["kinds"]["region"] == 0


STACK = """
roles: {recognizer: crf, committee: ["scripted:a"], voter: "scripted:b", expander: "scripted:b",
  templater: "scripted:b"}
options: {quorum: 1, cache: "off"}
"""


@pytest.mark.extra("starter")
def test_two_runs_of_batch(deixis: Run, tmp_path: Path, scripted: Any) -> None:
    scripted()
    Image.new("RGB", (80, 60), "red").save(tmp_path / "red.png")
    (tmp_path / "stack.yaml").write_text(STACK)
    posts = [
        {"id": "seen", "text": "Grace Hopper in 1986", "image": "red.png"},
        {"id": "read", "text": "Grace Hopper in 1987"},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(each) + "\n" for each in posts))
    runs = [tmp_path / "one" / "out.jsonl", tmp_path / "two" / "out.jsonl"]
    for path, detector in zip(runs, ("none", "centerface"), strict=True):
        named = ("--stack", tmp_path / "stack.yaml", "--out", path, "--role")
        code, _, said = deixis("batch", tmp_path / "in.jsonl", *named, f"detector={detector}")
        assert code == 0, said
    page = tmp_path / "page.html"
    code, _, said = deixis("compare", *runs, "--pictures", tmp_path)
    assert code == 2 and "are for the pictures of --html" in said
    code, _, said = deixis("compare", *runs, "--html", page, "--pictures", tmp_path / "none")
    assert code == 2 and "none is no folder" in said
    code, printed, err = deixis("compare", *runs, "--html", page, "--json")
    assert page.read_text().count("outside the folder of the results; name its folder with --") == 2
    code, printed, err = deixis("compare", *runs, "--html", page, "--json", "--pictures", tmp_path)
    assert (code, err) == (0, f"wrote {page}\n")
    found = json.loads(printed)
    assert found["rows"]["both"] == 2 and found["agreement"]["same_rows"] == 1
    assert found["agreement"]["kinds"]["groundable"] == 1
    assert [each["id"] for each in found["disagreements"]] == ["seen"]
    first, second = (found["cost"][side] for side in ("first", "second"))
    assert first["calls"] == second["calls"] == 2 * first["a_row"]["calls"] > 0
    assert first["cost"] is None and first["unpriced_calls"] == first["calls"]
    html = page.read_text()
    assert html.count('<img loading="lazy" src="data:image/jpeg;base64,') == 2
    assert '<th scope="row">roles.detector</th><td>null</td><td>centerface</td>' in html
    assert "PER, undecided" in html and "PER, not visible" in html

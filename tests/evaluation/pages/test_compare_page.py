"""The page on two runs: both pictures, all that was said, and no trust in any of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError
from deixis.evaluation.compare import Compared, Result, agree
from deixis.evaluation.metrics import scoring
from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.tasks import task
from deixis.evaluation.pages.compare_page import changes, compare_page
from deixis.evaluation.predictions import Predictions
from deixis.rows import Row, read_rows

EVIL = "<script>alert(1)</script>"
HOW = scoring.How(task("gmner"), convention("deixis"), rounds=50)
Tags = Callable[[str], list[str]]


def line(id_: str, text: str, kind: str, boxes: list[Any], picture: str | None) -> str:
    """Return a result in which the first word is the one mention, and all else is hostile."""
    word = text.split()[0]
    decided = {"step": EVIL, "subject": EVIL, "outcome": EVIL, "model": EVIL, "evidence": [EVIL]}
    entity = {
        "id": "e1",
        "text": word,
        "start": 0,
        "end": len(word),
        "type": kind,
        "fine_type": EVIL,
        "expression": EVIL,
        "confidence": 0.9,
        "groundable": bool(boxes),
        "regions": [{"box": box, "score": 0.7, "source": EVIL} for box in boxes],
        "knowledge": {"attributes": [{"name": EVIL, "value": EVIL, "votes": 2, "agreement": 1}]},
        "decisions": [decided, {**decided, "subject": "groundable"}],
    }
    image = {"sha256": "", "width": 80, "height": 60, "source": picture}
    used = {"role": EVIL, "model": EVIL, "calls": 2, "input_tokens": 1234, "cost": 0.25}
    result = {
        "id": id_,
        "settings": "s1",
        "text": text,
        "image": image if picture else None,
        "entities": [entity],
        "usage": [used, {**used, "role": "b", "cost": None}],
        "warnings": [{"step": EVIL, "message": EVIL}],
    }
    return json.dumps(result) + "\n"


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs in folders of their own: a place, a type, and nothing differ."""
    box, far = [5, 5, 40, 50], [50, 5, 75, 50]
    paths = []
    for name, boxes, kind in (("one", [box], "PER"), ("two", [far], EVIL)):
        folder = tmp_path / name
        folder.mkdir()
        Image.new("RGB", (80, 60), "red").save(folder / "red.png")
        path = folder / f"{EVIL[1:7]}.jsonl"
        path.write_text(
            line(f"a{EVIL}", f"Hopper {EVIL}", "PER", boxes, "red.png")
            + line("b", "Collins flew", kind, boxes, "gone.png")
            + line("c", "Ride", "PER", [], None)
        )
        paths.append(path)
    return paths[0], paths[1]


def page_of(paths: tuple[Path, Path], gold: list[Row] | None = None, top: int = 20) -> str:
    first, second = (read_rows(path, Result) for path in paths)
    scores = gold and scoring.compare_two(gold, first, second, HOW)
    found = agree(first, second, HOW, gold or [])
    shown = Path(f"{EVIL}.jsonl") if gold else None
    files = [Predictions(path, rows, {}) for path, rows in zip(paths, (first, second), strict=True)]
    return compare_page(Compared(shown, *files, found, scores or None), top=top)


def test_both_runs_side_by_side(runs: tuple[Path, Path], tags_of: Tags) -> None:
    page = page_of(runs)
    tags = tags_of(page)
    assert "script" not in tags and "link" not in tags and tags.count("img") == 2
    assert set(re.findall(r'(?:src|href)="(.{5})', page)) == {"data:"}
    assert EVIL not in page and "&lt;script&gt;" in page
    for said in (
        "1 of 3 rows are the same (33.3%)",
        "2 of the 2 rows that differ",
        "PER / &lt;script&gt;alert(1)&lt;/script&gt;, visible at (5, 5) to (40, 50)",
        "visible at (50, 5) to (75, 50)",
        "The picture cannot be shown",
        "6 calls of the second are of models without a price",
        '<th scope="row">Input tokens</th><td class="number">7,404</td><td class="number">7,404'
        '</td><td class="number">2,468</td><td class="number">2,468</td>',
        '<th scope="row">Cost</th><td class="number">0.75</td>',
        '<td class="number">3</td><td class="number">3</td></tr>',  # warnings of a kind
    ):
        assert said in page, said
    ranked = re.findall(r"<summary><strong>(.*?)</strong>", page)
    assert ranked == ["b", "a&lt;script&gt;alert(1)&lt;/script&gt;"]
    assert "Scores" not in page and ">Gold<" not in page


def test_with_gold_it_is_said_who_is_right(runs: tuple[Path, Path], tags_of: Tags) -> None:
    gold = [row.model_copy() for row in read_rows(runs[0])]
    page = page_of(runs, gold)
    assert "script" not in tags_of(page) and EVIL not in page
    assert "the first alone is right on 2, the second alone on 0" in page
    assert page.count('<td class="right">') == 2 and page.count("<td>first</td>") == 2
    score = r'<th scope="row">{}</th><td class="number">{}</td>'
    assert re.search(score.format("first", "100.00"), page)
    assert re.search(score.format("second", "33.33"), page)
    assert '<th scope="row">F1</th><td class="number">-66.67</td>' in page


def test_top_limits_the_pictures(runs: tuple[Path, Path], tags_of: Tags) -> None:
    page = page_of(runs, top=1)
    assert "1 of the 2 rows that differ" in page and "img" not in tags_of(page)
    assert "<strong>b</strong>" in page and "<strong>a" not in page


def test_predictions_that_are_no_run(runs: tuple[Path, Path], tags_of: Tags) -> None:
    text = f"Hopper {EVIL}"
    runs[1].write_text(json.dumps({"id": f"a{EVIL}", "text": text, "entities": []}) + "\n")
    page = page_of(runs)
    assert tags_of(page).count("img") == 1 and "how they came about" in page
    assert "no such mention" in page and page.count("not known") == 2 * 8
    runs[1].write_text(json.dumps({"id": f"a{EVIL}", "entities": [], "usage": []}) + "\n")
    with pytest.raises(DataError, match=r"\.jsonl:1: no result of a batch run"):
        page_of(runs)


def test_settings_that_differ(runs: tuple[Path, Path]) -> None:
    said = [{"graph": "main", "roles.vlm": EVIL}, {"graph": "e2e", "roles.vlm": EVIL, "x": "1"}]
    for path, each in zip(runs, said, strict=True):
        path.with_name(f"{path.stem}.settings.json").write_text(json.dumps(each))
    assert changes(*runs) == {"graph": ("main", "e2e"), "x": ("", "1")}
    assert '<th scope="row">graph</th><td>main</td><td>e2e</td>' in page_of(runs)
    runs[0].with_name(f"{runs[0].stem}.settings.json").unlink()
    assert changes(*runs) == {} and "Settings that differ" not in page_of(runs)

"""The page on a batch run: one file that needs nothing, and trusts no text."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, InputError
from deixis.evaluation.pages.access import Access
from deixis.evaluation.pages.report import examine, report_page

Tags = Callable[[str], list[str]]
EVIL = "<script>alert(1)</script>"


def row(id_: str, text: str, image: str | None = None, **changed: Any) -> dict[str, Any]:
    info = {"sha256": "", "width": 80, "height": 60, "source": image}
    word = text.split()[0]
    entity: dict[str, Any] = {
        "id": "e1",
        "text": word,
        "start": 0,
        "end": len(word),
        "type": "PER",
        "confidence": 0.9,
        "groundable": None if image is None else True,
        "regions": [{"box": [5, 5, 40, 50], "score": 0.7, "source": "scripted"}] if image else [],
        "knowledge": {
            "attributes": [{"name": "hair", "value": EVIL, "votes": 2, "agreement": 0.67}]
        },
        "decisions": [
            {"step": "entail", "subject": "groundable", "outcome": "yes", "evidence": [f"{EVIL}."]}
        ],
    }
    used = {"role": "voter", "model": "scripted:a", "calls": 2, "input_tokens": 1000, "cost": 0.25}
    return {
        "id": id_,
        "settings": "s1",
        "text": text,
        "image": info if image else None,
        "entities": [entity],
        "usage": [used],
        "warnings": [],
        **changed,
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output of three rows: one without a picture, one with, and one whose picture is gone."""
    Image.new("RGB", (80, 60), "red").save(tmp_path / "red.png")
    warned = [{"step": "ground", "message": f"'{EVIL}' has 3 boxes"}]
    rows = [
        row("a", f"Hopper {EVIL}"),
        row("b", "Collins flew", "red.png", warnings=warned),
        row("c", "Curie", "gone.png", warnings=[{"step": "ground", "message": "'x' has 4 boxes"}]),
    ]
    path = tmp_path / "out.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    failed = {"id": EVIL, "line": 9, "error": f"no {EVIL}", "settings": "s1"}
    (tmp_path / "out.failures.jsonl").write_text(json.dumps(failed) + "\n")
    (tmp_path / "out.settings.json").write_text(json.dumps({"roles.voter": "scripted:a"}))
    return path


def test_one_page_with_everything_and_nothing_from_outside(out: Path, tags_of: Tags) -> None:
    page = report_page(out)
    tags = tags_of(page)
    assert "script" not in tags and "link" not in tags and tags.count("img") == 2
    assert set(re.findall(r'(?:src|href)="(.{5})', page)) == {"data:"}
    assert EVIL not in page and "&lt;script&gt;" in page
    for said in ("3 rows finished, 2 of them with a picture; 1 failed", "roles.voter"):
        assert said in page
    assert page.count("1 attribute, agreement 0.67") == 3, "one fold for each row"
    assert "The picture cannot be shown" in page and "gone.png" in page
    assert "3,000" in page and "0.75" in page, "tokens and cost are added up"
    assert "&#39;...&#39; has N boxes" in page
    assert "Scores" not in page


def test_what_is_counted(out: Path) -> None:
    found = examine(out, 2, Access())
    assert (found.rows, found.pictures, found.warned, len(found.shown)) == (3, 2, 2, 2)
    assert found.types == {"PER": 3} and found.seen == {"yes": 2, "undecided": 1}
    assert (found.total.calls, found.total.input_tokens, found.total.cost) == (6, 3000, 0.75)
    assert found.warnings == {("ground", "'...' has N boxes"): 2}
    assert found.examples == {("ground", "'...' has N boxes"): "b"}


def test_scores(out: Path, tmp_path: Path, tags_of: Tags) -> None:
    gold = tmp_path / "gold.jsonl"
    entities = {"a": [], "b": [[5, 5, 40, 50]], "c": [[50, 5, 70, 50]]}
    lines = []
    for line in out.read_text().splitlines():
        each = json.loads(line)
        entity = {key: each["entities"][0][key] for key in ("text", "start", "end", "type")}
        entity["regions"] = [{"box": box} for box in entities[each["id"]]]
        lines.append(json.dumps({"id": each["id"], "text": each["text"], "entities": [entity]}))
    gold.write_text("\n".join(lines))
    page = report_page(out, gold, task="mner", samples=0)
    assert "table" in tags_of(page)
    assert '<th scope="row">all</th><td class="number">100.00</td>' in page
    page = report_page(out, gold, samples=0)
    row_of_all = re.search(r'<th scope="row">all</th>(.*?)</tr>', page)
    assert row_of_all is not None and "100.00" not in row_of_all[1], "one box is elsewhere"


def test_a_run_of_muie_has_its_measures_and_tables(tmp_path: Path, tags_of: Tags) -> None:
    relation = {"id": "r1", "subject": "e1", "type": EVIL, "object": "e1", "confidence": 1.0}
    line = row("a", "Collins flew", "red.png", task="re", dataset="MNRE", aligned=True)
    results = tmp_path / "out.jsonl"
    results.write_text(json.dumps({**line, "relations": [relation]}) + "\n")
    entity = {"text": "Collins", "type": "x", "start": 0, "end": 7, "regions": []}
    wanted = {"id": "a", "task": "re", "text": "Collins flew", "image": "red.png"}
    gold = tmp_path / "gold.jsonl"
    more = {"entities": [entity], "relations": [{"subject": 0, "type": EVIL, "object": 0}]}
    gold.write_text(json.dumps({**wanted, "dataset": EVIL, **more}) + "\n")
    page = report_page(results, gold, task="muie", samples=1)
    assert "script" not in tags_of(page) and EVIL not in page
    measured = '<td class="number">100.00</td><td class="number">100.0 to 100.0</td>'
    assert f'<th scope="row">relations_f1</th>{measured}' in page
    assert '<th scope="row">mean_iou_image</th><td class="number">0.00</td>' in page
    assert "Errors: repetition 0, incomplete 0, wrong match 0, missing grounding 0" in page
    assert f"<td>RE</td>{measured}" in page
    assert "<li><strong>a</strong>: over grounding 1</li>" in page
    gold.write_text(json.dumps({**wanted, "dataset": "mnre", **more}) + "\n")
    page = report_page(results, gold, task="muie", samples=0)
    assert (
        f'<td>MNRE</td><td class="number">1</td><td>RE</td>{measured}<td class="number">24.6'
        in page
    )


def test_a_run_at_work_has_a_page(out: Path) -> None:
    whole = report_page(out)
    with out.open("ab") as file:
        file.write('{"id": "d", "text": "caf\N{LATIN SMALL LETTER E WITH ACUTE}'.encode()[:-1])
    assert report_page(out) == whole
    out.with_name("out.settings.json").write_text("[1]")
    assert report_page(out) != whole
    out.with_name("out.failures.jsonl").unlink()
    out.with_name("out.settings.json").unlink()
    out.write_bytes(b"")
    assert "0 rows finished" in report_page(out)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_a_file_as_an_editor_leaves_it_has_the_same_page(out: Path, end: str) -> None:
    """With other ends of lines, empty ones, a mark, and none behind the last."""
    whole = report_page(out)
    out.write_bytes(("\ufeff" + end.join(out.read_text().splitlines())).encode())
    assert report_page(out) == whole


@pytest.mark.parametrize("line", ["notes", "[]", "{}", '{"id": "a", "text": "b"}'])
@pytest.mark.parametrize("samples", [0, 50])
def test_what_is_no_output(out: Path, line: str, samples: int) -> None:
    out.write_text(out.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"out\.jsonl:4: no result"):
        report_page(out, samples=samples)
    with pytest.raises(InputError, match="cannot read"):
        report_page(out.with_name("none.jsonl"))

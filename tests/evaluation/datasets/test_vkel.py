"""What VKEL's committee wrote, invented, in the form in which the authors' scripts write it."""

from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError, InputError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.vkel import KnownRow
from deixis.rows import read_rows, write_rows

TEXT = "Ada 's post # # # of H&amp ; M"
ENTITIES = [["Ada", "author", "NULL", "NULL"], ["H&amp ; M", "company", "NULL", "NULL"]]
ANSWERS = {
    "Ada": (
        "1. Type: author\n2. Man or Women: Woman.\n"
        '3. **Hairstyle**: It\'s dark, "up".\nThat is all.'
    ),
    "H&amp ; M": "### A brand ####\n1. Type: company",
}


def line(text: str, entities: Any, identity: str, answers: Any) -> str:
    return f"{text}####{entities}####{identity}.jpg####{answers}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    one = line(TEXT, ENTITIES, "16_05_20_640", ANSWERS) + line("nothing", [], "O_2", {})
    (knowledge / "dev_gpt-4o.json").write_text(one)
    other = line(TEXT, ENTITIES, "16_05_20_640", {"Ada": "A woman.", "Bo": "?"})
    (knowledge / "dev_gemini-pro.json").write_text(other)
    return tmp_path


def test_the_answers_of_all_models(folder: Path, tmp_path: Path) -> None:
    rows, counts = convert("vkel", folder, "dev")
    assert [row.id for row in rows] == ["16_05_20_640", "O_2"]
    (ada, brand) = rows[0].entities
    assert rows[0].text == TEXT
    assert (ada.text, ada.type, ada.fine_type, ada.regions) == ("Ada", "person", "author", None)
    assert (brand.text, brand.type, brand.fine_type) == ("H&amp ; M", "organization", "company")
    gemini, gpt = ada.testimonies  # type: ignore[attr-defined]
    assert (gemini.model, gemini.text, gemini.attributes) == ("gemini-pro", "A woman.", {})
    assert (gpt.model, gpt.text) == ("gpt-4o", ANSWERS["Ada"])
    assert gpt.attributes == {
        "Type": "author",
        "Man or Women": "Woman.",
        "Hairstyle": 'It\'s dark, "up".',
    }
    assert list(counts.values()) == [2, 3, 4, 3, 0, 1]
    write_rows(tmp_path / "rows.jsonl", rows)
    assert tuple(read_rows(tmp_path / "rows.jsonl", KnownRow)) == rows


def test_what_the_first_stage_found(folder: Path) -> None:
    path = folder / "test_gpt-4o.json"
    stage = line("ada", [["ada", "person", "NULL", "NULL"]], "1", {"ada": ""})
    path.write_text(stage + line("x", ["No entity found."], "2", {}))
    rows, counts = convert("vkel", folder, "test")
    assert [(e.text, e.type, e.fine_type) for e in rows[0].entities] == [("ada", "person", None)]
    assert rows[1].entities == () and counts["entities without an answer"] == 0


@pytest.mark.parametrize(
    "bad",
    [
        "Ada####[]####1.jpg",
        "Ada####[]####1####{}",
        "Ada####[['Ada']]####1.jpg####{}",
        "Ada####[[1, 2]]####1.jpg####{}",
        "Ada####[['', 'author']]####1.jpg####{}",
        "Ada####[open('x')]####1.jpg####{}",
        "Ada####[]####1.jpg####{'Ada': 1}",
        "Ada####[]####1.jpg####{1}",
        '{"id": 1}',
    ],
)
def test_lines_of_another_layout(folder: Path, bad: str) -> None:
    (folder / "dev_x.json").write_text(line("a", [], "9", {}) + bad)
    with pytest.raises(DataError, match=r"dev_x.json:2: it is not text####.* as VKEL's scripts"):
        convert("vkel", folder, "dev")


def test_files_that_do_not_fit_each_other(folder: Path) -> None:
    (folder / "dev_x.json").write_text(line(TEXT, ENTITIES[:1], "16_05_20_640", {}))
    with pytest.raises(DataError, match="another file has another text or other entities"):
        convert("vkel", folder, "dev")
    (folder / "dev_x.json").write_text(line("a", [], "9", {}) * 2)
    with pytest.raises(DataError, match=r"dev_x.json:2: the picture '9' stands twice"):
        convert("vkel", folder, "dev")
    with pytest.raises(InputError, match=r"there is no train_MODEL.json in .* dev_x.json"):
        convert("vkel", folder, "train")

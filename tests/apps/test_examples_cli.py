"""``deixis examples build`` and ``augment``."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.agents.riveg.examples import read

GOOD = {"id": "a", "text": "Grace Hopper", "annotation": "Grace Hopper (person)"}


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    def write(*lines: Any) -> Path:
        path = tmp_path / "rows.jsonl"
        text = (each if isinstance(each, str) else json.dumps(each) for each in lines)
        path.write_text("".join(f"{each}\n" for each in text))
        return path

    return write


@pytest.mark.extra("starter")
def test_build_describes_pictures_and_keeps_features(
    deixis: Any, rows: Any, hopper: Path, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(hopper.read_bytes())
    source = rows(
        {**GOOD, "image": "pictures/1.jpg"},
        {**GOOD, "id": "b", "image": str(hopper), "caption": "An officer"},
        "",
        {**GOOD, "id": "c"},
    )
    out = tmp_path / "new" / "index"
    code, printed, said = deixis("examples", "build", source, "--out", out, "--role", "reader=none")
    assert (code, printed) == (0, f"indexed 3 examples with minilm in {out}\n"), said
    found = read(out, "minilm")
    assert [each.caption for each in found.examples] == [
        "Seen: 1 person, 1 tie",
        "An officer",
        None,
    ]
    assert found.examples[0].sha256 == found.examples[1].sha256 and found.features.shape[0] == 3
    assert found.features[0] @ found.features[1] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([GOOD, {"id": "b", "text": "x"}], "rows.jsonl:2: annotation: Field required"),
        ([{**GOOD, "annotation": " "}], "rows.jsonl:1: annotation: String should match"),
        ([{**GOOD, "text": ""}], "rows.jsonl:1: text: String should have at least 1 character"),
        ([GOOD, "", GOOD], "rows.jsonl:3: the id 'a' stands on line 1 too"),
        (["{"], "rows.jsonl:1: not JSON"),
        ([], "rows.jsonl: no rows"),
        (["", {**GOOD, "image": "no.jpg"}], "rows.jsonl:2: "),
        (["", {**GOOD, "image": "no.jpg"}], "no.jpg': no such file"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(
    deixis: Any, rows: Any, tmp_path: Path, lines: list[Any], said: str
) -> None:
    code, _, error = deixis("examples", "build", rows(*lines), "--out", tmp_path / "index")
    assert code == 2 and said in error, error
    assert not (tmp_path / "index").exists()


def test_an_embedder_is_needed(deixis: Any, rows: Any, tmp_path: Path) -> None:
    arguments = ("--out", tmp_path / "index", "--role", "embedder=none")
    code, _, error = deixis("examples", "build", rows(GOOD), *arguments)
    assert code == 2 and "nobody plays the role 'embedder'" in error


def test_augment_needs_results_of_the_gold_rows(deixis: Any, rows: Any, tmp_path: Path) -> None:
    gold, run = rows({"id": "a", "text": "Ann"}), tmp_path / "run.jsonl"
    for line, said in [
        ('{"id": "b"}', "run.jsonl:1: there is no gold row with the id 'b'"),
        ('{"id": "a"}', "run.jsonl:1: no result of deixis batch"),
        ("[]", "run.jsonl:1: no result of deixis batch"),
    ]:
        run.write_text(f"{line}\n")
        code, _, error = deixis("examples", "augment", gold, run, "--out", tmp_path / "out")
        assert code == 2 and said in error, error

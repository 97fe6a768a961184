"""``deixis examples build`` and ``augment``."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.riveg.examples import read
from deixis.agents.riveg.index import build, read_annotated
from deixis.testing import scripted

GONE = TimeoutError("gone")
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


def test_annotations_of_pgim_become_rows_for_build(
    deixis: Any, rows: Any, tmp_path: Path, hopper: Path
) -> None:
    source = rows(
        {"id": "17_06_2", "text": "Grace Hopper", "image": "pictures/1.jpg", "caption": "A woman"},
        {"id": 563049, "text": "Nothing", "entities": [], "image": "https://example.org/2.jpg"},
    )
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(hopper.read_bytes())
    (file := tmp_path / "train.txt").write_text(
        "17_06_2\nNamed entities:1. Grace Hopper (person)\n563049\nNamed entities:None.\n"
    )
    (tmp_path / "new").mkdir()
    out = tmp_path / "new" / "annotated.jsonl"
    arguments = ("examples", "import", "pgim", file, "--rows", source, "--out", out)
    code, printed, said = deixis(*arguments)
    assert (code, printed) == (0, f"wrote 2 annotated rows to {out}\n"), said
    (_, first), (_, second) = read_annotated(out)
    assert first.annotation == "Named entities:1. Grace Hopper (person)"
    assert (first.text, first.caption) == ("Grace Hopper", "A woman")
    assert first.image == str(tmp_path / "pictures" / "1.jpg")
    assert (second.id, second.caption) == ("563049", None)
    assert second.image == "https://example.org/2.jpg"
    out.write_text(out.read_text().splitlines()[0])
    index = ("--out", tmp_path / "index", "--role", "embedder=hashed")
    code, _, said = deixis("examples", "build", out, *index)
    assert code == 0, said
    file.write_text("9\n[b]Named[/b]\n" + file.read_text())
    code, _, said = deixis(*arguments)
    assert code == 1 and "train.txt:1: there is no row with this id: '9'" in " ".join(said.split())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("riveg", "1\nx\n", "there are no annotations of 'riveg'; known: pgim"),
        ("pgim", "1\nx\n", "no annotation of a row in"),
        ("pgim", "", "no annotation of a row in"),
    ],
)
def test_annotations_that_are_of_no_use(
    deixis: Any, rows: Any, tmp_path: Path, name: str, content: str, said: str
) -> None:
    (file := tmp_path / "train.txt").write_text(content)
    source = rows(GOOD)
    arguments = ("examples", "import", name, file, "--rows", source, "--out")
    code, _, told = deixis(*arguments, tmp_path / "out.jsonl")
    assert code == 2 and said in " ".join(told.split())
    assert not (tmp_path / "out.jsonl").exists()
    assert "is read; give another file" in deixis(*arguments, source)[2] or name == "riveg"


def test_a_captioner_describes_the_pictures_of_examples(
    rows: Any, tmp_path: Path, hopper: Path
) -> None:
    source, out = rows({**GOOD, "image": str(hopper)}), tmp_path / "index"
    roles = {"embedder": "hashed", "captioner": "scripted:eyes", "reader": None}
    settings = Settings.load().with_roles(roles).with_options(cache="off")
    for reply, caption in (("A woman\nin uniform.", "A woman in uniform."), (GONE, "Seen: 1 per")):
        with scripted(reply):
            notes = build(read_annotated(source), tmp_path, out, Toolbox(settings))
        (example,) = read(out).examples
        assert example.caption is not None and example.caption.startswith(caption)
        assert bool(notes) is (reply is GONE)

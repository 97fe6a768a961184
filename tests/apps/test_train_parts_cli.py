"""``deixis train recognizer`` and ``entailer``: what they print, write and refuse."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.training import recognizer
from tests.tools.tiny_image_text import save_models
from tests.training import kitchen, squares
from tests.training.tiny_encoder import write_encoder

Run = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.extra("train")


@pytest.mark.parametrize(
    ("entities", "said"),
    [
        ([], "no row has an entity to learn from"),
        ([("tea", 0, 3)], "1 texts with entities to learn from, and 8 are the fewest"),
        ([("tea", 4, 7)], "row 1: 'tea' is said to stand at 4..7, where 'cup' stands"),
        ([("tea", 0, 3), ("tea cup", 0, 7)], "row 1: 'tea' and 'tea cup' overlap"),
    ],
)
def test_what_cannot_be_learned_from_is_one_line(
    deixis: Run, tmp_path: Path, entities: list[Any], said: str
) -> None:
    given = [{"text": t, "start": a, "end": b, "type": "tool"} for t, a, b in entities]
    rows = kitchen.write(tmp_path / "rows.jsonl", [{"id": 1, "text": "tea cup", "entities": given}])
    code, out, err = deixis("train", "recognizer", rows, "--out", tmp_path / "made")
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--base", "rows.jsonl"), "rows.jsonl: no BERT-like encoder in safetensors"),
        (("--device", "cuda:7"), "torch finds no device cuda:7 here"),
        (("--dev", "dev.jsonl"), "dev.jsonl: row 1: the type 'pan' is not learned; known: ingred"),
        (("--schema", "gmner"), "row 0: the type 'ingredient' is not in the schema"),
        (("--schema", "gmnr"), "did you mean 'gmner'"),
        (("--out", "rows.jsonl/made"), "rows.jsonl is a file"),
        (("--phrases", "rows.jsonl"), "No such option"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_trained(
    deixis: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recognizer, "train", lambda *_: pytest.fail("a field is trained"))
    kitchen.write(tmp_path / "rows.jsonl", [kitchen.row(number) for number in range(8)])
    pan = {"text": "pan", "start": 0, "end": 3, "type": "pan"}
    kitchen.write(tmp_path / "dev.jsonl", [{"id": 1, "text": "pan", "entities": [pan]}])
    code, out, err = deixis("train", "recognizer", "rows.jsonl", "--out", "made", *options)
    assert (code, out) == (2, "") and said in err
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_it_prints_scores_and_the_line_that_comes_next(
    deixis: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kitchen.write(tmp_path / "rows.jsonl", [kitchen.row(number) for number in range(24)])
    weights = write_encoder(tmp_path / "model.safetensors")
    options = ("--dev", "rows.jsonl", "--base", weights, "--epochs", "1", "--json")
    code, out, err = deixis("train", "recognizer", "rows.jsonl", "--out", "made", *options)
    assert code == 0 and json.loads(out)["mentions"] == {"ingredient": 24, "tool": 24}
    assert set(json.loads(out)["dev"]) == {"network", "crf"}
    assert "network 4 of 4\n" in err
    batch, _, evaluate = err.splitlines()[-1].partition(" && ")
    code, _, err = deixis(*batch.split()[1:], "--role", "detector=none", "--role", "reader=none")
    assert code == 0, err
    code, out, _ = deixis(*evaluate.split()[1:], "--json")
    assert code == 0 and json.loads(out)["gold"] == "rows.jsonl"


@pytest.mark.slow
def test_an_entailer_says_what_it_is_worth(deixis: Run, tmp_path: Path) -> None:
    rows, model = squares.write_rows(tmp_path, 45), save_models(tmp_path)["siglip"]
    (tmp_path / "0.png").write_bytes(b"no picture")
    made = tmp_path / "made"
    code, out, err = deixis("train", "entailer", rows, "--out", made, "--base", f"siglip:{model}")
    assert code == 0 and "176 expressions of 44 pictures, 88 shown; held out: AUC 0.9" in out
    assert "warning 1 pictures left out: it cannot be looked at" in err
    assert f"--role 'entailer=image-text-head:{made}?base_rate=0.5'" in err
    code, out, err = deixis("train", "entailer", rows, "--out", made, "--base", f"siglip:{model}")
    assert (code, out) == (2, "") and "is there already" in err
    code, out, err = deixis("train", "entailer", rows, "--out", made, "--epochs", "3")
    assert code == 2 and "--epochs" in err, "an option without effect is refused"

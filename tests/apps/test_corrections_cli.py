"""What people have corrected is scored, shown as examples, and learned from, by typed commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.agents.riveg.examples import read
from deixis.serving.gold_file import GoldFile
from deixis.serving.review.store import Store
from deixis.tools.tagger.minilm import MODEL_FOLDER, Pieces
from deixis.training.tagged_rows import read_tagged

pytestmark = [pytest.mark.extra("fastapi"), pytest.mark.extra("transformers")]
Cli = Callable[..., tuple[int, str, str]]
PEOPLE = ("Grace Hopper", "Eileen Collins", "Ada Lovelace", "Hedy Lamarr", "Mae Jemison")
PEOPLE += ("Sally Ride", "Marie Curie", "Emmy Noether")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of eight posts with a picture: each has taken NASA for a person."""
    Image.new("RGB", (64, 48), (200, 120, 40)).save(tmp_path / "one.png")
    lines = [json.dumps(result(n, name)) for n, name in enumerate(PEOPLE)]
    (path := tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    return path


def result(n: int, name: str) -> dict[str, Any]:
    region = {"box": [4, 4, 30, 40], "score": 0.8, "source": "x"}
    own = {"confidence": 0.9, "type": "PER"}
    shown = {**own, "id": "e1", "text": name, "start": 0, "end": len(name)}
    start = len(name) + 4
    told = {**own, "id": "e2", "text": "NASA", "start": start, "end": start + 4}
    return {
        "id": str(n),
        "settings": "s",
        "text": f"{name} of NASA",
        "image": {"sha256": "ab" * 32, "width": 64, "height": 48, "source": "one.png"},
        "entities": [
            {**shown, "groundable": True, "regions": [region]},
            {**told, "groundable": False},
        ],
        "usage": [],
        "warnings": [],
    }


def right(n: int, name: str) -> dict[str, Any]:
    made = result(n, name)
    made["entities"][1]["type"] = "ORG"
    return {key: value for key, value in made.items() if key not in ("id", "settings")}


def test_a_review_is_merged_scored_and_learned_from(
    deixis: Cli, results: Path, tmp_path: Path
) -> None:
    store = Store(results, results.with_name("results.review"))
    for n, name in enumerate(PEOPLE):
        store.review(n + 1, "ann", "corrected", extraction=right(n, name))
    store.close()
    (tmp_path / "sub").mkdir()
    gold = tmp_path / "sub" / "gold.jsonl"
    assert deixis("review", results, "--merge", gold)[0] == 0
    code, told, said = deixis("eval", gold, results, "--task", "mner", "--json")
    assert code == 0, said
    assert json.loads(told)["score"]["f1"] == pytest.approx(0.5)
    index = tmp_path / "examples"
    build = ("examples", "build", gold, "--out", index, "--role", "embedder=hashed")
    code, told, said = deixis(*build, "--role", "detector=none", "--role", "reader=none")
    assert (code, told) == (0, f"indexed 8 examples with hashed in {index}\n"), said
    first = read(index, "hashed").examples[0]
    assert first.annotation == (
        "Named entities: 1. Grace Hopper (PER) 2. NASA (ORG)\n"
        "Reasoning: The Image shows Grace Hopper. The Image does not show NASA."
    )
    assert first.sha256 is not None
    _is_learned(deixis, gold, tmp_path)


def test_the_gold_file_of_a_server_is_learned_from(deixis: Cli, tmp_path: Path) -> None:
    from hashlib import sha256

    from deixis import Extraction

    Image.new("RGB", (64, 48), (200, 120, 40)).save(tmp_path / "one.png")
    picture = (tmp_path / "one.png").read_bytes()
    (tmp_path / "sub").mkdir()
    gold = GoldFile(tmp_path / "sub" / "gold.jsonl")
    for n, name in enumerate(PEOPLE):
        made = right(n, name)
        made["image"]["sha256"] = sha256(picture).hexdigest()
        uploads = {"image": [("../one.png", picture)]}
        row = gold.add(Extraction.model_validate(made), "text", uploads)
        assert row["id"] == ("text" if n == 0 else f"text-{n + 1}")
    again = GoldFile(gold.path)  # after a restart
    assert again.add(Extraction.model_validate(made), "text", {})["id"] == "text-9"
    lines = gold.path.read_text().splitlines()
    gold.path.write_text("\n".join(lines[:8]) + "\n")
    index = tmp_path / "examples"
    build = ("examples", "build", gold.path, "--out", index, "--role", "embedder=hashed")
    code, _, said = deixis(*build, "--role", "detector=none", "--role", "reader=none")
    assert code == 0 and len(read(index, "hashed").examples) == 8, said
    _is_learned(deixis, gold.path, tmp_path)


def _is_learned(deixis: Cli, gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "lessons"
    export = ("dataset", "export", gold, "--system", "e2e", "--for", "trl", "--out", out)
    code, told, said = deixis(*export, "--base", "Qwen/Qwen2.5-VL-7B-Instruct")
    assert code == 0 and told.startswith("wrote 8 lessons"), said
    assert "Grace Hopper|PER|" in (out / "trl.jsonl").read_text()
    tagged = read_tagged(gold, None, Pieces(MODEL_FOLDER / "tokenizer.json", 510), 510)
    assert tagged.mentions == {"PER": 8, "ORG": 8} and tagged.left_out == {}


def test_of_what_a_graph_has_found_no_example_is_made(
    deixis: Cli, results: Path, tmp_path: Path
) -> None:
    build = ("examples", "build", results, "--out", tmp_path / "index")
    code, _, said = deixis(*build, "--role", "embedder=hashed")
    assert code == 2 and "annotation: Field required" in said

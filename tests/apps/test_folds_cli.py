"""VKEL's first stage, trained in folds: tiny models that predict what they did not learn."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.rows import read_rows

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = "lora: {rank: 2, alpha: 4}\nlearning_rate: 1.0e-3\nsteps: 1\nbatch_size: 2\n"
STACK = """\
graph: vkel
graph_options: {knowledge: false, objects: false}
roles: {vlm: "scripted:nobody"}
options: {max_tokens: 16, cache: "off"}
"""


def test_all_rows_are_predicted_and_the_same_line_goes_on(
    deixis: Any, tmp_path: Path, save_seeing: Callable[..., None]
) -> None:
    save_seeing(tmp_path / "tiny", "qwen2.5-vl", window=2048)
    Image.new("RGB", (56, 28), (200, 10, 10)).save(tmp_path / "a.png")
    ann = {"text": "Ann", "start": 0, "end": 3, "type": "PER"}
    lines = [
        {"id": f"r{n}", "text": f"Ann {n}", "image": "a.png", "entities": [ann]} for n in range(4)
    ]
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "stack.yaml").write_text(STACK)
    out = tmp_path / "out"
    line = ("train", "vkel-folds", rows, "--base", tmp_path / "tiny", "--out", out, "--folds", 2)
    line += ("--recipe", tmp_path / "recipe.yaml", "--stack", tmp_path / "stack.yaml")
    code, printed, said = deixis(*line)
    assert code == 0, said
    assert f"deixis dataset sketches {rows} --from {out / 'predictions.jsonl'}" in printed
    assert [row.id for row in read_rows(out / "predictions.jsonl")] == ["r0", "r1", "r2", "r3"]
    model = (out / "fold-2" / "run" / "adapter" / "adapter_model.safetensors").read_bytes()
    (out / "fold-2" / "predictions.jsonl").unlink()
    assert deixis(*line)[0] == 0
    assert model == (out / "fold-2" / "run" / "adapter" / "adapter_model.safetensors").read_bytes()
    sketched = tmp_path / "sketched.jsonl"
    code, _, said = deixis(
        "dataset", "sketches", rows, "--from", out / "predictions.jsonl", "--out", sketched
    )
    assert code == 0 and "sketches that are not the gold" in said
    code, _, said = deixis(*line, "--seed", 3)
    assert code == 2 and "is of other rows, folds or seed" in said

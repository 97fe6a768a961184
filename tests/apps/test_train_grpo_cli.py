"""``deixis train e2e --recipe ...``: a model that is rewarded for its own answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.llms import registry

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = """\
from: grpo
lora: {rank: 2, alpha: 4}
learning_rate: 1.0e-2
epochs: null
steps: 3
batch_size: 2
accumulate: 2
max_tokens: null
evaluate: {task: gmner}
grpo: {rewards: {gmner: 1.0, iou: 0.5, format: 0.1}, generations: 4, most_new_tokens: 8}
"""


def test_a_run_leaves_rewards_of_each_kind_and_an_adapter_that_answers(
    deixis: Callable[..., tuple[int, str, str]], save_seeing: Callable[..., None], tmp_path: Path
) -> None:
    base = tmp_path / "qwen2.5-vl"
    save_seeing(base, "qwen2.5-vl", window=4096)
    Image.fromarray(np.zeros((84, 112, 3), np.uint8)).save(tmp_path / "a.png")
    seen: Any = [{"box": [10, 10, 70, 70]}]
    rows = [
        {
            "id": name,
            "text": f"{name} in Rome",
            "image": "a.png",
            "entities": [{"text": name, "type": "PER", "regions": seen}],
        }
        for name in ("Ann", "Bob")
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "mine.yaml").write_text(RECIPE)
    given = ("--base", base, "--recipe", tmp_path / "mine.yaml", "--out", tmp_path / "run")
    code, out, err = deixis("train", "e2e", tmp_path / "rows.jsonl", *given, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["steps"] == 3 and 0 <= told["reward"] <= 1.6
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    for entry in map(json.loads, lines):
        kinds = {f"rewards/{name}_reward/mean" for name in ("gmner", "iou", "format")}
        assert kinds <= entry.keys()
    assert "came to: reward" in (tmp_path / "run" / "README.md").read_text()
    spec = f"transformers:{base}?adapter={told['weights']}&max_tokens=4&temperature=0"
    assert registry.load(spec).model.invoke("Who is it?").content

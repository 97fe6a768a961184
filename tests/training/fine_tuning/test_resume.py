"""A run that is killed, again and again, ends as one that was not: steps, losses and weights."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from deixis.training.lessons.records import Lessons

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.extra("train")]
RECIPE = """\
lora: {rank: 4, alpha: 8, dropout: 0.1}
learning_rate: 1.0e-2
weight_decay: 0.01
epochs: 4
batch_size: 2
accumulate: 2
warmup: 0.2
schedule: cosine
boxes: {beta: 0.1, gamma: 0.1}
save_every: 3
"""
STEPS = 8
PROGRAM = """
import sys
from pathlib import Path
from deixis.training.fine_tuning.fit import fit
from deixis.training.lessons.files import read_lessons
from deixis.training.recipes import Recipe

lessons, recipe, out = map(Path, sys.argv[1:])
fit(read_lessons(lessons), Recipe.load(recipe), out, resume=True)
"""


def _start(lessons: Lessons, out: Path) -> "subprocess.Popen[str]":
    out.mkdir(exist_ok=True)
    (out / "recipe.yaml").write_text(RECIPE)
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        str(lessons.folder),
        str(out / "recipe.yaml"),
        str(out),
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def _losses(out: Path) -> dict[int, float]:
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return {entry["step"]: entry["loss"] for entry in map(json.loads, lines)}


def _steps(out: Path) -> int:
    path = out / "metrics.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


def _ended(run: "subprocess.Popen[str]") -> None:
    _, told = run.communicate(timeout=300)
    assert run.returncode == 0, told


def _killed(run: "subprocess.Popen[str]", out: Path, step: int, later: float) -> None:
    """Kill a run a little after a step."""
    while _steps(out) < step:
        assert run.poll() is None, run.communicate()
        time.sleep(0.005)
    time.sleep(later)
    run.send_signal(signal.SIGKILL)
    run.communicate()


def test_a_run_that_is_killed_ends_as_one_that_is_not(
    lessons_of: Callable[[str], Lessons], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    lessons, chance = lessons_of("qwen2.5-vl"), Random(7)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    _ended(_start(lessons, whole))
    for _ in range(2):
        step = chance.randrange(1, STEPS)
        _killed(_start(lessons, broken), broken, step, chance.uniform(0, 0.2))
    (broken / "checkpoints" / ".draft" / "checkpoint-5").mkdir(parents=True, exist_ok=True)
    _ended(_start(lessons, broken))
    expected, losses = _losses(whole), _losses(broken)
    assert list(losses) == list(expected) == list(range(1, STEPS + 1))
    assert losses == pytest.approx(expected, abs=1e-5)
    one, other = (
        load_file(out / "adapter" / "adapter_model.safetensors") for out in (whole, broken)
    )
    assert one.keys() == other.keys()
    assert all(one[name].allclose(other[name], atol=1e-5) for name in one)
    left = {path.name for path in (broken / "checkpoints").iterdir()}
    assert left == {f"checkpoint-{STEPS}"}

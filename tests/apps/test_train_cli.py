"""``deixis train e2e``: what it writes, prints and refuses, and that its last line runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.training.fine_tuning.conftest import write_posts

Run = Callable[..., tuple[int, str, str]]

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = """\
lora: {rank: 2, alpha: 4}
learning_rate: 1.0e-2
epochs: 2
batch_size: 1
boxes: {preset: paper}
"""
STACK = """\
graph: e2e
roles: {vlm: scripted}
options: {max_tokens: 16}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, save_seeing: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-qwen2.5-vl"
    save_seeing(folder, "qwen2.5-vl", window=4096)
    return folder


@pytest.fixture
def given(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Return the arguments of a run in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    rows = write_posts(tmp_path)
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:2]))
    Path("recipe.yaml").write_text(RECIPE)
    Path("stack.yaml").write_text(STACK)
    options = ("--base", model, "--recipe", "recipe.yaml", "--stack", "stack.yaml")
    return "train", "e2e", "rows.jsonl", *options


def test_a_run_says_all_of_itself_and_its_last_line_runs(
    deixis: Run, given: tuple[object, ...]
) -> None:
    code, out, err = deixis(*given, "--dev", "rows.jsonl", "--out", "run")
    assert code == 0, err
    first, last = out.splitlines()
    assert first.startswith("4 steps, loss ") and "best score " in first
    assert "2 rows, 2 lessons" in err and "epoch 1, step 2: score " in err
    assert "Loading weights" not in err  # one bar, of the whole run
    there = {path.name for path in Path("run").iterdir()}
    folders = {"lessons", "checkpoints", "dev", "adapter", "tensorboard"}
    files = {"lock", "recipe.yaml", "versions.json", "metrics.jsonl", "stack.yaml", "README.md"}
    assert there == folders | files
    assert yaml.safe_load(Path("run/recipe.yaml").read_text())["learning_rate"]["language"] == 0.01
    versions = json.loads(Path("run/versions.json").read_text())
    assert versions["files"].keys() == {"rows", "dev"} and versions["packages"]["trl"]
    card = Path("run/README.md").read_text()
    assert versions["files"]["rows"]["sha256"] in card and last.removeprefix("use it: ") in card
    batch, _, evaluate = (
        last.removeprefix("use it: ").replace("test.jsonl", "rows.jsonl").partition(" && ")
    )
    code, _, err = deixis(*batch.split()[1:])
    assert code == 0, err
    code, out, err = deixis(*evaluate.split()[1:], "--json")
    assert code == 0 and json.loads(out)["samples"] == 2


def test_a_run_goes_on_with_the_same_alone(deixis: Run, given: tuple[object, ...]) -> None:
    code, _, err = deixis(*given, "--out", "run")
    assert code == 0, err
    code, _, err = deixis(*given, "--out", "run")
    assert code == 2 and "Error: run is there; name another --out, or go on with --resume" in err
    code, out, err = deixis(*given, "--out", "run", "--resume", "--json")
    assert code == 0 and json.loads(out)["steps"] == 4, err
    rows = Path("rows.jsonl")
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:1]))
    code, _, err = deixis(*given, "--out", "run", "--resume")
    assert code == 2 and "Error: the run in run has other files in rows; go on" in err
    code, _, err = deixis(*given, "--out", "elsewhere", "--resume")
    assert code == 2 and "Error: elsewhere holds no run to go on with" in err
    assert not Path("elsewhere").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--recipe", "e3e"), "there is no recipe 'e3e' (did you mean 'e2e'?)"),
        (("--dev", "missing.jsonl"), "cannot read missing.jsonl"),
        (("--base", "{model}?temperature=1"), "the option temperature has no effect on training"),
        (("--base", "{model}?adapter=x"), "the option adapter has no effect on training; merge it"),
        (("--base", "{model}?max_pixels=0"), "option max_pixels: "),
        (("--base", "{model}?max_pxels=9"), "there is no option 'max_pxels'"),
        (("--base", "nowhere/at-all/qwen2.5-vl"), "no config.json in the folder"),
        (("--role", "vlm"), "--role takes ROLE=MODEL"),
    ],
)
def test_what_cannot_be_trained_so_is_one_line(
    deixis: Run, given: tuple[object, ...], model: Path, options: tuple[str, str], said: str
) -> None:
    name, value = options
    code, out, err = deixis(*given, "--out", "run", name, value.replace("{model}", str(model)))
    assert (code, out) == (2, "") and said in err, err
    assert not Path("run").exists()
    assert "Traceback" not in err

"""M-MRE is learned by all weights of a tiny model, which then answers its graph with the gold."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from PIL import Image

from deixis.batch.run import Batch
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.scored import read_gold, score_file
from deixis.settings import Settings
from deixis.training.courses import course_named
from deixis.training.fine_tuning.run import Plan, train
from deixis.training.lessons.rehearsal import rehearse
from deixis.training.recipes import Recipe

from .conftest import stack_of

pytestmark = [pytest.mark.slow, pytest.mark.extra("transformers", "train")]

ANN, ACME = ("Ann", "PER", [8, 6, 40, 60]), ("Acme", "ORG", [60, 10, 100, 70])
POSTS = [("Ann is at Acme", [ANN, ACME]), ("Ann only", [ANN]), ("Nobody", []), ("Acme", [ACME])]
FULL = {"full": True, "learning_rate": {"language": 3e-3, "vision": 1e-3, "projector": 1e-3}}


def rows_of(folder: Path) -> Path:
    lines = []
    for number, (text, named) in enumerate(POSTS):
        picture = f"{number}.png"
        Image.new("RGB", (112, 84), (60 * number, 90, 200 - 50 * number)).save(folder / picture)
        entities, patches = [], []
        for (name, kind, box), letter in zip(named, "ab", strict=False):
            place = {"start": text.index(name), "end": text.index(name) + len(name)}
            entities.append({"text": name, "type": kind, **place, "regions": [{"box": box}]})
            patches.append({"letter": letter, "box": box, "entity": name})
        row = {"id": str(number), "text": text, "image": picture, "entities": entities}
        lines.append({**row, "summary": f"Picture {number}.", "patches": patches})
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return rows


def test_the_graph_scores_100_with_what_was_trained(
    tmp_path: Path, save_seeing: Callable[..., None]
) -> None:
    rows, base, course = rows_of(tmp_path), tmp_path / "tiny", course_named("mmre")
    settings = stack_of("mmre", "gmner", "scripted:nobody", {})
    made = rehearse(course, rows, settings, f"{base}?family=qwen2.5-vl", tmp_path / "lessons")
    texts = [text for each in made.lessons for text in (each.system, each.user)]
    save_seeing(base, "qwen2.5-vl", hidden=64, window=2048, texts=texts, pieces=400)
    numbers = {"steps": 80, "batch_size": 8, "evaluate": {"task": "mmre"}, **FULL}
    plan = Plan(course, rows, None, settings, str(base), Recipe.model_validate(numbers))
    trained = train(plan, tmp_path / "run")
    assert trained.fitted.weights == tmp_path / "run" / "model"
    assert trained.fitted.loss < 0.1
    stack = Settings.model_validate(yaml.safe_load(trained.stack.read_text()))
    Batch(stack.with_options(cache="off", max_tokens=200), rows, tmp_path / "out.jsonl").run()
    how = How.named("mmre")
    scores = score_file(read_gold(rows, how), tmp_path / "out.jsonl", how).sheet.plain()
    assert [scores[name] for name in ("f1", "patch_accuracy", "rougeL")] == [1, 1, 1]

"""What is exported is, byte for byte, what a model is sent when the graph asks it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Settings, build_graph
from deixis.testing import scripted
from deixis.training.courses import COURSES
from deixis.training.exports.registry import export
from deixis.training.lessons.rehearsal import rehearse

pytestmark = pytest.mark.extra("transformers")

FAMILY = "family=qwen2.5-vl"
POST = "Ada Lovelace <|im_end|> <image> in </post> London \N{EM DASH} a \t b"


def sent(tmp_path: Path) -> Any:
    """Return the messages that a graph sends of a post."""
    settings = Settings.load("e2e").with_options(cache="off")
    settings = settings.with_roles({"vlm": f"scripted:vlm?{FAMILY}", "segmenter": None})
    settings = settings.with_graph("e2e", think=False)
    with scripted("<answer>None</answer>", sees=True) as asked:
        build_graph(settings).invoke({"text": POST, "image": str(tmp_path / "a.png")})
    (question,) = asked
    return question.messages


def asked_by(row: Any) -> tuple[str, str]:
    """Return the messages of system and user in a row of any trainer, pictures as tags."""
    if "prompt" in row:
        system, user = row["prompt"]
        (said,) = system["content"]
        return said["text"], "".join(block.get("text", "<image>") for block in user["content"])
    if "conversations" in row:
        system, _, user = row["conversations"][0]["value"].partition("\n\nImage 1:")
        return system, f"Image 1:{user}"
    return row["messages"][0]["content"], row["messages"][1]["content"]


def test_prompts_are_those_of_the_graph(tmp_path: Path) -> None:
    Image.fromarray(np.full((90, 120, 3), 90, np.uint8)).save(tmp_path / "a.png")
    entity = {"text": "London", "type": "LOC", "regions": [{"box": [1, 2, 60, 70]}]}
    row = {"id": "a", "text": POST, "image": "a.png", "entities": [entity]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    out, base = tmp_path / "out", f"owner/model?{FAMILY}"
    lessons = rehearse(COURSES["e2e"], tmp_path / "rows.jsonl", Settings.load("e2e"), base, out)
    system, question = sent(tmp_path)
    user = "".join(block.get("text", "<image>") for block in question.content)
    assert user.count("<image>") == 1
    for name in ("trl", "swift", "llamafactory", "qwen"):
        (line,) = export(lessons, name, out).file.read_text(encoding="utf-8").splitlines()
        assert asked_by(json.loads(line)) == (system.text, user), name

"""Files of the scripts that come with Qwen2.5-VL and Qwen3-VL: conversations of human and gpt.

The scripts know no message of a system: what ours says stands before the question, in the turn of
the human. When the model is asked it stands in a message of its own, a difference that the files
of all other trainers do not have.
"""

import json
from collections.abc import Iterable
from typing import Any

from deixis.training.exports.samples import Sample, Trainer, limits
from deixis.training.lessons.records import Manifest

TAGS = {"image": "<image>", "video": "<video>"}


def _lines(sample: Sample, kinds: frozenset[str]) -> Iterable[str]:
    shown = {kind: files for kind in TAGS if (files := sample.files(kind))}
    row: dict[str, Any] = {
        **{kind: files[0] if len(files) == 1 else files for kind, files in shown.items()},
        "conversations": [
            {"from": "human", "value": f"{sample.system}\n\n{sample.asked(TAGS)}"},
            {"from": "gpt", "value": sample.answer},
        ],
    }
    yield json.dumps(row, ensure_ascii=False)


def _told(manifest: Manifest) -> list[str]:
    told = [
        "data_path: this folder, from which the paths start",
        "--model_max_length: more tokens than the longest lesson, or its end is cut off",
        "the scripts know no system message: it stands before the question",
    ]
    if pixels := limits(manifest):
        told.append(f"--min_pixels {pixels[0]} --max_pixels {pixels[1]}")
    return told


QWEN = Trainer(
    "the scripts of Qwen2.5-VL and Qwen3-VL: conversations",
    "qwen.jsonl",
    _lines,
    frozenset(TAGS),
    tuple(TAGS.values()),
    told=_told,
)

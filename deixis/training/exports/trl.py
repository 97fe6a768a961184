"""TRL's files: prompt and completion, so that `SFTTrainer` has the loss on the completion alone.

A prompt has blocks of text with ``{"type": "image"}`` between them, which TRL's collator fills
with the row's ``images`` in order. Where no lesson shows anything there is no such column and
messages are plain text, as a model without eyes takes them.
"""

import json
from collections.abc import Iterable
from typing import Any

from deixis.training.exports.samples import Sample, Trainer, limits
from deixis.training.lessons.records import Manifest


def _lines(sample: Sample, kinds: frozenset[str]) -> Iterable[str]:
    row: dict[str, Any] = {
        "id": sample.lesson.id,
        "prompt": [
            _message("system", [sample.system], kinds),
            _message("user", sample.question, kinds),
        ],
        "completion": [_message("assistant", [sample.answer], kinds)],
    }
    if kinds:
        row["images"] = sample.files("image")
    yield json.dumps(row, ensure_ascii=False)


def _message(role: str, parts: Iterable[Any], kinds: frozenset[str]) -> dict[str, Any]:
    if not kinds:
        return {"role": role, "content": "".join(parts)}
    blocks = [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
        for part in parts
    ]
    return {"role": role, "content": blocks}


def _told(manifest: Manifest) -> list[str]:
    told = ["SFTConfig(max_length=None), or image tokens are cut off"]
    if pixels := limits(manifest):
        size = f'{{"shortest_edge": {pixels[0]}, "longest_edge": {pixels[1]}}}'
        told.append(f"boxes count pixels of the resized picture: a processor with size={size}")
    return told


TRL = Trainer(
    "TRL: prompt, completion and images, for SFTTrainer",
    "trl.jsonl",
    _lines,
    frozenset({"image"}),
    told=_told,
)

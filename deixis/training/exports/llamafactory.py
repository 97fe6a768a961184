"""LLaMA-Factory's files: messages with tags where something is shown, and dataset_info.json."""

import json
from collections.abc import Iterable
from typing import Any

from deixis.training.exports.samples import KINDS, Sample, Trainer, limits
from deixis.training.lessons.records import Manifest

TAGS = {kind: f"<{kind}>" for kind in KINDS}
_FILE = "llamafactory.jsonl"
_ROLES = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


def _lines(sample: Sample, kinds: frozenset[str]) -> Iterable[str]:
    row: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": sample.system},
            {"role": "user", "content": sample.asked(TAGS)},
            {"role": "assistant", "content": sample.answer},
        ],
        **{f"{kind}s": sample.files(kind) for kind in sorted(kinds)},
    }
    yield json.dumps(row, ensure_ascii=False)


def _beside(manifest: Manifest, kinds: frozenset[str]) -> dict[str, str]:
    columns = ["messages", *(f"{kind}s" for kind in sorted(kinds))]
    info = {
        _name(manifest): {
            "file_name": _FILE,
            "formatting": "sharegpt",
            "columns": {column: column for column in columns},
            "tags": _ROLES,
        }
    }
    return {"dataset_info.json": json.dumps(info, indent=2)}


def _name(manifest: Manifest) -> str:
    return f"deixis_{manifest.course.replace('-', '_')}"


def _told(manifest: Manifest) -> list[str]:
    told = [
        f"dataset: {_name(manifest)}, with dataset_dir and media_dir: this folder",
        "cutoff_len: more tokens than the longest lesson; image tokens beyond it are cut off",
    ]
    if pixels := limits(manifest):
        told.append(
            "boxes count pixels of the resized picture: image_max_pixels: 1000000000, or "
            "LLaMA-Factory makes pictures smaller before the processor does; in the model's "
            f'preprocessor_config.json "shortest_edge": {pixels[0]}, "longest_edge": {pixels[1]}'
        )
    return told


LLAMAFACTORY = Trainer(
    "LLaMA-Factory: messages and media, with dataset_info.json",
    _FILE,
    _lines,
    frozenset(KINDS),
    tuple(TAGS.values()),
    _beside,
    _told,
)

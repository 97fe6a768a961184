"""ms-swift's files: messages with a tag where something is shown.

Boxes that count pixels of the picture as the model resizes it are left to ms-swift, which knows
to what size it resizes: ``<bbox>`` in the text, and in ``objects`` the box in pixels of the file.
It then writes ``[x1, y1, x2, y2]``, if QWENVL_BBOX_FORMAT is ``new``; our own brackets and
spaces are not kept, and the parsers read both. All other families' boxes are written out, for
they are the same at any size, and what ms-swift writes for them is not always what we read.
"""

import json
from collections.abc import Iterable
from typing import Any

from deixis.llms.local.control_marks import KNOWN
from deixis.training.exports.samples import KINDS, Sample, Trainer, limits
from deixis.training.lessons.records import Manifest, Slot

TAGS = {kind: f"<{kind}>" for kind in KINDS}
_BOX = "<bbox>"
_DIGITS = 2
"""Decimals of a pixel that are written."""


def _lines(sample: Sample, kinds: frozenset[str]) -> Iterable[str]:
    slots = [piece for piece in sample.lesson.answer if isinstance(piece, Slot)]
    left = sample.frame.resize is not None and bool(slots)
    row: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": sample.system},
            {"role": "user", "content": sample.asked(TAGS)},
            {"role": "assistant", "content": _with_tags(sample) if left else sample.answer},
        ],
        **{f"{kind}s": sample.files(kind) for kind in sorted(kinds)},
    }
    if left:
        row["objects"] = {
            "ref": [],
            "bbox": [[round(edge, _DIGITS) for edge in slot.box] for slot in slots],
            "bbox_type": "real",
            "image_id": [slot.image for slot in slots],
        }
    yield json.dumps(row, ensure_ascii=False)


def _with_tags(sample: Sample) -> str:
    answer = sample.lesson.answer
    text = "".join(piece if isinstance(piece, str) else _BOX for piece in answer)
    return KNOWN.plain(text, thoughts=True)


def _told(manifest: Manifest) -> list[str]:
    told = ["ROOT_IMAGE_DIR: this folder, from which the paths start"]
    if pixels := limits(manifest):
        told.append(
            "boxes are left to ms-swift: QWENVL_BBOX_FORMAT=new "
            f"MIN_PIXELS={pixels[0]} MAX_PIXELS={pixels[1]}"
        )
    return told


SWIFT = Trainer(
    "ms-swift: messages, media and objects",
    "swift.jsonl",
    _lines,
    frozenset(KINDS),
    (*TAGS.values(), _BOX, "<ref-object>", "<cot-process>", "<start-image>"),
    told=_told,
)

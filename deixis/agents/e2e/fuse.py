"""fuse: what most passes say holds, of entities, their types and their boxes."""

from collections import Counter
from typing import Any

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.e2e.boxes import fused
from deixis.agents.reading.answers import Found, joined, mentioned, placed
from deixis.rows import RowEntity

Named = list[tuple[str, dict[str, Any]]]
"""What passes say of one span: the reply, and what it says."""


def fuse(state: State, toolbox: Toolbox) -> Update:
    """Vote over the passes; one pass alone is taken at its word.

    A span counts that more than half of the passes name, with the type that most of them
    give it (the first of equals). Confidence is the share of all passes that say both.
    """
    passes = state["notes"]["passes"]
    text, spec = state["text"], toolbox.model("vlm")
    spans: dict[tuple[int, int], Named] = {}
    for each in passes:
        for one in each["named"]:
            spans.setdefault((one["start"], one["end"]), []).append((each["reply"], one))
    kept: list[tuple[Found, float, Named]] = []
    notices: Update = {}
    for (start, end), named in sorted(spans.items()):
        if 2 * len(named) <= len(passes):
            said = f"{len(named)} of {len(passes)} passes named {text[start:end]!r}"
            notices |= notice("fuse", f"{said}; it was left out")
            continue
        kind, votes = Counter(one["type"] for _, one in named).most_common(1)[0]
        fine = Counter(one["fine_type"] for _, one in named if one["type"] == kind)
        entity = RowEntity(text=text[start:end], type=kind, fine_type=fine.most_common(1)[0][0])
        kept.append((Found(entity, start, end, kind), votes / len(passes), named))
    how = f"confidence is the share of {len(passes)} passes that say so"
    update = mentioned(
        text,
        [found for found, _, _ in kept],
        "fuse",
        spec,
        toolbox,
        confidences=[share for _, share, _ in kept],
        evidence=how if len(passes) > 1 else "the model's own word, in one pass",
        replies=[each["reply"] for each in passes],
    )
    places = [
        _placed(state, entity, named, spec)
        for entity, (_, _, named) in zip(update["mentions"], kept, strict=True)
    ]
    return joined(update, *places, {"notices": notices})


def _placed(state: State, entity: str, named: Named, spec: str) -> Update:
    """Settle where one entity is, and quote what the model thought of it."""
    boxes, shares, said = fused([one["boxes"] for _, one in named])
    thoughts = dict.fromkeys(one["thought"] for _, one in named if one["thought"])
    update = placed(
        state,
        entity,
        boxes,
        "fuse",
        spec,
        score=max(shares, default=1.0),
        evidence=[said, *(f"it thought: {each}" for each in thoughts)],
        replies=[reply for reply, _ in named],
    )
    for region, share in zip(update["regions"].get(entity, []), shares, strict=False):
        region["score"] = share
    return update

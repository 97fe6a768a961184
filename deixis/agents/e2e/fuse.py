"""fuse: what most passes say holds, of entities, their types and their boxes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.e2e.boxes import fused
from deixis.agents.reading.answers import Located, mentioned, placed
from deixis.agents.reading.given import given_mentions, named_as_given
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
    for one_pass in passes:
        for entity in one_pass["named"]:
            span = entity["start"], entity["end"]
            spans.setdefault(span, []).append((one_pass["reply"], entity))
    notices: Update = {}
    if (given := given_mentions(state)) is not None:
        update = named_as_given(given, state["text"], "fuse", toolbox)
        answers = [spans.get((mention.start, mention.end), []) for mention in given]
        return joined(update, *_places(state, update, answers, spec))
    kept: list[tuple[Located, float, Named]] = []
    for (start, end), named in sorted(spans.items()):
        if 2 * len(named) <= len(passes):
            named_it = f"{len(named)} of {len(passes)} passes named {text[start:end]!r}"
            notices |= notice("fuse", f"{named_it}; it was left out")
            continue
        kind, votes = Counter(own["type"] for _, own in named).most_common(1)[0]
        fine = Counter(own["fine_type"] for _, own in named if own["type"] == kind)
        record = RowEntity(text=text[start:end], type=kind, fine_type=fine.most_common(1)[0][0])
        kept.append((Located(record, start, end, kind), votes / len(passes), named))
    how = f"confidence is the share of {len(passes)} passes that say so"
    update = mentioned(
        text,
        [known for known, _, _ in kept],
        "fuse",
        spec,
        toolbox,
        confidences=[share for _, share, _ in kept],
        evidence=how if len(passes) > 1 else "the model's own word, in one pass",
        replies=[one_pass["reply"] for one_pass in passes],
    )
    places = _places(state, update, [named for _, _, named in kept], spec)
    return joined(update, *places, {"notices": notices})


def _places(state: State, update: Update, answers: Sequence[Named], spec: str) -> list[Update]:
    return [
        _placed(state, entity, named, spec)
        for entity, named in zip(update["mentions"], answers, strict=True)
    ]


def _placed(state: State, entity: str, named: Named, spec: str) -> Update:
    """Settle where one entity is, and quote what the model thought of it."""
    boxes, shares, reason = fused([own["boxes"] for _, own in named])
    thoughts = dict.fromkeys(own["thought"] for _, own in named if own["thought"])
    update = placed(
        state,
        entity,
        boxes,
        "fuse",
        spec,
        score=max(shares, default=1.0),
        evidence=[reason, *(f"it thought: {thought}" for thought in thoughts)],
        replies=[reply for reply, _ in named],
    )
    for region, share in zip(update["regions"].get(entity, []), shares, strict=False):
        region["score"] = share
    return update

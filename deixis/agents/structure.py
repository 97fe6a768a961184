"""structure: put everything together as an `Extraction`, checked, in plain data."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from deixis.agents.context.media import late_notes
from deixis.agents.context.records import CallRecord
from deixis.agents.context.state import State, Update, caption_of, notice, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.media_results import decisions_of, looks_of, media_of, settled
from deixis.base.extraction_records import UNTYPED
from deixis.base.records import TOKENS
from deixis.schema import Extraction, Usage
from deixis.settings import Price, entry_for

NOT_ASKED = {"cached", "shared"}


def structure(state: State, toolbox: Toolbox) -> Update:
    """Build the result; a result that breaks a promise of the schema is a bug and raises."""
    entities = sorted((_entity(state, entity) for entity in state["mentions"]), key=_order)
    calls = state.get("calls", {})
    pictures = state.get("pictures", [])
    result = Extraction.model_validate(
        {
            "text": state["text"],
            "image": state.get("picture"),
            "images": pictures if len(pictures) > 1 else [],
            "entities": entities,
            **(media_of(state) if "task" in toolbox.takes else {}),
            "caption": caption_of(state) or None,
            "replies": _replies(calls),
            "usage": usage(calls, toolbox.settings.options.prices),
            "warnings": list(_notices(state).values()),
            "types": _types(toolbox, entities),
        }
    )
    found = result.model_dump(mode="json")
    # Their channels have what was given, or what the last sample of a thread left.
    if "images" in toolbox.takes:
        found = {"images": [], **found}
    if "task" in toolbox.takes:
        none: Update = {
            "audio": None,
            "video": None,
            "transcript": None,
            "relations": [],
            "events": [],
        }
        found = {**none, **found}
    return found


def _notices(state: State) -> dict[str, dict[str, str]]:
    """Return all notices, those of what only decoding showed among them."""
    known = dict(state.get("notices", {}))
    for note in late_notes(state):
        known |= notice("open", note)
    return known


def _order(entity: Mapping[str, Any]) -> tuple[bool, int, int]:
    """Sort by place in the text; what has none comes last, as it was found."""
    start, end = entity["start"], entity["end"]
    return (start is None, start or 0, end or 0)


def _types(toolbox: Toolbox, entities: Sequence[Mapping[str, Any]]) -> list[str]:
    known = [entity_type.name for entity_type in toolbox.types.types]
    used = dict.fromkeys(entity["type"] for entity in entities)
    return [*known, UNTYPED] if UNTYPED in used and UNTYPED not in known else known


def _entity(state: State, entity: str) -> dict[str, Any]:
    mention = state["mentions"][entity]
    kind = state.get("kinds", {}).get(entity)
    verdict = state.get("verdicts", {}).get(entity)
    looks = looks_of(state, entity)
    return {
        "id": entity,
        "text": mention["text"],
        "start": mention["start"],
        "end": mention["end"],
        "type": type_of(state, entity),
        "fine_type": kind["fine_type"] if kind else None,
        "expression": state.get("expressions", {}).get(entity),
        "knowledge": state.get("knowledge", {}).get(entity, {}),
        "groundable": settled(looks) if looks else verdict["groundable"] if verdict else None,
        "confidence": mention["confidence"],
        "regions": state.get("regions", {}).get(entity, []),
        "spans": state.get("spans", {}).get(entity, []),
        "track": state.get("tracks", {}).get(entity, []),
        "decisions": decisions_of(state, entity),
    }


def usage(calls: Mapping[str, CallRecord], prices: Mapping[str, Price]) -> list[Usage]:
    """Add up the calls, one record per role and model, and price them."""
    sums: dict[tuple[str, str], Usage] = {}
    in_batches: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for call in calls.values():
        key = (call["role"], call["model"])
        total = sums.setdefault(key, Usage(role=call["role"], model=call["model"]))
        if call.get("batched"):
            counted: dict[str, int] = {name: call[name] for name in TOKENS}
            in_batches[key].update(counted)
        made = call["status"] not in NOT_ASKED
        total.cached += call["status"] == "cached"
        total.shared += call["status"] == "shared"
        total.calls += made
        total.failed += made and call["status"] != "ok"
        total.retries += made and call["retry"]
        for name in TOKENS:
            setattr(total, name, getattr(total, name) + call[name])
        total.seconds += call["seconds"]
    for total in sums.values():
        entry = entry_for(total.model, prices)
        if entry is not None:
            price = entry[1]
            total.cost = price.of(*(getattr(total, name) for name in TOKENS))
            reduced = in_batches[total.role, total.model]
            total.cost -= (1.0 - price.batch) * price.of(*map(reduced.__getitem__, TOKENS))
    return [sums[key] for key in sorted(sums)]


def _replies(calls: Mapping[str, CallRecord]) -> list[dict[str, Any]]:
    return [
        {
            "id": key,
            "status": "ok" if call["status"] in NOT_ASKED else call["status"],
            "role": call["role"],
            "model": call["model"],
            "prompt": call["prompt"],
            "finish_reason": call["finish_reason"],
            "text": call["text"],
        }
        for key, call in sorted(calls.items(), key=lambda item: _place(item[0]))
    ]


def _place(key: str) -> tuple[str, int, int]:
    """Return ``step/seat/number`` as what it sorts by."""
    step, seat, number = key.split("/")
    return step, int(seat), int(number)

"""structure: put everything together as an `Extraction`, checked, in plain data."""

from collections.abc import Mapping
from typing import Any

from deixis.agents.context.state import State, Update
from deixis.agents.context.toolbox import Toolbox
from deixis.schema import Extraction, Usage
from deixis.settings import Price, entry_for

NOT_ASKED = {"cached", "shared"}


def structure(state: State, toolbox: Toolbox) -> Update:
    """Build the result; a result that breaks a promise of the schema is a bug and raises."""
    entities = [_entity(state, entity) for entity in state["mentions"]]
    calls = state.get("calls", {})
    result = Extraction.model_validate(
        {
            "text": state["text"],
            "image": state.get("picture"),
            "entities": sorted(entities, key=lambda each: (each["start"], each["end"])),
            "caption": (state.get("observation") or {}).get("caption"),
            "replies": _replies(calls),
            "usage": usage(calls, toolbox.settings.options.prices),
            "warnings": list(state.get("notices", {}).values()),
            "types": [each.name for each in toolbox.types.types],
        }
    )
    return result.model_dump(mode="json")


def _entity(state: State, entity: str) -> dict[str, Any]:
    mention = state["mentions"][entity]
    kind = state.get("kinds", {}).get(entity, {})
    decisions = [
        record for key, record in state["decisions"].items() if key.partition("/")[0] == entity
    ]
    return {
        "id": entity,
        "text": mention["text"],
        "start": mention["start"],
        "end": mention["end"],
        "type": kind.get("type") or mention["type"],
        "fine_type": kind.get("fine_type"),
        "expression": state.get("expressions", {}).get(entity),
        "knowledge": state.get("knowledge", {}).get(entity, {}),
        "groundable": state.get("verdicts", {}).get(entity, {}).get("groundable"),
        "confidence": mention["confidence"],
        "regions": state.get("regions", {}).get(entity, []),
        "decisions": decisions,
    }


def usage(calls: dict[str, dict[str, Any]], prices: Mapping[str, Price]) -> list[Usage]:
    """Add up the calls, one record a role and model, and price them."""
    sums: dict[tuple[str, str], Usage] = {}
    for call in calls.values():
        each = sums.setdefault(
            (call["role"], call["model"]), Usage(role=call["role"], model=call["model"])
        )
        made = call["status"] not in NOT_ASKED
        each.cached += call["status"] == "cached"
        each.shared += call["status"] == "shared"
        each.calls += made
        each.failed += made and call["status"] != "ok"
        each.retries += made and call["retry"]
        each.input_tokens += call["input_tokens"]
        each.output_tokens += call["output_tokens"]
        each.seconds += call["seconds"]
    for each in sums.values():
        found = entry_for(each.model, prices)
        if found is not None:
            _, price = found
            paid = each.input_tokens * price.input + each.output_tokens * price.output
            each.cost = paid / 1_000_000
    return [sums[key] for key in sorted(sums)]


def _replies(calls: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    kept = ("role", "model", "prompt", "finish_reason", "text")
    return [
        {
            "id": key,
            "status": "ok" if call["status"] in NOT_ASKED else call["status"],
            **{name: call[name] for name in kept},
        }
        for key, call in sorted(calls.items(), key=lambda item: _place(item[0]))
    ]


def _place(key: str) -> tuple[str, int, int]:
    """Return ``step/seat/number`` as what it sorts by."""
    step, seat, number = key.split("/")
    return step, int(seat), int(number)

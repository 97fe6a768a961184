"""How much of one row a page shows: what is beyond is counted, and said on the page."""

from collections.abc import Collection
from itertools import accumulate
from typing import Any, NamedTuple

from deixis.schema import Entity, Extraction, Transcript

TEXT, ENTITIES, DETAILS, WARNINGS = 20_000, 100, 50, 50
"""Characters, entities, regions or decisions or attributes of each, and warnings of a row.

Of relations and events as many as of entities are shown, of what was said as much as of the text.
"""


class Shortened(NamedTuple):
    """What is shown of an extraction; ``beyond`` says how much is not, "" for nothing."""

    extraction: Extraction
    beyond: str


def shortened(extraction: Extraction, first: Collection[str] = ()) -> Shortened:
    """Return as much of an extraction as a page can show.

    Args:
        extraction: of any size.
        first: texts of entities that are shown before all others.
    """
    text = extraction.text[:TEXT]
    within = [e for e in extraction.entities if e.end is None or e.end <= len(text)]
    chosen = sorted(within, key=lambda entity: entity.text not in first)[:ENTITIES]
    ids = {entity.id for entity in chosen}
    kept = [entity for entity in within if entity.id in ids]
    entities = [_entity(entity) for entity in kept]
    warnings = extraction.warnings[:WARNINGS]
    relations, events = extraction.relations[:ENTITIES], extraction.events[:ENTITIES]
    heard = extraction.transcript
    transcript = heard and _transcript(heard)
    counts = {
        "characters": len(extraction.text) - len(text),
        "entities": len(extraction.entities) - len(kept),
        "regions, decisions and attributes": sum(map(_size, kept)) - sum(map(_size, entities)),
        "warnings": len(extraction.warnings) - len(warnings),
        "relations": len(extraction.relations) - len(relations),
        "events": len(extraction.events) - len(events),
        "words heard": len(heard.words) - len(transcript.words) if heard and transcript else 0,
    }
    changes: dict[str, Any] = {
        "text": text,
        "entities": entities,
        "warnings": warnings,
        "relations": relations,
        "events": events,
        "transcript": transcript,
    }
    beyond = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return Shortened(extraction.model_copy(update=changes), beyond)


def _transcript(heard: Transcript) -> Transcript:
    lengths = accumulate(len(word.text) + 1 for word in heard.words)
    kept = sum(length <= TEXT for length in lengths)
    return heard.model_copy(update={"words": heard.words[:kept]})


def _entity(entity: Entity) -> Entity:
    knowledge = {"attributes": entity.knowledge.attributes[:DETAILS]}
    changes = {
        "regions": entity.regions[:DETAILS],
        "spans": entity.spans[:DETAILS],
        "decisions": entity.decisions[:DETAILS],
        "knowledge": entity.knowledge.model_copy(update=knowledge),
    }
    return entity.model_copy(update=changes)


def _size(entity: Entity) -> int:
    places = len(entity.regions) + len(entity.spans)
    return places + len(entity.decisions) + len(entity.knowledge.attributes)

"""What is told of a result: the short form, and one entity with its reasons."""

from collections.abc import Collection

from deixis.base.printable import one_line
from deixis.errors import InputError
from deixis.schema import Decision, Entity, Extraction
from deixis.serving.mcp.arguments import Explained
from deixis.serving.mcp.kept import Found


def without(extraction: Extraction, include: Collection[str]) -> Extraction:
    """Leave out what is long, but what is to be included."""
    entities = [
        entity.model_copy(
            update={
                "decisions": entity.decisions if "decisions" in include else [],
                **({} if "masks" in include else _unmasked(entity)),
            }
        )
        for entity in extraction.entities
    ]
    replies = extraction.replies if "replies" in include else []
    return extraction.model_copy(update={"entities": entities, "replies": replies})


def _unmasked(entity: Entity) -> dict[str, object]:
    bare = {"mask": None}
    regions = [region.model_copy(update=bare) for region in entity.regions]
    track = [
        frame.model_copy(update={"region": frame.region.model_copy(update=bare)})
        for frame in entity.track
    ]
    return {"regions": regions, "track": track}


def entity_named(extraction: Extraction, name: str) -> Entity:
    """Return the entity of an id, or else of a text.

    Raises:
        InputError: there is none, or several have this text.
    """
    entities = extraction.entities
    by_id = [entity for entity in entities if entity.id == name]
    fitting = by_id or [entity for entity in entities if entity.text == name]
    if not fitting:
        fitting = [entity for entity in entities if entity.text.casefold() == name.casefold()]
    if len(fitting) == 1:
        return fitting[0]
    among = ", ".join(f"{entity.id} ({one_line(entity.text, 60)})" for entity in entities[:50])
    if not fitting:
        raise InputError(f"no entity has this id or text; there are: {among or 'none'}")
    ids = ", ".join(entity.id for entity in fitting)
    raise InputError(f"several entities are called so; give the id of one: {ids}")


def explained(found: Found, entity: Entity) -> tuple[Explained, str]:
    """Return what speaks for what was decided about an entity, as data and in words."""
    bare = entity.model_copy(update=_unmasked(entity))
    cited = {reply for made in entity.decisions for reply in made.replies}
    replies = [reply for reply in found.extraction.replies if reply.id in cited]
    why = entity.why()
    lines = [f"{entity.text} ({entity.fine_type or entity.type}), {_SEEN[entity.groundable]}"]
    lines += [f"about: {entity.expression}"] if entity.expression else []
    lines += [f"why: {line}" for line in why]
    lines += [_line(decision) for decision in entity.decisions]
    lines += [f"{reply.id}, {reply.model} said: {reply.text}" for reply in replies]
    told = Explained(extraction=found.id, entity=bare, why=why, replies=replies)
    return told, "\n".join(map(one_line, lines))


_SEEN = {True: "shown or heard", False: "neither shown nor heard", None: "undecided"}


def _line(made: Decision) -> str:
    by = ", ".join(filter(None, (made.step, made.model)))
    sure = "" if made.confidence is None else f" ({made.confidence:.2f})"
    evidence = "; ".join(made.evidence)
    outcome = "undecided" if made.outcome is None else made.outcome
    return f"{made.subject} = {outcome}{sure}, by {by}" + (f": {evidence}" if evidence else "")

"""An extraction with relations and events, of texts that want to be escaped."""

from deixis.schema import Argument, Decision, Entity, Event, Extraction, Relation, Trigger

TEXT = "Ann <b>Lee</b> of NASA met Bob in Rome & Oslo"


def entity(number: int, text: str, kind: str, **fields: object) -> Entity:
    """Return the entity number `number`, from 1, where its name first stands in `TEXT`."""
    start = TEXT.find(text)
    end = None if start < 0 else start + len(text)
    values = {"id": f"e{number}", "confidence": 0.75} | fields
    return Entity(text=text, start=None if start < 0 else start, end=end, type=kind, **values)


ENTITIES = [
    entity(1, "Ann <b>Lee</b>", "person"),
    entity(2, "NASA", "organization"),
    entity(3, "Bob", "person"),
    entity(4, "Rome", "place"),
    entity(5, "Oslo", "place"),
    entity(6, "the <i>dog", "entity"),
]


def told(**fields: object) -> Extraction:
    """Return the extraction, with these fields besides."""
    decided = [Decision(step="extract", subject="relation", outcome="yes", evidence=["<said> so"])]
    relations = [("e1", "<works> for", "e2"), ("e1", "knows", "e3"), ("e3", "knows", "e1")]
    trigger = Trigger(text="met", start=TEXT.index("met"), end=TEXT.index("met") + 3)
    roles = [("person", "e1"), ("person", "e3"), ("place", "e4"), ("<role>", "e6")]
    values = {
        "text": TEXT,
        "image": None,
        "entities": ENTITIES,
        "relations": [
            Relation(
                id=f"r{i}", subject=one, type=kind, object=other, confidence=0.5, decisions=decided
            )
            for i, (one, kind, other) in enumerate(relations, start=1)
        ],
        "events": [
            Event(
                id="v1",
                type="Contact.<Meet>",
                trigger=trigger,
                arguments=[Argument(role=r, entity=e, confidence=0.25) for r, e in roles],
                confidence=0.625,
                decisions=decided,
            ),
            Event(id="v2", type="Life", confidence=0.5),
        ],
    }
    return Extraction(**(values | fields))

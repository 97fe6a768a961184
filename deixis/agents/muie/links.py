"""What the replies say of entities together: relations and events, by ids."""

from collections.abc import Sequence
from typing import Any

from deixis.agents.context.state import Update, decision, notice
from deixis.agents.muie.entities import STEP, UNSURE, Answered, Entities
from deixis.agents.muie.said import LONGEST, Happened, Linked
from deixis.base.extraction_records import UNTYPED
from deixis.base.folding import key
from deixis.type_schema import TypeSchema

DOUBTED = 0.5
"""Confidence in a relation whose ends have types that it does not lead from or to: one of the
three labels is wrong, and it is not known which."""


class Links:
    """Brings together the relations and events of replies; ``update`` is what the graph keeps.

    Args:
        entities: those that all replies name.
        types: the labels.
    """

    def __init__(self, entities: Entities, types: TypeSchema) -> None:
        self._entities, self._types = entities, types
        channels = ("related", "happened", "decisions", "notices")
        self.update: Update = {channel: {} for channel in channels}

    def take(self, answers: Sequence[Answered]) -> None:
        """Take in what replies relate, and what happens."""
        for said, replies in answers:
            for link in said.linked:
                self._relate(link, replies)
            for event in said.happened:
                self._happen(event, replies)

    def _tell(self, message: str) -> None:
        self.update["notices"] |= notice(STEP, message)

    def _decide(
        self,
        subject: str,
        what: str,
        outcome: str | None,
        confidence: float | None,
        evidence: Sequence[str],
        replies: Sequence[str],
    ) -> None:
        self.update["decisions"] |= decision(
            subject,
            STEP,
            what,
            outcome,
            model=self._entities.model,
            confidence=confidence,
            evidence=evidence,
            replies=replies,
        )

    def _relate(self, link: Linked, replies: list[str]) -> None:
        subject, object_ = self._entities.id_of(link.subject), self._entities.id_of(link.object)
        short = f"{link.subject[:LONGEST]!r} {link.type} {link.object[:LONGEST]!r}"
        if subject is None or object_ is None:
            return self._tell(f"the relation {short} was left out: an end of it is nowhere")
        if subject == object_:
            return self._tell(f"the relation {short} was left out: both ends are one entity")
        triple = (subject, link.type, object_)
        related = self.update["related"].values()
        if triple in [(own["subject"], own["type"], own["object"]) for own in related]:
            return None
        evidence, confidence = [UNSURE], 1.0
        if wrong := self._disallowed(link.type, subject, object_):
            evidence, confidence = [wrong], DOUBTED
            self._tell(f"the relation {short} is doubtful: {wrong}")
        number = f"r{len(related) + 1}"
        self.update["related"][number] = {
            "subject": subject,
            "type": link.type,
            "object": object_,
            "confidence": confidence,
            "replies": replies,
        }
        return self._decide(number, "relation", link.type, confidence, evidence, replies)

    def _disallowed(self, relation: str, subject: str, object_: str) -> str:
        """Say which end of a relation has a type that it cannot have; "" if none has."""
        kind = self._types.relation(relation)
        assert kind is not None, "looked up before"
        for side, entity, allowed in (
            ("subject", subject, kind.subject),
            ("object", object_, kind.object),
        ):
            type_ = self._entities.update["mentions"][entity]["type"]
            if allowed and type_ != UNTYPED and type_ not in allowed:
                return f"its {side} is {type_}, not {' or '.join(allowed)}"
        return ""

    def _happen(self, event: Happened, replies: list[str]) -> None:
        arguments: list[dict[str, Any]] = []
        for role, name in event.arguments:
            entity = self._entities.id_of(name)
            if entity is None:
                self._tell(f"{role} {name[:LONGEST]!r} of {event.type} was left out: it is nowhere")
            elif (role, entity) not in [(own["role"], own["entity"]) for own in arguments]:
                arguments.append({"role": role, "entity": entity, "confidence": 1.0})
        word = self._entities.source.name(event.trigger) if event.trigger.strip() else ""
        same = [own for own in self.update["happened"].values() if own["type"] == event.type]
        if any(own["arguments"] == arguments and _is_called(own, word) for own in same):
            return
        trigger = self._trigger(word, same) if word else None
        if word and trigger is None:
            what = f"the word {word[:LONGEST]!r} for {event.type} is not in what was given"
            self._tell(what if arguments else f"{what}, nor is who takes part: it was left out")
            if not arguments:
                return
        number = f"v{len(self.update['happened']) + 1}"
        self.update["happened"][number] = {
            "type": event.type,
            "trigger": trigger,
            "arguments": arguments,
            "confidence": 1.0,
            "replies": replies,
        }
        self._decide(number, "event", event.type, 1.0, [UNSURE], replies)

    def _trigger(self, word: str, same: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Place the word for an event, outside those for others of its type if it can be.

        It stands in the text or the speech, or says what is seen or heard; else there is none.
        """
        triggers = [own["trigger"] for own in same if own["trigger"]]
        others = [(own["start"], own["end"]) for own in triggers if own["start"] is not None]
        place = self._entities.source.trigger(word, self._entities.places, others)
        if not (place.span or place.heard or self._entities.unread):
            return None
        start, end = place.span or (None, None)
        text = self._entities.source.text[start:end] if place.span else word
        return {"text": text, "start": start, "end": end, "heard": place.heard}


def _is_called(event: dict[str, Any], word: str) -> bool:
    return key(event["trigger"]["text"] if event["trigger"] else "") == key(word)

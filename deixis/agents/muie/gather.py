"""What the replies to all tasks say together: one entity per name, wherever it stands."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.agents.context.media_records import Medium, NamedMention, Sought
from deixis.agents.context.records import Kind
from deixis.agents.context.state import Update, decision, notice
from deixis.agents.muie.naming import Place, Range, Source
from deixis.agents.muie.said import LONGEST, LONGEST_NAME, Happened, Linked, Named, Said
from deixis.base.extraction_records import UNTYPED
from deixis.base.folding import key
from deixis.type_schema import TypeSchema

STEP = "extract"
UNSURE = "a model's answer, which says nothing of how sure it is"
DOUBTED = 0.5
"""Confidence in a relation whose ends have types that it does not lead from or to: one of the
three labels is wrong, and it is not known which."""
_NUMBER = re.compile(r"(?<=\w)\s+\d{1,2}$")
"""By which things of a kind are told apart, as the prompts ask: "dog 2"."""
UNASKED = "marked but never asked for (missing grounding): no module was told to look for it"


class Answered(NamedTuple):
    """What one reply says, and the calls that it rests on."""

    said: Said
    replies: list[str]


class _One:
    """An entity, of all that is said of its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.type: str | None = None
        self.fine_type: str | None = None
        self.sought: dict[Medium, str] = {}
        self.unasked = False
        self.replies: dict[str, None] = {}


class Gathering:
    """Brings replies together; `update` is what the graph keeps of them.

    Args:
        source: what names are looked for in.
        media: those of the sample, in which entities are looked for.
        types: the labels.
        model: who replied.
    """

    def __init__(
        self, source: Source, media: Sequence[Medium], types: TypeSchema, model: str
    ) -> None:
        self._source, self._media, self._types, self._model = source, media, types, model
        self._ones: dict[str, _One] = {}
        self._ids: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self.update: Update = {
            channel: {}
            for channel in (
                *("mentions", "kinds", "sought", "related", "happened", "decisions", "notices"),
            )
        }

    def take(self, answers: Sequence[Answered]) -> Update:
        """Return mentions, where to look for them, relations and events, and notices."""
        for said, replies in answers:
            for message in said.told:
                self._tell(message)
            for named in said.named:
                self._name(named, replies)
            ends = [name for link in said.linked for name in (link.subject, link.object)]
            ends += [name for event in said.happened for _, name in event.arguments]
            for name in ends:
                self._name(Named(name), replies)
        self._place()
        for said, replies in answers:
            for link in said.linked:
                self._relate(link, replies)
            for event in said.happened:
                self._happen(event, replies)
        return self.update

    def _tell(self, message: str) -> None:
        self.update["notices"] |= notice(STEP, message)

    def _name(self, named: Named, replies: Sequence[str]) -> None:
        name = self._source.name(named.name)
        if not key(name) or len(name) > LONGEST_NAME:
            return
        one = self._ones.setdefault(key(name), _One(name))
        if named.type is not None and one.type is None:
            one.type, one.fine_type = named.type, named.fine_type
        elif named.type is not None and named.type != one.type:
            both = f"{one.type} and {named.type}"
            self._tell(f"the model gave {one.name[:LONGEST]!r} two types, {both}: the first holds")
        for medium, phrase in named.sought:
            one.sought.setdefault(medium, phrase)
        one.unasked = (one.unasked or named.unasked) and not one.sought
        one.replies |= dict.fromkeys(replies)

    def _place(self) -> None:
        """Number the entities in the order of the text, then of the speech, then as named."""
        found = self._source.places([one.name for one in self._ones.values()])
        kept = {
            name: place
            for name, place in ((name, found[one.name]) for name, one in self._ones.items())
            if self._is_somewhere(self._ones[name], place)
        }
        holders: dict[Range, str] = {}
        for name in sorted(kept, key=lambda name: _order(kept[name])):
            span = kept[name].span
            if span in holders:  # written in two ways, and one thing
                self._ids[name] = self._ids[holders[span]]
                continue
            if span is not None:
                holders[span] = name
            self._ids[name] = f"e{len(self.update['mentions']) + 1}"
            self._places[name] = kept[name]
            self._mention(self._ids[name], self._ones[name], kept[name])

    def _is_somewhere(self, one: _One, place: Place) -> bool:
        """Whether an entity stands in the text or the speech, or may be seen or heard."""
        if place.span or place.heard:
            return True
        where = [medium for medium in self._media if medium != "audio" or not self._source.speech]
        if not where:
            self._tell(f"the model named {one.name[:LONGEST]!r}, which is not in what was given")
            return False
        if not one.sought and not one.unasked:
            one.sought = dict.fromkeys(where, _NUMBER.sub("", one.name))
        return True

    def _mention(self, entity: str, one: _One, place: Place) -> None:
        text = self._source.text[slice(*place.span)] if place.span else one.name
        start, end = place.span or (None, None)
        mention = NamedMention(
            text=text,
            start=start,
            end=end,
            type=one.type or UNTYPED,
            confidence=1.0,
            prior=None,
            fine_type=None,
        )
        if place.heard:
            mention["heard"] = place.heard
            one.sought.setdefault("audio", one.name)
        self.update["mentions"][entity] = mention
        if one.type is not None and one.fine_type is not None:
            self.update["kinds"][entity] = Kind(type=one.type, fine_type=one.fine_type)
        if one.sought:
            looked = [Sought(medium=each, phrase=words) for each, words in one.sought.items()]
            self.update["sought"][entity] = looked
        why = [UNSURE] if one.type else ["a relation or an event names it, without a type"]
        self._decide(entity, "type", one.type, 1.0, why, list(one.replies))
        if one.unasked:
            self._decide(entity, "look", None, None, [UNASKED], list(one.replies))

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
            model=self._model,
            confidence=confidence,
            evidence=evidence,
            replies=replies,
        )

    def _id(self, name: str) -> str | None:
        return self._ids.get(key(self._source.name(name)))

    def _relate(self, link: Linked, replies: list[str]) -> None:
        subject, object_ = self._id(link.subject), self._id(link.object)
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
            type_ = self.update["mentions"][entity]["type"]
            if allowed and type_ != UNTYPED and type_ not in allowed:
                return f"its {side} is {type_}, not {' or '.join(allowed)}"
        return ""

    def _happen(self, event: Happened, replies: list[str]) -> None:
        arguments: list[dict[str, Any]] = []
        for role, name in event.arguments:
            entity = self._id(name)
            if entity is None:
                self._tell(f"{role} {name[:LONGEST]!r} of {event.type} was left out: it is nowhere")
            elif (role, entity) not in [(own["role"], own["entity"]) for own in arguments]:
                arguments.append({"role": role, "entity": entity, "confidence": 1.0})
        word = self._source.name(event.trigger) if event.trigger.strip() else ""
        same = [own for own in self.update["happened"].values() if own["type"] == event.type]
        if any(own["arguments"] == arguments and _is_called(own, word) for own in same):
            return
        number = f"v{len(self.update['happened']) + 1}"
        self.update["happened"][number] = {
            "type": event.type,
            "trigger": self._trigger(word, same) if word else None,
            "arguments": arguments,
            "confidence": 1.0,
            "replies": replies,
        }
        self._decide(number, "event", event.type, 1.0, [UNSURE], replies)

    def _trigger(self, word: str, same: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Place the word for an event, outside those for others of its type if it can be."""
        triggers = [own["trigger"] for own in same if own["trigger"]]
        others = [(own["start"], own["end"]) for own in triggers if own["start"] is not None]
        place = self._source.trigger(word, self._places, others)
        start, end = place.span or (None, None)
        text = self._source.text[start:end] if place.span else word
        return {"text": text, "start": start, "end": end, "heard": place.heard}


def _is_called(event: dict[str, Any], word: str) -> bool:
    return key(event["trigger"]["text"] if event["trigger"] else "") == key(word)


def _order(place: Place) -> tuple[bool, Range, bool, list[int]]:
    span, heard = place.span, place.heard
    return span is None, span or (0, 0), not heard, heard[0] if heard else []

"""What the replies to all tasks name together: one entity per name, wherever it stands."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from deixis.agents.context.media_records import Medium, NamedMention, Sought
from deixis.agents.context.records import Kind, Mention
from deixis.agents.context.state import Update, decision, joined, notice
from deixis.agents.muie.naming import Place, Range, Source
from deixis.agents.muie.said import LONGEST, LONGEST_NAME, Named, Said
from deixis.base.extraction_records import UNTYPED
from deixis.base.folding import key

STEP = "extract"
UNSURE = "a model's answer, which says nothing of how sure it is"
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


class Entities:
    """Brings together what replies name; ``update`` is what the graph keeps of it.

    Args:
        source: what names are looked for in.
        media: those of the sample, in which entities are looked for.
        model: who replied.
        given: mentions that are known, as a recognizer would name them: then there are no others.
    """

    def __init__(
        self, source: Source, media: Sequence[Medium], model: str, given: Update | None = None
    ) -> None:
        self.source, self.model = source, model
        self.places: dict[str, Place] = {}
        self._media, self._given = media, given
        self._ones: dict[str, _One] = {}
        self._ids: dict[str, str] = {}
        channels = ("mentions", "kinds", "sought", "decisions", "notices")
        self.update: Update = {channel: {} for channel in channels}
        if given is not None:
            self.update = joined(self.update, given)
        for entity, mention in self.update["mentions"].items():
            name = mention["text"]
            self._ids.setdefault(key(name), entity)
            self._ones.setdefault(key(name), _One(name))

    def take(self, answers: Sequence[Answered]) -> None:
        """Take in what is named, also as the end of a relation or as an argument."""
        for said, replies in answers:
            for message in said.told:
                self._tell(message)
            ends = [name for link in said.linked for name in (link.subject, link.object)]
            ends += [name for event in said.happened for _, name in event.arguments]
            for named in (*said.named, *map(Named, ends)):
                self._name(named, replies)
        if self._given is None:
            self._place()
        else:
            self._place_given(self.update["mentions"])

    @property
    def unread(self) -> list[Medium]:
        """The media that may have what stands in neither text nor speech."""
        return [medium for medium in self._media if medium != "audio" or not self.source.speech]

    def id_of(self, name: str) -> str | None:
        """Return the id of the entity of a name; None where there is none."""
        return self._ids.get(key(self.source.name(name)))

    def _tell(self, message: str) -> None:
        self.update["notices"] |= notice(STEP, message)

    def _name(self, named: Named, replies: Sequence[str]) -> None:
        name = self.source.name(named.name)
        if not key(name) or len(name) > LONGEST_NAME:
            return None
        if self._given is not None and key(name) not in self._ones:
            what = f"the model named {name[:LONGEST]!r}, which is not among the given mentions"
            return self._tell(f"{what}; it was left out")
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
        return None

    def _place(self) -> None:
        """Number the entities in the order of the text, then of the speech, then as named."""
        found = self._found()
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
            self.places[name] = kept[name]
            self._mention(self._ids[name], self._ones[name], kept[name])

    def _found(self) -> dict[str, Place]:
        """Return where all names stand; what a model says is heard of them counts as their name."""
        ones = self._ones.values()
        return self.source.places({one.name: one.sought.get("audio", "") for one in ones})

    def _place_given(self, mentions: Mapping[str, Mention]) -> None:
        """Say where the mentions given are heard and to be looked for; the rest is known."""
        found = self._found()
        for entity, mention in mentions.items():
            one = self._ones[key(mention["text"])]
            place = found[one.name]._replace(span=(mention["start"], mention["end"]))
            self.places[entity] = place
            placed = cast("NamedMention", {**mention})
            self._seek(entity, placed, one, place)
            self.update["mentions"][entity] = placed

    def _is_somewhere(self, one: _One, place: Place) -> bool:
        """Whether an entity stands in the text or the speech, or may be seen or heard."""
        if place.span or place.heard:
            return True
        where = self.unread
        if not where:
            self._tell(f"the model named {one.name[:LONGEST]!r}, which is not in what was given")
            return False
        if not one.sought and not one.unasked:
            one.sought = dict.fromkeys(where, _NUMBER.sub("", one.name))
        return True

    def _mention(self, entity: str, one: _One, place: Place) -> None:
        text = self.source.text[slice(*place.span)] if place.span else one.name
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
        self._seek(entity, mention, one, place)
        self.update["mentions"][entity] = mention
        if one.type is not None and one.fine_type is not None:
            self.update["kinds"][entity] = Kind(type=one.type, fine_type=one.fine_type)
        why = [UNSURE] if one.type else ["a relation or an event names it, without a type"]
        self.update["decisions"] |= decision(
            entity,
            STEP,
            "type",
            one.type,
            model=self.model,
            confidence=1.0,
            evidence=why,
            replies=one.replies,
        )

    def _seek(self, entity: str, mention: NamedMention, one: _One, place: Place) -> None:
        """Say where an entity is heard, and where it is to be looked for."""
        if place.heard:
            mention["heard"] = place.heard
            one.sought.setdefault("audio", one.name)
        if one.sought:
            looked = [Sought(medium=each, phrase=words) for each, words in one.sought.items()]
            self.update["sought"][entity] = looked
        if one.unasked:
            self.update["decisions"] |= decision(
                entity,
                STEP,
                "look",
                None,
                model=self.model,
                evidence=[UNASKED],
                replies=one.replies,
            )


def _order(place: Place) -> tuple[bool, Range, bool, list[int]]:
    span, heard = place.span, place.heard
    return span is None, span or (0, 0), not heard, heard[0] if heard else []

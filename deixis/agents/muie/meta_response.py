"""Replies in the paper's style: the meta-response of REAMO (section 4.1)."""

from collections.abc import Collection, Iterator

from deixis.agents.context.media_records import Medium
from deixis.agents.muie.pairing import pair
from deixis.agents.muie.said import LONGEST, Happened, Labels, Linked, Named, Said
from deixis.agents.reading.plain import plain
from deixis.agents.reading.tasks import MuieTask
from deixis.base.folding import key, without_entities
from deixis.formats.muie import Answer, Entity, Item, Phrase, Relation, parse_answer
from deixis.type_schema import TypeSchema


def read_meta_response(
    text: str, task: MuieTask, media: Collection[Medium], types: TypeSchema
) -> Said:
    """Return what a meta-response says; no string makes it raise.

    If something of it cannot be read, it is read once more without what models put around an
    answer, and the reading that leaves less out holds. Where no phrase is marked, an instruction
    may be about any.

    Args:
        text: the reply.
        task: what was asked for.
        media: those of the sample in which an entity may be looked for.
        types: the labels.
    """
    answer = _parsed(without_entities(text), task)
    labels, told = Labels(types), []
    for piece, reason in answer.problems:
        told.append(f"{piece[:LONGEST]!r} of the answer was not read: {reason}")
    phrases = [phrase for item in answer.items for phrase in _phrases(item)]
    marked = [phrase.text for phrase in phrases if phrase.sought]
    asked = pair(marked or [phrase.text for phrase in phrases], answer.calls, media)
    told += asked.problems
    named: list[Named] = []
    linked: list[Linked] = []
    happened: list[Happened] = []

    def name(phrase: Phrase, type_: str | None = None, fine: str | None = None) -> str:
        sought = tuple(asked.sought.get(key(phrase.text), ()))
        named.append(Named(phrase.text, type_, fine, sought, phrase.sought and not sought))
        return phrase.text

    for item in answer.items:
        if isinstance(item, Entity):
            if kind := labels.type(item.type, item.phrase.text):
                name(item.phrase, *kind)
        elif isinstance(item, Relation):
            ends = item.subject.text, item.type, item.object.text
            if relation := labels.relation(*ends):
                linked.append(relation)
                name(item.subject)
                name(item.object)
        else:
            pairs = [(role, phrase.text) for role, phrase in item.arguments]
            if event := labels.event(item.type, item.trigger.text, pairs):
                happened.append(event)
                kept = {argument for _, argument in event.arguments}
                for _, phrase in item.arguments:
                    if phrase.text in kept:
                        name(phrase)
    return Said(named, linked, happened, [*told, *labels.told])


def _parsed(text: str, task: MuieTask) -> Answer:
    strict = parse_answer(text, task)
    if not strict.problems:
        return strict
    return min(strict, parse_answer(plain(text), task), key=lambda read: len(read.problems))


def _phrases(item: Item) -> Iterator[Phrase]:
    """Yield the phrases of an item in the order in which it has them."""
    if isinstance(item, Entity):
        yield item.phrase
    elif isinstance(item, Relation):
        yield from (item.subject, item.object)
    else:
        yield item.trigger
        yield from (phrase for _, phrase in item.arguments)

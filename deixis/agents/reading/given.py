"""What a user gives beside picture and text: a description of the picture, and the mentions."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.answers import LONGEST, Located, mentioned
from deixis.agents.reading.mention import locate
from deixis.agents.reading.plain import readings
from deixis.base.folding import key
from deixis.base.printable import one_line
from deixis.base.problems import first_problem
from deixis.errors import InputError
from deixis.rows import RowEntity, RowRegion
from deixis.type_schema import EntityType, TypeSchema

MENTIONS = "given_mentions"
"""The note that has the mentions given, as `checked_mentions` returns them."""
CAPTION = "given_caption"
"""The note that has the description given."""
SEEN = "Seen: "
"""How the sentence begins that is made of what tools saw."""
MOST = 1000
GIVEN = "given"
"""Who named a mention that the user gave."""


class _Given(BaseModel):
    text: str = Field(min_length=1)
    type: str = Field(min_length=1)
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)
    fine_type: str | None = None


class _Placed(_Given):
    regions: tuple[RowRegion, ...] | None = None


_MENTIONS = TypeAdapter(list[_Given])
_PLACED = TypeAdapter(list[_Placed])
_MASKS = {"regions": {"__all__": {"mask"}}}


def checked_caption(given: object, most: int) -> str | None:
    """Return a description in one line; None for None, and for one of nothing but blanks.

    A result has as ``caption`` the sentence of the tools where nobody described the picture. If it
    comes in again, as where a graph around this one shares the key, it is none: it may be of
    another picture, and who reads descriptions is not made for it.

    Raises:
        InputError: it is no string, or has more than `most` characters.
    """
    if given is None:
        return None
    if not isinstance(given, str):
        raise InputError(f"caption must be a string or null; got {type(given).__name__}")
    if len(given) > most:
        raise InputError(
            f"the caption has {len(given):,} characters; at most {most:,} are taken "
            "(options.max_text in the stack): shorten it"
        )
    words = one_line(given)
    return None if words.startswith(SEEN) else words or None


def checked_mentions(
    given: object, text: str, *, regions: bool = False
) -> list[dict[str, Any]] | None:
    """Return mentions with their places in the text, in its order; None for None.

    Args:
        given: a list of ``{"text", "type"}``, maybe with ``start`` and ``end`` (half-open
            characters) and ``fine_type``, as the entities of gold rows are. What else stands in
            them, such as regions, is left out. A mention without a place stands where its text
            is found first, outside those before it.
        text: of the sample.
        regions: whether their regions are kept, without masks.

    Raises:
        InputError: something else, or a mention that does not stand in the text.
    """
    if given is None:
        return None
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise InputError(f'mentions must be a list of at most {MOST} {{"text", "type"}}')
    try:
        mentions = (_PLACED if regions else _MENTIONS).validate_python(list(given))
    except ValidationError as error:
        raise InputError(f"mentions.{': '.join(first_problem(error))}") from None
    taken: list[tuple[int, int]] = []
    placed: list[dict[str, Any]] = []
    # Those that say where they stand come first, so that no other is found in their place.
    for number, mention in sorted(enumerate(mentions), key=lambda pair: pair[1].start is None):
        span = _span(mention, text, taken)
        if span is None:
            raise InputError(
                f"mentions.{number}: {mention.text[:80]!r} does not stand in the text"
                + (" outside the others" if mention.start is None and placed else "")
                + ("" if mention.start is None else f" at {mention.start}-{mention.end}")
                + "; give names as the text has them, with start and end or without both"
            )
        taken.append(span)
        known = mention.model_dump(mode="json", exclude=_MASKS if regions else None)
        placed.append({**known, "start": span[0], "end": span[1]})
    return sorted(placed, key=lambda mention: (mention["start"], mention["end"]))


def _span(mention: _Given, text: str, taken: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    if mention.start is None and mention.end is None:
        return locate(text, mention.text, taken)
    if mention.start is None or mention.end is None or mention.end <= mention.start:
        return None
    stands = text[mention.start : mention.end] == mention.text
    return (mention.start, mention.end) if stands else None


def given_mentions(state: State) -> list[Located] | None:
    """Return the mentions that the user gave, in the order of the text; None without."""
    mentions = state.get("notes", {}).get(MENTIONS)
    if mentions is None:
        return None
    return [
        Located(
            RowEntity.model_validate(mention), mention["start"], mention["end"], mention["type"]
        )
        for mention in mentions
    ]


def listed(mentions: Sequence[Located] | None) -> list[dict[str, str]] | None:
    """Return mentions as a prompt lists them: each name in one line, its fine type or type."""
    if mentions is None:
        return None
    return [
        {"text": one_line(own.entity.text), "type": own.entity.fine_type or own.type}
        for own in mentions
    ]


def taken_up(
    given: Sequence[Located], answers: Sequence[RowEntity], step: str
) -> tuple[list[RowEntity | None], Update]:
    """Return what an answer says of each mention given, and notices of what it says of others.

    Mentions of one name take its answers in turn, and the last of these for all that remain.
    """
    wanted = {key(mention.entity.text) for mention in given}
    by_name: dict[str, list[RowEntity]] = {}
    for answer in answers:
        names = [key(name) for name in readings(answer.text)]
        name = next((name for name in names if name in wanted), names[0])
        by_name.setdefault(name, []).append(answer)
    turns: dict[str, int] = {}
    own: list[RowEntity | None] = []
    for mention in given:
        name = key(mention.entity.text)
        named = by_name.get(name, [])
        turn = turns.get(name, 0)
        own.append(named[min(turn, len(named) - 1)] if named else None)
        turns[name] = turn + 1
    notices: Update = {}
    for name, named in by_name.items():
        if name not in turns:
            message = f"the model named {named[0].text[:LONGEST]!r}, which is not among the given"
            notices |= notice(step, f"{message} mentions; it was left out")
    return own, notices


def of_schema(mentions: Sequence[dict[str, Any]], types: TypeSchema) -> list[dict[str, Any]]:
    """Return mentions with their types and fine types as the type schema has them.

    A fine type is left out where the schema has none for the type.

    Raises:
        InputError: it has not the type or the fine type of one.
    """
    typed = []
    for mention in mentions:
        kind = types.named(mention["type"])
        if kind is None:
            known = ", ".join(kind.name for kind in types.types)
            raise InputError(
                f"mentions: {mention['text'][:80]!r} has the type {mention['type'][:80]!r}, which "
                f"the type schema {types.name!r} has not ({known})"
            )
        typed.append({**mention, "type": kind.name, "fine_type": _fine_type(mention, kind, types)})
    return typed


def _fine_type(mention: dict[str, Any], kind: EntityType, types: TypeSchema) -> str | None:
    """Return the fine type of a mention as the schema has it; None where its type has none."""
    if mention["fine_type"] is None or not kind.fine_types:
        return None
    owner, fine = types.of_fine_type(mention["fine_type"]) or (None, None)
    if owner is None or owner.name != kind.name:
        raise InputError(
            f"mentions: {mention['text'][:80]!r} has the fine type {mention['fine_type'][:80]!r}, "
            f"which {kind.name} has not in the type schema {types.name!r}"
        )
    return fine


def named_as_given(mentions: Sequence[Located], text: str, step: str, toolbox: Toolbox) -> Update:
    """Return mentions that were given as a recognizer would name them."""
    return mentioned(
        text,
        mentions,
        step,
        GIVEN,
        toolbox,
        confidences=[1.0] * len(mentions),
        evidence="the mention was given with the text; nothing was recognized",
        replies=[],
    )

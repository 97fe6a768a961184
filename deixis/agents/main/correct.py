"""correct: ask a language model about the mentions of which the recognizer is unsure.

Only those: what a confident recognizer found is not second-guessed, since corrections of
everything lose more than they mend, and corrections of doubtful mentions gain.
"""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, create_model

from deixis.agents.context.state import Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.mention import Mention
from deixis.agents.reading.phrases import OBJECT

NONE = "none"
TRUST = 4.0
"""Likelihood ratio of the corrector's word: as if it were right four times out of five.

Stated, not learned; it only moves the confidence of what the corrector chose.
"""


class Corrected(NamedTuple):
    """A mention, what the recognizer had said of it, and why it differs or stays; "" unasked."""

    mention: Mention
    first: Mention
    said: str


def correct(
    text: str, mentions: list[Mention], rivals: list[Mention], toolbox: Toolbox
) -> tuple[list[Corrected], Update]:
    """Settle what is doubtful by one call, if there is a corrector and a doubt.

    Args:
        text: the post.
        mentions: what the recognizer found.
        rivals: what it considered and turned down; may overlap with anything.
        toolbox: settings and models.

    Returns:
        The mentions that remain, and what was asked. A corrector that gives no answer
        changes nothing.
    """
    spec = toolbox.settings.roles.corrector if toolbox.cast.uses("corrector") else None
    gate = toolbox.settings.options.gate
    unasked = [Corrected(each, each, "") for each in mentions]
    doubtful = [each for each in mentions if each.confidence < gate]
    sure = [each for each in mentions if each.confidence >= gate]
    doubtful += [
        each
        for each in rivals
        if each.confidence > 1.0 - gate and not any(overlap(each, other) for other in sure)
    ]
    if spec is None or not doubtful:
        return unasked, {}
    likeliest: dict[tuple[int, int], Mention] = {}
    for each in sorted(doubtful, key=lambda each: each.confidence):
        likeliest[each.start, each.end] = each
    candidates = {f"c{n}": likeliest[span] for n, span in enumerate(sorted(likeliest), start=1)}
    types = toolbox.types.types
    prompt = toolbox.render(
        "correct",
        types=types,
        candidates=[
            {
                "id": name,
                "text": text[each.start : each.end],
                "number": text.count(text[each.start : each.end], 0, each.end),
            }
            for name, each in candidates.items()
        ],
        text=text,
    )
    answer = _answer(tuple(candidates), tuple(each.name for each in types))
    reply, update = toolbox.ask("correct", "corrector", spec, prompt, answer)
    if reply.value is None:
        return unasked, update
    given = reply.value.model_dump()
    odds = {(each.start, each.end, each.type): each.confidence for each in doubtful}
    chosen = [
        _weighed(candidates[name], kind, odds, gate) for name, kind in given.items() if kind != NONE
    ]
    kept = [Corrected(each, each, "") for each in sure]
    for one in sorted(chosen, key=lambda one: -one.mention.confidence):
        if not any(overlap(one.mention, other.mention) for other in kept):
            kept.append(one)
    return kept, update


def overlap(one: Mention, other: Mention) -> bool:
    """Whether two mentions share a character."""
    return one.start < other.end and other.start < one.end


def _weighed(
    first: Mention, kind: str, known: dict[tuple[int, int, str], float], gate: float
) -> Corrected:
    """Return a candidate with the type that the corrector gave it, and the reason."""
    half_of_the_rest = (1.0 - first.confidence) / 2
    before = known.get((first.start, first.end, kind), half_of_the_rest)
    odds = max(before, 0.01) / max(1.0 - before, 0.01) * TRUST
    mention = first._replace(type=kind, confidence=odds / (1.0 + odds))
    said = (
        f"the recognizer's confidence in {first.type}, {first.confidence:.2f}, is doubtful at a "
        f"gate of {gate:g}; the corrector said {kind} (odds x {TRUST:g})"
    )
    return Corrected(mention, first, said)


@lru_cache(maxsize=512)
def _answer(candidates: tuple[str, ...], types: tuple[str, ...]) -> type[BaseModel]:
    """Build the reply's schema: for each candidate a type, or none."""
    fields: dict[str, Any] = dict.fromkeys(candidates, (Literal[(*types, NONE)], ...))
    return create_model("Correction", __config__=OBJECT, **fields)

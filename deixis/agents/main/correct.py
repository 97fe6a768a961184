"""correct: ask a language model about the mentions of which the recognizer is unsure.

Only those: what a confident recognizer found is not second-guessed, since corrections of
everything lose more than they mend, and corrections of doubtful mentions gain.
"""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, create_model

from deixis.agents.context.state import Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.mention import TypedSpan
from deixis.agents.reading.phrases import OBJECT

NONE = "none"
TRUST = 4.0
"""Likelihood ratio of the corrector's word: as if it were right four times out of five.

Stated, not learned; it only moves the confidence of what the corrector chose.
"""


class Corrected(NamedTuple):
    """A mention, what the recognizer had said of it, and why it differs or stays; "" unasked."""

    mention: TypedSpan
    first: TypedSpan
    reason: str


def correct(
    text: str, mentions: list[TypedSpan], rivals: list[TypedSpan], toolbox: Toolbox
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
    unasked = [Corrected(mention, mention, "") for mention in mentions]
    doubtful = [mention for mention in mentions if mention.confidence < gate]
    sure = [mention for mention in mentions if mention.confidence >= gate]
    doubtful += [
        rival
        for rival in rivals
        if rival.confidence > 1.0 - gate and not any(rival.meets(mention) for mention in sure)
    ]
    if spec is None or not doubtful:
        return unasked, {}
    likeliest: dict[tuple[int, int], TypedSpan] = {}
    for mention in sorted(doubtful, key=lambda mention: mention.confidence):
        likeliest[mention.start, mention.end] = mention
    candidates = {f"c{n}": likeliest[span] for n, span in enumerate(sorted(likeliest), start=1)}
    types = toolbox.types.types
    prompt = toolbox.render(
        "correct",
        types=types,
        candidates=[
            {
                "id": name,
                "text": text[mention.start : mention.end],
                "number": text.count(text[mention.start : mention.end], 0, mention.end),
            }
            for name, mention in candidates.items()
        ],
        text=text,
    )
    answer = _correction(tuple(candidates), tuple(entity_type.name for entity_type in types))
    reply, update = toolbox.ask("correct", "corrector", spec, prompt, answer)
    if reply.value is None:
        return unasked, update
    given = reply.value.model_dump()
    odds = {(rival.start, rival.end, rival.type): rival.confidence for rival in doubtful}
    chosen = [
        _weighed(candidates[name], kind, odds, gate) for name, kind in given.items() if kind != NONE
    ]
    kept = [Corrected(mention, mention, "") for mention in sure]
    for correction in sorted(chosen, key=lambda chosen: -chosen.mention.confidence):
        if not any(correction.mention.meets(other.mention) for other in kept):
            kept.append(correction)
    return kept, update


def _weighed(
    first: TypedSpan, kind: str, known: dict[tuple[int, int, str], float], gate: float
) -> Corrected:
    """Return a candidate with the type that the corrector gave it, and the reason."""
    half_of_the_rest = (1.0 - first.confidence) / 2
    before = known.get((first.start, first.end, kind), half_of_the_rest)
    odds = max(before, 0.01) / max(1.0 - before, 0.01) * TRUST
    mention = first._replace(type=kind, confidence=odds / (1.0 + odds))
    if kind != first.type:  # the fine type was one of the type refused
        mention = mention._replace(fine_type=None, fine_confidence=None)
    reason = (
        f"the recognizer's confidence in {first.type}, {first.confidence:.2f}, is doubtful at a "
        f"gate of {gate:g}; the corrector said {kind} (odds x {TRUST:g})"
    )
    return Corrected(mention, first, reason)


@lru_cache(maxsize=512)
def _correction(candidates: tuple[str, ...], types: tuple[str, ...]) -> type[BaseModel]:
    """Build the reply's schema: for each candidate a type, or none."""
    fields: dict[str, Any] = dict.fromkeys(candidates, (Literal[(*types, NONE)], ...))
    return create_model("Correction", __config__=OBJECT, **fields)

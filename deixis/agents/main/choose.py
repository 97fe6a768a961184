"""Choosing among numbered marks on the picture: a model with eyes settles what boxes leave open.

Marks are known from set-of-mark prompting (Yang et al., arXiv 2310.11441, section 3).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, create_model

from deixis.agents.context.records import Candidate
from deixis.agents.context.state import State, Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.phrases import OBJECT
from deixis.base.boxes import Box, as_box
from deixis.llms.photos import photo
from deixis.show.drawing import draw_marks
from deixis.show.panels import Mark, colour

PASSED_OVER = 0.3
"""What is left of the score of a box that the model passed over for an entity."""
LEAST = 0.2
"""A box passed over is given only if this much is left: that of a name read in it is, that of
a person who is nothing but a person is not."""
MOST_MARKS = 30
"""More boxes than this would hide the picture; the weakest are not drawn, so passed over."""
NONE, UNCLEAR = "none", "unclear"


class Choice(NamedTuple):
    """What the model chose for one entity: the keys of its boxes, none or more; and in words."""

    keys: tuple[str, ...]
    words: str

    def fused(self, key: str, score: float) -> float:
        """Return what is left of the score (0..1) of a box; 0 for one not to be given."""
        if key in self.keys:
            return score
        return PASSED_OVER * score if PASSED_OVER * score >= LEAST else 0.0


def choose(
    state: State, toolbox: Toolbox, offered: Mapping[str, Sequence[Candidate]]
) -> tuple[dict[str, Choice], Update]:
    """Ask, in one call for all entities, which box each of them is, or which several.

    Nobody is asked without a chat model as the entailer, or where nothing competes: each
    entity has one box at most, and each box one entity.

    Args:
        state: of the sample.
        toolbox: the models.
        offered: entity to its candidates, those of one thing under one ``key``.

    Returns:
        Entity to the choice, for those that the model was clear about; and the update that
        accounts for the call, empty if there was none.
    """
    spec = toolbox.settings.roles.entailer
    if spec is None or toolbox.cast.is_tool("entailer") or not _compete(offered):
        return {}, {}
    pixels = toolbox.pixels(state)
    assert pixels is not None, "boxes without a picture"
    keys, boxes = _marked(offered)
    drawn = [Mark("", colour(index), [box]) for index, box in enumerate(boxes)]
    numbers = {
        entity: [str(keys.index(own["key"]) + 1) for own in candidates if own["key"] in keys]
        for entity, candidates in offered.items()
    }
    numbers = {entity: sorted(own, key=int) for entity, own in numbers.items() if own}
    texts = {entity: mention["text"] for entity, mention in state["mentions"].items()}
    texts |= state.get("expressions", {})
    asked = [
        {"id": entity, "text": texts[entity], "numbers": own} for entity, own in numbers.items()
    ]
    reply, update = toolbox.ask(
        "ground",
        "entailer",
        spec,
        toolbox.render("choose", entities=asked),
        _choices(tuple((entity, tuple(own)) for entity, own in numbers.items())),
        images=[photo(np.asarray(draw_marks(pixels, drawn)), toolbox.settings.options.image_side)],
    )
    choices = {}
    for entity in numbers if reply.value is not None else ():
        words = list(dict.fromkeys(getattr(reply.value, entity)))
        chosen = {keys[int(word) - 1]: word for word in words if word not in {NONE, UNCLEAR}}
        if chosen:
            whats = {candidate["key"]: candidate["what"] for candidate in offered[entity]}
            marks = " and ".join(f"{whats[key]}, mark {mark}" for key, mark in chosen.items())
            choices[entity] = Choice(tuple(chosen), f"{spec} chose {marks} of {len(keys)}")
        elif UNCLEAR not in words:
            choices[entity] = Choice((), f"{spec} says that it is none of the marked boxes")
    return choices, update


def _compete(offered: Mapping[str, Sequence[Candidate]]) -> bool:
    """Whether some entity has several boxes, or some box several entities."""
    entities = [candidates for candidates in offered.values() if candidates]
    boxes = {candidate["key"] for candidates in entities for candidate in candidates}
    return min(len(boxes), len(entities)) < sum(map(len, entities))


def _marked(offered: Mapping[str, Sequence[Candidate]]) -> tuple[list[str], list[Box]]:
    """Return the keys and the boxes to be numbered, from left to right."""
    strongest: dict[str, Candidate] = {}
    for candidates in offered.values():
        for candidate in candidates:
            known = strongest.get(candidate["key"])
            if known is None or candidate["strength"] > known["strength"]:
                strongest[candidate["key"]] = candidate
    drawn = sorted(strongest.values(), key=lambda candidate: -candidate["strength"])[:MOST_MARKS]
    drawn.sort(key=lambda candidate: candidate["box"][:2])
    return [candidate["key"] for candidate in drawn], [as_box(mark["box"]) for mark in drawn]


def _words(answer: Any) -> Any:
    """Take a bare word for a list of one, a number for its digits, null and nothing for none."""
    listed = answer if isinstance(answer, list) else [answer]
    words = [NONE if word is None else word for word in listed] or [NONE]
    return [str(word).casefold() if isinstance(word, int | str) else word for word in words]


@lru_cache(maxsize=512)
def _choices(numbers: tuple[tuple[str, tuple[str, ...]], ...]) -> type[BaseModel]:
    """Build the reply's schema: for each entity a list of its numbers, or of none or unclear."""
    fields: dict[str, Any] = {}
    for entity, own in numbers:
        words = list[Literal[(UNCLEAR, NONE, *own)]]  # type: ignore[valid-type]
        length = Field(min_length=1, max_length=len(own))
        fields[entity] = (Annotated[words, BeforeValidator(_words), length], ...)
    return create_model("Choices", __config__=OBJECT, **fields)

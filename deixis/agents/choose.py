"""Choosing among numbered marks on the picture: a model with eyes settles what boxes leave open.

Marks are known from set-of-mark prompting (Yang et al., arXiv 2310.11441, section 3).
"""

from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, BeforeValidator, create_model

from deixis.agents.phrases import OBJECT
from deixis.agents.state import State, Update
from deixis.agents.toolbox import Toolbox
from deixis.drawing import draw_marks
from deixis.llms.photos import photo
from deixis.panels import Mark, colour

PASSED_OVER = 0.3
"""What is left of the score of a box that the model passed over for an entity."""
LEAST = 0.2
"""A box passed over is given only if this much is left: that of a name read in it is, that of
a person who is nothing but a person is not."""
MOST_MARKS = 30
"""More boxes than this would hide the picture; the weakest are not drawn, so passed over."""
NONE, UNCLEAR = "none", "unclear"


class Choice(NamedTuple):
    """What the model chose for one entity: the key of a box or None, and this in words."""

    key: str | None
    words: str

    def fused(self, key: str, score: float) -> float:
        """Return what is left of the score (0..1) of a box; 0 for one not to be given."""
        if key == self.key:
            return score
        return PASSED_OVER * score if PASSED_OVER * score >= LEAST else 0.0


def choose(
    state: State, toolbox: Toolbox, offered: dict[str, list[dict[str, Any]]]
) -> tuple[dict[str, Choice], Update]:
    """Ask, in one call for all entities, which box each of them is.

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
    if spec is None or toolbox.entailer_is_tool or not _compete(offered):
        return {}, {}
    pixels = toolbox.pixels(state)
    assert pixels is not None, "boxes without a picture"
    keys, boxes = _marked(offered)
    marks = [Mark("", colour(index), [tuple(box)]) for index, box in enumerate(boxes)]
    numbers = {
        entity: [str(keys.index(each["key"]) + 1) for each in candidates if each["key"] in keys]
        for entity, candidates in offered.items()
    }
    numbers = {entity: sorted(own, key=int) for entity, own in numbers.items() if own}
    texts = {entity: each["text"] for entity, each in state["mentions"].items()}
    texts |= state.get("expressions", {})
    asked = [{"id": each, "text": texts[each], "numbers": own} for each, own in numbers.items()]
    reply, update = toolbox.ask(
        "ground",
        "entailer",
        spec,
        toolbox.render("choose", entities=asked),
        _answer(tuple((entity, tuple(own)) for entity, own in numbers.items())),
        images=[photo(np.asarray(draw_marks(pixels, marks)), toolbox.settings.options.image_side)],
    )
    choices = {}
    for entity in numbers if reply.value is not None else ():
        said = getattr(reply.value, entity)
        if said == NONE:
            choices[entity] = Choice(None, f"{spec} says that it is none of the marked boxes")
        elif said != UNCLEAR:
            key = keys[int(said) - 1]
            what = next(each["what"] for each in offered[entity] if each["key"] == key)
            choices[entity] = Choice(key, f"{spec} chose {what}, mark {said} of {len(keys)}")
    return choices, update


def _compete(offered: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether some entity has several boxes, or some box several entities."""
    entities = [candidates for candidates in offered.values() if candidates]
    boxes = {each["key"] for candidates in entities for each in candidates}
    return min(len(boxes), len(entities)) < sum(map(len, entities))


def _marked(offered: dict[str, list[dict[str, Any]]]) -> tuple[list[str], list[Any]]:
    """Return the keys and the boxes to be numbered, from left to right."""
    found: dict[str, dict[str, Any]] = {}
    for candidates in offered.values():
        for each in candidates:
            if each["key"] not in found or each["strength"] > found[each["key"]]["strength"]:
                found[each["key"]] = each
    strongest = sorted(found.values(), key=lambda each: -each["strength"])[:MOST_MARKS]
    in_order = sorted(strongest, key=lambda each: (each["box"][0], each["box"][1]))
    return [each["key"] for each in in_order], [each["box"] for each in in_order]


def _word(said: Any) -> Any:
    """Take a bare number for its digits, and null for none: nobody need be asked again."""
    return NONE if said is None else str(said).casefold() if isinstance(said, int | str) else said


@lru_cache(maxsize=512)
def _answer(numbers: tuple[tuple[str, tuple[str, ...]], ...]) -> type[BaseModel]:
    """Build the reply's schema: for each entity one of its numbers, none or unclear."""
    fields: dict[str, Any] = {
        entity: (Annotated[Literal[(UNCLEAR, NONE, *own)], BeforeValidator(_word)], ...)
        for entity, own in numbers
    }
    return create_model("Choices", __config__=OBJECT, **fields)

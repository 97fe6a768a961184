"""Choosing among numbered marks on the picture: a model with eyes settles what boxes leave open.

Marks are known from set-of-mark prompting (Yang et al., arXiv 2310.11441, section 3).
"""

from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, create_model

from deixis.agents.context.state import State, Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.phrases import OBJECT
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
    state: State, toolbox: Toolbox, offered: dict[str, list[dict[str, Any]]]
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
    if spec is None or toolbox.cast.entailer_is_tool or not _compete(offered):
        return {}, {}
    pixels = toolbox.pixels(state)
    assert pixels is not None, "boxes without a picture"
    keys, boxes = _marked(offered)
    drawn = [Mark("", colour(index), [tuple(box)]) for index, box in enumerate(boxes)]
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
        images=[photo(np.asarray(draw_marks(pixels, drawn)), toolbox.settings.options.image_side)],
    )
    choices = {}
    for entity in numbers if reply.value is not None else ():
        said = list(dict.fromkeys(getattr(reply.value, entity)))
        chosen = {keys[int(each) - 1]: each for each in said if each not in {NONE, UNCLEAR}}
        if chosen:
            whats = {each["key"]: each["what"] for each in offered[entity]}
            marks = " and ".join(f"{whats[key]}, mark {each}" for key, each in chosen.items())
            choices[entity] = Choice(tuple(chosen), f"{spec} chose {marks} of {len(keys)}")
        elif UNCLEAR not in said:
            choices[entity] = Choice((), f"{spec} says that it is none of the marked boxes")
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


def _words(said: Any) -> Any:
    """Take a bare word for a list of one, a number for its digits, null and nothing for none."""
    listed = said if isinstance(said, list) else [said]
    words = [NONE if each is None else each for each in listed] or [NONE]
    return [str(each).casefold() if isinstance(each, int | str) else each for each in words]


@lru_cache(maxsize=512)
def _answer(numbers: tuple[tuple[str, tuple[str, ...]], ...]) -> type[BaseModel]:
    """Build the reply's schema: for each entity a list of its numbers, or of none or unclear."""
    fields: dict[str, Any] = {}
    for entity, own in numbers:
        words = list[Literal[(UNCLEAR, NONE, *own)]]  # type: ignore[valid-type]
        length = Field(min_length=1, max_length=len(own))
        fields[entity] = (Annotated[words, BeforeValidator(_words), length], ...)
    return create_model("Choices", __config__=OBJECT, **fields)

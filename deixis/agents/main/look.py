"""Looking for descriptions in a picture: with a detector that takes any phrase, with a model.

Either gives evidence for or against that an entity can be seen, and boxes: the model if it is
known how it writes them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue
from deixis.agents.main.match import match
from deixis.agents.reading.phrases import OBJECT, described
from deixis.base.boxes import Box, box_iou
from deixis.errors import ToolError
from deixis.llms.box_conventions import convention_of
from deixis.llms.photos import Photo
from deixis.tools.base import Detection

SAME_PLACE = 0.7
"""Intersection over union from which two boxes are taken for one thing."""
MODEL_POINTS = 0.6
"""Strength of a box of which a model is sure: its edges are looser than a detector's, and a
person whom a detector saw (about 0.8) is not to lose to it."""


OPPOSITE = {"yes": "no", "no": "yes"}
_FOUR = {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}
_MOST_BOXES = 20  # of one description
_SEVERAL = {"type": "array", "items": _FOUR, "minItems": 2, "maxItems": _MOST_BOXES}
_BOX = {"anyOf": [_FOUR, _SEVERAL, {"type": "null"}]}
"""What is asked for. What comes may be anything: a bad box is dropped, and the verdict kept."""


class Sought(NamedTuple):
    """What looking for one entity brought."""

    cues: list[Cue]
    candidates: list[dict[str, Any]]
    undecided: list[str]


def look_for(state: State, toolbox: Toolbox) -> tuple[dict[str, Sought], Update]:
    """Look for the description of every mention; nothing is asked of tools left out.

    Returns:
        Mention to what was found, and the update that accounts for it.
    """
    expressions = state.get("expressions", {})
    sought = {entity: Sought([], [], []) for entity in state["mentions"]}
    update: Update = {"calls": {}, "notices": {}}
    if expressions and toolbox.detector is not None and toolbox.detector.labels is None:
        update["notices"] |= _detect(state, toolbox, expressions, sought)
    if expressions and toolbox.settings.roles.entailer is not None:
        judge = match if toolbox.cast.entailer_is_tool else _ask
        asked = judge(state, toolbox, expressions, sought)
        update = {key: {**update[key], **asked[key]} for key in update}
    return sought, update


def _detect(
    state: State, toolbox: Toolbox, expressions: dict[str, str], sought: dict[str, Sought]
) -> Update:
    """Add what a detector finds of each description."""
    detector, pixels = toolbox.detector, toolbox.pixels(state)
    assert detector is not None and pixels is not None, "asked without a detector or a picture"
    phrases = described(expressions)
    try:
        found = detector.detect(pixels, list(dict.fromkeys(phrases.values())))
    except ToolError as error:
        for each in sought.values():
            each.undecided.append("descriptions could not be looked for")
        return notice("entail", f"descriptions were not looked for: {error}")
    keys = placed(found, state["observation"]["objects"])
    for entity, phrase in phrases.items():
        own = [(one, key) for one, key in zip(found, keys, strict=True) if one.label == phrase]
        best = max((one.score for one, _ in own), default=0.0)
        if own:
            ratio = weights.PHRASE_FOUND * best + 1.0
            said = f"{phrase!r} was found (score {best:.2f})"
        else:
            ratio, said = weights.PHRASE_NOT_FOUND, f"nothing was found that is {phrase!r}"
        sought[entity].cues.append(Cue(ratio, said))
        sought[entity].candidates.extend(
            {
                "key": key,
                "box": list(one.box),
                "strength": one.score,
                "what": f"what fits {phrase!r} (score {one.score:.2f})",
                "role": "detector",
            }
            for one, key in own
        )
    return {}


def placed(found: Sequence[Detection], objects: Sequence[dict[str, Any]]) -> list[str]:
    """Name the place of every box: one key for all boxes of one thing.

    Args:
        found: boxes of descriptions.
        objects: what was seen before, each with an ``id`` and a ``box``.
    """
    places: list[tuple[str, Any]] = [(each["id"], each["box"]) for each in objects]
    keys = []
    for one in found:
        same = [(box_iou(one.box, box), key) for key, box in places]
        share, key = max(same, default=(0.0, ""))
        if share < SAME_PLACE:
            key = f"d{len(places) + 1}"
            places.append((key, one.box))
        keys.append(key)
    return keys


def _ask(
    state: State, toolbox: Toolbox, expressions: dict[str, str], sought: dict[str, Sought]
) -> Update:
    """Add what a vision-language model says (visual entailment: RiVEG, section IV-C)."""
    spec, image = toolbox.settings.roles.entailer, toolbox.photo(state)
    assert spec is not None and image is not None, "asked without a model or a picture"
    descriptions = [{"id": entity, "text": said} for entity, said in expressions.items()]
    convention = convention_of(spec)
    form = convention.form if convention else ""
    prompt = toolbox.render("entail", descriptions=descriptions, form=form)
    answer = _answer(tuple(expressions), boxes=convention is not None)
    reply, update = toolbox.ask("entail", "entailer", spec, prompt, answer, images=[image])
    places = list(state["observation"]["objects"])
    for each in sought.values():
        places += [{"id": one["key"], "box": one["box"]} for one in each.candidates]
        if reply.value is None:
            each.undecided.append(f"{spec} {no_answer(reply.status)}")
    for entity in expressions if reply.value is not None else ():
        said, each = getattr(reply.value, entity), sought[entity]
        chance = reply.chance(f"{entity}/visible", said.visible)
        sure = said.confidence if chance is None else chance
        belief = f"{'confidence' if chance is None else 'token probability'} {sure:.2f}"
        ratio = 1.0 + weights.MODEL_SEES * sure
        if chance is not None:  # against the opposite, and no more than a sure word tells
            other = reply.chance(f"{entity}/visible", OPPOSITE.get(said.visible, ""))
            ratio = min(chance / max(other or 0.0, 0.01), 1.0 + weights.MODEL_SEES)
        words = f"{spec} says {said.visible} ({belief})"
        if said.visible == "yes" and convention and said.box is not None:
            pointed: dict[str, Any] = {}  # what it points at twice is no surer
            for given in boxes_said(said.box):
                box = convention.from_model(given, (image.width, image.height))
                if box is None:
                    words += f"; {repr(given)[:60]} is no box in the picture"
                else:
                    what = f"what {spec} points at ({belief})"
                    candidate = _pointed(box, image, sure, what, state, places)
                    places.append({"id": candidate["key"], "box": candidate["box"]})
                    pointed.setdefault(candidate["key"], candidate)
            each.candidates.extend(pointed.values())
        if said.visible == "yes":
            each.cues.append(Cue(ratio, words))
        elif said.visible == "no":
            each.cues.append(Cue(1.0 / ratio, words))
    return update


def boxes_said(said: Any) -> list[Any]:
    """Return the boxes that a model gives, each still to be read: a list of lists is several."""
    several = isinstance(said, list) and said and all(isinstance(each, list) for each in said)
    return said[:_MOST_BOXES] if several else [said]


def _pointed(
    box: Box, image: Photo, confidence: float, what: str, state: State, places: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the candidate for a model's box, brought from the photo it saw to the picture."""
    picture = state["picture"]
    assert picture is not None, "asked without a picture"
    whole = image.in_picture(box, picture)
    (key,) = placed([Detection("", whole, confidence)], places)
    return {
        "key": key,
        "box": list(whole),
        "strength": MODEL_POINTS * confidence,
        "what": what,
        "role": "entailer",
    }


@lru_cache(maxsize=512)
def _answer(entities: tuple[str, ...], *, boxes: bool) -> type[BaseModel]:
    """Build the reply's schema: a verdict an entity, with its box where `boxes` are wanted."""
    of_one: dict[str, Any] = {
        "visible": (Literal["yes", "no", "unclear"], ...),
        "confidence": (Annotated[float, Field(ge=0, le=1, strict=True)], ...),
    }
    if boxes:
        of_one["box"] = (Annotated[Any, WithJsonSchema(_BOX)], ...)
    verdict = create_model("Verdict", __config__=OBJECT, **of_one)
    fields: dict[str, Any] = dict.fromkeys(entities, (verdict, ...))
    return create_model("Verdicts", __config__=OBJECT, **fields)

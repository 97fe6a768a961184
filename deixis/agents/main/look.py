"""Looking for descriptions in a picture: with a detector that takes any phrase, with a model.

Either gives evidence for or against that an entity can be seen, and boxes: the model if it is
known how it writes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from deixis.agents.context.records import Candidate, SeenObject
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue, Evidence
from deixis.agents.main.match import match
from deixis.agents.reading.phrases import OBJECT, described
from deixis.base.boxes import Box, box_iou
from deixis.errors import ToolError
from deixis.llms.box_conventions import BoxConvention, convention_of
from deixis.llms.photos import Photo
from deixis.tools.base import Detection

SAME_PLACE = 0.7
"""Intersection over union from which two boxes are taken for one thing."""
MODEL_POINTS = 0.6
"""Strength of a box of which a model is sure: its edges are looser than a detector's, and a
person whom a detector saw (about 0.8) is not to lose to it."""


OPPOSITE = {"yes": "no", "no": "yes"}
_MOST_BOXES = 20  # of one description


def describes_first(toolbox: Toolbox) -> bool:
    """Whether somebody looks for descriptions, so that names must have theirs before."""
    detector = toolbox.detector
    takes_phrases = detector is not None and detector.labels is None
    return takes_phrases or toolbox.settings.roles.entailer is not None


def look_for(state: State, toolbox: Toolbox) -> tuple[dict[str, Evidence], Update]:
    """Look for the description of every mention; nothing is asked of tools left out.

    Returns:
        Mention to evidence, and the update that accounts for it.
    """
    expressions = state.get("expressions", {})
    evidence = dict.fromkeys(state["mentions"], Evidence())
    updates: list[Update] = [{"calls": {}, "notices": {}}]

    def add(more: Mapping[str, Evidence], update: Update) -> None:
        evidence.update({entity: evidence[entity].plus(own) for entity, own in more.items()})
        updates.append(update)

    if expressions and toolbox.detector is not None and toolbox.detector.labels is None:
        add(*_detect(state, toolbox, expressions))
    if expressions and toolbox.settings.roles.entailer is not None:
        if toolbox.cast.entailer_is_tool:
            add(*match(state, toolbox, expressions))
        else:
            boxes = [candidate for own in evidence.values() for candidate in own.candidates]
            add(*_ask(state, toolbox, expressions, boxes))
    return evidence, joined(*updates)


def _detect(
    state: State, toolbox: Toolbox, expressions: Mapping[str, str]
) -> tuple[dict[str, Evidence], Update]:
    """Say what a detector finds of each description."""
    detector, pixels = toolbox.detector, toolbox.pixels(state)
    assert detector is not None and pixels is not None, "asked without a detector or a picture"
    phrases = described(expressions)
    try:
        detections = detector.detect(pixels, list(dict.fromkeys(phrases.values())))
    except ToolError as error:
        failed = Evidence(undecided=("descriptions could not be looked for",))
        missing = notice("entail", f"descriptions were not looked for: {error}")
        return dict.fromkeys(state["mentions"], failed), {"notices": missing}
    places = Places(state["observation"]["objects"])
    keyed = [(detection, places.key(detection.box)) for detection in detections]
    return {
        entity: _fitting(phrase, [pair for pair in keyed if pair[0].label == phrase])
        for entity, phrase in phrases.items()
    }, {}


def _fitting(phrase: str, keyed: Sequence[tuple[Detection, str]]) -> Evidence:
    """Return the evidence of what fits a description: detections with the keys of their places."""
    if not keyed:
        return Evidence((Cue(weights.PHRASE_NOT_FOUND, f"nothing was found that is {phrase!r}"),))
    best = max(detection.score for detection, _ in keyed)
    cue = Cue(weights.PHRASE_FOUND * best + 1.0, f"{phrase!r} was found (score {best:.2f})")
    candidates = tuple(
        Candidate(
            key=key,
            box=list(detection.box),
            strength=detection.score,
            what=f"what fits {phrase!r} (score {detection.score:.2f})",
            role="detector",
        )
        for detection, key in keyed
    )
    return Evidence((cue,), candidates)


class Places:
    """Names the places of boxes: all boxes of one thing have one key.

    Args:
        objects: what was seen before, each with its key or id, and its box.
    """

    def __init__(self, objects: Iterable[SeenObject], candidates: Iterable[Candidate] = ()) -> None:
        self._boxes: list[tuple[str, Sequence[float]]] = [
            *((seen["id"], seen["box"]) for seen in objects),
            *((candidate["key"], candidate["box"]) for candidate in candidates),
        ]

    def key(self, box: Sequence[float]) -> str:
        """Return the key of a box: that of the box known here with which it shares most."""
        same = [(box_iou(box, known), key) for key, known in self._boxes]
        share, key = max(same, default=(0.0, ""))
        if share < SAME_PLACE:
            key = f"d{len(self._boxes) + 1}"
            self._boxes.append((key, box))
        return key


def _ask(
    state: State, toolbox: Toolbox, expressions: Mapping[str, str], seen: Sequence[Candidate]
) -> tuple[dict[str, Evidence], Update]:
    """Say what a vision-language model says (visual entailment: RiVEG, section IV-C)."""
    spec, image = toolbox.model("entailer"), toolbox.photo(state)
    assert image is not None, "asked without a picture"
    convention = convention_of(spec)
    prompt = toolbox.render(
        "entail",
        descriptions=[{"id": entity, "text": text} for entity, text in expressions.items()],
        form=convention.form if convention else "",
    )
    answer = _verdicts(tuple(expressions), convention.number if convention else None)
    reply, update = toolbox.ask("entail", "entailer", spec, prompt, answer, images=[image])
    if reply.value is None:
        silent = Evidence(undecided=(f"{spec} {no_answer(reply.status)}",))
        return dict.fromkeys(state["mentions"], silent), update
    places = Places(state["observation"]["objects"], seen)
    evidence = {}
    for entity in expressions:
        verdict = getattr(reply.value, entity)
        chances = [
            reply.chance(f"{entity}/visible", word)
            for word in (verdict.visible, OPPOSITE.get(verdict.visible, ""))
        ]
        belief = _belief(verdict.confidence, *chances)
        words = f"{spec} says {verdict.visible} ({belief.words})"
        candidates: dict[str, Candidate] = {}  # what it points at twice is no surer
        if verdict.visible == "yes" and convention and verdict.box is not None:
            boxes, bad = _in_picture(verdict.box, convention, image, state)
            what = f"what {spec} points at ({belief.words})"
            for box in boxes:
                key = places.key(box)
                candidates.setdefault(key, _pointed(box, key, belief.sure, what))
            words = "; ".join([words, *bad])
        cues = [Cue(belief.ratio, words)] if verdict.visible == "yes" else []
        cues += [Cue(1.0 / belief.ratio, words)] if verdict.visible == "no" else []
        evidence[entity] = Evidence(tuple(cues), tuple(candidates.values()))
    return evidence, update


class _Belief(NamedTuple):
    """How sure a model is of its word, 0..1, the likelihood ratio of that, and in words."""

    sure: float
    ratio: float
    words: str


def _belief(confidence: float, chance: float | None, opposite: float | None) -> _Belief:
    """Weigh a word by its own probability where that is known, else by what the model claims."""
    most = 1.0 + weights.MODEL_SEES
    if chance is None:
        return _Belief(
            confidence, 1.0 + weights.MODEL_SEES * confidence, f"confidence {confidence:.2f}"
        )
    # Against the opposite, and no more than a sure word tells.
    ratio = min(chance / max(opposite or 0.0, 0.01), most)
    return _Belief(chance, ratio, f"token probability {chance:.2f}")


def boxes_of(answer: Any) -> list[Any]:
    """Return the boxes that a model gives, each still to be read: a list of lists is several."""
    several = isinstance(answer, list) and answer and all(isinstance(box, list) for box in answer)
    return answer[:_MOST_BOXES] if several else [answer]


def _in_picture(
    answer: Any, convention: BoxConvention, image: Photo, state: State
) -> tuple[list[Box], list[str]]:
    """Bring a model's boxes from the photo it saw to the picture; say which are none."""
    picture = state["picture"]
    assert picture is not None, "asked without a picture"
    boxes, bad = [], []
    for written in boxes_of(answer):
        box = convention.from_model(written, (image.width, image.height))
        if box is None:
            bad.append(f"{repr(written)[:60]} is no box in the picture")
        else:
            boxes.append(image.in_picture(box, picture))
    return boxes, bad


def _pointed(box: Box, key: str, sure: float, what: str) -> Candidate:
    return Candidate(
        key=key, box=list(box), strength=MODEL_POINTS * sure, what=what, role="entailer"
    )


@lru_cache(maxsize=512)
def _verdicts(entities: tuple[str, ...], number: str | None) -> type[BaseModel]:
    """Build the reply's schema: one verdict per entity, with boxes of numbers of a JSON type.

    None asks for no boxes. What comes may be anything: a bad box is dropped, the verdict kept.
    """
    of_one: dict[str, Any] = {
        "visible": (Literal["yes", "no", "unclear"], ...),
        "confidence": (Annotated[float, Field(ge=0, le=1, strict=True)], ...),
    }
    if number is not None:
        box = {"type": "array", "items": {"type": number}, "minItems": 4, "maxItems": 4}
        several = {"type": "array", "items": box, "minItems": 2, "maxItems": _MOST_BOXES}
        asked = {"anyOf": [box, several, {"type": "null"}]}
        of_one["box"] = (Annotated[Any, WithJsonSchema(asked)], ...)
    verdict = create_model("Verdict", __config__=OBJECT, **of_one)
    fields: dict[str, Any] = dict.fromkeys(entities, (verdict, ...))
    return create_model("Verdicts", __config__=OBJECT, **fields)

"""Asking a model with eyes which descriptions fit, and where, if it is known how it points."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from deixis.agents.context.entailers import ask_often, share
from deixis.agents.context.records import Candidate
from deixis.agents.context.state import State, Update
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue, Evidence
from deixis.agents.main.places import Places
from deixis.agents.reading.phrases import OBJECT
from deixis.base.boxes import Box
from deixis.llms.box_conventions import BoxConvention, convention_of
from deixis.llms.photos import Photo
from deixis.llms.structured import Reply

MODEL_POINTS = 0.6
"""Strength of a box of which a model is sure: its edges are looser than a detector's, and a
person whom a detector saw (about 0.8) is not to lose to it."""


OPPOSITE = {"yes": "no", "no": "yes"}
_MOST_BOXES = 20  # of one description


def ask_model(
    role: str,
    state: State,
    toolbox: Toolbox,
    expressions: Mapping[str, str],
    seen: Sequence[Candidate],
) -> tuple[dict[str, Evidence], Update]:
    """Say what a vision-language model says (visual entailment: RiVEG, section IV-C)."""
    spec, image = toolbox.model(role), toolbox.photo(state)
    assert image is not None, "asked without a picture"
    convention = convention_of(spec)
    prompt = toolbox.render(
        "entail",
        descriptions=[{"id": entity, "text": text} for entity, text in expressions.items()],
        form=convention.form if convention else "",
    )
    answer = _verdicts(tuple(expressions), convention.number if convention else None)
    replies, update = ask_often(toolbox, role, prompt, answer, image)
    answered = [reply for reply in replies if reply.value is not None]
    if not answered:
        silent = Evidence(undecided=(f"{spec} {no_answer(replies[-1].status)}",))
        return dict.fromkeys(expressions, silent), update
    places = Places(state["observation"]["objects"], seen)
    evidence = {}
    for entity in expressions:
        beliefs = [_belief(entity, reply) for reply in answered]
        belief = beliefs[0] if len(replies) == 1 else _together(beliefs)
        words = [f"{spec} says {belief.words}"]
        pointed: Counter[str] = Counter()
        boxes: dict[str, Box] = {}
        for reply, own in zip(answered, beliefs, strict=True):
            box = getattr(getattr(reply.value, entity), "box", None)
            if own.said == "yes" and convention and box is not None:
                found, bad = _in_picture(box, convention, image, state)
                keys = [places.key(each) for each in found]
                pointed.update({*keys})  # what it points at twice is no surer
                for key, each in zip(keys, found, strict=True):
                    boxes.setdefault(key, each)
                words += bad
        candidates = tuple(
            _pointed(
                box,
                key,
                belief.sure if len(replies) == 1 else pointed[key] / len(answered),
                f"what {spec} points at ({belief.how})",
            )
            for key, box in boxes.items()
        )
        cues = () if belief.ratio is None else (Cue(belief.ratio, "; ".join(words)),)
        evidence[entity] = Evidence(cues, candidates)
    return evidence, update


class _Belief(NamedTuple):
    """What a model says, how sure it is of that, 0..1, the odds of a yes, and how that is known.

    The odds are None if it is not clear to the model.
    """

    said: str
    sure: float
    ratio: float | None
    how: str

    @property
    def words(self) -> str:
        """All of it in words."""
        return f"{self.said} ({self.how})"


_MOST = 1.0 + weights.MODEL_SEES


def _belief(entity: str, reply: Reply[Any]) -> _Belief:
    """Weigh a word by its own probability where that is known, else by what the model claims."""
    verdict = getattr(reply.value, entity)
    said, confidence = verdict.visible, verdict.confidence
    chance, opposite = (
        reply.chance(f"{entity}/visible", word) for word in (said, OPPOSITE.get(said, ""))
    )
    if chance is None:
        sure, ratio, how = confidence, 1.0 + weights.MODEL_SEES * confidence, "confidence"
    else:  # Against the opposite, and no more than a sure word tells.
        sure, ratio, how = chance, min(chance / max(opposite or 0.0, 0.01), _MOST), "token"
    how = f"{'token probability' if how == 'token' else how} {sure:.2f}"
    return _Belief(said, sure, {"yes": ratio, "no": 1.0 / ratio}.get(said), how)


def _together(beliefs: Sequence[_Belief]) -> _Belief:
    """Weigh several answers of one model: the share of yes is the probability."""
    clear = [belief.said == "yes" for belief in beliefs if belief.ratio is not None]
    if not clear:
        return _Belief("unclear", 0.0, None, f"in all of {len(beliefs)} samples")
    probability = share(clear)
    ratio = min(max(probability / max(1.0 - probability, 0.01), 1.0 / _MOST), _MOST)
    said = "yes" if probability >= 0.5 else "no"
    how = f"yes in {sum(clear)} of {len(clear)} samples"
    return _Belief(said, max(probability, 1.0 - probability), ratio, how)


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

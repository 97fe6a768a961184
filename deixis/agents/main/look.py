"""Looking for descriptions in a picture: with a detector that takes any phrase, with a model.

Either gives evidence for or against that an entity can be seen, and boxes: the model if it is
known how it writes them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deixis.agents.context.entailers import FIRST
from deixis.agents.context.records import Candidate
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import evidence as weights
from deixis.agents.main.ask_model import ask_model
from deixis.agents.main.evidence import Cue, Evidence
from deixis.agents.main.match import match
from deixis.agents.main.places import Places
from deixis.agents.reading.phrases import described
from deixis.errors import ToolError
from deixis.tools.base import Detection


class Looked(NamedTuple):
    """What looking brought, by entity: what a detector found, and what an entailer said."""

    detected: dict[str, Evidence]
    entailed: dict[str, Evidence]

    def of(self, entity: str) -> Evidence:
        """Return both together."""
        return self.detected.get(entity, Evidence()).plus(self.entailed.get(entity, Evidence()))

    def with_second(self, second: Mapping[str, Evidence]) -> "Looked":
        """Return these with what a second entailer said in the place of what the first said.

        Where that tells nothing, the first's word stays; the boxes of both do.
        """
        entailed = dict(self.entailed)
        for entity, own in second.items():
            if own.cues:
                boxes = entailed.get(entity, Evidence()).candidates + own.candidates
                entailed[entity] = own._replace(candidates=boxes)
        return self._replace(entailed=entailed)


def describes_first(toolbox: Toolbox) -> bool:
    """Whether somebody looks for descriptions, so that names must have theirs before."""
    detector, roles = toolbox.detector, toolbox.settings.roles
    takes_phrases = detector is not None and detector.labels is None
    entails = roles.entailer is not None and toolbox.caption_entailer is None
    return takes_phrases or entails or roles.second_entailer is not None


def look_for(state: State, toolbox: Toolbox) -> tuple[Looked, Update]:
    """Look for the description of every mention; nothing is asked of tools left out.

    Returns:
        What that brought, and the update that accounts for it.
    """
    expressions = state.get("expressions", {})
    detected: dict[str, Evidence] = {}
    update: Update = {}
    if expressions and toolbox.detector is not None and toolbox.detector.labels is None:
        detected, update = _detect(state, toolbox, expressions)
    entailed, asked = entailed_by(FIRST, state, toolbox, expressions, detected)
    return Looked(detected, entailed), joined({"calls": {}, "notices": {}}, update, asked)


def entailed_by(
    role: str,
    state: State,
    toolbox: Toolbox,
    expressions: Mapping[str, str],
    known: Mapping[str, Evidence],
) -> tuple[dict[str, Evidence], Update]:
    """Say what an entailer says of some descriptions; nothing if nobody plays the role.

    Args:
        role: the first or the second entailer.
        state: of the sample.
        toolbox: settings and models.
        expressions: entity to description.
        known: whose boxes are known already.
    """
    if not expressions or not getattr(toolbox.settings.roles, role):
        return {}, {}
    if not toolbox.cast.is_tool(role):
        boxes = [candidate for own in known.values() for candidate in own.candidates]
        return ask_model(role, state, toolbox, expressions, boxes)
    tool = toolbox.entailer(role)
    return match(tool, state, toolbox, expressions) if tool else ({}, {})


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

"""ground: one region for each expression that was judged to be seen (RiVEG, section IV-C.2)."""

from typing import Any

from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main.findings import gather, read_name
from deixis.agents.main.ground import ground as assign_candidates
from deixis.agents.main.subjects import subjects
from deixis.agents.reading.answers import placed
from deixis.agents.reading.box_form import BoxForm, boxes_asked
from deixis.agents.reading.phrases import described
from deixis.agents.reading.places import where
from deixis.agents.riveg.entail import entails
from deixis.base.boxes import Box
from deixis.errors import ToolError
from deixis.llms.box_conventions import convention_of, why_unknown
from deixis.tools.base import Detection


def ground(state: State, toolbox: Toolbox) -> Update:
    """Point at what entailment let through; for all else nothing is asked and nothing runs.

    A model with eyes points at the whole expression if one plays ``vlm``; else a detector that
    takes any phrase looks for it without the name; else what was seen before is given out as in
    the main graph.
    """
    shown = {
        entity: state["expressions"][entity]
        for entity, verdict in state.get("verdicts", {}).items()
        if verdict["groundable"]
    }
    if not shown:
        return {}
    roles, detector = toolbox.settings.roles, toolbox.detector
    if roles.vlm is not None:
        return _by_model(state, toolbox, shown)
    if entails(state, toolbox) and detector is not None and detector.labels is None:
        return _by_detector(state, toolbox, shown)
    return assign_candidates(_with_candidates(state, toolbox), toolbox)


def _by_detector(state: State, toolbox: Toolbox, shown: dict[str, str]) -> Update:
    """Take the best box that a detector finds for each phrase."""
    detector, pixels = toolbox.detector, toolbox.pixels(state)
    assert detector is not None and pixels is not None, "asked without a detector or a picture"
    phrases, spec = described(shown), toolbox.model("detector")
    best: dict[str, Detection] = {}
    notices: Update = {}
    failure = ""
    try:
        for detection in detector.detect(pixels, list(dict.fromkeys(phrases.values()))):
            best.setdefault(detection.label, detection)  # the best score comes first
    except ToolError as error:
        failure = str(error)
        notices = notice("ground", f"nothing was pointed at: {error}")
    updates = []
    for entity, phrase in phrases.items():
        fitting = best.get(phrase)
        reason = f"the best of what fits {phrase!r}" if fitting else f"nothing fits {phrase!r}"
        updates.append(
            placed(
                state,
                entity,
                [fitting.box] if fitting else None,
                "ground",
                spec,
                score=fitting.score if fitting else 1.0,
                evidence=[failure or reason],
            )
        )
    return joined(*updates, {"notices": notices})


def _by_model(state: State, toolbox: Toolbox, shown: dict[str, str]) -> Update:
    """Ask a model with eyes for the box of each expression; of several the first counts.

    ``null`` is an answer: what was entailed is not to be seen after all.
    """
    spec, picture = toolbox.model("vlm"), state["picture"]
    convention = convention_of(spec)
    images, noted = toolbox.shown(state, "ground", spec)
    if convention is None or not images:
        reason = why_unknown(spec) if images else "it was shown no picture"
        undecided = [
            placed(state, entity, None, "ground", spec, evidence=[reason]) for entity in shown
        ]
        return joined(*undecided, {"notices": noted | notice("ground", f"no boxes: {reason}")})
    assert picture is not None, "it was shown"
    expressions = [{"id": entity, "text": text} for entity, text in shown.items()]
    prompt = toolbox.render("riveg/ground", expressions=expressions, form=convention.form)
    answer = boxes_asked(tuple(shown), convention.number)
    reply, update = toolbox.ask("ground", "vlm", spec, prompt, answer, images=images)
    form = BoxForm(picture, images[0], convention)
    replies, updates = list(update["calls"]), [{"notices": noted}, update]
    for entity in shown:
        if reply.value is None:
            boxes, reason = None, f"{spec} {no_answer(reply.status)}"
        else:
            boxes, reason = _pointed(getattr(reply.value, entity), form, spec)
        updates.append(
            placed(state, entity, boxes, "ground", spec, evidence=[reason], replies=replies)
        )
    return joined(*updates)


def _pointed(given: Any, form: BoxForm, spec: str) -> tuple[list[Box] | None, str]:
    """Return the first box of what a model wrote, as `placed` takes it, and why."""
    written = where(given)
    if written == []:
        return [], f"{spec} says that it is not to be seen, though it was entailed"
    box = next((box for own in written or () if (box := form.read(own))), None)
    if box is None:
        return None, f"{repr(given)[:60]} is no box in the picture"
    several = f", the first of {len(written)} boxes" if written and len(written) > 1 else ""
    return [box], f"{spec} points at it{several}"


def _with_candidates(state: State, toolbox: Toolbox) -> State:
    """Offer the people and the names that `observe` saw to whoever has no candidate yet."""
    verdicts, wanted, seen = {}, subjects(state, toolbox), state["observation"]
    for entity, verdict in state["verdicts"].items():
        if verdict["groundable"] and not verdict["candidates"]:
            subject = wanted[entity]
            finding = gather(subject, read_name(subject.name, seen), seen)
            verdict = {**verdict, "candidates": list(finding.candidates)}
        verdicts[entity] = verdict
    return {**state, "verdicts": verdicts}

"""entail: can what the expression says be seen? Before anything is pointed at (section IV-C.1)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, create_model

from deixis.agents.context.calibration import worth
from deixis.agents.context.records import Verdict
from deixis.agents.context.state import State, Update, decision, joined, notice, type_of
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main.entail import entail as weigh_evidence
from deixis.agents.reading.phrases import OBJECT
from deixis.errors import ToolError

ENTAILMENT, CONTRADICTION = "entailment", "contradiction"


def entail(state: State, toolbox: Toolbox) -> Update:
    """Take the picture for the premise and each expression for the hypothesis.

    The labels are entailment (it can be grounded) and contradiction (it cannot). Without an
    entailer, what the other tools find decides, as in the main graph.
    """
    if not state["mentions"]:
        return {}
    if toolbox.settings.roles.entailer is None or state.get("picture") is None:
        update = weigh_evidence(state, toolbox)
        if state.get("picture") is None:
            return update
        reason = "nobody plays the entailer: what detector and reader find decides, not entailment"
        return joined(update, {"notices": notice("entail", reason)})
    return _by_tool(state, toolbox) if toolbox.cast.entailer_is_tool else _by_model(state, toolbox)


def _by_tool(state: State, toolbox: Toolbox) -> Update:
    """Let an image-text model say how well each expression fits."""
    tool, pixels = toolbox.entailer, toolbox.pixels(state)
    assert tool is not None and pixels is not None, "asked without a tool or a picture"
    expressions = state["expressions"]
    different = list(dict.fromkeys(expressions.values()))
    try:
        fits = dict(zip(different, tool.entail(pixels, different), strict=True))
    except ToolError as error:
        undecided = [_judged(entity, None, [str(error)], tool.name) for entity in expressions]
        return joined(*undecided, {"notices": notice("entail", f"undecided: {error}")})
    verdicts = []
    for entity, hypothesis in expressions.items():
        fit = worth(fits[hypothesis], tool.name, type_of(state, entity), toolbox.settings.options)
        reason = (
            f"{hypothesis!r} fits the picture with {fits[hypothesis]:.2f} (threshold "
            f"{fit.threshold:g})"
        )
        confidence = fit.probability if fit.shown else 1.0 - fit.probability
        reasons = [reason, *fit.words]
        verdicts.append(_judged(entity, fit.shown, reasons, tool.name, confidence))
    return joined(*verdicts)


def _by_model(state: State, toolbox: Toolbox) -> Update:
    """Ask a model with eyes for the label of each expression."""
    spec, expressions = toolbox.model("entailer"), state["expressions"]
    image = toolbox.photo(state)
    assert image is not None, "asked without a picture"
    hypotheses = [{"id": entity, "text": text} for entity, text in expressions.items()]
    prompt = toolbox.render("riveg/entail", hypotheses=hypotheses)
    answer = _labels(tuple(expressions))
    reply, update = toolbox.ask("entail", "entailer", spec, prompt, answer, images=[image])
    labels = reply.value.model_dump() if reply.value else {}
    replies = list(update["calls"])
    verdicts = []
    for entity in expressions:
        label = labels.get(entity)
        reason = f"{spec} says {label}" if label else f"{spec} {no_answer(reply.status)}"
        confidence = reply.chance(entity, label) if label else None
        if confidence is not None:
            reason += f" (token probability {confidence:.2f})"
        shown, reasons = None if label is None else label == ENTAILMENT, [reason]
        if shown is not None and confidence is not None:
            stated = confidence if shown else 1.0 - confidence
            found = worth(stated, spec, type_of(state, entity), toolbox.settings.options)
            if found.words:  # without a curve the label that was said counts
                shown, reasons = found.shown, [reason, *found.words]
                confidence = found.probability if shown else 1.0 - found.probability
        verdicts.append(_judged(entity, shown, reasons, spec, confidence, replies))
    return joined(update, *verdicts)


def _judged(
    entity: str,
    shown: bool | None,
    reasons: Sequence[str],
    model: str,
    confidence: float | None = None,
    replies: Sequence[str] = (),
) -> Update:
    probability = 1.0 if confidence is None else confidence
    return {
        "verdicts": {entity: Verdict(groundable=shown, probability=probability, candidates=[])},
        "decisions": decision(
            entity,
            "entail",
            "groundable",
            {True: "yes", False: "no", None: None}[shown],
            model=model,
            confidence=confidence,
            evidence=reasons,
            replies=replies,
        ),
    }


@lru_cache(maxsize=512)
def _labels(entities: tuple[str, ...]) -> type[BaseModel]:
    """Build the reply's schema: one label per entity."""
    label = (Literal[ENTAILMENT, CONTRADICTION], ...)
    fields: dict[str, Any] = dict.fromkeys(entities, label)
    return create_model("Labels", __config__=OBJECT, **fields)

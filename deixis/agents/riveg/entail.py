"""entail: can what the expression says be seen? Before anything is pointed at (section IV-C.1)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, create_model

from deixis.agents.context.calibration import worth
from deixis.agents.context.entailers import FIRST, SECOND, ask_often, share, unsure
from deixis.agents.context.records import Verdict
from deixis.agents.context.state import State, Update, decision, joined, notice, type_of
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.main.captions import reads_caption, shown_by_caption
from deixis.agents.main.entail import entail as weigh_evidence
from deixis.agents.reading.phrases import OBJECT
from deixis.agents.reading.plain import unmarked
from deixis.errors import ToolError

ENTAILMENT, CONTRADICTION = "entailment", "contradiction"
MEANT = dict.fromkeys((ENTAILMENT, "entailed", "entails", "yes", "true", "e"), ENTAILMENT)
MEANT |= dict.fromkeys(
    (CONTRADICTION, "contradicted", "contradicts", "no", "false", "c"), CONTRADICTION
)
"""What models write for the two labels."""


class Label(NamedTuple):
    """What an entailer says of one expression.

    ``shown`` is None where it does not tell; ``confidence`` is that it is right, if that is known.
    """

    shown: bool | None
    model: str | None
    reasons: tuple[str, ...]
    confidence: float | None = None
    replies: tuple[str, ...] = ()

    def told(self, entity: str) -> Update:
        """Return the verdict and the decision."""
        probability = 1.0 if self.confidence is None else self.confidence
        verdict = Verdict(groundable=self.shown, probability=probability, candidates=[])
        decided = decision(
            entity,
            "entail",
            "groundable",
            {True: "yes", False: "no", None: None}[self.shown],
            model=self.model,
            confidence=self.confidence,
            evidence=self.reasons,
            replies=self.replies,
        )
        return {"verdicts": {entity: verdict}, "decisions": decided}


def entail(state: State, toolbox: Toolbox) -> Update:
    """Take the picture for the premise and each expression for the hypothesis.

    The labels are entailment (it can be grounded) and contradiction (it cannot). Where the first
    entailer leaves a doubt, the second has the last word. Without an entailer, what the other
    tools find decides, as in the main graph.
    """
    if not state["mentions"]:
        return {}
    if not entails(state, toolbox):
        update = weigh_evidence(state, toolbox)
        if state.get("picture") is None:
            return update
        nobody = toolbox.settings.roles.entailer is None
        why = "nobody plays the entailer" if nobody else "the entailer has no description to read"
        reason = f"{why}: what detector and reader find decides, not entailment"
        return joined(update, {"notices": notice("entail", reason)})
    expressions = state["expressions"]
    labels, update = _labels_by(FIRST, expressions, state, toolbox)
    doubtful = {
        entity: expressions[entity]
        for entity, label in labels.items()
        if unsure(label.shown, label.confidence, toolbox)
    }
    again, asked = _labels_by(SECOND, doubtful, state, toolbox) if doubtful else ({}, Update())
    labels |= {entity: _after(labels[entity], label) for entity, label in again.items()}
    told = [label.told(entity) for entity, label in labels.items()]
    return joined(update, asked, *told)


def entails(state: State, toolbox: Toolbox) -> bool:
    """Whether an entailer can judge: it has a picture, and a description if it reads that."""
    if toolbox.settings.roles.entailer is None or state.get("picture") is None:
        return False
    return toolbox.caption_entailer is None or reads_caption(state, toolbox)


def entail_all(state: State, toolbox: Toolbox) -> Update:
    """Ask nobody, for the ablation without entailment: all is pointed at, if there is a picture."""
    if state.get("picture") is None:
        return entail(state, toolbox)
    label = Label(True, None, ("entailment is left out: all is pointed at",))
    return joined(*(label.told(entity) for entity in state["mentions"]))


def _after(first: Label, second: Label) -> Label:
    """Return the last word of two: the second's, unless it does not tell."""
    last = first if second.shown is None else second
    replies = (*first.replies, *second.replies)
    return last._replace(reasons=(*first.reasons, *second.reasons), replies=replies)


def _labels_by(
    role: str, expressions: Mapping[str, str], state: State, toolbox: Toolbox
) -> tuple[dict[str, Label], Update]:
    """Let whoever plays a role judge expressions."""
    if role == FIRST and toolbox.caption_entailer is not None:
        return _by_caption(state, toolbox)
    tool = toolbox.entailer(role)
    if tool is None:
        return _by_model(role, expressions, state, toolbox)
    pixels = toolbox.pixels(state)
    assert pixels is not None, "asked without a picture"
    different = list(dict.fromkeys(expressions.values()))
    try:
        fits = dict(zip(different, tool.entail(pixels, different), strict=True))
    except ToolError as error:
        undecided = Label(None, tool.name, (str(error),))
        return dict.fromkeys(expressions, undecided), {
            "notices": notice("entail", f"undecided: {error}")
        }
    labels = {}
    for entity, hypothesis in expressions.items():
        fit = fits[hypothesis]
        reason = f"{hypothesis!r} fits the picture with {fit:.2f}"
        labels[entity] = _worth(entity, fit, tool.name, reason, state, toolbox)
    return labels, {}


def _by_caption(state: State, toolbox: Toolbox) -> tuple[dict[str, Label], Update]:
    """Let an entailer judge that reads the description; of what it cannot, it does not tell."""
    tool = toolbox.caption_entailer
    assert tool is not None, "asked without a tool"
    shown, update = shown_by_caption(state, toolbox)
    labels = {}
    for entity in state["mentions"]:
        labels[entity] = Label(None, tool.name, ("the description could not be judged",))
        if entity in shown:
            reason = f"the description of the picture shows it with {shown[entity]:.2f}"
            labels[entity] = _worth(entity, shown[entity], tool.name, reason, state, toolbox)
    return labels, update


def _worth(
    entity: str, stated: float, model: str, reason: str, state: State, toolbox: Toolbox
) -> Label:
    """Hold a probability that an expression is entailed against the threshold."""
    found = worth(stated, model, type_of(state, entity), toolbox.settings.options)
    reasons = (f"{reason} (threshold {found.threshold:g})", *found.words)
    confidence = found.probability if found.shown else 1.0 - found.probability
    return Label(found.shown, model, reasons, confidence)


def _by_model(
    role: str, expressions: Mapping[str, str], state: State, toolbox: Toolbox
) -> tuple[dict[str, Label], Update]:
    """Ask a model with eyes for the label of each expression, once or several times."""
    spec, image = toolbox.model(role), toolbox.photo(state)
    assert image is not None, "asked without a picture"
    hypotheses = [{"id": entity, "text": text} for entity, text in expressions.items()]
    prompt = toolbox.render("riveg/entail", hypotheses=hypotheses)
    replies, update = ask_often(toolbox, role, prompt, _labels(tuple(expressions)), image)
    answered = [reply for reply in replies if reply.value is not None]
    calls = tuple(update["calls"])
    if not answered:
        silent = Label(None, spec, (f"{spec} {no_answer(replies[-1].status)}",), None, calls)
        return dict.fromkeys(expressions, silent), update
    labels = {}
    for entity in expressions:
        said = [getattr(reply.value, entity) == ENTAILMENT for reply in answered]
        chance = answered[0].chance(entity, ENTAILMENT if said[0] else CONTRADICTION)
        reason = f"{spec} says {ENTAILMENT if said[0] else CONTRADICTION}"
        if len(replies) > 1:
            reason = f"{spec} says {ENTAILMENT} in {sum(said)} of {len(said)} samples"
            label = _worth(entity, share(said), spec, reason, state, toolbox)
        elif chance is None:
            label = Label(said[0], spec, (reason,))
        else:
            reason += f" (token probability {chance:.2f})"
            stated = chance if said[0] else 1.0 - chance
            label = _worth(entity, stated, spec, reason, state, toolbox)
        labels[entity] = label._replace(replies=calls)
    return labels, update


def _label(said: object) -> object:
    """Return the label that a word means: *Entailment.*, *entailed*, *yes*, true."""
    word = unmarked(str(said)).rstrip(".").casefold()
    return MEANT.get(word, said)


@lru_cache(maxsize=512)
def _labels(entities: tuple[str, ...]) -> type[BaseModel]:
    """Build the reply's schema: one label per entity."""
    label = (Annotated[Literal[ENTAILMENT, CONTRADICTION], BeforeValidator(_label)], ...)
    fields: dict[str, Any] = dict.fromkeys(entities, label)
    return create_model("Labels", __config__=OBJECT, **fields)

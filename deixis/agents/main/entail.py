"""entail: can this be seen here? Candidates are gathered on the way.

A mention is groundable when the picture gives evidence: its name, or a part of it, is read
there, it is a person and there are people, or the text tells that it is something that is
there; or a description of the picture makes it likely, which takes the place of what is known of
such mentions. No evidence is an answer (not groundable); a tool that could not look leaves the
question open (None).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from deixis.agents.context.calibration import EVIDENCE, Worth, worth
from deixis.agents.context.entailers import SECOND, unsure
from deixis.agents.context.records import Candidate, Mention, Verdict
from deixis.agents.context.state import State, Update, decision, joined, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import evidence as weights
from deixis.agents.main.captions import shown_by_caption
from deixis.agents.main.evidence import Cue, Evidence, probability_shown
from deixis.agents.main.findings import Finding, gather, read_name
from deixis.agents.main.look import Looked, entailed_by, look_for
from deixis.agents.main.same_names import same_names
from deixis.agents.main.second_look import second_look
from deixis.agents.main.subjects import subjects

UNINFORMED_PRIOR = 0.5


class Prior(NamedTuple):
    """How likely a mention is shown before anything is looked for, and how that is known.

    ``judge`` is who has read a description of the picture, or `EVIDENCE` without one.
    """

    probability: float
    words: str
    judge: str = EVIDENCE


class Judged(NamedTuple):
    """A verdict, the reasons for it, and who had the last word."""

    verdict: Verdict
    reasons: list[str]
    judge: str = EVIDENCE

    @property
    def confidence(self) -> float | None:
        """How sure it is that the verdict is right, None without one."""
        probability = self.verdict["probability"]
        return {True: probability, False: 1.0 - probability, None: None}[self.verdict["groundable"]]

    def doubt(self, toolbox: Toolbox) -> str:
        """Say why the second entailer is asked."""
        how = f"{self.verdict['probability']:.2f} by {self.judge} is doubtful"
        gate = f"at a gate of {toolbox.settings.options.entailer_gate:g}"
        how = "it was undecided" if self.confidence is None else f"{how} {gate}"
        return f"{how}: {toolbox.model(SECOND)} was asked"

    def decision(self, entity: str, replies: Sequence[str]) -> Update:
        """Return the entry for the channel ``decisions``."""
        return decision(
            entity,
            "entail",
            "groundable",
            {True: "yes", False: "no", None: None}[self.verdict["groundable"]],
            model=self.judge,
            confidence=self.confidence,
            evidence=self.reasons,
            replies=replies,
        )


def entail(state: State, toolbox: Toolbox) -> Update:
    """Decide for each mention whether the picture shows it."""
    mentions = state["mentions"]
    priors, captioned = _priors(state, toolbox)
    if state.get("picture") is None:
        return joined(captioned, *_without_picture(state, toolbox, priors))
    findings, noticed = _findings(state, toolbox, priors)
    looked, update = look_for(state, toolbox)

    def weigh(entity: str, evidence: Evidence, judge: str) -> Judged:
        def measure(stated: float) -> Worth:
            return worth(stated, judge, type_of(state, entity), toolbox.settings.options)

        return Judged(*weighed(findings[entity], evidence, priors[entity], measure), judge)

    judged = {entity: weigh(entity, looked.of(entity), priors[entity].judge) for entity in mentions}
    doubtful = [
        entity
        for entity, own in judged.items()
        if unsure(own.verdict["groundable"], own.confidence, toolbox)
    ]
    again, asked = _second(state, toolbox, looked, doubtful)
    for entity in again:
        doubt = judged[entity].doubt(toolbox)
        evidence, spec = looked.with_second(again).of(entity), toolbox.model(SECOND)
        told = bool(again[entity].cues)
        judged[entity] = weigh(entity, evidence, spec) if told else judged[entity]
        judged[entity].reasons.append(doubt if told else f"{doubt}, and it did not tell")
    decisions: Update = {}
    for entity, own in judged.items():
        replies = [*update["calls"], *(asked["calls"] if entity in again else ())]
        decisions |= own.decision(entity, replies)
    return {
        **joined(captioned, update, asked, {"notices": noticed}),
        "verdicts": {entity: own.verdict for entity, own in judged.items()},
        "decisions": decisions,
    }


def _priors(state: State, toolbox: Toolbox) -> tuple[dict[str, Prior], Update]:
    """Say how likely each mention is shown: by a description, or else by what is known of such."""
    shown, update = shown_by_caption(state, toolbox)
    tool = toolbox.caption_entailer
    priors = {}
    for entity, mention in state["mentions"].items():
        if tool is not None and entity in shown:
            words = f"what {tool.name} reads in the description of the picture"
            priors[entity] = Prior(shown[entity], words, tool.name)
        elif mention["prior"] is None:
            priors[entity] = Prior(UNINFORMED_PRIOR, "nothing is known of such mentions")
        else:
            priors[entity] = Prior(mention["prior"], "how often such mentions are shown")
    return priors, update


def _without_picture(state: State, toolbox: Toolbox, priors: Mapping[str, Prior]) -> list[Update]:
    """Judge by the description alone: what is not shown is an answer; for the rest, no place."""
    updates: list[Update] = [{"verdicts": {}, "decisions": {}}]
    for entity, prior in priors.items():
        reasons, outcome, confidence = ["there is no picture"], None, None
        verdict = Verdict(groundable=None, probability=0.0, candidates=[])
        if prior.judge != EVIDENCE:
            kind = type_of(state, entity)
            found = worth(prior.probability, prior.judge, kind, toolbox.settings.options)
            reasons = [f"{found.probability:.2f}: {prior.words}", *found.words, found.against]
            reasons += ["there is no picture to point at it in"] if found.shown else []
            outcome = "yes" if found.shown else "no"
            confidence = found.probability if found.shown else 1.0 - found.probability
            verdict["groundable"] = None if found.shown else False
            verdict["probability"] = found.probability
        decided = decision(
            entity,
            "entail",
            "groundable",
            outcome,
            model=None if prior.judge == EVIDENCE else prior.judge,
            confidence=confidence,
            evidence=reasons,
        )
        updates.append({"verdicts": {entity: verdict}, "decisions": decided})
    return updates


def _second(
    state: State, toolbox: Toolbox, looked: Looked, doubtful: Sequence[str]
) -> tuple[dict[str, Evidence], Update]:
    """Ask the second entailer about what the first left in doubt."""
    expressions = state.get("expressions", {})
    known = {entity: looked.of(entity) for entity in state["mentions"]}
    asked = {entity: expressions[entity] for entity in doubtful if entity in expressions}
    again, update = entailed_by(SECOND, state, toolbox, asked, known)
    return again, joined({"calls": {}, "notices": {}}, update)


def _findings(
    state: State, toolbox: Toolbox, priors: Mapping[str, Prior]
) -> tuple[dict[str, Finding], Update]:
    """Say what the picture tells of each mention; a line of writing tells of one name alone.

    Returns:
        Mention to finding, and notices.
    """
    mentions, wanted = state["mentions"], subjects(state, toolbox)
    observation, notices = second_look(state, toolbox, wanted.values())
    matches = {entity: read_name(subject.name, observation) for entity, subject in wanted.items()}
    findings = {
        entity: gather(subject, matches[entity], observation) for entity, subject in wanted.items()
    }
    for entity, taker in taken_writing(mentions, findings, priors).items():
        match = matches[entity]
        line = match.word.text if match else ""
        reason = f"the writing {line!r} was taken for {mentions[taker]['text']!r}"
        finding = gather(wanted[entity], None, observation)
        others = (cue for cue in finding.against if cue.ratio != weights.NAME_NOT_READ)
        gone = Cue(weights.NAME_NOT_READ, reason)
        findings[entity] = finding._replace(against=(*others, gone))
    return findings, notices


def taken_writing(
    mentions: Mapping[str, Mention],
    findings: Mapping[str, Finding],
    priors: Mapping[str, Prior],
) -> dict[str, str]:
    """Let each line of writing name one thing: "HOPPER" is not a person and also a ship.

    The mention that is most likely shown keeps the writing, with all mentions of its name;
    a mention whose whole name is read keeps it as well.

    Returns:
        Each mention that loses its writing, to the mention that keeps it.
    """
    shown = {
        entity: probability_shown(priors[entity].probability, findings[entity].cues)
        for entity in mentions
    }
    head_of = {entity: head for head, group in same_names(mentions).items() for entity in group}
    taken = {}
    for entity, finding in findings.items():
        if finding.writing is None or finding.cues[0].ratio == weights.WHOLE_NAME_READ:
            continue
        rivals = [
            rival
            for rival, other in findings.items()
            if other.writing == finding.writing and head_of[rival] != head_of[entity]
        ]
        best = max(rivals, key=shown.__getitem__, default=entity)
        if shown[best] > shown[entity]:
            taken[entity] = best
    return taken


def weighed(
    finding: Finding, evidence: Evidence, prior: Prior, measure: Callable[[float], Worth]
) -> tuple[Verdict, list[str]]:
    """Turn what was found and what looking brought into a verdict and the reasons for it."""
    cues = [*(finding.cues or finding.against), *evidence.cues]
    measured = measure(probability_shown(prior.probability, cues))
    reasons = [f"{cue.words} (odds x {cue.ratio:g})" for cue in cues]
    reasons += [f"prior {prior.probability:.2f} ({prior.words})", *measured.words]
    undecided = finding.undecided + evidence.undecided
    groundable: bool | None = False
    described = prior.judge != EVIDENCE
    if described or finding.cues or any(cue.ratio > 1.0 for cue in evidence.cues):
        groundable = measured.shown
        if described or not groundable:
            reasons.append(measured.against)
    elif undecided:
        groundable = None
        reasons += undecided
    elif not cues:
        groundable = None
        reasons.append("no tool that could find it is among the roles")
    candidates = _strengthened(finding.candidates + evidence.candidates) if groundable else []
    verdict = Verdict(
        groundable=groundable, probability=measured.probability, candidates=candidates
    )
    return verdict, reasons


def _strengthened(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return one candidate per place: two sources that point at it strengthen each other."""
    places: dict[str, Candidate] = {}
    for candidate in candidates:
        known = places.get(candidate["key"])
        if known is not None:
            doubt = (1.0 - known["strength"]) * (1.0 - candidate["strength"])
            what = f"{known['what']}; {candidate['what']}"
            candidate = {**known, "what": what, "strength": 1.0 - doubt}
        places[candidate["key"]] = candidate
    return list(places.values())

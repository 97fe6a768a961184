"""entail: can this be seen here? Candidates are gathered on the way.

A mention is groundable when the picture gives evidence: its name, or a part of it, is read
there, or it is a person and there are people. No evidence is an answer (not groundable);
a tool that could not look leaves the question open (None).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deixis.agents.context.records import Candidate, Mention, Observation, SeenObject, Verdict
from deixis.agents.context.state import State, Update, decision, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue, Evidence, probability_shown
from deixis.agents.main.look import look_for
from deixis.agents.main.names_in_picture import NameMatch, find_name
from deixis.agents.main.same_names import same_names
from deixis.agents.observe import PERSON
from deixis.base.boxes import as_box
from deixis.tools.base import Word

UNINFORMED_PRIOR = 0.5


class Finding(NamedTuple):
    """What the objects and the words of a picture tell of one mention.

    Attributes:
        cues: what speaks for it.
        against: what speaks against it, if nothing speaks for it.
        candidates: boxes that it may have.
        undecided: what could not be looked for.
        writing: id of the line of writing in which its name, or a part of it, was read.
    """

    cues: tuple[Cue, ...] = ()
    against: tuple[Cue, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    undecided: tuple[str, ...] = ()
    writing: str | None = None


def entail(state: State, toolbox: Toolbox) -> Update:
    """Decide for each mention whether the picture shows it."""
    mentions = state["mentions"]
    if state.get("picture") is None:
        decisions: Update = {}
        for entity in mentions:
            reason = "there is no picture"
            decisions |= decision(entity, "entail", "groundable", None, evidence=[reason])
        unknown = Verdict(groundable=None, probability=0.0, candidates=[])
        return {"verdicts": dict.fromkeys(mentions, unknown), "decisions": decisions}
    findings = _findings(state, toolbox)
    evidence, update = look_for(state, toolbox)
    verdicts, decisions = {}, {}
    threshold = toolbox.settings.options.groundable_threshold
    for entity, mention in mentions.items():
        verdict, reasons = judge(findings[entity], evidence[entity], mention["prior"], threshold)
        verdicts[entity] = verdict
        groundable, probability = verdict["groundable"], verdict["probability"]
        decisions |= decision(
            entity,
            "entail",
            "groundable",
            {True: "yes", False: "no", None: None}[groundable],
            model="evidence",
            confidence={True: probability, False: 1.0 - probability, None: None}[groundable],
            evidence=reasons,
            replies=update["calls"],
        )
    return {**update, "verdicts": verdicts, "decisions": decisions}


def _findings(state: State, toolbox: Toolbox) -> dict[str, Finding]:
    """Say what the picture tells of each mention; a line of writing tells of one name alone."""
    mentions, observation = state["mentions"], state["observation"]
    people = {entity for entity in mentions if is_person(state, entity, toolbox)}
    matches = {
        entity: read_name(mention["text"], observation) for entity, mention in mentions.items()
    }
    findings = {
        entity: gather(mention["text"], entity in people, matches[entity], observation)
        for entity, mention in mentions.items()
    }
    for entity, taker in taken_writing(mentions, findings).items():
        match = matches[entity]
        line = match.word.text if match else ""
        reason = f"the writing {line!r} was taken for {mentions[taker]['text']!r}"
        finding = gather(mentions[entity]["text"], entity in people, None, observation)
        others = (cue for cue in finding.against if cue.ratio != weights.NAME_NOT_READ)
        gone = Cue(weights.NAME_NOT_READ, reason)
        findings[entity] = finding._replace(against=(*others, gone))
    return findings


def is_person(state: State, entity: str, toolbox: Toolbox) -> bool:
    """Whether an entity is of a type that is looked for among the people."""
    return toolbox.types.get(type_of(state, entity)).seen_as == "person"


def read_name(name: str, observation: Observation) -> NameMatch | None:
    """Find a name, or a telling part of it, among the words read in the picture."""
    words = [
        Word(seen["text"], as_box(seen["box"]), seen["score"]) for seen in observation["words"]
    ]
    return find_name(name, words) if words else None


def gather(
    name: str, is_person: bool, match: NameMatch | None, observation: Observation
) -> Finding:
    """Say what the objects and the words of the picture tell of one mention."""
    words = _words_tell(name, match, observation)
    if not is_person:
        return words
    people = _people_tell(match, observation)
    return Finding(
        words.cues + people.cues,
        people.against or words.against,
        people.candidates or words.candidates,
        words.undecided + people.undecided,
        words.writing,
    )


def _words_tell(name: str, match: NameMatch | None, observation: Observation) -> Finding:
    """Say what the writing tells: the name, or a part of it, is a candidate where it is read."""
    how = observation["looking"].get("words")
    undecided = ("the writing could not be read",) if how == "failed" else ()
    if match:
        line = _line_of(match, observation)
        candidate = Candidate(
            key=f"{line}/{match.part.casefold()}",
            box=list(match.box),
            strength=match.similarity * match.word.score,
            what=f"the writing {match.word.text!r}",
            role="reader",
        )
        return Finding((_name_cue(name, match),), (), (candidate,), undecided, line)
    against: tuple[Cue, ...] = ()
    if how == "looked":
        some = "its name is not among the words read"
        reason = some if observation["words"] else "no writing was read"
        against = (Cue(weights.NAME_NOT_READ, reason),)
    return Finding(against=against, undecided=undecided)


def _line_of(match: NameMatch, observation: Observation) -> str:
    """Return the id of the line of writing in which a name was read."""
    return next(
        seen["id"]
        for seen in observation["words"]
        if (seen["text"], tuple(seen["box"])) == (match.word.text, match.word.box)
    )


def _people_tell(match: NameMatch | None, observation: Observation) -> Finding:
    """Say what the people tell of a person: each is a candidate, from left to right."""
    people = [seen for seen in observation["objects"] if seen["label"] == PERSON]
    how = observation["looking"].get("people")
    undecided = ("people could not be looked for",) if how == "failed" else ()
    if not people:
        none = Cue(weights.NO_PEOPLE, "it is a person, and no people were seen")
        return Finding(against=(none,) if how == "looked" else (), undecided=undecided)
    seen = "one person was seen" if len(people) == 1 else f"{len(people)} people were seen"
    return Finding(
        (Cue(weights.PEOPLE_SEEN, f"it is a person, and {seen}"),),
        candidates=tuple(
            _person(order, len(people), person, match)
            for order, person in enumerate(sorted(people, key=lambda person: person["box"][0]))
        ),
        undecided=undecided,
    )


def _person(order: int, people: int, person: SeenObject, match: NameMatch | None) -> Candidate:
    """Return a person as a candidate; one with the name written on them is the likeliest."""
    tagged = match is not None and _inside(match.box, person["box"])
    remark = f", with {match.word.text!r} written there" if match and tagged else ""
    return Candidate(
        key=person["id"],
        box=person["box"],
        strength=person["score"] * (1.0 if tagged or match is None else 0.5),
        what=f"person {order + 1} of {people} from the left{remark}",
        role="detector",
        order=order,
    )


def taken_writing(
    mentions: Mapping[str, Mention], findings: Mapping[str, Finding]
) -> dict[str, str]:
    """Let each line of writing name one thing: "HOPPER" is not a person and also a ship.

    The mention that is most likely shown keeps the writing, with all mentions of its name;
    a mention whose whole name is read keeps it as well.

    Returns:
        Each mention that loses its writing, to the mention that keeps it.
    """
    shown = {
        entity: probability_shown(_prior(mention["prior"]), findings[entity].cues)
        for entity, mention in mentions.items()
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


def _prior(prior: float | None) -> float:
    return UNINFORMED_PRIOR if prior is None else prior


def _name_cue(name: str, match: NameMatch) -> Cue:
    whole = len(match.part) >= len(name.strip("#@ "))
    ratio = weights.WHOLE_NAME_READ if whole else weights.PART_OF_NAME_READ
    which = "its name" if whole else f"the part {match.part!r} of its name"
    return Cue(ratio, f"{which} is read in {match.word.text!r} (similarity {match.similarity:.2f})")


def judge(
    finding: Finding, evidence: Evidence, prior: float | None, threshold: float
) -> tuple[Verdict, list[str]]:
    """Turn what was found and what looking brought into a verdict and the reasons for it."""
    cues = [*(finding.cues or finding.against), *evidence.cues]
    probability = probability_shown(_prior(prior), cues)
    known = "how often such mentions are shown"
    if prior is None:
        known = "nothing is known of such mentions"
    reasons = [f"{cue.words} (odds x {cue.ratio:g})" for cue in cues]
    reasons.append(f"prior {_prior(prior):.2f} ({known})")
    undecided = finding.undecided + evidence.undecided
    groundable: bool | None = False
    if finding.cues or any(cue.ratio > 1.0 for cue in evidence.cues):
        groundable = probability >= threshold
        if not groundable:
            reasons.append(f"{probability:.2f} is below the threshold {threshold:g}")
    elif undecided:
        groundable = None
        reasons += undecided
    elif not cues:
        groundable = None
        reasons.append("no tool that could find it is among the roles")
    candidates = _strengthened(finding.candidates + evidence.candidates) if groundable else []
    return Verdict(groundable=groundable, probability=probability, candidates=candidates), reasons


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


def _inside(inner: Sequence[float], outer: Sequence[float]) -> bool:
    """Whether the middle of one box lies in another."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]

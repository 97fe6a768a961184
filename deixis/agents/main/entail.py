"""entail: can this be seen here? Candidates are gathered on the way.

A mention is groundable when the picture gives evidence: its name, or a part of it, is read
there, or it is a person and there are people. No evidence is an answer (not groundable);
a tool that could not look leaves the question open (None).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.agents.context.state import State, Update, decision
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue, probability_shown
from deixis.agents.main.ground import same_names
from deixis.agents.main.look import Sought, look_for
from deixis.agents.main.names_in_picture import NameMatch, find_name
from deixis.agents.observe import FAILED, LOOKED, PERSON
from deixis.tools.base import Word

PERSON_TEMPLATE = "person"
UNINFORMED_PRIOR = 0.5


class Finding(NamedTuple):
    """What speaks for a mention, what against, what was looked for; boxes it may have."""

    cues: list[Cue]
    against: list[Cue]
    candidates: list[dict[str, Any]]
    undecided: list[str]
    sought: Sequence[Cue] = ()
    """What looking for its description told: counts beside all else."""
    writing: str | None = None
    """The line of writing in which its name, or a part of it, was read."""


def entail(state: State, toolbox: Toolbox) -> Update:
    """Decide for each mention whether the picture shows it."""
    mentions = state["mentions"]
    if state.get("picture") is None:
        verdicts = {entity: _verdict(None, 0.0, []) for entity in mentions}
        decisions: Update = {}
        for entity in mentions:
            decisions |= decision(
                entity, "entail", "groundable", None, evidence=["there is no picture"]
            )
        return {"verdicts": verdicts, "decisions": decisions}
    threshold = toolbox.settings.options.groundable_threshold
    sights = {
        entity: _Sight(
            toolbox.types.get(mention["type"]).template == PERSON_TEMPLATE,
            read_name(mention["text"], state["observation"]),
        )
        for entity, mention in mentions.items()
    }
    findings = {
        entity: gather(mentions[entity]["text"], *sight, state["observation"])
        for entity, sight in sights.items()
    }
    sought, update = look_for(state, toolbox)
    for entity, taker in taken_writing(mentions, findings).items():
        is_person, match = sights[entity]
        finding = gather(mentions[entity]["text"], is_person, None, state["observation"])
        line = match.word.text if match else ""
        gone = f"the writing {line!r} was taken for {mentions[taker]['text']!r}"
        against = [cue for cue in finding.against if cue.ratio != weights.NAME_NOT_READ]
        findings[entity] = finding._replace(against=[*against, Cue(weights.NAME_NOT_READ, gone)])
    verdicts, decisions = {}, {}
    for entity, mention in mentions.items():
        finding = joined(findings[entity], sought[entity])
        verdict, said = judge(finding, mention["prior"], threshold)
        verdicts[entity] = verdict
        outcome = {True: "yes", False: "no", None: None}[verdict["groundable"]]
        probability = verdict["probability"]
        decisions |= decision(
            entity,
            "entail",
            "groundable",
            outcome,
            model="evidence",
            confidence={True: probability, False: 1.0 - probability, None: None}[
                verdict["groundable"]
            ],
            evidence=said,
            replies=list(update["calls"]),
        )
    return {**update, "verdicts": verdicts, "decisions": decisions}


def joined(finding: Finding, sought: Sought) -> Finding:
    """Add what was sought for; two sources that point at one place strengthen each other."""
    candidates = {each["key"]: each for each in finding.candidates}
    for each in sought.candidates:
        there = candidates.get(each["key"])
        strength = each["strength"]
        if there is not None:
            strength = 1.0 - (1.0 - there["strength"]) * (1.0 - strength)
            each = {**there, "what": f"{there['what']}; {each['what']}"}
        candidates[each["key"]] = {**each, "strength": strength}
    return finding._replace(
        sought=sought.cues,
        candidates=list(candidates.values()),
        undecided=finding.undecided + sought.undecided,
    )


class _Sight(NamedTuple):
    is_person: bool
    match: NameMatch | None


def read_name(name: str, observation: dict[str, Any]) -> NameMatch | None:
    """Find a name, or a telling part of it, among the words read in the picture."""
    words = [Word(each["text"], tuple(each["box"]), each["score"]) for each in observation["words"]]
    return find_name(name, words) if words else None


def gather(
    name: str, is_person: bool, match: NameMatch | None, observation: dict[str, Any]
) -> Finding:
    """Say what the objects and the words of the picture tell of one mention."""
    looking = observation["looking"]
    people = [each for each in observation["objects"] if each["label"] == PERSON]
    finding = Finding([], [], [], [])
    if match:
        finding.cues.append(_name_cue(name, match))
    elif looking.get("words") == LOOKED:
        some = bool(observation["words"])
        read = "its name is not among the words read" if some else "no writing was read"
        finding.against.append(Cue(weights.NAME_NOT_READ, read))
    if looking.get("words") == FAILED:
        finding.undecided.append("the writing could not be read")
    if is_person:
        _add_people(finding, people, match, looking.get("people"))
    if match and not (is_person and people):
        finding.candidates.append(
            {
                "key": f"{_word_id(match, observation)}/{match.part.casefold()}",
                "box": list(match.box),
                "strength": match.similarity * match.word.score,
                "what": f"the writing {match.word.text!r}",
                "role": "reader",
            }
        )
    return finding._replace(writing=_word_id(match, observation) if match else None)


def _word_id(match: NameMatch, observation: dict[str, Any]) -> str:
    """Return the id of the line of writing in which a name was read."""
    found: str = next(
        each["id"]
        for each in observation["words"]
        if (each["text"], tuple(each["box"])) == (match.word.text, match.word.box)
    )
    return found


def _add_people(
    finding: Finding, people: list[dict[str, Any]], match: NameMatch | None, how: str | None
) -> None:
    if how == FAILED:
        finding.undecided.append("people could not be looked for")
    elif how == LOOKED and not people:
        finding.against[:] = [Cue(weights.NO_PEOPLE, "it is a person, and no people were seen")]
    if people:
        seen = "one person was seen" if len(people) == 1 else f"{len(people)} people were seen"
        finding.cues.append(Cue(weights.PEOPLE_SEEN, f"it is a person, and {seen}"))
    for order, person in enumerate(sorted(people, key=lambda each: each["box"][0])):
        tagged = match is not None and _inside(match.box, person["box"])
        remark = f", with {match.word.text!r} written there" if match and tagged else ""
        finding.candidates.append(
            {
                "key": person["id"],
                "box": person["box"],
                "strength": person["score"] * (1.0 if tagged or match is None else 0.5),
                "what": f"person {order + 1} of {len(people)} from the left{remark}",
                "role": "detector",
                "order": order,
            }
        )


def taken_writing(mentions: dict[str, Any], findings: dict[str, Finding]) -> dict[str, str]:
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
            each
            for each, other in findings.items()
            if other.writing == finding.writing and head_of[each] != head_of[entity]
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
    finding: Finding, prior: float | None, threshold: float
) -> tuple[dict[str, Any], list[str]]:
    """Turn a finding into a verdict and the reasons for it."""
    start = _prior(prior)
    said = (
        [f"prior {start:.2f} (nothing is known of such mentions)"]
        if prior is None
        else [f"prior {start:.2f} (how often such mentions are shown)"]
    )
    cues = [*(finding.cues or finding.against), *finding.sought]
    probability = probability_shown(start, cues)
    said = [f"{cue.words} (odds x {cue.ratio:g})" for cue in cues] + said
    if finding.cues or any(cue.ratio > 1.0 for cue in finding.sought):
        groundable: bool | None = probability >= threshold
        if not groundable:
            said.append(f"{probability:.2f} is below the threshold {threshold:g}")
    elif finding.undecided:
        groundable = None
        said += finding.undecided
    elif not cues:
        groundable = None
        said.append("no tool that could find it is among the roles")
    else:
        groundable = False
    return _verdict(groundable, probability, finding.candidates if groundable else []), said


def _verdict(
    groundable: bool | None, probability: float, candidates: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"groundable": groundable, "probability": probability, "candidates": candidates}


def _inside(inner: Any, outer: Any) -> bool:
    """Whether the middle of one box lies in another."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return bool(outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3])

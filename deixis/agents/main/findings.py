"""What the people, the things and the writing that were seen tell of one name."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from deixis.agents.context.records import Candidate, Observation, SeenObject
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue
from deixis.agents.main.lexicon import lexicon
from deixis.agents.main.names_in_picture import NameMatch, find_name
from deixis.agents.main.subjects import Subject
from deixis.agents.main.things import PEOPLE, VEHICLES, Sense
from deixis.base.boxes import area, as_box
from deixis.tools.base import Word

CARRIERS = VEHICLES | frozenset(
    (
        *("backpack", "book", "bottle", "bowl", "cup", "handbag", "microwave", "oven"),
        *("refrigerator", "skateboard", "snowboard", "sports ball", "suitcase", "surfboard"),
    )
)
"""What bears the name of what it is; on a screen or a shirt is written what somebody shows."""
_FARTHER = 0.25
"""Power of the share of the largest area: of two cars, the one nearer to the camera is meant."""


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


def read_name(name: str, observation: Observation) -> NameMatch | None:
    """Find a name, or a telling part of it, among the words read in the picture."""
    words = [
        Word(seen["text"], as_box(seen["box"]), seen["score"]) for seen in observation["words"]
    ]
    return find_name(name, words) if words else None


def gather(subject: Subject, match: NameMatch | None, observation: Observation) -> Finding:
    """Say what the objects and the words of the picture tell of one mention.

    Args:
        subject: what is looked for.
        match: its name, as far as it was read.
        observation: what was seen.
    """
    words = _words_tell(subject, match, observation)
    seen = Finding()
    if subject.sense:
        seen = _things_tell(subject.sense, match, observation)
    if subject.among_people and not seen.cues:
        seen = _people_tell(subject, match, observation)
    return Finding(
        words.cues + seen.cues,
        seen.against or words.against,
        seen.candidates or words.candidates,
        words.undecided + seen.undecided,
        words.writing,
    )


def _words_tell(subject: Subject, match: NameMatch | None, observation: Observation) -> Finding:
    """Say what the writing tells: the name, or a part of it, is a candidate where it is read.

    A vehicle or another thing with the name of what is no person and no place is that itself.
    """
    how = observation["looking"].get("words")
    undecided = ("the writing could not be read",) if how == "failed" else ()
    if match:
        line, where = _line_of(match, observation), f"the writing {match.word.text!r}"
        strength = match.similarity * match.word.score
        key, box = f"{line}/{match.part.casefold()}", list(match.box)
        candidate = Candidate(key=key, box=box, strength=strength, what=where, role="reader")
        bearers = [
            seen
            for seen in observation["objects"]
            if seen["label"] in CARRIERS and _inside(match.box, seen["box"])
        ]
        if bearers and subject.sort in {"group", "thing"}:
            bearer = min(bearers, key=lambda seen: area(as_box(seen["box"])))
            what = f"a {bearer['label']} with {match.word.text!r} written there"
            candidate = _candidate(bearer, strength, what)
        return Finding((_name_cue(subject.name, match),), (), (candidate,), undecided, line)
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


def _name_cue(name: str, match: NameMatch) -> Cue:
    whole = len(match.part) >= len(name.strip("#@ "))
    ratio = weights.WHOLE_NAME_READ if whole else weights.PART_OF_NAME_READ
    which = "its name" if whole else f"the part {match.part!r} of its name"
    return Cue(ratio, f"{which} is read in {match.word.text!r} (similarity {match.similarity:.2f})")


def _people_tell(subject: Subject, match: NameMatch | None, observation: Observation) -> Finding:
    """Say what the people tell of a person: each is a candidate, from left to right."""
    people = _labelled(PEOPLE, observation["objects"])
    how = observation["looking"].get("people")
    undecided = ("people could not be looked for",) if how == "failed" else ()
    if not people:
        none = Cue(weights.NO_PEOPLE, "it is a person, and no people were seen")
        return Finding(against=(none,) if how == "looked" else (), undecided=undecided)
    if subject.credited:
        made = Cue(weights.CREDITED, "the text says what was made by it")
        return Finding(against=(made,), undecided=undecided)
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
    strength = person["score"] * (1.0 if tagged or match is None else 0.5)
    what = f"person {order + 1} of {people} from the left{remark}"
    return {**_candidate(person, strength, what), "order": order}


def _things_tell(sense: Sense, match: NameMatch | None, observation: Observation) -> Finding:
    """Say what the things that were seen tell of what may be one of them."""
    seen, ratio, remark = _labelled(sense.labels, observation["objects"]), sense.ratio, ""
    if sense.labels == PEOPLE:
        return _group_tells(sense, seen)
    if not seen and sense.sought:
        ratio = min(ratio, weights.LIKE_SEEN)
        like = sense.labels.union(*(lexicon().alike.get(label, ()) for label in sense.labels))
        seen, remark = _labelled(like, observation["objects"]), ", which a detector may take for it"
        if not seen:
            seen, remark = _labelled(like, observation.get("faint", ())), " faintly"
    if seen:
        largest = max(area(as_box(thing["box"])) for thing in seen)
        labels = " or ".join(dict.fromkeys(f"a {thing['label']}" for thing in seen))
        return Finding(
            (Cue(ratio, f"{sense.words}, and {labels} was seen{remark}"),),
            candidates=tuple(_thing(thing, largest, match) for thing in seen),
        )
    if not sense.certain:
        return Finding()
    wanted = " or ".join(sorted(sense.labels))
    if not sense.labels & {*observation.get("asked", ())}:
        return Finding(undecided=(f"no tool looks for a {wanted}",))
    if observation["looking"].get("people") == "failed":
        return Finding(undecided=(f"a {wanted} could not be looked for",))
    return Finding(
        against=(Cue(weights.THING_NOT_SEEN, f"{sense.words}, and no {wanted} was seen"),)
    )


def _thing(thing: SeenObject, largest: float, match: NameMatch | None) -> Candidate:
    """Return a thing as a candidate; large ones and one with the name on it are likelier."""
    tagged = match is not None and _inside(match.box, thing["box"])
    remark = f" with {match.word.text!r} written there" if match and tagged else ""
    nearness = (area(as_box(thing["box"])) / largest) ** _FARTHER
    strength = thing["score"] * nearness * (1.0 if tagged or match is None else 0.5)
    return _candidate(thing, strength, f"a {thing['label']}{remark}")


def _group_tells(sense: Sense, people: Sequence[SeenObject]) -> Finding:
    """Say what several people tell of a group: it is all of them, as surely as the surest."""
    if len(people) < sense.least:
        return Finding()
    strength = max(person["score"] for person in people)
    return Finding(
        (Cue(sense.ratio, f"{sense.words}, and {len(people)} people were seen"),),
        candidates=tuple(
            _candidate(person, strength, f"one of {len(people)} people") for person in people
        ),
    )


def _labelled(labels: Collection[str], objects: Iterable[SeenObject]) -> list[SeenObject]:
    return [seen for seen in objects if seen["label"] in labels]


def _candidate(seen: SeenObject, strength: float, what: str) -> Candidate:
    return Candidate(key=seen["id"], box=seen["box"], strength=strength, what=what, role="detector")


def _inside(inner: Sequence[float], outer: Sequence[float]) -> bool:
    """Whether the middle of one box lies in another."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]

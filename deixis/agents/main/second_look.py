"""A second look, for what the text names and nobody saw, and things that were seen as two.

A detector that knows labels says "person" of a bulldog, and finds the dog too doubtful to be told
of. Where the text calls somebody a bulldog, what is doubtful is worth a look: a detector with a
method ``glimpse`` is asked for it.
"""

from collections.abc import Iterable, Sequence

from deixis.agents.context.records import Observation, SeenObject
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.lexicon import lexicon
from deixis.agents.main.places import SAME_PLACE
from deixis.agents.main.subjects import Subject
from deixis.agents.main.things import ANIMALS
from deixis.agents.observe import PERSON, looked_for
from deixis.base.boxes import box_iou
from deixis.errors import ToolError

AS_LIKELY = 0.3
"""Share of the score of a person from which an animal in the same place is believed instead."""


def second_look(
    state: State, toolbox: Toolbox, wanted: Iterable[Subject]
) -> tuple[Observation, Update]:
    """Look again for what the text names and nobody saw.

    What has several labels in one place has one id. What is a person or an animal is an animal
    where the text names one.

    Returns:
        The observation with what was seen now, as ``faint`` if that is doubtful, and with the
        labels of all that was looked for; and a notice if the second look failed.
    """
    observation, detector = state["observation"], toolbox.detector
    objects, faint, notices = [*observation["objects"]], list[SeenObject](), Update()
    asked, seen = looked_for(toolbox), {thing["label"] for thing in objects}
    senses = [subject.sense for subject in wanted if subject.sense and subject.sense.sought]
    missed = [sense.labels for sense in senses if not sense.labels & seen]
    takes_phrases = detector is not None and detector.labels is None
    look = detector.detect if detector and takes_phrases else getattr(detector, "glimpse", None)
    labels = sorted(frozenset[str]().union(*missed)) if takes_phrases else _with_alike(missed)
    if labels and look is not None:
        pixels = toolbox.pixels(state)
        assert pixels is not None, "asked without a picture"
        try:
            found = look(pixels, labels)
            asked += labels
            (objects if takes_phrases else faint).extend(
                SeenObject(id=f"s{number}", label=label, box=list(box), score=score)
                for number, (label, box, score) in enumerate(found, start=1)
            )
        except ToolError as error:
            notices = notice("entail", f"there was no second look for {', '.join(labels)}: {error}")
    called = _with_alike(sense.labels for sense in senses if sense.labels <= ANIMALS)
    animals = [thing for thing in (*objects, *faint) if thing["label"] in called]
    objects = [thing for thing in objects if not _is_one_of(thing, animals)]
    placed = _by_place([*objects, *faint])
    first = len(objects)
    seen_now: Observation = {**observation, "objects": placed[:first], "asked": asked}
    seen_now["faint"] = placed[first:]
    return seen_now, notices


def _with_alike(called: Iterable[frozenset[str]]) -> list[str]:
    """Return labels, and those that a detector takes for them."""
    labels = frozenset[str]().union(*called)
    return sorted(labels.union(*(lexicon().alike.get(label, ()) for label in labels)))


def _is_one_of(person: SeenObject, animals: Iterable[SeenObject]) -> bool:
    """Whether what was taken for a person is an animal that the text names."""
    return person["label"] == PERSON and any(
        animal["score"] >= AS_LIKELY * person["score"]
        and box_iou(animal["box"], person["box"]) >= SAME_PLACE
        for animal in animals
    )


def _by_place(objects: Sequence[SeenObject]) -> list[SeenObject]:
    """Give what has another label and nearly the same box the id of the first of them."""
    placed: list[SeenObject] = []
    for seen in objects:
        same = (
            known["id"]
            for known in placed
            if known["label"] != seen["label"] and box_iou(known["box"], seen["box"]) >= SAME_PLACE
        )
        placed.append({**seen, "id": next(same, seen["id"])})
    return placed

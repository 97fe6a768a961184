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
from deixis.agents.main.look import SAME_PLACE
from deixis.agents.main.subjects import Subject
from deixis.agents.main.things import ANIMALS
from deixis.agents.observe import PERSON
from deixis.base.boxes import box_iou
from deixis.errors import ToolError

AS_LIKELY = 0.3
"""Share of the score of a person from which an animal in the same place is believed instead."""


def second_look(
    state: State, toolbox: Toolbox, wanted: Iterable[Subject]
) -> tuple[Observation, Update]:
    """Return what was seen, with what is seen at a second look as ``faint``.

    What has several labels in one place has one id. What is a person or an animal is an animal
    where the text names one.

    Returns:
        The observation, and a notice if the second look failed.
    """
    observation = state["observation"]
    objects, faint = observation["objects"], list[SeenObject]()
    senses = [subject.sense for subject in wanted if subject.sense and subject.sense.sought]
    seen = {thing["label"] for thing in objects}
    missed = _with_alike(sense.labels for sense in senses if not sense.labels & seen)
    called = _with_alike(sense.labels for sense in senses if sense.labels <= ANIMALS)
    look, notices = getattr(toolbox.detector, "glimpse", None), Update()
    if missed and look is not None:
        try:
            faint = [
                SeenObject(id=f"f{number}", label=label, box=list(box), score=score)
                for number, (label, box, score) in enumerate(look(toolbox.pixels(state), missed), 1)
            ]
        except ToolError as error:
            notices = notice("entail", f"there was no second look for {', '.join(missed)}: {error}")
    animals = [thing for thing in (*objects, *faint) if thing["label"] in called]
    people = [thing for thing in objects if _is_one_of(thing, animals)]
    placed = _by_place([*(thing for thing in objects if thing not in people), *faint])
    first = len(placed) - len(faint)
    return {**observation, "objects": placed[:first], "faint": placed[first:]}, notices


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

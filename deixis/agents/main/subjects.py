"""What is looked for: a name, what its type is seen as, and what it may be."""

from typing import NamedTuple

from deixis.agents.context.state import State, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.lexicon import fold
from deixis.agents.main.same_names import same_names
from deixis.agents.main.things import PEOPLE, Naming, Sense, Sort, sense_of, talked_of
from deixis.agents.observe import PERSON

PLACE = "LOC"
"""Tag of places and buildings."""


class Subject(NamedTuple):
    """One mention, as it is looked for.

    Attributes:
        name: as it stands in the text.
        sort: what its type is.
        sense: which things it may be, None if nothing tells.
        credited: whether the text names it as who made something ("photo by").
    """

    name: str
    sort: Sort
    sense: Sense | None = None
    credited: bool = False

    @property
    def among_people(self) -> bool:
        """Whether it is looked for among the people: a person who is not called a thing."""
        return self.sort == "person" and not (self.sense and self.sense.certain)


def subjects(state: State, toolbox: Toolbox) -> dict[str, Subject]:
    """Say what each mention is looked for as; mentions of one name are one thing."""
    namings = {entity: _naming(state, entity, toolbox) for entity in state["mentions"]}
    own = {entity: sense_of(naming) for entity, naming in namings.items()}
    groups = same_names(state["mentions"])
    senses = {
        head: next((own[entity] for entity in group if own[entity]), None)
        for head, group in groups.items()
    }
    people = [head for head in groups if namings[head].sort == "person" and not senses[head]]
    if len(people) == 1 and not any(
        seen["label"] == PERSON for seen in state["observation"]["objects"]
    ):
        senses[people[0]] = talked_of(state["text"])
    teams = [head for head in groups if namings[head].fine_type == "sports_team"]
    for team in teams if people else teams[1:]:
        senses[team] = _without_people(senses[team])
    return {
        entity: Subject(
            namings[entity].name, namings[entity].sort, senses[head], _credited(namings[entity])
        )
        for head, group in groups.items()
        for entity in group
    }


def _naming(state: State, entity: str, toolbox: Toolbox) -> Naming:
    mention, kind = state["mentions"][entity], toolbox.types.get(type_of(state, entity))
    voted = state.get("kinds", {}).get(entity)
    sort: Sort = "place" if kind.crf == PLACE else kind.seen_as
    fine_type = (voted and voted["fine_type"]) or mention["fine_type"]
    return Naming(state["text"], mention["start"], mention["end"], sort, fine_type)


def _without_people(sense: Sense | None) -> Sense | None:
    """Take from a team that people are it: they are those named before, or of the first team."""
    return None if sense and sense.labels == PEOPLE and not sense.certain else sense


def _credited(naming: Naming) -> bool:
    return naming.sort == "person" and fold(*naming.before[-1:]) == "by"

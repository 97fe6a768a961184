"""RiVEG's three trained parts: visual entailment, visual grounding, names with knowledge.

Gold mentions are given, and what they stand for is asked of the stack's expander: so are the
expressions of the data sets of section IV-C made. Entailment is taught with all of them, positive
where the gold has a region and negative where it says that there is none; grounding with those
that have one, of several the largest. Names are taught from text and knowledge together
(section IV-B.1d). With ``augment`` there is a lesson for each of several models that write.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.agents.reading.given import checked_mentions
from deixis.agents.riveg.entail import CONTRADICTION, ENTAILMENT
from deixis.base.boxes import area
from deixis.errors import SettingsError
from deixis.rows import Row, RowEntity, RowRegion
from deixis.schema import Entity, Extraction
from deixis.settings import Settings
from deixis.training.lessons.compare import entities_differ
from deixis.training.lessons.course import Course, Near, Question, json_text
from deixis.training.lessons.records import Slot, Written

_NOTHING = "nothing was asked: the row has no picture, or no mention for this"
_LATER = ("segmenter", "second_entailer", "vlm")


def judged(row: Row) -> list[RowEntity]:
    """Return the mentions of which somebody said whether they can be seen, as in the text."""
    return _in_order([entity for entity in row.entities if entity.regions is not None], row)


def shown(row: Row) -> list[RowEntity]:
    """Return the mentions that can be seen, in the order of the text, as the graph counts them."""
    return _in_order([entity for entity in row.entities if entity.regions], row)


def labels(question: Question) -> Written:
    """Write ``{"e1":"entailment","e2":"contradiction"}``."""
    gold = _by_id(judged(question.row))
    asked = question.answer.model_fields
    said = {name: ENTAILMENT if gold[name].regions else CONTRADICTION for name in asked}
    return (json_text(said),)


def boxes(question: Question) -> Written:
    """Write ``{"e1":[x1,y1,x2,y2]}``: the largest box of each."""
    gold = _by_id(shown(question.row))
    pieces: list[str | Slot] = []
    for name in question.answer.model_fields:
        region = _largest(gold[name])
        start = "," if pieces else "{"
        pieces += [f'{start}"{name}":', question.slot(region.box, region.image)]
    return (*pieces, "}")


def names(question: Question) -> Written:
    """Write the entities, with a confidence of 1: that of the gold."""
    ordered = _in_order(question.row.entities, question.row)
    listed = [{"text": each.text, "type": each.type, "confidence": 1.0} for each in ordered]
    return (json_text({"entities": listed}),)


def same_labels(row: Row, result: Extraction, near: Near) -> str:
    """Compare what was entailed."""
    gold, found = judged(row), _entailed(result)
    if not gold or not any(label is not None for label in found):
        return _NOTHING
    wanted = ["yes" if entity.regions else "no" for entity in gold]
    return "" if found == wanted else "a label does not come back"


def same_boxes(row: Row, result: Extraction, near: Near) -> str:
    """Compare the largest boxes."""
    gold = [
        entity.model_copy(update={"regions": (_largest(entity),), "fine_type": None})
        for entity in shown(row)
    ]
    return entities_differ(gold, result, near, fine=False) if gold else _NOTHING


def same_names(row: Row, result: Extraction, near: Near) -> str:
    """Compare texts, types, and places in the text."""
    if not any(reply.id.startswith("recognize/") for reply in result.replies):
        return "no knowledge was written, so that nothing was asked with it"
    places = {(each.start, each.end) for each in _in_order(row.entities, row)}
    if places != {(each.start, each.end) for each in result.entities}:
        return "an entity does not come back where it stands in the text"
    return entities_differ(row.entities, result, near, boxes=False, fine=False)


def each_writer(settings: Settings) -> Sequence[Settings]:
    """Return the settings for each model that writes; with ``augment``, the committee, too.

    So a row gives a lesson for each (section V-A.1, table III: four on top of the expander).

    Raises:
        SettingsError: ``augment`` is set, and there is no committee.
    """
    options = {**settings.graph_options}
    if options.pop("augment", False) is not True:
        return (settings.with_graph(settings.graph, **options),)
    roles = settings.roles
    if not roles.committee:
        raise SettingsError(
            "graph_options: augment has a lesson made of what each member of the committee "
            "writes, and there is none; name models for the role 'committee'"
        )
    alone = settings.with_graph(settings.graph, **options)
    return [
        alone.with_roles({"expander": writer, "committee": []})
        for writer in (roles.expander, *roles.committee)
    ]


def _in_order(entities: Sequence[RowEntity], row: Row) -> list[RowEntity]:
    """Return entities with their places, in the order in which the graph numbers them."""
    left = list(entities)
    ordered = []
    for mention in checked_mentions(_mentions(entities), row.text) or ():
        start, end = mention["start"], mention["end"]
        own = next(
            each
            for each in left
            if (each.text, each.type) == (mention["text"], mention["type"])
            and each.start in (start, None)
        )
        left.remove(own)
        ordered.append(own.model_copy(update={"start": start, "end": end}))
    return ordered


def _mentions(entities: Sequence[RowEntity]) -> list[dict[str, Any]]:
    wanted = {"text", "type", "start", "end", "fine_type"}
    return [entity.model_dump(include=wanted) for entity in entities]


def _by_id(entities: Sequence[RowEntity]) -> dict[str, RowEntity]:
    return {f"e{number}": entity for number, entity in enumerate(entities, start=1)}


def _largest(entity: RowEntity) -> RowRegion:
    assert entity.regions, "it can be seen"
    return max(entity.regions, key=lambda region: area(region.box))


def _entailed(result: Extraction) -> list[str | None]:
    """Return what entailment said of each entity, in the order of the text."""
    ordered = sorted(result.entities, key=lambda each: (each.start or 0, each.end or 0))
    return [_label(entity) for entity in ordered]


def _label(entity: Entity) -> str | None:
    made = (one for one in entity.decisions if (one.step, one.subject) == ("entail", "groundable"))
    return next((one.outcome for one in made), None)


def _judged_alone(row: Row) -> Mapping[str, Any]:
    return {"mentions": _mentions(judged(row))}


def _shown_alone(row: Row) -> Mapping[str, Any]:
    return {"mentions": _mentions(shown(row))}


RIVEG_VE = Course(
    "riveg-ve",
    "RiVEG, visual entailment: whether what an expression says can be seen",
    graph="riveg",
    role="entailer",
    prompts=("riveg/entail",),
    teach=labels,
    same=same_labels,
    given=_judged_alone,
    options=lambda rows, given: {"entailment": True},
    points=False,
    versions=each_writer,
    without=_LATER,
)
RIVEG_VG = Course(
    "riveg-vg",
    "RiVEG, visual grounding: the largest box of each expression that can be seen",
    graph="riveg",
    role="vlm",
    prompts=("riveg/ground",),
    teach=boxes,
    same=same_boxes,
    given=_shown_alone,
    options=lambda rows, given: {"entailment": False},
    versions=each_writer,
)
RIVEG_NER = Course(
    "riveg-ner",
    "RiVEG, names and types from text and knowledge",
    graph="riveg",
    role="recognizer",
    prompts=("riveg/recognize",),
    teach=names,
    same=same_names,
    options=lambda rows, given: {"knowledge": True, "expression_input": "name"},
    points=False,
    versions=each_writer,
    without=(*_LATER, "entailer", "corrector"),
)

"""ACE 2005 (LDC2006T06, licensed): entities, relations and events of news, as OneIE writes them.

The corpus has to be bought; the preprocessing of OneIE (Lin et al., ACL 2020) turns it into
``train.oneie.json``, ``dev.oneie.json`` and ``test.oneie.json``, a sentence to a line:
``{"sent_id", "tokens", "sentence", "entity_mentions": [{"id", "text", "entity_type",
"mention_type", "start", "end"}], "relation_mentions": [{"relation_type", "relation_subtype",
"arguments": [{"entity_id", "role": "Arg-1"}, ...]}], "event_mentions": [{"event_type",
"trigger": {"start", "end"}, "arguments": [{"entity_id", "role"}]}]}``. Places count tokens,
half-open.
"""

from collections import Counter
from collections.abc import Callable
from typing import Annotated

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from deixis.base.problems import problem_line
from deixis.base.text_files import lines_of
from deixis.errors import DataError
from deixis.evaluation.datasets.json_files import file_of
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.words import Words
from deixis.formats.muie_rows import Argument, Event, MuieEntity, MuieRow, Relation, Task, Trigger

_FIRST, _SECOND = "Arg-1", "Arg-2"
QUIRKS = (
    "entities",
    "entities that are named (NAM)",
    "relations",
    "events",
    "arguments",
    "sentences without what the task asks for",
)


class _Place(BaseModel):
    start: int
    end: int


class _Entity(_Place):
    id: str
    entity_type: str = Field(min_length=1)
    mention_type: str = ""


class _Filler(BaseModel):
    entity_id: str
    role: str = Field(min_length=1)


class _Relation(BaseModel):
    relation_type: str = Field(min_length=1)
    relation_subtype: str = ""
    arguments: list[_Filler]

    def label(self) -> str:
        """Return TYPE:Subtype, whether or not the file writes the type before the subtype."""
        subtype = self.relation_subtype
        both = ":" in subtype or not subtype
        return (subtype or self.relation_type) if both else f"{self.relation_type}:{subtype}"


class _Event(BaseModel):
    event_type: str = Field(min_length=1)
    trigger: _Place
    arguments: list[_Filler] = []


class _Sentence(BaseModel):
    id: Annotated[str, Field(validation_alias=AliasChoices("sent_id", "wnd_id"), min_length=1)]
    tokens: list[str]
    sentence: str = ""
    entity_mentions: list[_Entity] = []
    relation_mentions: list[_Relation] = []
    event_mentions: list[_Event] = []


def reader(task: Task) -> Callable[[Source], Converted]:
    """Return the reader of the rows of one task."""

    def read(source: Source) -> Converted:
        """Read ``SPLIT.oneie.json``, a row to a sentence.

        Rows of names are the data set ACE05-Aud of the benchmark of MUIE, whose speech is not
        public; the others are ACE05. Mentions by noun and pronoun are entities as well.

        Raises:
            DataError: a line does not parse, or names an entity or words that are not there.
            InputError: the file is not there.
            OSError: the file cannot be read.
        """
        counts = Counter(dict.fromkeys(QUIRKS, 0))
        rows: dict[str, MuieRow] = {}
        path = file_of(source, [f"{source.split}.oneie.json"])
        for number, line in lines_of(path):
            try:
                sentence = _Sentence.model_validate_json(line)
                if sentence.id in rows:
                    raise ValueError(f"the sentence {sentence.id!r} stands twice")
                rows[sentence.id] = row = _row(sentence, task)
            except ValidationError as error:
                raise DataError(f"{path}:{number}: {problem_line(error)}") from None
            except ValueError as error:
                raise DataError(f"{path}:{number}: {error}") from None
            counts[QUIRKS[0]] += len(row.entities)
            counts[QUIRKS[1]] += sum(
                each.mention_type == "NAM" for each in sentence.entity_mentions
            )
            counts[QUIRKS[2]] += len(row.relations)
            counts[QUIRKS[3]] += len(row.events)
            counts[QUIRKS[4]] += sum(len(event.arguments) for event in row.events)
            asked = {"ner": row.entities, "re": row.relations, "ee": row.events}
            counts[QUIRKS[5]] += not asked[task]
        return Converted(tuple(rows.values()), dict(counts))

    return read


def _row(sentence: _Sentence, task: Task) -> MuieRow:
    """Return the row; ValueError if a place has no words or an id no entity."""
    words = Words.of(sentence.tokens, sentence.sentence)
    numbers = {entity.id: number for number, entity in enumerate(sentence.entity_mentions)}
    entities = [
        MuieEntity(type=each.entity_type, **words.cut(each.start, each.end))
        for each in sentence.entity_mentions
    ]
    relations = [_relation(each, numbers) for each in sentence.relation_mentions if task == "re"]
    events = [
        Event(
            type=each.event_type,
            trigger=Trigger(**words.cut(each.trigger.start, each.trigger.end)),
            arguments=tuple(
                Argument(role=filler.role, entity=_number(filler.entity_id, numbers))
                for filler in each.arguments
            ),
        )
        for each in sentence.event_mentions
        if task == "ee"
    ]
    return MuieRow(
        id=sentence.id,
        task=task,
        dataset="ACE05-Aud" if task == "ner" else "ACE05",
        text=words.text,
        entities=tuple(entities),
        relations=tuple(relations),
        events=tuple(events),
    )


def _relation(relation: _Relation, numbers: dict[str, int]) -> Relation:
    ends = {filler.role: filler.entity_id for filler in relation.arguments}
    if ends.keys() != {_FIRST, _SECOND}:
        raise ValueError(f"a relation has the arguments {', '.join(ends)}, not Arg-1 and Arg-2")
    subject, object_ = (_number(ends[role], numbers) for role in (_FIRST, _SECOND))
    return Relation(subject=subject, type=relation.label(), object=object_)


def _number(identity: str, numbers: dict[str, int]) -> int:
    if identity not in numbers:
        raise ValueError(f"there is no entity {identity!r} in entity_mentions")
    return numbers[identity]

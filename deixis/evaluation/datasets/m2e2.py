"""M2E2 (Li et al., ACL 2020): events of news, in sentences and in pictures.

The annotations (github.com/limanling/m2e2, ``data/m2e2_annotations.zip``) are, of events in one
medium alone and of those in both, ``text_only_event.json`` and ``text_multimedia_event.json``,
lists of ``{"sentence_id", "sentence", "words", "golden-entity-mentions": [{"entity-type", "text",
"start", "end"}], "golden-event-mentions": [{"event_type", "trigger": {"text", "start", "end"},
"arguments": [{"role", "text", "start", "end"}]}], "image": [file]}``, whose places count words,
half-open; ``image_only_event.json`` and ``image_multimedia_event.json``, ``{picture without its
ending: {"event_type", "role": {role: [[number, x1, y1, x2, y2]]}}}``; and
``crossmedia_coref.txt``, lines ``sentence_id, picture, event_type`` with tabs between them.
The script that wrote the arguments of sentences gave them the text of another entity, so that
only their places count here.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from deixis.base.text_files import lines_of
from deixis.errors import DataError, InputError
from deixis.evaluation.datasets.json_files import (
    NOT_FOUND,
    file_of,
    misfit,
    picture_of,
    read_json,
    unique,
)
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.words import Words
from deixis.formats.muie_rows import Argument, Event, MuieEntity, MuieRow, Trigger
from deixis.rows import RowRegion

SPLITS = ("multimedia", "text_only", "image_only")
_FOLDERS = ("m2e2_annotations", "data/m2e2_annotations")
_PICTURES = ("image/image", "image", "m2e2_rawdata/image/image")
QUIRKS = (
    "events",
    "arguments",
    "arguments in pictures",
    "arguments of sentences whose text is another than their place says (the place counts)",
    "arguments of sentences that are no entity (added as one)",
    "boxes without an area (left out, the thing is kept)",
    "pairs of a sentence and a picture that lack an event of their type (left out)",
    NOT_FOUND,
)
_Box = tuple[str | int, float, float, float, float]


class _Place(BaseModel):
    text: str = ""
    start: int
    end: int


class _Mention(_Place):
    type: str = Field(alias="entity-type", min_length=1)


class _Argument(_Place):
    role: str = Field(min_length=1)


class _TextEvent(BaseModel):
    event_type: str = Field(min_length=1)
    trigger: _Place
    arguments: list[_Argument] = []


class _Sentence(BaseModel):
    sentence_id: str = Field(min_length=1)
    sentence: str = ""
    words: list[str]
    mentions: Annotated[list[_Mention], Field(alias="golden-entity-mentions")] = []
    events: Annotated[list[_TextEvent], Field(alias="golden-event-mentions")] = []


class _PictureEvent(BaseModel):
    event_type: str = Field(min_length=1)
    role: dict[str, list[_Box]] = {}


_Sentences = TypeAdapter(list[_Sentence])
_Pictures = TypeAdapter(dict[str, _PictureEvent])


def read_m2e2(source: Source) -> Converted:
    """Read one of three parts, which is what the split says.

    ``multimedia``: a row for each sentence and picture that `crossmedia_coref.txt` puts
    together (``aligned``); the things in the picture are arguments of the sentence's first event of
    that type. ``text_only`` and ``image_only``: the events that only one medium tells of. A
    thing in a picture has the role, in small letters, for a text, for the release has no word for
    it. Pictures are ``NAME.jpg`` in the folder that is given, or ``image``.

    Raises:
        DataError: a file does not parse; the message names the file and the line.
        InputError: there is no such part, or a file is not there.
        OSError: a file cannot be read.
    """
    if source.split not in SPLITS:
        raise InputError(f"M2E2 has no split {source.split!r}; there: {', '.join(SPLITS)}")
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    read = {"multimedia": _multimedia, "text_only": _sentences, "image_only": _image_only}
    rows = read[source.split](source, counts)
    for row in rows.values():
        counts[QUIRKS[0]] += len(row.events)
        filled = [argument.entity for event in row.events for argument in event.arguments]
        counts[QUIRKS[1]] += len(filled)
        counts[QUIRKS[2]] += sum(row.entities[place].start is None for place in filled)
    return Converted(tuple(rows.values()), dict(counts))


def _multimedia(source: Source, counts: Counter[str]) -> dict[str, MuieRow]:
    sentences = _sentences(source, counts)
    pictures = _pictures(source)
    rows: dict[str, MuieRow] = {}
    for name, file, kind in _pairs(file_of(source, ["crossmedia_coref.txt"], *_FOLDERS)):
        sentence, picture = sentences.get(name), pictures.get(Path(file).stem)
        kinds = {event.type for event in sentence.events} if sentence else set()
        if not (sentence and picture and kind == picture.event_type and kind in kinds):
            counts[QUIRKS[6]] += 1
            continue
        identity = unique(f"{name}+{Path(file).stem}", rows)
        shown = picture_of(source, file, counts, *_PICTURES)
        row = sentence.model_copy(update={"id": identity, "aligned": True, **shown})
        rows[identity] = _with_picture(row, picture, counts)
    return rows


def _image_only(source: Source, counts: Counter[str]) -> dict[str, MuieRow]:
    rows = {}
    for name, picture in _pictures(source).items():
        shown = picture_of(source, f"{name}.jpg", counts, *_PICTURES)
        row = MuieRow(id=name, task="ee", dataset="M2E2", aligned=False, **shown)
        rows[name] = _with_picture(row, picture, counts)
    return rows


def _pictures(source: Source) -> dict[str, _PictureEvent]:
    return read_json(_file(source, "image"), _Pictures)


def _file(source: Source, medium: str) -> Path:
    kind = source.split.removeprefix(f"{medium}_")
    return file_of(source, [f"{medium}_{kind}_event.json"], *_FOLDERS)


def _pairs(path: Path) -> list[tuple[str, str, str]]:
    pairs = []
    for number, line in lines_of(path):
        match line.strip().split("\t"):
            case [sentence, picture, kind]:
                pairs.append((sentence, picture, kind))
            case _:
                raise DataError(
                    f"{path}:{number}: not sentence, picture and type with tabs between"
                )
    return pairs


def _sentences(source: Source, counts: Counter[str]) -> dict[str, MuieRow]:
    path = _file(source, "text")
    rows: dict[str, MuieRow] = {}
    sentences = read_json(path, _Sentences)
    for number, sentence in enumerate(sentences):
        try:
            if sentence.sentence_id in rows:
                raise ValueError(f"the sentence {sentence.sentence_id!r} stands twice")
            rows[sentence.sentence_id] = _row(sentence, counts)
        except ValueError as error:
            raise misfit(path, (number,), error) from None
    return rows


def _row(sentence: _Sentence, counts: Counter[str]) -> MuieRow:
    """Return a sentence as a row; ValueError if a place has no words."""
    words = Words.of(sentence.words, sentence.sentence)
    entities: dict[tuple[int, int], MuieEntity] = {}
    for mention in sentence.mentions:
        place = mention.start, mention.end
        entities.setdefault(place, MuieEntity(type=mention.type, **words.cut(*place)))
    events = []
    for event in sentence.events:
        arguments = []
        for argument in event.arguments:
            place = argument.start, argument.end
            cut = words.cut(*place)
            counts[QUIRKS[3]] += cut["text"] != argument.text
            counts[QUIRKS[4]] += place not in entities
            entities.setdefault(place, MuieEntity(type="entity", **cut))
            arguments.append(Argument(role=argument.role, entity=list(entities).index(place)))
        trigger = Trigger(**words.cut(event.trigger.start, event.trigger.end))
        events.append(Event(type=event.event_type, trigger=trigger, arguments=tuple(arguments)))
    return MuieRow(
        id=sentence.sentence_id,
        task="ee",
        dataset="M2E2",
        aligned=False,
        text=words.text,
        entities=tuple(entities.values()),
        events=tuple(events),
    )


def _with_picture(row: MuieRow, picture: _PictureEvent, counts: Counter[str]) -> MuieRow:
    """Add the things in a picture to the first event of its type, or as an event of their own."""
    entities, arguments = list(row.entities), []
    for role, boxes in picture.role.items():
        for _, *edges in boxes:
            x1, y1, x2, y2 = edges
            flat = x2 <= x1 or y2 <= y1
            counts[QUIRKS[5]] += flat
            regions = None if flat else (RowRegion(box=(x1, y1, x2, y2)),)
            arguments.append(Argument(role=role, entity=len(entities)))
            entities.append(MuieEntity(text=role.lower(), type="entity", regions=regions))
    kinds = [event.type for event in row.events]
    events = list(row.events)
    if picture.event_type in kinds:
        place = kinds.index(picture.event_type)
        both = (*events[place].arguments, *arguments)
        events[place] = events[place].model_copy(update={"arguments": both})
    else:
        events.append(Event(type=picture.event_type, arguments=tuple(arguments)))
    return row.model_copy(update={"entities": tuple(entities), "events": tuple(events)})

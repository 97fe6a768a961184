"""MNRE (Zheng et al., ICME 2021): relations between two names of a tweet with a picture.

The release (github.com/thecharm/MNRE, version 2) has ``mnre_txt/mnre_train.txt``, ``mnre_val
.txt`` (with a blank) and ``mnre_test.txt``. A line is a pair of names, as Python prints a
dictionary: ``{'token': [...], 'h': {'name', 'pos': [first, end]}, 't': {...}, 'img_id',
'relation'}``; the places count tokens, half-open. Copies of it call the files ``ours_SPLIT.txt``.
The types of the names stand in the labels alone: ``/per/org/member_of``.
"""

from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from deixis.errors import DataError
from deixis.evaluation.datasets.json_files import NOT_FOUND, file_of, picture_of, unique
from deixis.evaluation.datasets.literals import records_of
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.words import Words
from deixis.formats.muie_rows import MuieEntity, MuieRow, Relation

_NONE = "none"
_UNTYPED = "entity"
QUIRKS = (
    "pairs of names",
    "pairs without a relation (None)",
    "pairs that stand twice",
    "names whose tokens are others than their place says (the place counts)",
    "names that no relation gives a type",
    "names that relations give several types (the first counts)",
    NOT_FOUND,
)


class _Name(BaseModel):
    name: str
    pos: tuple[int, int]


class _Pair(BaseModel):
    token: list[str]
    h: _Name
    t: _Name
    img_id: str
    relation: str


class _Post:
    """The pairs of one text and picture, gathered."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.types: dict[tuple[int, int], list[str]] = {}
        self.relations: dict[tuple[tuple[int, int], str, tuple[int, int]], None] = {}

    def row(self, identity: str, counts: Counter[str]) -> MuieRow:
        entities = []
        for place, types in self.types.items():
            counts[QUIRKS[4]] += not types
            counts[QUIRKS[5]] += len(set(types)) > 1
            kind = types[0] if types else _UNTYPED
            entities.append(MuieEntity(type=kind, **self.words.cut(*place)))
        numbers = {place: number for number, place in enumerate(self.types)}
        relations = [
            Relation(subject=numbers[head], type=label, object=numbers[tail])
            for head, label, tail in self.relations
        ]
        return MuieRow(
            id=identity,
            task="re",
            dataset="MNRE",
            text=self.words.text,
            entities=tuple(entities),
            relations=tuple(relations),
        )


def read_mnre(source: Source) -> Converted:
    """Read ``mnre_SPLIT.txt`` (or ``ours_SPLIT.txt``), here or in ``mnre_txt`` or ``txt``.

    All pairs of one text and picture make a row; a name has the type that the first of its
    relations says, or ``entity``. ``None`` is no relation. Nobody looked at where the names are
    in the picture. Pictures: the folder that is given, or ``img_org/SPLIT``.

    Raises:
        DataError: a line is no such pair; the message names the file and the line.
        InputError: the file is not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    names = [f"mnre_{source.split}.txt", f"ours_{source.split}.txt"]
    posts: dict[tuple[str, tuple[str, ...]], _Post] = {}
    for where, pair in records_of(file_of(source, names, "mnre_txt", "txt"), _Pair):
        key = pair.img_id, tuple(pair.token)
        post = posts.setdefault(key, _Post(Words.joined(pair.token)))
        try:
            _add(post, pair, counts)
        except ValueError as error:
            raise DataError(f"{where}: {error}") from None
    rows: dict[str, MuieRow] = {}
    for (image, _), post in posts.items():
        identity = unique(Path(image).stem or image, rows)
        shown = picture_of(source, image, counts, f"img_org/{source.split}")
        rows[identity] = post.row(identity, counts).model_copy(update=shown)
    return Converted(tuple(rows.values()), dict(counts))


def _add(post: _Post, pair: _Pair, counts: Counter[str]) -> None:
    label = "" if pair.relation.casefold() == _NONE else pair.relation
    sides = label.strip("/").upper().split("/")[:2] if label.startswith("/") else []
    counts[QUIRKS[0]] += 1
    counts[QUIRKS[1]] += not label
    for number, name in enumerate((pair.h, pair.t)):
        written = post.words.cut(*name.pos)["text"]
        counts[QUIRKS[3]] += written != name.name
        types = post.types.setdefault(name.pos, [])
        types += sides[number : number + 1]
    if label:
        key = pair.h.pos, label, pair.t.pos
        counts[QUIRKS[2]] += key in post.relations
        post.relations[key] = None

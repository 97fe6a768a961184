"""MNER-MI and MNER-MI-Plus (Huang et al., LREC-COLING 2024): tweets with one to four pictures.

The release has ``text/MNER-MI_train.txt``, ``_val`` and ``_test``, and ``MNER-UNI_...`` of
MNER-MI-Plus, into which Twitter-2017 was merged. A line is an object, in JSON or as Python prints
one: ``id``, ``text`` (tokens), ``label`` (tags), ``images`` (file names), ``url``. Nobody looked
where in the pictures the entities are, so `regions` is None.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ValidationError, model_validator

from deixis.base.image_files import upright_size
from deixis.errors import DataError
from deixis.evaluation.datasets.conll import TYPES, TaggedTweet, mentions
from deixis.evaluation.datasets.literals import records_of
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.tweets import TEXT_QUIRKS, count_text, row_of
from deixis.rows import Row, RowId

_OTHER = ("MIS", "MISC")
_TAGS = {"O", *(f"{prefix}-{kind}" for kind in (*TYPES, *_OTHER) for prefix in "BI")}
_FOLDERS = ("", "images", "twitter2017_images")
_PREFIX = "twitter2017-"
QUIRKS = (
    "entities of the type MIS or MISC, called OTHER",
    "tweets with several pictures",
    "pictures",
    "pictures that were not found (left out)",
)


class _Tweet(BaseModel):
    id: RowId
    text: list[str]
    label: list[str]
    images: list[str]

    @model_validator(mode="after")
    def _check(self) -> "_Tweet":
        if not self.text or len(self.text) != len(self.label):
            raise ValueError(f"{len(self.text)} tokens and {len(self.label)} tags")
        if unknown := [tag for tag in self.label if tag not in _TAGS]:
            raise ValueError(f"unknown tag {unknown[0][:60]!r}")
        return self


def read_mner_mi(source: Source) -> Converted:
    """Read ``MNER-MI_SPLIT.txt`` in the folder or in its ``text``; see `_read`."""
    return _read(source, "MNER-MI")


def read_mner_mi_plus(source: Source) -> Converted:
    """Read ``MNER-UNI_SPLIT.txt`` in the folder or in its ``text``; see `_read`."""
    return _read(source, "MNER-UNI")


def _read(source: Source, name: str) -> Converted:
    """Read a split; ``images`` of a row has all pictures of the tweet, in the order of the file.

    Pictures are looked for in the folder that is given, else in that of the release, and in
    ``images`` and ``twitter2017_images`` in it; those of Twitter-2017 lack the prefix there.
    What is called MIS or MISC is called OTHER.

    Raises:
        DataError: a line does not parse, or an id stands twice.
        InputError: the file is not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys((*TEXT_QUIRKS, *QUIRKS), 0))
    path = replace(source, split=f"{name}_{source.split}").file(".txt", "text")
    rows: dict[str, Row] = {}
    for where, record in records_of(path, _Tweet):
        if record.id in rows:
            raise DataError(f"{where}: the id {record.id!r} stands twice")
        tweet = TaggedTweet(record.id, tuple(record.text), tuple(record.label))
        counts[QUIRKS[0]] += sum(mention.type in _OTHER for mention in mentions(tweet.tags))
        tweet = tweet._replace(tags=tuple(map(_renamed, tweet.tags)))
        count_text([tweet], counts)
        counts[QUIRKS[1]] += len(record.images) > 1
        counts[QUIRKS[2]] += len(record.images)
        paths = [place for each in record.images if (place := _picture(source, each))]
        counts[QUIRKS[3]] += len(record.images) - len(paths)
        try:
            row = row_of(tweet)
        except ValidationError:
            raise DataError(f"{where}: an entity without a character") from None
        names = tuple(map(source.from_rows, paths))
        shown = (
            {"image": names[0], "images": names, "size": upright_size(paths[0])} if names else {}
        )
        rows[row.id] = row.model_copy(update=shown)
    return Converted(tuple(rows.values()), dict(counts))


def _renamed(tag: str) -> str:
    return f"{tag[:2]}OTHER" if tag[2:] in _OTHER else tag


def _picture(source: Source, name: str) -> Path | None:
    folder = source.images or source.folder
    for place in _FOLDERS:
        for spelling in (name, name.removeprefix(_PREFIX)):
            path = folder / place / spelling
            if Path(spelling).name == spelling and path.is_file():
                return path
    return None

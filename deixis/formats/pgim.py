"""Annotated samples of PGIM (Li et al., Findings of EMNLP 2023), which RiVEG shows as examples.

Its authors released 120 of Twitter-2015 and 200 of Twitter-2017. An id stands on a line of its own,
and what a person wrote of that post on the next::

    17_06_2932
    Named entities:1. Ada Lovelace (person)Reasoning:The sentence mentions ...

Text and picture are those of the data set. Further lines go on with an annotation.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from deixis.base.text_files import lines_of
from deixis.formats.answers import Problem
from deixis.rows import Row

_ID = re.compile(r"\w*\d\w*")


class CaptionedRow(Row):
    """A row that may have a description of its picture."""

    caption: str | None = None


class Annotation(NamedTuple):
    """What was written of the post with this id."""

    id: str
    text: str


class Annotations(NamedTuple):
    """What a file says, and by number the lines that were left out."""

    samples: list[Annotation]
    misfits: dict[int, Problem]


def read(path: Path, rows: Iterable[Row]) -> Annotations:
    """Read annotations of rows, in the order of the file.

    Left out are an id without annotation, one that stands twice or is not among the rows, and
    what stands before the first id.

    Raises:
        DataError: the file is no text.
        InputError: the file cannot be read.
    """
    known = {row.id for row in rows}
    misfits: dict[int, Problem] = {}
    groups: list[tuple[int, str, list[str]]] = []
    for number, whole in lines_of(path):
        line = whole.strip()
        if _ID.fullmatch(line):
            groups.append((number, line, []))
        elif groups:
            groups[-1][2].append(line)
        else:
            misfits[number] = Problem(line, "it stands before the first id")
    samples: dict[str, Annotation] = {}
    for number, identity, written in groups:
        if not written:
            misfits[number] = Problem(identity, "no annotation follows this id")
        elif identity in samples:
            misfits[number] = Problem(identity, "this id stands twice, and the first counts")
        elif identity not in known:
            misfits[number] = Problem(identity, "there is no row with this id")
        else:
            samples[identity] = Annotation(identity, "\n".join(written))
    return Annotations(list(samples.values()), misfits)

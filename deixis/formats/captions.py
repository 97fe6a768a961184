"""Descriptions of pictures: JSON Lines, or as RiVEG's authors released them in two forms.

Those by mPLUG-Owl (``owldevcaption_1.txt``) may go over several lines, those by BLIP-2
(``BLIP2_17.txt``) stand on one::

    imgid:17_06_2932###A woman stands on a stage.

    Behind her are two chairs.
    17_06_2932.jpg :a woman on a stage

A file that begins with ``{`` has a line ``{"id": ..., "caption": ...}`` for each, as results of
``deixis batch`` do.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from deixis.base.json_lines import parsed
from deixis.base.text_files import read_text
from deixis.formats.answers import Problem
from deixis.rows import RowId

Group = tuple[int, str, list[str]]
"""Where a description begins, whose it is, and its lines."""

_LONG = re.compile(r"imgid:([^#\s]+)###(.*)")
_SHORT = re.compile(r"(\S+?)\.(?:jpe?g|png)\s*:(.*)")


class _Described(BaseModel):
    id: RowId
    caption: str | None


class Captions(NamedTuple):
    """Descriptions by id, and by number the lines that were left out."""

    captions: dict[str, str]
    misfits: dict[int, Problem]


def read(path: Path) -> Captions:
    """Read descriptions of any form; of two of one picture the first counts.

    Raises:
        DataError: the file is no text.
        InputError: the file cannot be read.
    """
    text = read_text(path)
    groups, misfits = (_objects if text.lstrip().startswith("{") else _lines)(text.split("\n"))
    captions: dict[str, str] = {}
    for number, identity, lines in groups:
        if not (told := "\n".join(lines).strip()):
            misfits[number] = Problem(identity, "its description has no words")
        elif identity in captions:
            misfits[number] = Problem(identity, "this id stands twice, and the first counts")
        else:
            captions[identity] = told
    return Captions(captions, misfits)


def _lines(lines: Sequence[str]) -> tuple[list[Group], dict[int, Problem]]:
    """Read both forms of RiVEG's authors."""
    misfits: dict[int, Problem] = {}
    groups: list[Group] = []
    goes_on = False
    for number, line in enumerate(lines, start=1):
        long = _LONG.fullmatch(line)
        if match := long or _SHORT.fullmatch(line):
            groups.append((number, match[1], [match[2]]))
            goes_on = long is not None
        elif goes_on:
            groups[-1][2].append(line)
        elif line.strip():
            reason = 'it is neither {"id", "caption"} nor imgid:ID###text nor ID.jpg:text'
            misfits[number] = Problem(line, reason)
    return groups, misfits


def _objects(lines: Sequence[str]) -> tuple[list[Group], dict[int, Problem]]:
    """Read JSON Lines; a description may be null, which is none."""
    misfits: dict[int, Problem] = {}
    groups: list[Group] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _Described.model_validate(parsed(line))
            groups.append((number, row.id, [row.caption or ""]))
        except ValidationError:
            misfits[number] = Problem(line, "it has no id and caption, which are words")
        except ValueError as error:
            misfits[number] = Problem(line, str(error))
    return groups, misfits

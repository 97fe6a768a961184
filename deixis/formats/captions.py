"""Descriptions of pictures, as RiVEG's authors released them in two forms.

Those by mPLUG-Owl (``owldevcaption_1.txt``) may go over several lines, those by BLIP-2
(``BLIP2_17.txt``) stand on one::

    imgid:17_06_2932###A woman stands on a stage.

    Behind her are two chairs.
    17_06_2932.jpg :a woman on a stage
"""

import re
from pathlib import Path
from typing import NamedTuple

from deixis.base.text_files import read_text
from deixis.formats.answers import Problem

_LONG = re.compile(r"imgid:([^#\s]+)###(.*)")
_SHORT = re.compile(r"(\S+?)\.(?:jpe?g|png)\s*:(.*)")


class Captions(NamedTuple):
    """Descriptions by id, and by number the lines that were left out."""

    captions: dict[str, str]
    misfits: dict[int, Problem]


def read(path: Path) -> Captions:
    """Read descriptions of either form; of two of one picture the first counts.

    Raises:
        DataError: the file is no text.
        InputError: the file cannot be read.
    """
    misfits: dict[int, Problem] = {}
    groups: list[tuple[int, str, list[str]]] = []
    goes_on = False
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        long = _LONG.fullmatch(line)
        if match := long or _SHORT.fullmatch(line):
            groups.append((number, match[1], [match[2]]))
            goes_on = long is not None
        elif goes_on:
            groups[-1][2].append(line)
        elif line.strip():
            misfits[number] = Problem(line, "it is neither imgid:ID###text nor ID.jpg:text")
    captions: dict[str, str] = {}
    for number, identity, lines in groups:
        if not (text := "\n".join(lines).strip()):
            misfits[number] = Problem(identity, "its description has no words")
        elif identity in captions:
            misfits[number] = Problem(identity, "this id stands twice, and the first counts")
        else:
            captions[identity] = text
    return Captions(captions, misfits)

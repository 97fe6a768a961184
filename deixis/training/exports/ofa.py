r"""OFA's tables, which RiVEG's entailer and grounder are trained on (section IV-C).

A line has columns with tabs between. Those of visual entailment are those of SNLI-VE: id, id of
the picture, the picture, hypothesis, caption (none), label. Those of visual grounding are those of
RefCOCO: id, id of the picture, expression, ``x0,y0,x1,y1`` in pixels of the picture, the picture.
Pictures are JPEG in base64. A lesson has a line for each expression that it asks for; OFA has
words of its own around it, so that nothing else of our prompt is written.
"""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

from deixis.base.printable import one_line
from deixis.llms.photos import Photo
from deixis.training.exports.samples import LeftOutError, Sample, Trainer
from deixis.training.lessons.files import open_media
from deixis.training.lessons.records import Manifest, Slot

ENTAILMENT, GROUNDING = "riveg-ve", "riveg-vg"
LABELS = ("entailment", "contradiction")
_DIGITS = 2


def _lines(sample: Sample, kinds: frozenset[str]) -> Iterable[str]:
    lesson = sample.lesson
    shown = open_media(sample.folder, lesson)
    if len(shown) != 1 or not isinstance(shown[0], Photo):
        raise LeftOutError("OFA looks at one picture, and it does not show one")
    picture, named = base64.b64encode(shown[0].data).decode(), one_line(lesson.row)
    slots = [piece for piece in lesson.answer if isinstance(piece, Slot)]
    for entity, said in _answer(sample).items():
        text = _expression(entity, lesson.user)
        uniq = f"{one_line(lesson.id)}.jpg#{entity}"
        if said in LABELS:
            yield "\t".join((uniq, named, picture, text, "", said))
        elif said is not None:
            box = ",".join(str(round(edge, _DIGITS)) for edge in slots[said].box)
            yield "\t".join((uniq, named, text, box, picture))


def _answer(sample: Sample) -> dict[str, Any]:
    """Return what is said of each entity: a label, the number of its box, or None."""
    numbers = iter(range(len(sample.lesson.answer)))
    pieces = (
        str(next(numbers)) if isinstance(piece, Slot) else piece for piece in sample.lesson.answer
    )
    answer: dict[str, Any] = json.loads("".join(pieces))
    return answer


def _expression(entity: str, question: str) -> str:
    """Return what is asked of an entity, in one line without tabs."""
    found = re.search(rf"^{re.escape(entity)}: <post>(.*?)</post>$", question, re.M | re.S)
    if found is None:
        raise LeftOutError("its prompt does not have expressions as those that come with Deixis")
    return one_line(found[1])


def _told(manifest: Manifest) -> list[str]:
    if manifest.course == ENTAILMENT:
        return ["task snli_ve, selected_cols=0,2,3,4,5"]
    return ["task refcoco, selected_cols=0,4,2,3"]


OFA = Trainer(
    "OFA: tables of visual entailment (SNLI-VE) and visual grounding (RefCOCO)",
    "ofa.tsv",
    _lines,
    frozenset({"image"}),
    told=_told,
    courses=(ENTAILMENT, GROUNDING),
    whole=True,
)

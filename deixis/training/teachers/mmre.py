"""M-MRE: the summary of the picture, the entities, and which patch shows which (section 3.2).

With the Prompt Format Adapter an answer has its markers; without it (section 6) its parts stand
one below the other, and delimiters alone tell them.
"""

from collections.abc import Mapping
from typing import Any

from deixis.agents.mmre.options import MmreOptions
from deixis.agents.mmre.read import Parts, read_marked, read_plain
from deixis.base.boxes import clipped
from deixis.errors import DataError
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.formats.pfa import Answer, Part, write_answer, write_pairs, write_patches
from deixis.llms.photos import Photo
from deixis.schema import Entity, Extraction
from deixis.training.lessons.compare import entities_differ
from deixis.training.lessons.course import Course, Near, Question, UntaughtError
from deixis.training.lessons.records import Written

_CANNOT_HOLD = "the form of the answer cannot hold the summary or the name of an entity"


def answer(question: Question) -> Written:
    """Write the parts that the graph asks for: as its options say, and as there are pictures."""
    row: MmreRow = question.row
    options = MmreOptions.model_validate(question.settings.graph_options)
    shown = any(isinstance(medium, Photo) for medium in question.media)
    asked: dict[Part, bool] = {
        "summary": options.summarises and shown,
        "pairs": options.names,
        "patches": options.names and shown and bool(row.patches),
    }
    parts = [part for part, wanted in asked.items() if wanted]
    gold = Answer(
        _summary(row) if asked["summary"] else "",
        tuple((entity.text, entity.type) for entity in row.entities) if options.names else (),
        _patches(row) if asked["patches"] else {},
    )
    labels = {kind.name for kind in question.settings.type_schema.types}
    if not labels.issuperset(label for _, label in gold.pairs):
        raise UntaughtError("the type schema has not the type of an entity")
    try:
        text = write_answer(gold, parts) if options.pfa else _plain(gold, parts)
    except DataError:
        raise UntaughtError(_CANNOT_HOLD) from None
    read = (
        read_marked(text)
        if options.pfa
        else read_plain(text, labels.__contains__, names=options.names)
    )
    if not _says(read, gold, parts):
        raise UntaughtError(_CANNOT_HOLD)
    return (text,)


def _summary(row: MmreRow) -> str:
    if not row.summary.strip():
        raise UntaughtError("the row has no summary")
    return row.summary.strip()


def _patches(row: MmreRow) -> dict[str, str]:
    named = {entity.text for entity in row.entities}
    shown = {patch.letter: patch.entity for patch in row.patches if patch.entity is not None}
    if not named.issuperset(shown.values()):
        raise UntaughtError("a patch shows what is no entity of the row")
    return shown


def _plain(gold: Answer, parts: list[Part]) -> str:
    """Write an answer without markers; it is never empty."""
    lines: dict[Part, str] = {
        "summary": gold.summary,
        "pairs": write_pairs(gold.pairs),
        "patches": write_patches(gold.patches),
    }
    return "\n".join(lines[part] for part in parts if lines[part]) or "None"


def _says(read: Parts, gold: Answer, parts: list[Part]) -> bool:
    """Whether an answer is read as what it was written from, as far as it was asked for."""
    same: dict[Part, bool] = {
        "summary": read.summary == gold.summary,
        "pairs": (read.pairs or ()) == gold.pairs,
        "patches": read.matched and read.patches == gold.patches,
    }
    return not read.problems and all(same[part] for part in parts)


def same(row: MmreRow, result: Extraction, near: Near) -> str:
    """Compare what was asked for: the summary; entities, types, and the boxes of patches."""
    if not result.replies:
        return "the graph asked nothing"
    if result.caption is not None and result.caption != row.summary.strip():
        return "the summary does not come back"
    summary = row.summary.strip()
    if result.replies[-1].text in (summary, f"Task 1 Answer: {summary}"):
        return ""
    differs = entities_differ(row.entities, result, near, boxes=False, fine=False)
    if differs or result.image is None:
        return differs
    size = (result.image.width, result.image.height)
    placed = all(_placed(entity, row.patches, size, near) for entity in result.entities)
    return "" if placed else "the patches of an entity do not come back"


def _placed(entity: Entity, patches: tuple[Patch, ...], size: tuple[int, int], near: Near) -> bool:
    """Whether an entity has the boxes of its patches, in any order."""
    own = [patch.box for patch in patches if patch.entity == entity.text]
    seen = sorted((x1, y1, x2, y2) for x1, y1, x2, y2 in (clipped(box, *size) for box in own))
    boxes = sorted(region.box for region in entity.regions)
    return len(own) == len(boxes) and all(map(near, seen, boxes))


def given(row: MmreRow) -> Mapping[str, Any]:
    """Return the patches, so that their letters are those of the gold."""
    return {"patches": [{"letter": patch.letter, "box": patch.box} for patch in row.patches]}


MMRE = Course(
    "mmre",
    "M-MRE: the picture in words, the entities, and which lettered patch shows which",
    graph="mmre",
    role="vlm",
    prompts=("mmre/pfa", "mmre/plain"),
    teach=answer,
    same=same,
    row=MmreRow,
    given=given,
    without=("detector", "segmenter"),
)

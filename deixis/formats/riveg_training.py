"""Training data of RiVEG from augmented results: several models' words for one sample.

The paper's models are trained on what several LLMs wrote of each sample (section V-A.1): the
recognizer on text and knowledge with gold entities, entailment and grounding on expressions with
gold boxes, one per groundable expression: that with the largest area (section IV-C.2).
"""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.boxes import area
from deixis.base.json_lines import parsed
from deixis.base.printable import one_line
from deixis.base.text_files import lines_of
from deixis.errors import DataError
from deixis.formats import riveg
from deixis.formats.answers import Parsed, Split
from deixis.llms.answers.reading import parts
from deixis.rows import Row, RowEntity, RowRegion, id_of, read_rows
from deixis.schema import Entity, Extraction

LACKS = (
    "not recognized with this span and type",
    "nobody said whether they can be seen",
    "no model wrote an expression",
    "the lines cannot hold them",
)
"""Why a gold entity has no line. With the gold mentions as input, all are recognized."""


class Training(NamedTuple):
    """What one sample gives.

    Attributes:
        recognition: rows ``{"id", "model", "text", "knowledge", "entities"}``, one for each model
            that wrote knowledge; entities are those of gold.
        grounding: lines as `deixis.formats.riveg` reads them, one for each expression of a gold
            entity; ``#0`` is the expander's, ``#1`` that of the first member, and so on.
        lacking: gold entities without a line, counted by what they lack (a value of `LACKS`).
    """

    recognition: list[dict[str, Any]]
    grounding: list[str]
    lacking: Counter[str]

    @property
    def missing(self) -> int:
        """How many gold entities have no line."""
        return self.lacking.total()


def training(result: Extraction, gold: Row) -> Training:
    """Return what a result of the graph riveg and its gold row give for training."""
    kept = {"text", "start", "end", "type"}
    entities = [entity.model_dump(include=kept) for entity in gold.entities]
    recognition = [
        {
            "id": gold.id,
            "model": reply.model,
            "text": gold.text,
            "knowledge": parts(reply.text).answer,
            "entities": entities,
        }
        for reply in result.replies
        if reply.id.startswith("explain/") and reply.status == "ok"
    ]
    lines: list[str] = []
    lacking: Counter[str] = Counter()
    for entity in gold.entities:
        own = _lines(gold.id, entity, _recognized(entity, result))
        if isinstance(own, str):
            lacking[own] += 1
        else:
            lines += own
    return Training(recognition, lines, lacking)


def _recognized(gold: RowEntity, result: Extraction) -> Entity | None:
    """Return what was recognized of a gold entity: its text, type and, where it has one, place."""
    same = (each for each in result.entities if (each.text, each.type) == (gold.text, gold.type))
    place = (gold.start, gold.end)
    return next((each for each in same if place in ((each.start, each.end), (None, None))), None)


def read(gold: Path, run: Path) -> Training:
    """Return what a file of results and its gold rows give together.

    Raises:
        DataError: a file does not parse, or a result has no gold row of its id and text.
        InputError: a file cannot be read.
    """
    rows = {row.id: row for row in read_rows(gold)}
    recognition: list[dict[str, Any]] = []
    grounding: list[str] = []
    lacking: Counter[str] = Counter()
    for number, line in lines_of(run):
        try:
            record = parsed(line)
            row = rows.get(str(id_of(record.get("id"))))
            fields = {key: record[key] for key in Extraction.model_fields if key in record}
            result = Extraction.model_validate(fields) if row else None
        except (ValueError, TypeError, AttributeError) as error:
            problem = one_line(error, 200)
            raise DataError(f"{run}:{number}: no result of deixis batch ({problem})") from None
        if row is None or result is None:
            problem = f"there is no gold row with the id {record.get('id')!r}"
            raise DataError(f"{run}:{number}: {problem}")
        if result.text != row.text:
            raise DataError(f"{run}:{number}: its text is not that of the gold row {row.id!r}")
        made = training(result, row)
        recognition += made.recognition
        grounding += made.grounding
        lacking += made.lacking
    return Training(recognition, grounding, lacking)


def _lines(sample: str, entity: RowEntity, written: Entity | None) -> list[str] | str:
    """Return a line for each expression that a model wrote, or what is lacking."""
    unrecognized, unseen, unwritten, unheld = LACKS
    if written is None or entity.regions is None:
        return unrecognized if written is None else unseen
    largest = sorted(entity.regions, key=lambda region: area(region.box))[-1:]
    regions = tuple(RowRegion(box=region.box) for region in largest)
    bare = RowEntity(text=entity.text, type=entity.type, regions=regions)
    made = [
        (int(one.subject.removeprefix("expression") or 1) - 1, one.outcome)
        for one in written.decisions
        if one.step == "expand" and one.model is not None and one.outcome is not None
    ]
    if not made:
        return unwritten
    start = f"{entity.text} ({entity.type}) – "  # noqa: RUF001 (the dash of the paper)
    lines = [
        riveg.sample_line(bare, sample, f"{version:x}", outcome.removeprefix(start))
        for version, outcome in made
    ]
    held = [line for line in lines if riveg.split(line) == Split([(sample, line)], {})]
    return [line for line in held if riveg.parse(line) == Parsed((bare,), ())] or unheld

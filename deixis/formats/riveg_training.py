"""Training data of RiVEG from augmented results: several models' words for one sample.

The paper's models are trained on what several LLMs wrote of each sample (section V-A.1): the
recognizer on text and knowledge with gold entities, entailment and grounding on expressions with
gold boxes, one per groundable expression: that with the largest area (section IV-C.2).
"""

from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.boxes import area
from deixis.base.json_lines import parsed
from deixis.base.printable import one_line
from deixis.base.text_files import lines_of
from deixis.errors import DataError
from deixis.formats import riveg
from deixis.llms.answers.reading import parts
from deixis.rows import Row, RowEntity, RowRegion, id_of, read_rows
from deixis.schema import Entity, Extraction


class Training(NamedTuple):
    """What one sample gives.

    Attributes:
        recognition: rows ``{"id", "model", "text", "knowledge", "entities"}``, one for each model
            that wrote knowledge; entities are those of gold.
        grounding: lines as `deixis.formats.riveg` reads them, one for each expression of a gold
            entity; ``#0`` is the expander's, ``#1`` that of the first member, and so on.
        missing: gold entities that no expression was written for: they were not recognized so,
            nobody said whether they can be seen, or the lines cannot hold them.
    """

    recognition: list[dict[str, Any]]
    grounding: list[str]
    missing: int


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
    written: dict[tuple[int | None, int | None, str], Entity] = {
        (entity.start, entity.end, entity.type): entity for entity in result.entities
    }
    lines: list[str] = []
    missing = 0
    for entity in gold.entities:
        match = written.get((entity.start, entity.end, entity.type))
        own = _lines(gold.id, entity, match) if match and entity.regions is not None else []
        missing += not own
        lines += own
    return Training(recognition, lines, missing)


def read(gold: Path, run: Path) -> Training:
    """Return what a file of results and its gold rows give together.

    Raises:
        DataError: a file does not parse, or a result has no gold row of its id and text.
        InputError: a file cannot be read.
    """
    rows = {row.id: row for row in read_rows(gold)}
    recognition: list[dict[str, Any]] = []
    grounding: list[str] = []
    missing = 0
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
        missing += made.missing
    return Training(recognition, grounding, missing)


def _lines(sample: str, entity: RowEntity, written: Entity) -> list[str]:
    """Return a line for each expression that a model wrote; none if the format cannot hold it."""
    largest = sorted(entity.regions or (), key=lambda region: area(region.box))[-1:]
    regions = tuple(RowRegion(box=region.box) for region in largest)
    bare = RowEntity(text=entity.text, type=entity.type, regions=regions)
    try:
        picture, name, seen = riveg.write([bare], sample).split("###", 2)
    except DataError:
        return []
    lines = []
    for made in written.decisions:
        if made.step == "expand" and made.model is not None and made.outcome is not None:
            version = int(made.subject.removeprefix("expression") or 1) - 1
            description = made.outcome.removeprefix(f"{name} – ")  # noqa: RUF001
            line = f"Imageid:{picture}#{version}###{name}###{name}-{description}###{seen}"
            lines += [line] if riveg.parse(line).entities == (bare,) else []
    return lines

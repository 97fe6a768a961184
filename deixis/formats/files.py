"""Files that other systems write, read into rows and written from them.

`FORMATS` names the formats. Each module parses and writes single answers, as pure functions over
strings; here are the files around them. One of three layouts is recognised:

- JSON Lines or one JSON list: one object per answer, with the answer under one of `ANSWER_KEYS`
  and an ``id`` or VKEL's ``question_id``; or strings. ``resized`` is ``[width, height]`` of the
  picture as the model saw it, when boxes are pixels of that.
- plain text, one answer per line. An answer of several lines needs JSON.
- plain lines that name their picture, of a format with `Format.split`. One that does not fit is
  a problem of its own, and the others count.

Answers without ids belong to the gold rows in order, so that there must be as many.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.text_files import read_text, write_lines
from deixis.errors import DataError, SettingsError
from deixis.formats import e2e, muie, pfa, riveg, riveg_release, vkel
from deixis.formats.answers import ONE, Format, Problem, Scale
from deixis.rows import Row, RowEntity, RowRegion

FORMATS = {
    "vkel": Format(vkel.parse, vkel.write, shares=True, key="output", fine=True),
    "e2e": Format(e2e.parse, e2e.write),
    "pfa": Format(pfa.parse, pfa.write, places="none"),
    "riveg": Format(riveg.parse, riveg.write, split=riveg.split),
    "muie": Format(muie.parse, muie.write, places="sought"),
}

_QUESTION = re.compile("[0-9a-f]{32}")
_LARGEST = 1e9  # pixels of a side; also keeps infinity out
ANSWER_KEYS = ("answer", "response_answer_orig", "output", "prediction", "predict", "response")
"""Where an object has its answer; the first that is there counts."""


class Answer(NamedTuple):
    """An answer, the gold row that it is for, and the scale of its boxes (None: not known)."""

    row: Row
    text: str
    scale: Scale | None


class Read(NamedTuple):
    """What a file says.

    Attributes:
        rows: one for each gold row that has an answer, in the order of the gold.
        problems: the id of a row to the pieces of its answer that could not be read; a place in
            the file to what belongs to no row, or perhaps to another.
        missing: ids of gold rows without an answer.
    """

    rows: list[Row]
    problems: dict[str, tuple[Problem, ...]]
    missing: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How much was read, and how much was not."""
        return {
            "answers": len(self.rows),
            "entities": sum(len(row.entities) for row in self.rows),
            "answers with pieces that could not be read": len(self.problems),
            "pieces that could not be read": sum(map(len, self.problems.values())),
            "gold rows without an answer": len(self.missing),
        }


def read(path: Path, name: str, gold_rows: Sequence[Row], boxes: Path | None = None) -> Read:
    """Read predictions; text, picture and size of the rows are those of the gold.

    Args:
        path: of the file.
        name: of its format.
        gold_rows: what the answers are to.
        boxes: of riveg, the file of boxes that goes with lines of samples.

    Raises:
        DataError: the file does not parse, an id is unknown or stands twice, or there are not
            as many answers without ids as gold rows.
        InputError: the file cannot be read.
        SettingsError: there is no such format.
    """
    form = form_of(name)
    rows: list[Row] = []
    problems: dict[str, tuple[Problem, ...]] = {}
    text = riveg_release.join(path, boxes) if boxes else read_text(path)
    answers, misfits = _answers(path, text, form, gold_rows)
    problems.update({where: (problem,) for where, problem in misfits.items()})
    for row, answer, scale in answers:
        entities, refused = form.parse(answer, scale)
        if refused:
            problems[row.id] = refused
        rows.append(Row(**{**_fields(row), "entities": entities}))
    answered = {row.id for row in rows}
    return Read(rows, problems, tuple(row.id for row in gold_rows if row.id not in answered))


def read_answers(path: Path, name: str, gold_rows: Sequence[Row]) -> list[Answer]:
    """Return the answers of a file as they stand, in the order of the gold; see `read`.

    Raises:
        DataError: besides what `read` raises, a line belongs to no row.
    """
    answers, misfits = _answers(path, read_text(path), form_of(name), gold_rows)
    for where, problem in misfits.items():
        raise DataError(f"{where}: {problem.reason}: {problem.piece[:60]!r}")
    return answers


def _answers(
    path: Path, text: str, form: Format, gold_rows: Sequence[Row]
) -> tuple[list[Answer], dict[str, Problem]]:
    """Return the answers of a file, and by place what does not fit the gold."""
    known = {row.id: row for row in gold_rows}
    named: dict[str, Answer] = {}
    unnamed: list[tuple[str, Any]] = []
    misfits: dict[str, Problem] = {}
    for where, identity, record in _records(path, text, form, gold_rows, misfits):
        if identity is None:
            unnamed.append((where, record))
            continue
        if identity not in known:
            raise DataError(f"{where}: there is no gold row with the id {identity!r}")
        if identity in named:
            raise DataError(f"{where}: the id {identity!r} stands twice")
        named[identity] = _answer(where, known[identity], record, form)
    if unnamed and named:
        raise DataError(f"{unnamed[0][0]}: an answer without an id among others with ids")
    if unnamed:
        if len(unnamed) != len(gold_rows):
            raise DataError(
                f"{path}: {len(unnamed)} answers without ids for {len(gold_rows)} gold rows; "
                "give one for each in the order of the gold, or objects with an id (an answer "
                "of several lines needs JSON)"
            )
        pairs = list(zip(gold_rows, unnamed, strict=True))
        for row, (where, record) in pairs:
            if doubt := _doubt(row, record):
                misfits[where] = doubt
        return [_answer(where, row, record, form) for row, (where, record) in pairs], misfits
    return [named[row.id] for row in gold_rows if row.id in named], misfits


def write(path: Path, name: str, rows: Iterable[Row]) -> int:
    """Write rows as JSON Lines with ``id`` and the answer and return how many.

    Offsets are in no format. Boxes of pixels become shares where the format has these, which
    may change the last digit.

    Raises:
        DataError: the format cannot hold a row; nothing is written.
        InputError: the file cannot be written.
        SettingsError: there is no such format.
    """
    form = form_of(name)

    def line_of(row: Row) -> str:
        try:
            answer = _text(row, form)
        except DataError as error:
            raise DataError(f"row {row.id!r}: {error}") from None
        return json.dumps({"id": row.id, form.key: answer}, ensure_ascii=False)

    return write_lines(path, map(line_of, rows))


def form_of(name: str) -> Format:
    """Return a format; raises `SettingsError` if there is no such one."""
    if name not in FORMATS:
        raise SettingsError(f"there is no format {name!r}; choose from {', '.join(FORMATS)}")
    return FORMATS[name]


def _records(
    path: Path, text: str, form: Format, gold_rows: Sequence[Row], misfits: dict[str, Problem]
) -> Iterator[tuple[str, str | None, Any]]:
    """Yield place, id (None without one) and a string or an object; note what does not fit."""
    text = text.removesuffix("\n")
    lines = text.split("\n")
    if (whole := _json(text)) is not None and isinstance(whole, list):
        for number, record in enumerate(whole, start=1):
            where = f"{path}: item {number}"
            yield where, _identity(where, record, gold_rows), record
    elif text.lstrip().startswith("{") or isinstance(_json(lines[0]), str):
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where, record = f"{path}:{number}", _json(line)
            if record is None:
                raise DataError(f"{where}: not JSON, as the first line is: {line[:60]!r}")
            yield where, _identity(where, record, gold_rows), record
    elif form.split and (divided := form.split(text)) is not None:
        misfits.update({f"{path}:{place}": each for place, each in divided.misfits.items()})
        for identity, answer in divided.samples:
            yield f"{path}: {identity}", identity, answer
    else:
        for number, line in enumerate(lines if text else [], start=1):
            yield f"{path}:{number}", None, line


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _identity(where: str, record: Any, gold_rows: Sequence[Row]) -> str | None:
    """Return the id of a gold row: ``id``, or the row at the place that ``question_id`` names.

    VKEL's files number their answers so, from 0 in 32 hexadecimal digits.
    """
    if not isinstance(record, dict):
        return None
    if (identity := record.get("id")) is not None:
        return str(identity)
    question = record.get("question_id")
    if not isinstance(question, str) or not _QUESTION.fullmatch(question):
        return None
    place = int(question, 16)
    if place >= len(gold_rows):
        raise DataError(
            f"{where}: its question_id is that of row {place + 1}, of {len(gold_rows)} in the gold"
        )
    return gold_rows[place].id


def _doubt(row: Row, record: Any) -> Problem | None:
    """Return what tells that an answer without id is to another row: the size of its picture."""
    size = record.get("orig_size") if isinstance(record, dict) else None
    if size is None or row.size is None or size == list(row.size):
        return None
    reason = f"row {row.id!r} has a picture of another size, {row.size}: is the order the same?"
    return Problem(f"orig_size {size}", reason)


def _answer(where: str, row: Row, record: Any, form: Format) -> Answer:
    text = record
    scale: Scale | None = ONE
    if isinstance(record, dict):
        text = next((record[key] for key in ANSWER_KEYS if key in record), None)
        if (seen := record.get("resized")) is not None:
            if not (
                isinstance(seen, list)
                and len(seen) == 2
                and all(type(side) in (int, float) and 0 < side <= _LARGEST for side in seen)
            ):
                raise DataError(f"{where}: 'resized' is not [width, height]")
            scale = (row.size[0] / seen[0], row.size[1] / seen[1]) if row.size else None
    if not isinstance(text, str):
        raise DataError(f"{where}: no text under any of {', '.join(ANSWER_KEYS)}")
    if form.shares:
        scale = (float(row.size[0]), float(row.size[1])) if row.size else None
    return Answer(row, text, scale)


def _text(row: Row, form: Format) -> str:
    entities = _in_shares(row) if form.shares else row.entities
    return form.write(entities, row.id) if form.split else form.write(entities)


def _fields(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.model_fields}


def _in_shares(row: Row) -> list[RowEntity]:
    """Return the entities with boxes as shares of the picture."""
    if row.size is None and any(entity.regions for entity in row.entities):
        raise DataError("its boxes cannot become shares: the size of its picture is not known")
    width, height = row.size or (1, 1)

    def share(region: RowRegion) -> RowRegion:
        x1, y1, x2, y2 = region.box
        box = (x1 / width, y1 / height, x2 / width, y2 / height)
        return region.model_copy(update={"box": box})

    return [
        entity.model_copy(update={"regions": tuple(map(share, entity.regions))})
        if entity.regions
        else entity
        for entity in row.entities
    ]

"""Tables 2 to 5 of MUIE and the data of its figures 3 and 4, of one run.

Rows are of a cell by their media, their data set and their task. The figures of REAMO stand in
the paper (tables 2 to 5); those of a run are of other rows, as long as the benchmark's are not
public.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.metrics.sheet import Measured, Sheet
from deixis.evaluation.metrics.tables import SIZES
from deixis.formats.muie_rows import MuieRow, Task

_FACTS: dict[Task, dict[str, str]] = {
    "ner": {"NER": "entities_f1"},
    "re": {"RE": "relations_f1"},
    "ee": {"ET": "triggers_f1", "EA": "arguments_f1"},
}
_PLACES = {
    "I": {"I-Seg": "mean_iou_image"},
    "V": {"V-Trck": "mean_iou_video"},
    "A": {"A-Seg": "mean_iou_audio"},
}


class Cell(NamedTuple):
    """Rows of one data set with the same media; ``reamo`` are the paper's figures in percent."""

    table: int
    inputs: str
    dataset: str
    task: Task
    reamo: dict[str, float]


CELLS = (
    Cell(2, "T+I", "Twt17", "ner", {"NER": 47.4, "I-Seg": 53.5}),
    Cell(2, "T+I", "MNRE", "re", {"RE": 24.6, "I-Seg": 56.9}),
    Cell(2, "T+I", "M2E2", "ee", {"ET": 30.2, "EA": 25.6, "I-Seg": 60.1}),
    Cell(2, "I", "PASCAL-C", "ner", {"NER": 43.0, "I-Seg": 64.6}),
    Cell(2, "I", "VRD", "re", {"RE": 26.0, "I-Seg": 43.9}),
    Cell(2, "I", "imSitu", "ee", {"ET": 41.5, "EA": 16.3, "I-Seg": 39.6}),
    Cell(3, "T+A", "ACE05-Aud", "ner", {"NER": 28.5, "A-Seg": 24.3}),
    Cell(3, "T+A", "ReTACRED", "re", {"RE": 46.8, "A-Seg": 29.1}),
    Cell(3, "A", "ACE05-Aud", "ner", {"NER": 17.4, "A-Seg": 16.7}),
    Cell(3, "A", "ReTACRED", "re", {"RE": 33.4, "A-Seg": 25.1}),
    Cell(4, "T+V", "VidSitu-Txt", "ee", {"ET": 32.8, "EA": 23.1, "V-Trck": 34.4}),
    Cell(4, "V", "VidSitu", "ee", {"ET": 22.3, "EA": 14.5, "V-Trck": 23.2}),
    Cell(5, "T+I+A", "Twt17-Aud", "ner", {"NER": 37.4, "I-Seg": 33.3, "A-Seg": 15.1}),
    Cell(5, "I+A", "MNRE-Aud", "re", {"RE": 21.8, "I-Seg": 53.4, "A-Seg": 21.8}),
    Cell(5, "V+A", "VidSitu-Aud", "ee", {"ET": 24.2, "EA": 18.5, "V-Trck": 22.0, "A-Seg": 20.9}),
)
"""What the paper prints, in its order; table 4 calls arguments ER."""


class Entry(NamedTuple):
    """The scores of some rows: those of a cell, or of a ``part`` of those of a task and media.

    ``table`` and ``reamo``, the paper's figures in percent, are None where it has no such cell.
    """

    inputs: str
    task: Task
    dataset: str | None
    part: str | None
    rows: int
    measures: dict[str, Measured]
    table: int | None = None
    reamo: dict[str, float] | None = None

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; measures run 0..1, REAMO's as well."""
        about = {
            name: value
            for name, value in self._asdict().items()
            if value is not None and name not in ("measures", "reamo")
        }
        measures = {label: each.document() for label, each in self.measures.items()}
        for label, percent in (self.reamo or {}).items():
            if label in measures:
                measures[label]["reamo"] = percent / 100
        return {**about, "measures": measures}


class Tables(NamedTuple):
    """Tables 2 to 5 and what the paper has not (``cells``), and the data of figures 3 and 4."""

    cells: list[Entry]
    shared: list[Entry]
    sizes: list[Entry]

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        named = {"tables": self.cells, "figure_3": self.shared, "figure_4": self.sizes}
        return {name: [each.document() for each in entries] for name, entries in named.items()}


def inputs_of(row: MuieRow) -> str:
    """Return the media of a row as the paper writes them: ``T+I``, ``V+A``, ..."""
    given = {"T": row.text, "I": row.image or row.images, "V": row.video, "A": row.audio}
    return "+".join(letter for letter, medium in given.items() if medium)


def aligned_of(row: MuieRow) -> str:
    """Return whether the media of a row tell the same."""
    return {True: "shared", False: "specific", None: "unknown"}[row.aligned]


def size_of(row: MuieRow) -> str:
    """Return how many entities a row has, as the rows of a table say it."""
    return next(name for name, size in SIZES.items() if size == min(len(row.entities), 5))


def tables_of(gold: Sequence[MuieRow], sheet: Sheet, how: How) -> Tables:
    """Divide the scores of a run.

    Args:
        gold: the rows, all of which count.
        sheet: what the run scores on them.
        how: how often rows are drawn for intervals.
    """
    known = {(cell.inputs, cell.task, _family(cell.dataset)): cell for cell in CELLS}
    order = list(known)

    def of(inputs: str, task: Task, dataset: str | None) -> tuple[str, Task, str]:
        return inputs, task, _family(dataset or "")

    def named(row: MuieRow) -> tuple[str | None, None]:
        cell = known.get(of(inputs_of(row), row.task, row.dataset))
        return (cell.dataset if cell else row.dataset), None

    def place(entry: Entry) -> int:
        key = of(entry.inputs, entry.task, entry.dataset)
        return order.index(key) if key in known else len(order)

    cells = sorted(_entries(gold, sheet, how, named), key=place)
    for number, entry in enumerate(cells):
        if cell := known.get(of(entry.inputs, entry.task, entry.dataset)):
            cells[number] = entry._replace(table=cell.table, reamo=cell.reamo)
    return Tables(
        cells,
        _entries(gold, sheet, how, lambda row: (None, aligned_of(row))),
        _entries(gold, sheet, how, lambda row: (None, size_of(row))),
    )


def rows_by(gold: Sequence[MuieRow], key: Callable[[MuieRow], Any]) -> dict[Any, list[int]]:
    """Return the places of the rows that have each key, sorted by what it is called."""
    found: dict[Any, list[int]] = {}
    for at, row in enumerate(gold):
        found.setdefault(key(row), []).append(at)
    return dict(sorted(found.items(), key=lambda each: str(each[0])))


def _entries(
    gold: Sequence[MuieRow],
    sheet: Sheet,
    how: How,
    key: Callable[[MuieRow], tuple[str | None, str | None]],
) -> list[Entry]:
    entries = []
    for of, places in rows_by(gold, lambda row: (inputs_of(row), row.task, *key(row))).items():
        inputs, task, dataset, part = of
        measures = _measured(sheet.only(places), inputs, task, how)
        entries.append(Entry(inputs, task, dataset, part, len(places), measures))
    return entries


def _measured(sheet: Sheet, inputs: str, task: Task, how: How) -> dict[str, Measured]:
    """Return the measures of a task and of its media; answers alone have none of media."""
    letters: Iterable[str] = inputs.split("+")
    media = {label: name for letter in letters for label, name in _PLACES.get(letter, {}).items()}
    wanted = {
        label: name for label, name in {**_FACTS[task], **media}.items() if name in sheet.names
    }
    found = sheet.pick(*wanted.values()).measured(how.rounds, how.seed)
    return {label: found[name] for label, name in wanted.items()}


def _family(dataset: str) -> str:
    """Return what a data set is called without the medium that was made of it."""
    plain = re.sub(r"[^a-z0-9]", "", dataset.lower())
    plain = plain.replace("twitter20", "twt").replace("ace20", "ace")
    return re.sub(r"(aud|txt)$", "", plain)

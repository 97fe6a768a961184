"""One HTML page on a batch run: scores, cost, failures, warnings, and a gallery of rows."""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from deixis.base.json_lines import LIST
from deixis.base.text_files import open_data, raw_lines
from deixis.batch.output import beside
from deixis.errors import DataError, InputError
from deixis.evaluation.pages.access import Access, place_of
from deixis.evaluation.pages.shortened import shortened
from deixis.evaluation.totals import add_usage, warning_kind
from deixis.formats.muie_rows import MuieRow
from deixis.rows import CARRIED, read_rows
from deixis.schema import Extraction, Usage
from deixis.show.sheets import Linked, linked, rows_of
from deixis.show.templates import data_uri, render_page
from deixis.show.timing import clock

_SIDE = 900  # pixels of the longer side of a picture
_WRONG = 50  # rows with most errors
_PICTURES = 4  # of a row that are shown
_LISTED = 200  # failures and kinds of warnings that are listed, the rest is counted
BESIDE = ("settings", "input", *CARRIED)
"""What a line of a batch run has beside its id and the extraction."""
_KINDS = 5000  # kinds of warnings told apart, so that memory has a limit


_NO_SCORES: dict[str, Any] = {
    "scores": None,
    "scored": None,
    "measures": {},
    "cells": [],
    "wrong": [],
}


class Shown(NamedTuple):
    """A row of the gallery; ``picture`` is a data URI, or ``problem`` says why there is none.

    ``beyond`` says how much of the row is not shown, ``others`` are further pictures,
    ``relations`` and ``events`` what links the entities.
    """

    id: str
    extraction: Extraction
    picture: str | None
    problem: str
    beyond: str
    others: Sequence[str] = ()
    relations: Sequence[Linked] = ()
    events: Sequence[Linked] = ()

    @property
    def other_media(self) -> bool:
        """Whether it came with more than one picture and a text."""
        seen = self.extraction
        return bool(seen.images or seen.audio or seen.video or seen.transcript)


@dataclass
class Findings:
    """What all rows of an output come to; ``usage`` is by role and model."""

    rows: int = 0
    pictures: int = 0
    warned: int = 0
    types: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    usage: dict[tuple[str, str], Usage] = field(default_factory=dict)
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)

    @property
    def total(self) -> Usage:
        """The usage of all roles together."""
        total = Usage(role="all", model="")
        for usage in self.usage.values():
            add_usage(total, usage)
        return total


def report_page(
    results: Path,
    gold: Path | None = None,
    *,
    task: str = "gmner",
    samples: int = 50,
    access: Access = Access(),  # noqa: B008 - immutable
) -> str:
    """Return a page that needs nothing else: no file, no network, no script.

    Args:
        results: what a batch run has written, finished or not.
        gold: rows to score against; None leaves the scores out.
        task: what is scored, as for ``deixis eval``.
        samples: rows in the gallery, the first of the file.
        access: pictures to open besides those in the folders of ``results`` and ``gold``.

    Raises:
        InputError: a file cannot be read.
        DataError: a line of a file is not what it should be.
        SettingsError: there is no such task.
    """
    if gold is not None:
        access = access._replace(folders=(*access.folders, gold.parent))
    findings = examine(results, samples, access)
    failures, failed = _failures(beside(results, ".failures.jsonl"))
    return render_page(
        "report.html.j2",
        clock=clock,
        name=results.name,
        findings=findings,
        failures=failures,
        failed=failed,
        warnings=findings.warnings.most_common(_LISTED),
        types=findings.types.most_common(_LISTED),
        listed=_LISTED,
        identity=identity(results),
        **(_NO_SCORES | ({} if gold is None else _scores(gold, results, task))),
    )


def examine(results: Path, samples: int, access: Access) -> Findings:
    """Read an output once, row by row, and keep its first rows for the gallery.

    Raises:
        InputError: it cannot be read.
        DataError: a line is no result of a batch run.
    """
    findings = Findings()
    for number, line in _whole_lines(results):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise TypeError(LIST if isinstance(row, list) else "no object")
            id_ = row.pop("id")
            for name in BESIDE:
                row.pop(name, None)
            # A gallery needs all of a row; elsewhere its numbers are enough.
            if findings.rows < samples:
                extraction = Extraction.model_validate(row)
                findings.shown.append(show_row(str(id_), extraction, results, access))
            _count(findings, str(id_), row)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            problem = "a field is missing or wrong" if isinstance(error, ValidationError) else error
            raise DataError(f"{results}:{number}: no result of a batch run ({problem})") from None
    return findings


def _count(findings: Findings, id_: str, row: dict[str, Any]) -> None:
    findings.rows += 1
    findings.pictures += row["image"] is not None
    findings.warned += bool(row["warnings"])
    for entity in row["entities"]:
        findings.types[entity["type"]] += 1
        findings.seen[{True: "yes", False: "no"}.get(entity["groundable"], "undecided")] += 1
    for record in row["usage"]:
        used = Usage.model_validate(record)
        key = (used.role, used.model)
        add_usage(findings.usage.setdefault(key, Usage(role=used.role, model=used.model)), used)
    for notice in row["warnings"]:
        kind = (notice["step"], warning_kind(notice["message"]))
        if kind in findings.warnings or len(findings.warnings) < _KINDS:
            findings.warnings[kind] += 1
            findings.examples.setdefault(kind, id_)


def show_row(
    id_: str,
    whole: Extraction,
    results: Path,
    access: Access,
    side: int = _SIDE,
    first: Collection[str] = (),
) -> Shown:
    """Draw a row of the file ``results``; neither side of the picture exceeds ``side`` pixels.

    Of a large row, what `shortened` keeps is shown: before all, entities with the texts `first`.
    """
    extraction, beyond = shortened(whole, first)
    links = linked(extraction, rows_of(extraction))
    places = [partial(place_of, info, results, access) for info in extraction.pictures]
    try:
        drawn = [
            data_uri(extraction.overlay(place(), picture=number), side)
            for number, place in enumerate(places[:_PICTURES])
        ] or [data_uri(extraction.overlay(), side)]
    except InputError as error:
        return Shown(id_, extraction, None, str(error), beyond, [], *links)
    return Shown(id_, extraction, drawn[0], "", beyond, drawn[1:], *links)


def _failures(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the first failures of the latest run, and how many there are."""
    listed: list[dict[str, Any]] = []
    count = 0
    for number, line in _whole_lines(path) if path.is_file() else ():
        count += 1
        if count <= _LISTED:
            try:
                each = json.loads(line)
                listed.append({name: each[name] for name in ("line", "id", "error")})
            except (ValueError, KeyError, TypeError):
                raise DataError(f"{path}:{number}: no failure of a batch run") from None
    return listed, count


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield lines with their numbers, but not half of one that a run has yet to end."""
    try:
        with open_data(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            for number, start, line in raw_lines(file):
                if line.strip() and (start + len(line) < size or _is_json(line)):
                    yield number, line
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def _is_json(line: bytes) -> bool:
    """Say whether a last line is whole, though an editor has taken away its end."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def identity(results: Path) -> dict[str, str]:
    """Return what determined the results, by name; empty where that is not known."""
    try:
        path = beside(results, ".settings.json")
        settings = json.loads(path.read_bytes()) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(settings, dict):
        return {}
    return {str(name): str(value) for name, value in settings.items()}


def _scores(gold: Path, results: Path, task: str) -> dict[str, Any]:
    """Return ``scores`` of mentions, or what a task has that has measures of its own."""
    from deixis.evaluation.metrics.scoring import How, evaluate
    from deixis.evaluation.scored import read_gold, score_file

    how = How.named(task)
    if how.task.kind == "mentions":
        return {"scores": evaluate(read_rows(gold), read_rows(results), how, "type")}
    rows = read_gold(gold, how)
    scored = score_file(rows, results, how)
    measured: dict[str, Any] = {"scored": scored, "measures": scored.measured()["all"]}
    if how.task.kind == "muie":
        from deixis.evaluation.muie_tables import tables_of

        gold_rows = [row for row in rows if isinstance(row, MuieRow)]
        measured["cells"] = tables_of(gold_rows, scored.sheet, how).cells
        wrong: dict[str, dict[str, int]] = scored.about["rows_with_errors"]
        measured["wrong"] = sorted(wrong.items(), key=lambda row: -sum(row[1].values()))[:_WRONG]
    return measured

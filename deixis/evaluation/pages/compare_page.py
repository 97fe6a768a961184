"""One HTML page that shows two batch runs side by side."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from deixis.base.json_lines import parsed
from deixis.base.text_files import lines_of
from deixis.errors import DataError
from deixis.evaluation.compare import MEASURES, Compared, figure
from deixis.evaluation.disagreements import RowPair
from deixis.evaluation.pages.access import Access
from deixis.evaluation.pages.report import BESIDE, Shown, identity, show_row
from deixis.evaluation.pages.shortened import TEXT
from deixis.rows import id_of
from deixis.schema import Extraction
from deixis.show.templates import render_page
from deixis.show.timing import clock

_SIDE = 640  # pixels of the longer side of a picture, of which two stand side by side
_LISTED = 200  # kinds of warnings, and mentions of a row that differ, that are listed


class Sheet(NamedTuple):
    """A row of the page; what either run has shown of it, None where that is not recorded."""

    row: RowPair
    first: Shown | None
    second: Shown | None

    @property
    def links(self) -> bool:
        """Whether a run has found relations or events in it."""
        runs = (run for run in (self.first, self.second) if run is not None)
        return any(run.relations or run.events for run in runs)


def compare_page(
    compared: Compared,
    *,
    top: int = 20,
    access: Access = Access(),  # noqa: B008 - immutable
) -> str:
    """Return a page that needs nothing else: no file, no network, no script.

    Args:
        compared: the two files.
        top: how many rows are shown, those that differ most.
        access: pictures to open besides those in the folders of the three files.

    Raises:
        InputError: a file cannot be read.
        DataError: a row that says what it has cost is no result of a batch run.
    """
    gold, first, second, agreement, scores = compared
    rows = agreement.ranked(top)
    differing = {row.id: row.texts for row in rows}
    files = (first.path, second.path, *([gold] if gold else []))
    access = access._replace(folders=(*access.folders, *(path.parent for path in files)))
    shown = [
        {} if cost is None else _shown(side.path, differing, access)
        for side, cost in zip((first, second), agreement.costs, strict=True)
    ]
    return render_page(
        "compare.html.j2",
        clock=clock,
        first=first.path,
        second=second.path,
        gold=gold,
        agreement=agreement,
        scores=scores,
        settings=changes(first.path, second.path),
        measures=MEASURES,
        figure=figure,
        warnings=list(agreement.warnings.items())[:_LISTED],
        listed=_LISTED,
        characters=TEXT,
        sheets=[Sheet(row, shown[0].get(row.id), shown[1].get(row.id)) for row in rows],
    )


def changes(first: Path, second: Path) -> dict[str, tuple[str, str]]:
    """Return the settings in which two runs differ, as far as it is known what they were."""
    one, other = identity(first), identity(second)
    names = sorted({*one, *other}) if one and other else []
    both = {name: (one.get(name, ""), other.get(name, "")) for name in names}
    return {name: values for name, values in both.items() if values[0] != values[1]}


def _shown(
    path: Path, differing: Mapping[str, Collection[str]], access: Access
) -> dict[str, Shown]:
    rows = {}
    for number, line in lines_of(path):
        row = parsed(line)
        id_ = id_of(row.pop("id"))
        if id_ not in differing:
            continue
        for name in BESIDE:
            row.pop(name, None)
        try:
            extraction = Extraction.model_validate(row)
        except ValidationError:
            raise DataError(f"{path}:{number}: no result of a batch run") from None
        rows[id_] = show_row(id_, extraction, path, access, _SIDE, differing[id_])
    return rows

"""Two runs over the same rows: where they differ, who is right, and what each has cost."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.records import Notice, Usage
from deixis.errors import DataError
from deixis.evaluation.disagreements import KINDS, RIGHT, Disagreement, RowPair, compare_row
from deixis.evaluation.metrics.chance import interval, shares
from deixis.evaluation.metrics.scoring import Comparison, How, compare_two
from deixis.evaluation.muie_answers import read_muie
from deixis.evaluation.muie_mentions import as_mentions
from deixis.evaluation.predictions import Predictions, read_predictions, some
from deixis.evaluation.scored import read_gold, score_file
from deixis.evaluation.totals import add_usage, warning_kind
from deixis.evaluation.variants import Contrast, contrast_files
from deixis.formats.muie_rows import MuieContent, MuieRow
from deixis.rows import Row, read_rows

MEASURES = (
    ("calls", "calls"),
    ("failed calls", "failed"),
    ("answers from the cache", "cached"),
    ("input tokens", "input_tokens"),
    ("input tokens that the provider's cache had", "cached_input_tokens"),
    ("output tokens", "output_tokens"),
    ("seconds of calls", "seconds"),
    ("cost", "cost"),
)
"""What the costs are compared by: how it is called, and the field of `Usage`."""
_NOTHING = Usage(role="all", model="")


class Result(Row):
    """A line that ``deixis batch`` has written; ``usage`` is None of one that it has not."""

    usage: tuple[Usage, ...] | None = None
    warnings: tuple[Notice, ...] = ()


class MuieResult(MuieContent, Result):
    """A line of a run of MUIE."""


class Cost(NamedTuple):
    """What some rows have cost; ``unpriced`` of the calls were of models without a price."""

    rows: int
    roles: dict[tuple[str, str], Usage]
    total: Usage
    unpriced: int

    def measure(self, name: str, a_row: bool = False) -> float | None:
        """Return a field of the usage, of all rows or on average; None if there is none."""
        value: float | None = getattr(self.total, name)
        return value / self.rows if a_row and value is not None else value

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        names = [name for _, name in MEASURES]
        return {
            "rows": self.rows,
            **{name: self.measure(name) for name in names},
            "unpriced_calls": self.unpriced,
            "a_row": {name: self.measure(name, a_row=True) for name in names},
            "roles": [usage.model_dump() for usage in self.roles.values()],
        }


@dataclass(frozen=True)
class Agreement:
    """How two files agree on the rows that both have.

    Attributes:
        how: what is compared, and when regions are the same.
        rows: that both have, in the order of the first.
        only_first: ids that the first alone has.
        only_second: ids that the second alone has.
        f1: of the mentions of one against those of the other, 0..1; 1 if there are none.
        low: where its 95% interval begins.
        high: where it ends.
        costs: of each file, None if it does not say.
        warnings: how many each has of a kind, which is a step and a message.
    """

    how: How
    rows: tuple[RowPair, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    f1: float
    low: float
    high: float
    costs: tuple[Cost | None, Cost | None]
    warnings: dict[tuple[str, str], tuple[int, int]]

    @property
    def _differences(self) -> list[Disagreement]:
        return [pair for row in self.rows for pair in row.differences]

    @property
    def same(self) -> int:
        """The rows in which nothing differs."""
        return sum(not row.differences for row in self.rows)

    @property
    def kinds(self) -> dict[str, int]:
        """How many mentions differ in each of `KINDS`."""
        counts = Counter(kind for pair in self._differences for kind in pair.kinds)
        return {kind: counts[kind] for kind in KINDS}

    @property
    def right(self) -> dict[str, int] | None:
        """Who is right on the mentions that differ; None if none does, or without gold."""
        counts = Counter(pair.right for pair in self._differences if pair.right)
        return {name: counts[name] for name in RIGHT} if counts else None

    def ranked(self, top: int) -> list[RowPair]:
        """Return the rows that differ most, at most so many."""
        differ = [row for row in self.rows if row.differences]
        return sorted(differ, key=lambda row: -row.amount)[:top]

    def document(self, top: int) -> dict[str, Any]:
        """Return JSON-ready data with the rows that differ most."""
        return {
            "rows": {
                "both": len(self.rows),
                "only_first": list(self.only_first),
                "only_second": list(self.only_second),
            },
            "agreement": {
                "same_rows": self.same,
                "same_share": self.same / len(self.rows),
                "f1": {"value": self.f1, "interval": [self.low, self.high]},
                "kinds": self.kinds,
                "right": self.right,
            },
            "cost": {
                name: cost and cost.document()
                for name, cost in zip(("first", "second"), self.costs, strict=True)
            },
            "warnings": [
                {"step": step, "message": message, "first": first, "second": second}
                for (step, message), (first, second) in self.warnings.items()
            ],
            "disagreements": [row.document() for row in self.ranked(top)],
        }


def figure(value: float | None) -> str:
    """Write a measure: whole where it is whole or large, else with four digits."""
    if value is None:
        return "no price"
    return f"{value:,.4g}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"


def agree(
    first: Sequence[Row], second: Sequence[Row], how: How, gold: Sequence[Row] = ()
) -> Agreement:
    """Compare two files on the rows that both have, mention by mention (see `compare_row`).

    Raises:
        DataError: there is no row that both have, texts under one id differ, or masks of one
            picture cannot be compared.
    """
    ones, others, golds = ({row.id: row for row in rows} for rows in (first, second, gold))
    both = [name for name in ones if name in others]
    if not both:
        raise DataError("no id is in both files; compare two runs over the same rows")
    rows = tuple(compare_row(ones[name], others[name], golds.get(name), how) for name in both)
    counts = np.array([(row.agreed, *row.mentions) for row in rows])
    low, high = interval(counts, how.rounds, how.seed)
    nothing = not counts.any()
    sides = [[side[name] for name in both] for side in (ones, others)]
    warned = [Counter(_warnings(rows)) for rows in sides]
    return Agreement(
        how,
        rows,
        tuple(name for name in ones if name not in others),
        tuple(name for name in others if name not in ones),
        1.0 if nothing else float(shares(counts.sum(0))[2]),
        1.0 if nothing else float(low[2]),
        1.0 if nothing else float(high[2]),
        (_cost(sides[0]), _cost(sides[1])),
        {
            kind: (warned[0][kind], warned[1][kind])
            for kind, _ in (warned[0] + warned[1]).most_common()
        },
    )


class Compared(NamedTuple):
    """Two files side by side; ``scores`` are those of both where there is gold."""

    gold: Path | None
    first: Predictions
    second: Predictions
    agreement: Agreement
    scores: Comparison | Contrast | None

    def oddities(self) -> Iterator[str]:
        """Yield what was odd, a line for each."""
        both = self.agreement
        for side, ids in ((self.first, both.only_first), (self.second, both.only_second)):
            if ids:
                yield f"{side.path}: {len(ids)} rows are not in the other file ({some(ids)})"
        if isinstance(self.scores, Comparison):
            yield from self.first.oddities(self.scores.first)
            yield from self.second.oddities(self.scores.second)
        elif self.scores:
            yield from (*self.scores.first.oddities, *self.scores.second.oddities)

    def document(self, top: int) -> dict[str, Any]:
        """Return JSON-ready data with the rows that differ most."""
        document = (self.scores or self.agreement.how).document()
        for name, side in (("first", self.first), ("second", self.second)):
            document[name] = {**side.document(), **document.get(name, {})}
        gold = str(self.gold) if self.gold else None
        return {"gold": gold, **document, **self.agreement.document(top)}


def compare_files(
    first: Path, second: Path, how: How, gold: Path | None, format_name: str | None
) -> Compared:
    """Compare two files of predictions, and score both against `gold` where there is some.

    They hold rows, or with a `format_name` answers to the rows of the gold.

    Raises:
        DataError: a line is no row, or the files do not fit each other or the gold.
        InputError: a file cannot be read.
        SettingsError: there is no such format.
    """
    wanted, one, other = _read(gold, (first, second), how, format_name)
    scores: Comparison | Contrast | None = None
    if gold and how.task.kind == "mentions":
        scores = compare_two(wanted, one.rows, other.rows, how)
    elif gold:
        rows = read_gold(gold, how)
        sides = [score_file(rows, path, how, None, format_name) for path in (first, second)]
        scores = contrast_files(*sides)
    return Compared(gold, one, other, agree(one.rows, other.rows, how, wanted), scores)


def _read(
    gold: Path | None, paths: Sequence[Path], how: How, format_name: str | None
) -> tuple[list[Row], Predictions, Predictions]:
    """Read the gold and both files; of MUIE all facts stand among the mentions."""
    if how.task.kind != "muie":
        wanted = read_rows(gold) if gold else []
        one, other = (read_predictions(path, format_name, wanted, Result) for path in paths)
        return wanted, one, other
    rows = [row for row in read_gold(gold, how) if isinstance(row, MuieRow)] if gold else []
    if format_name is None:
        sides = [read_predictions(path, None, rows, MuieResult) for path in paths]
    else:
        answers = [read_muie(rows, path, format_name).answers for path in paths]
        sides = [
            Predictions(path, [*each.values()], {})
            for path, each in zip(paths, answers, strict=True)
        ]
    one, other = (side._replace(rows=[as_mentions(row) for row in side.rows]) for side in sides)
    return [as_mentions(row) for row in rows], one, other


def _cost(rows: Sequence[Row]) -> Cost | None:
    """Add up what rows have cost, None if one of them does not say."""
    roles: dict[tuple[str, str], Usage] = {}
    total = _NOTHING.model_copy()
    unpriced = 0
    for row in rows:
        if not isinstance(row, Result) or row.usage is None:
            return None
        for usage in row.usage:
            key = (usage.role, usage.model)
            add_usage(roles.setdefault(key, Usage(role=usage.role, model=usage.model)), usage)
            add_usage(total, usage)
            unpriced += usage.calls if usage.cost is None else 0
    if not unpriced and total.cost is None:
        total.cost = 0.0  # nobody was asked
    return Cost(len(rows), roles, total, unpriced)


def _warnings(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for notice in row.warnings if isinstance(row, Result) else ():
            yield notice.step, warning_kind(notice.message)

"""Several runs of one system over the same rows: the mean and how far they spread."""

from collections.abc import Iterator, Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple

from deixis.errors import DataError
from deixis.evaluation.predictions import some
from deixis.evaluation.scored import Scored


class Spread(NamedTuple):
    """A measure over runs: its values, their mean and their standard deviation (of a sample).

    Mean and deviation are None if the measure is not defined in one of the runs.
    """

    values: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean."""
        defined = [value for value in self.values if value is not None]
        return mean(defined) if len(defined) == len(self.values) else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation, with n - 1 below the line."""
        defined = [value for value in self.values if value is not None]
        return stdev(defined) if len(defined) == len(self.values) else None

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"mean": self.mean, "deviation": self.deviation, "runs": list(self.values)}


class Averaged(NamedTuple):
    """Runs, and for ``all`` and each part of the breakdown the spread of every measure."""

    runs: tuple[Scored, ...]
    parts: dict[str, dict[str, Spread]]

    def oddities(self) -> Iterator[str]:
        """Yield what was odd, a line for each."""
        for run in self.runs:
            yield from run.oddities

    def document(self) -> dict[str, Any]:
        """Return JSON-ready data; measures run 0..1."""
        return {
            "predictions": [str(run.path) for run in self.runs],
            "samples": len(self.runs[0].ids),
            "missing": list(self.runs[0].missing),
            **{
                part: {name: each.document() for name, each in measures.items()}
                for part, measures in self.parts.items()
                if part == "all"
            },
            "parts": {
                part: {name: each.document() for name, each in measures.items()}
                for part, measures in self.parts.items()
                if part != "all"
            },
        }


def average(runs: Sequence[Scored]) -> Averaged:
    """Average at least two runs.

    Parts that one of the runs does not have (a type that it never names and the gold lacks) are
    left out.

    Raises:
        DataError: the runs are not of the same rows.
    """
    first = runs[0]
    for run in runs[1:]:
        if odd := sorted(set(run.missing) ^ set(first.missing)):
            raise DataError(
                f"{first.path} and {run.path} do not have the same rows ({some(odd)} in one "
                "alone), so they cannot be averaged; finish both runs with deixis batch"
            )
    sheets = [{"all": run.sheet, **run.parts} for run in runs]
    shared = [part for part in sheets[0] if all(part in each for each in sheets)]
    return Averaged(
        tuple(runs),
        {
            part: {
                name: Spread(tuple(each[part].plain()[name] for each in sheets))
                for name in sheets[0][part].names
            }
            for part in shared
        },
    )

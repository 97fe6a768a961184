"""The table of an ablation as text: Markdown, CSV and LaTeX, with what is foreign escaped."""

import csv
import io
import re
from collections.abc import Callable, Sequence

from deixis.evaluation.ablations.table import Cell, Line, Table
from deixis.evaluation.compare import figure

_LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
_SIGNIFICANT = 0.05


def headings(table: Table) -> list[str]:
    """Return what the columns are called."""
    return ["variant", "rows", *table.metrics, "calls", "tokens", "cost"]


def cells(table: Table) -> list[list[str]]:
    """Return the table as text for people: a list of columns for every variant."""
    return [
        [
            line.name,
            _rows(line),
            *(_scored(line.cells.get(name)) for name in table.metrics),
            f"{line.calls:,}",
            f"{line.tokens:,}",
            figure(line.cost),
        ]
        for line in table.lines
    ]


def _rows(line: Line) -> str:
    if not line.rows:
        return "not run"
    failed = f", {line.failed} failed" if line.failed else ""
    counted = f"{line.rows}" if line.done else f"unfinished: {line.rows - line.left} of {line.rows}"
    return f"{counted}{failed}"


def _scored(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return "-"
    shown = f"{100 * cell.value:.2f}"
    if cell.deviation is not None:
        shown += f" ± {100 * cell.deviation:.2f}"
    if cell.low is not None and cell.high is not None:
        shown += f" ({100 * cell.low:.1f} to {100 * cell.high:.1f})"
    return shown if cell.p is None else f"{shown}, p {cell.p:.4f}"


def markdown(table: Table) -> str:
    """Return the table in Markdown, with what it says of itself below."""
    titles = [*headings(table)[:1], "what it is", *headings(table)[1:]]
    lines = [_barred(map(_markdown, titles)), _barred(["-"] * len(titles))]
    for line, row in zip(table.lines, cells(table), strict=True):
        lines.append(_barred(map(_markdown, [row[0], line.about, *row[1:]])))
    return "\n".join([*lines, "", *(f"{_markdown(note)}\n" for note in table.notes)])


def _barred(row: "Sequence[str] | map[str]") -> str:
    return f"| {' | '.join(row)} |"


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(text.split()))


def comma_separated(table: Table) -> str:
    """Return the table as CSV, with a column for every number; shares are 0..1."""
    parts: dict[str, Callable[[Cell], float | None]] = {
        "": lambda cell: cell.value,
        " low": lambda cell: cell.low,
        " high": lambda cell: cell.high,
        " deviation": lambda cell: cell.deviation,
        " p": lambda cell: cell.p,
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    scored = [f"{name}{part}" for name in table.metrics for part in parts]
    asked = ("calls", "failed calls", "cached", "tokens", "cost")
    writer.writerow(["variant", "about", "rows", "left", "failed", *scored, *asked])
    for line in table.lines:
        values = [
            take(cell) if (cell := line.cells.get(name)) else None
            for name in table.metrics
            for take in parts.values()
        ]
        counted = (line.calls, line.failed_calls, line.cached, line.tokens, line.cost)
        writer.writerow(
            [line.name, line.about, line.rows, line.left, line.failed, *values, *counted]
        )
    return out.getvalue()


def latex(table: Table) -> str:
    """Return the table as a ``tabular`` of plain LaTeX; a star is a p below 0.05."""
    titles = headings(table)
    lines = [f"% {note}" for note in map(_commented, table.notes)] + [
        rf"\begin{{tabular}}{{l{'r' * (len(titles) - 1)}}}",
        r"\hline",
        " & ".join(map(_latex, titles)) + r" \\",
        r"\hline",
    ]
    for line, row in zip(table.lines, cells(table), strict=True):
        shown = [_latex(row[0]), _latex(row[1])]
        shown += [_latex_scored(line.cells.get(name)) for name in table.metrics]
        shown += map(_latex, row[-3:])
        lines.append(" & ".join(shown) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(text.split()))


def _latex_scored(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return "--"
    shown = f"{100 * cell.value:.2f}"
    if cell.deviation is not None:
        shown += rf" $\pm$ {100 * cell.deviation:.2f}"
    return shown + (r"$^{*}$" if cell.p is not None and cell.p < _SIGNIFICANT else "")


def _commented(text: str) -> str:
    return " ".join(text.split())

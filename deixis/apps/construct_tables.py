"""What is known of data sets in the making, as tables in the terminal."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from deixis.apps import terminal


def show_agreement(figures: dict[str, Any]) -> None:
    """Print the figures of `deixis.evaluation.construction.agreement`."""
    summary = Table(show_header=False)
    summary.add_column()
    summary.add_column(justify="right")
    for name in ("rows", "rows_agreed", "rows_disputed", "entities", "entities_left_out"):
        summary.add_row(name.replace("_", " "), str(figures[name]))
    summary.add_row("judgements of each entity", _number(figures["judgements_each"]))
    consistent = _share(figures["consistent"], figures["entities"])
    summary.add_row(f"all consistent, IoU above {figures['iou']:g}", consistent)
    for name, title in (("regions", "where it is"), ("visible", "whether it is to be seen")):
        kappa = figures[name] and figures[name]["kappa"]
        summary.add_row(f"Fleiss' kappa: {title}", _number(kappa))
    terminal.show(summary)
    pairs = Table("annotators")
    for column in ("entities", "consistent", "regions shared", "their mean IoU"):
        pairs.add_column(column, justify="right")
    for pair in figures["pairs"]:
        if pair["entities"]:
            pairs.add_row(
                escape(f"{pair['one']}, {pair['other']}"),
                str(pair["entities"]),
                _share(pair["consistent"], pair["entities"]),
                _number(pair["regions_shared"]),
                _number(pair["mean_iou"]),
            )
    terminal.show(pairs)


def show_training(figures: dict[str, Any], title: str) -> None:
    """Print the figures of `deixis.evaluation.construction.augmentation`, as table III has them."""
    table = Table("", title=escape(title), title_justify="left")
    columns = {"recognition": "MNER samples", "entailment": "VE lines", "grounding": "VG lines"}
    for column in columns.values():
        table.add_column(column, justify="right")
    for key, name in (("gold", "gold"), ("expander", "the expander"), ("all", "all models")):
        table.add_row(name, *(str(figures[key][column]) for column in columns))
    terminal.show(table)
    for lack, number in figures["lacking"].items():
        terminal.warn(f"{number} gold entities have no line: {lack}")


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else str(part)


def _number(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"

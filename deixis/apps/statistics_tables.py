"""What a file of rows holds, as tables in the terminal."""

from typing import Any

from deixis.apps import terminal


def show_statistics(figures: dict[str, Any], title: str) -> None:
    """Print the figures of `deixis.evaluation.datasets.statistics` under the name of a file."""
    from rich.markup import escape
    from rich.table import Table

    plain = {key: value for key, value in figures.items() if isinstance(value, int)}
    summary = Table(title=escape(title), title_justify="left", show_header=False)
    summary.add_column()
    summary.add_column(justify="right")
    for key, value in [
        *plain.items(),
        *(
            (f"rows with {number} masks", str(count))
            for number, count in figures["rows_by_masks"].items()
            if figures["masks"]
        ),
        *_sides("summary", figures.get("summaries", {})),
        *_flat(figures["picture_sizes"]),
    ]:
        summary.add_row(key.replace("_", " "), str(value))
    terminal.show(summary)
    columns = ("entities", "groundable", "boxes", "masks", "multi_box")
    table = Table("type")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for kind, counts in figures["types"].items():
        table.add_row(escape(kind), *(str(counts[column]) for column in columns))
    terminal.show(table)
    if figures["fine_types"]:
        table = Table("type", "fine type")
        table.add_column("entities", justify="right")
        for kind, fine in figures["fine_types"].items():
            for name, number in fine.items():
                table.add_row(escape(kind), escape(name), str(number))
        terminal.show(table)


def _flat(sizes: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the sizes of pictures as names and one-line values."""
    return [
        ("pictures of known size", f"{sizes['known']} ({sizes['distinct']} sizes)"),
        *_sides("picture", sizes),
    ]


def _sides(of: str, figures: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the distributions among figures as names and one-line values."""
    return [
        (f"{of} {name}", " / ".join(f"{key} {value:g}" for key, value in spread.items()))
        for name, spread in figures.items()
        if isinstance(spread, dict)
    ]

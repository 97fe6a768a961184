"""What the rows of a run add up to: usage, and warnings by kind."""

import re

from deixis.base.records import TOKENS, Usage


def add_usage(total: Usage, used: Usage) -> None:
    """Add one usage to another, whatever their roles; the cost is of what has a price."""
    counts = ("calls", "failed", "retries", "cached", "shared")
    for name in (*counts, *TOKENS, "seconds"):
        setattr(total, name, getattr(total, name) + getattr(used, name))
    if used.cost is not None:
        total.cost = (total.cost or 0.0) + used.cost


def warning_kind(message: str) -> str:
    """Return a warning without its names and numbers, so that those alike count as one."""
    return re.sub(r"\d+", "N", re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", message))[:300]

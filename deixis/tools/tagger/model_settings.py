"""The settings of a model that Deixis trains: read from JSON, and checked number by number."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deixis.errors import ModelFileError
from deixis.tools.tagger.marginals import Floats

FORMAT = 1
"""Version of the layout of a tagger's folder."""
_STEEP = 700.0  # beyond it, an exponential is no number


def types_of(labels: Sequence[str]) -> list[str]:
    """Return the types of BIO labels, in their order."""
    return [label[2:] for label in labels if label.startswith("B-")]


def types_in(folder: Path) -> list[str]:
    """Return the types that the tagger of a folder knows, without loading it.

    Raises:
        ModelFileError: the folder has none.
    """
    path = folder / "recognizer.json"
    labels = read_model_settings(path, FORMAT, "a recognizer").get("labels")
    if not isinstance(labels, list):
        raise ModelFileError(f"{path}: incomplete (it has no labels)")
    return types_of([str(label) for label in labels])


def numbers(given: Any, *shape: int) -> Floats:
    """Return numbers of a shape, up to a million; a TypeError or ValueError says what is wrong."""
    array = np.array(given, dtype=np.float64)
    if array.shape != shape or not (np.abs(array) <= 1e6).all():
        raise ValueError(f"{shape} numbers up to a million are expected, not {array.shape}")
    return array


def curve(given: Any) -> tuple[float, float]:
    """Return slope and offset of a logistic curve over log odds (Platt)."""
    return float(numbers(given["slope"])), float(numbers(given["offset"]))


def on_curve(slope_and_offset: tuple[float, float], raw: float) -> float:
    """Return the probability (0..1) that such a curve makes of a raw one (0..1)."""
    slope, offset = slope_and_offset
    odds = min(max(raw, 1e-6), 1 - 1e-6)
    return sigmoid(slope * math.log(odds / (1 - odds)) + offset)


def sigmoid(value: float) -> float:
    """Return the logistic function."""
    return 1 / (1 + math.exp(-max(-_STEEP, min(value, _STEEP))))


def read_model_settings(path: Path, form: Any, model: str) -> dict[str, Any]:
    """Read the JSON settings of a model that Deixis trains.

    Args:
        path: the file.
        form: its ``format``.
        model: what it is, with its article, as messages have it.

    Raises:
        ModelFileError: it cannot be read, or is of another format.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        problem = f"{path}: the {model.partition(' ')[2]} cannot be read ({error})"
        raise ModelFileError(f"{problem}; name a folder with {model}") from None
    if not isinstance(settings, dict) or settings.get("format") != form:
        raise ModelFileError(f"{path}: not {model} of format {form}")
    return settings

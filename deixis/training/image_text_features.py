"""Features of pictures and phrases, kept in the cache: a second training asks no model anything."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.atomic import PRIVATE, whole_file
from deixis.base.images import open_image
from deixis.errors import InputError, ToolError
from deixis.tools.base import Picture
from deixis.tools.image_text_head import Floats, features_of
from deixis.training.phrased_rows import Look
from deixis.weights.fingerprints import fingerprint
from deixis.weights.model_files import cache_folder


class Table(NamedTuple):
    """Features of all phrases, ``(N, 2 D + 1)``, whether each is shown, and of which picture.

    ``left_out`` are pictures, counted by the reason why.
    """

    features: Floats
    shown: list[bool]
    pictures: list[str]
    left_out: dict[str, int]


def table_of(
    looks: Sequence[Look], model: Any, spec: str, told: Callable[[int, int], None]
) -> Table:
    """Look at all pictures, or at none whose features are kept.

    Args:
        looks: what is asked of which picture.
        model: a tool with ``vectors``, as `deixis.tools.siglip.Siglip` has.
        spec: that of the tool, under which features are kept.
        told: is told how many of how many pictures are done.

    Raises:
        InputError: none of the pictures can be used.
        ModelFileError, MissingExtraError, SettingsError: the model cannot be had.
    """
    kept = _Kept(model, spec)
    features: list[Floats] = []
    shown: list[bool] = []
    pictures: list[str] = []
    left_out: Counter[str] = Counter()
    last = ""
    for number, look in enumerate(looks, start=1):
        try:
            opened = open_image(look.picture)
            features.append(kept.features(opened.sha256, opened.pixels, look.phrases))
            shown += look.shown
            pictures += [opened.sha256] * len(look.phrases)
        except (InputError, ToolError) as error:
            left_out["it cannot be looked at"] += 1
            last = f"row {look.row}: {error}"
        told(number, len(looks))
    if not features:
        raise InputError(f"none of {len(looks)} pictures can be looked at; the last: {last}")
    return Table(np.concatenate(features), shown, pictures, dict(left_out))


class _Kept:
    """Vectors of a model that are in the cache, one file for a picture and its phrases."""

    def __init__(self, model: Any, spec: str) -> None:
        self._model = model
        self._name = [spec, fingerprint(model.files())]
        self._folder = cache_folder() / "features"

    def features(self, sha256: str, pixels: Picture, phrases: Sequence[str]) -> Floats:
        key = json.dumps([*self._name, sha256, list(phrases)]).encode()
        path = self._folder / f"{hashlib.sha256(key).hexdigest()}.npz"
        known = _read(path)
        if known is None:
            known = self._model.vectors(pixels, phrases)
            with whole_file(path, PRIVATE) as file:
                np.savez(file, picture=known[0], texts=known[1])
        return features_of(*known)


def _read(path: Path) -> tuple[Floats, Floats] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return stored["picture"], stored["texts"]
    except Exception:  # it is not there, or damaged: numpy and zipfile raise many kinds
        return None

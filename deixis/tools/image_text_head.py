"""A head on SigLIP, SigLIP 2 or CLIP, trained on rows: can what an expression says be seen?

Radford et al. (2021, arXiv:2103.00020, section 3.2) fit a logistic regression to the features of
a frozen model; here to those of a picture ``p`` and of a text ``t``, both of length 1: their
cosine, their products ``p_d t_d``, which say in what they are alike, and ``t``, for some things
are seldom shown. ``deixis train entailer`` makes the folder.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from deixis.base.printable import one_line
from deixis.errors import ModelFileError, ToolError
from deixis.tools.base import Picture
from deixis.tools.siglip import Clip, Siglip
from deixis.tools.tagger.model_settings import curve, numbers, on_curve, read_model_settings
from deixis.weights.fingerprints import fingerprint
from deixis.weights.torch_models import Precision

FORMAT = 1
"""Version of the layout of a head's folder."""
BASES = {"siglip": Siglip, "clip": Clip}
_MOST = 100_000
"""Weights of a head: a bound far above what any model's vectors lead to."""

Floats = NDArray[np.float64]


class Head(NamedTuple):
    """What was learned: a weight of each column of `features_of`, and what a score is worth.

    Attributes:
        weights: shape ``(2 D + 1,)``.
        offset: added to the score.
        calibration: slope and offset of a logistic curve (Platt) over the score.
        base_rate: share of the rows' expressions that can be seen (0..1).
    """

    weights: Floats
    offset: float
    calibration: tuple[float, float]
    base_rate: float

    def probabilities(self, features: Floats, base_rate: float | None = None) -> list[float]:
        """Return the probability (0..1) that each of some expressions can be seen.

        Args:
            features: shape ``(N, 2 D + 1)``.
            base_rate: how many can be seen where it is asked, if not as many as in the rows.
        """
        moved = 0.0 if base_rate is None else _odds(base_rate) - _odds(self.base_rate)
        scores = np.clip(features @ self.weights + self.offset, -30.0, 30.0)
        slope, offset = self.calibration
        # A curve takes a probability, and the head's score is the log odds of one.
        return [
            on_curve((slope, offset + moved), 1 / (1 + float(np.exp(-score)))) for score in scores
        ]


def features_of(picture: Floats, texts: Floats) -> Floats:
    """Return the features of texts beside a picture, ``(N, 2 D + 1)``.

    Args:
        picture: shape ``(D,)``, of length 1.
        texts: shape ``(N, D)``, each of length 1.
    """
    products = texts * picture
    return np.concatenate([products.sum(axis=1, keepdims=True), products, texts], axis=1)


class ImageTextHead:
    """An entailer that was trained on rows, on an image-text model that was not.

    Args:
        folder: what ``deixis train entailer`` wrote; it names the model.
        base_rate: how many of the expressions can be seen where it is asked, 0..1; as many as
            in its rows when left out. The graph main weighs how often such mentions are shown by
            itself, so there it is 0.5.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: float32, unless memory is short.
    """

    name = "image-text-head"

    def __init__(
        self,
        folder: Path | None = None,
        base_rate: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None,
        device: str = "auto",
        dtype: Precision = "float32",
    ) -> None:
        self._folder, self._base_rate = folder, base_rate
        self._place: dict[str, Any] = {"device": device, "dtype": dtype}

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`.

        Raises:
            ModelFileError: the folder is missing, incomplete or damaged, or its model another.
        """
        return [str(self._folder), *self._trained[0].files()]

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        """Say how likely a picture shows what each expression says; as `Siglip.entail`.

        Raises:
            ToolError: the model fails on this picture, or gives other vectors than the head takes.
            ModelFileError: as `files`.
        """
        if not expressions:
            return []
        base, head = self._trained
        features = features_of(*base.vectors(picture, expressions))
        if features.shape[1] != len(head.weights):
            raise ToolError(
                f"{self._folder}: a head of {len(head.weights)} weights, and the model gives "
                f"{features.shape[1]} numbers; it was trained on another one"
            )
        return head.probabilities(features, self._base_rate)

    @cached_property
    def _trained(self) -> tuple[Any, Head]:
        """The model that looks, and the head."""
        if self._folder is None:
            raise ModelFileError(f"{self.name} has no folder; write {self.name}:FOLDER")
        path = self._folder / "head.json"
        settings = read_model_settings(path, FORMAT, "a trained entailer")
        try:
            base: Any = BASES[settings["tool"]](str(settings["weights"]), **self._place)
            head = _head_in(self._folder / "head.npz", settings)
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: incomplete ({error!r})") from None
        if fingerprint(base.files()) != settings.get("fingerprint", ""):
            raise ModelFileError(
                f"{settings['weights']}: not the model that the head in {self._folder} was trained "
                "on; train it again: deixis train entailer"
            )
        return base, head


def _head_in(path: Path, settings: dict[str, Any]) -> Head:
    rate = float(numbers(settings["base_rate"]))
    if not 0.0 < rate < 1.0:
        raise ValueError("base_rate: between 0 and 1")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if sum(member.file_size for member in stored.zip.infolist()) > 8 * _MOST:
                raise ValueError(f"it has more than {_MOST} weights")
            weights = stored["weights"]
    except Exception as error:  # of damaged files, numpy and zipfile raise many kinds
        raise ModelFileError(f"{path}: the head cannot be read ({one_line(error)})") from None
    if weights.dtype != np.float32 or weights.ndim != 1 or not np.isfinite(weights).all():
        raise ModelFileError(f"{path}: not the weights of a head")
    offset = float(numbers(settings["offset"]))
    return Head(weights.astype(np.float64), offset, curve(settings["calibration"]), rate)


def _odds(share: float) -> float:
    return float(np.log(share / (1 - share)))

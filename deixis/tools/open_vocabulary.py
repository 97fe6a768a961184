"""What detectors that take any phrase share: the way from scores to boxes in pixels."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from deixis.base.boxes import Box
from deixis.tools.base import Detection, Picture, warn
from deixis.weights.short_memory import Done
from deixis.weights.torch_models import files_of

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Limit = Annotated[int, Field(ge=1)]


class OpenVocabulary(ABC):
    """A detector of transformers that takes any phrase."""

    name: str
    labels: tuple[str, ...] | None = None
    _source: tuple[Any, ...]
    """Where its weights are, first."""

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return files_of(self._source[0])

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Find what `phrases` name.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            phrases: what to look for.

        Returns:
            The detections of all phrases, best score first.

        Raises:
            ToolError: the model fails on this picture.
            ModelFileError: the model cannot be had or is of another kind.
            MissingExtraError: torch or transformers is not installed.
            SettingsError: the device is not there.
        """
        (objects,), warning = self.detect_all([picture], [phrases])
        warn(warning)
        return list(objects)

    @abstractmethod
    def detect_all(
        self, pictures: Sequence[Picture], phrases_per_picture: Sequence[Sequence[str]]
    ) -> Done:
        """Find phrases in several pictures: a list of detections each, and perhaps a warning."""


class ScoredByPhrase(OpenVocabulary):
    """One whose every box has a score for every phrase; those below a threshold are dropped."""

    _threshold: float
    _nms: float
    _limit: int

    def _kept(
        self,
        picture: Picture,
        answers: Iterable[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
    ) -> list[Detection]:
        """Return the detections of the phrases that a picture was asked for, the best first.

        Args:
            picture: shape ``(H, W, 3)``.
            answers: of each phrase: that, boxes ``(x1, y1, x2, y2)`` in pixels, shape ``(N, 4)``,
                and their scores ``(N,)``.
        """
        everything: list[Detection] = []
        for phrase, boxes, scores in answers:
            sure = scores > self._threshold
            everything += detections(
                phrase, boxes[sure], scores[sure], picture, nms=self._nms, limit=self._limit
            )
        return best_first(everything)


def asked_for(phrases_per_picture: Sequence[Sequence[str]]) -> dict[int, list[str]]:
    """Return what each picture is asked for, by its place: each phrase once, and no empty one.

    Pictures of which nothing is asked are left out.
    """
    asked = {
        place: [phrase for phrase in dict.fromkeys(phrases) if phrase.strip()]
        for place, phrases in enumerate(phrases_per_picture)
    }
    return {place: phrases for place, phrases in asked.items() if phrases}


def detections(
    label: str,
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    picture: Picture,
    *,
    nms: float,
    limit: int,
) -> list[Detection]:
    """Clip boxes to the picture, and keep the best of those that lie on each other.

    Args:
        label: the phrase that was looked for.
        boxes: ``(x1, y1, x2, y2)`` in pixels of the picture, shape ``(N, 4)``; parts outside
            of the picture are cut off, and boxes of which nothing is left are dropped.
        scores: 0..1, shape ``(N,)``.
        picture: shape ``(H, W, 3)``.
        nms: a box whose intersection over union with a better one is above this is dropped;
            1 keeps all.
        limit: most boxes to return.

    Returns:
        The detections, best score first.
    """
    height, width = picture.shape[:2]
    edges = np.array([width, height, width, height], dtype=np.float64)
    boxes = boxes.astype(np.float64).clip(0, edges)
    sizes = (boxes[:, 2:] - boxes[:, :2]).clip(0)
    areas = sizes.prod(axis=1)
    order = np.argsort(-scores, kind="stable")
    order = order[areas[order] > 0]
    kept: list[Detection] = []
    while len(order) and len(kept) < limit:
        best, order = order[0], order[1:]
        x1, y1, x2, y2 = boxes[best].tolist()
        box: Box = (x1, y1, x2, y2)
        kept.append(Detection(label, box, min(float(scores[best]), 1.0)))
        common = np.minimum(boxes[order, 2:], boxes[best, 2:])
        common -= np.maximum(boxes[order, :2], boxes[best, :2])
        both = common.clip(0).prod(axis=1)
        order = order[both <= nms * (areas[order] + areas[best] - both)]
    return kept


def corners(boxes: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Turn ``(centre x, centre y, width, height)`` in shares of a frame into its pixels.

    Args:
        boxes: shape ``(N, 4)``, 0..1.
        width: of the frame, in pixels.
        height: of the frame, in pixels.

    Returns:
        ``(x1, y1, x2, y2)``, shape ``(N, 4)``.
    """
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    frame = np.array([width, height] * 2, dtype=np.float64)
    shares: NDArray[np.float64] = np.concatenate([centre - half, centre + half], axis=1)
    return shares * frame


def best_first(detections: list[Detection]) -> list[Detection]:
    """Sort detections by score, the best first; equals keep their order."""
    return sorted(detections, key=lambda detection: -detection.score)

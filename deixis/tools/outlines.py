"""Outlines: people and animals by a network for selfies, all else by GrabCut.

MediaPipe's selfie segmentation (a MobileNetV3 of 0.1 million parameters, Apache-2.0), in the form
for TensorFlow.js that ``@vladmandic/human`` 2.5.1 brings (MIT; 0.3 MB in a package of 32 MB). It
sees 256 x 256 pixels of red, green and blue from 0 to 1, and says of each how likely it belongs to
what stands in front. Nobody tells which box holds a person: the network's answer is taken where it
has the shape of something in this box, and else `GrabCut` is asked. In 17 photographs that is so
for 11 of 13 people and for dogs, a cat, a flower and a helmet; cars, a truck, a bus, buildings
and a rocket are left to GrabCut.

Against outlines that we drew by hand the IoU is 0.95 and 0.97 on the portraits of Collins and
Hopper; GrabCut, in the boxes of people that `centerface` gives, had 0.68 and 0.90. A box takes
20 ms, and up to a second where GrabCut is asked.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box, box_iou
from deixis.base.forks import Lock
from deixis.base.records import Mask
from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.base import Picture
from deixis.tools.grabcut import GrabCut
from deixis.weights import model_files, onnx_sessions, tfjs_graph

_SIDE = 256  # pixels of the square that the network sees
_MARGINS = (0.1, 0.3)  # box sides of surroundings in the two views, on each side
_SMALLEST = 8  # pixels; a box with a shorter side shows no shape
_LEAST, _MOST = 0.25, 0.95  # share of the box that something in it fills
_SPAN = 0.7  # of the box's width and of its height
_CROSSED = 0.5  # of the edges: a tie's box is crossed all around by who wears it
_CERTAIN = 0.6  # of the pixels are above 0.9 or below 0.1
_AT_EDGE = 0.06  # of the picture's side: an edge so near to the picture's is not crossed
_PIECE = 0.15  # pieces smaller than this share of the largest are of somebody else
_SAME = 0.7  # boxes with a larger intersection over union hold the same thing


class _Outline(NamedTuple):
    """What is in a box: its whole pixels ``(x1, y1, x2, y2)``, and a mask of them."""

    place: tuple[int, int, int, int]
    mask: NDArray[np.bool_]


class Outlines:
    """A segmenter that knows people and animals by their shape, and other things by their colour.

    Args:
        model: spec of the graph, with its weights beside it; see `deixis.weights.model_files`.
    """

    MODEL = (
        "npm:@vladmandic/human@2.5.1/models/selfie.json,selfie.bin"
        "#sha256=8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88"
        ",8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a"
    )
    name = "outlines"

    def __init__(self, model: str = MODEL) -> None:
        self._model = model
        self._session: Any = None
        self._lock = Lock()
        self._grabcut = GrabCut()

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return [model_files.file_of(self._model)]

    def segment(self, picture: Picture, boxes: Sequence[Box]) -> list[Mask | None]:
        """Cut out what is in each box; the same input gives the same masks.

        What two people would both have is given to whose box's middle is nearer.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            boxes: ``(x1, y1, x2, y2)`` in pixels of `picture`.

        Returns:
            One mask per box: only pixels wholly inside the box. None where nothing was told from
            its surroundings, or the box is under 8 pixels broad or high.

        Raises:
            ToolError: the network or OpenCV fails.
            ModelFileError: the weights cannot be had, or are not those of the network.
            MissingExtraError: ``onnxruntime`` or ``opencv-python-headless`` is not installed.
        """
        outlines = [self._outline(picture, box) for box in boxes]
        others = [box for box, outline in zip(boxes, outlines, strict=True) if outline is None]
        by_colour = iter(self._grabcut.segment(picture, others))
        masks = []
        for number, outline in enumerate(outlines):
            if outline is None:
                masks.append(next(by_colour))
                continue
            (x1, y1, x2, y2), own = outline.place, outline.mask.copy()
            for rival, other in zip(boxes, outlines, strict=True):
                if other is not None and box_iou(rival, boxes[number]) <= _SAME:
                    own &= ~_lost(outline, other)
            mask = np.zeros(picture.shape[:2], dtype=np.bool_)
            mask[y1:y2, x1:x2] = own
            masks.append(Mask.from_array(mask) if own.any() else None)
        return masks

    def _outline(self, picture: Picture, box: Box) -> _Outline | None:
        """Return what the network sees in a box, None if that is nothing with a shape."""
        height, width = picture.shape[:2]
        x1, y1 = max(0, math.ceil(box[0])), max(0, math.ceil(box[1]))
        x2, y2 = min(width, math.floor(box[2])), min(height, math.floor(box[3]))
        if min(x2 - x1, y2 - y1) < _SMALLEST:
            return None
        likely = np.zeros((y2 - y1, x2 - x1), dtype=np.float32)
        for margin in _MARGINS:
            across, down = round((x2 - x1) * margin), round((y2 - y1) * margin)
            left, top = max(0, x1 - across), max(0, y1 - down)
            view = self._seen(picture[top : y2 + down, left : x2 + across])
            likely += view[y1 - top : y2 - top, x1 - left : x2 - left] / len(_MARGINS)
        mask = likely > 0.5
        certain = ((likely > 0.9) | (likely < 0.1)).mean()
        spans = [np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1)]
        if not len(spans[0]) or certain < _CERTAIN or not _LEAST <= mask.mean() <= _MOST:
            return None
        shares = [
            (span[-1] - span[0] + 1) / side
            for span, side in zip(spans, mask.shape[::-1], strict=True)
        ]
        aside, below = _AT_EDGE * width, _AT_EDGE * height
        inner = (x1 > aside, y1 > below, x2 < width - aside, y2 < height - below)
        edges = (mask[:, 0], mask[0], mask[:, -1], mask[-1])
        crossed = [edge for edge, is_inner in zip(edges, inner, strict=True) if is_inner]
        if min(shares) < _SPAN or (crossed and np.concatenate(crossed).mean() > _CROSSED):
            return None
        return _Outline((x1, y1, x2, y2), _large_pieces(mask))

    def _seen(self, view: Picture) -> NDArray[np.float32]:
        """Return how likely each pixel of a view belongs to what stands in front."""
        session = self._load()
        square = Image.fromarray(view).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        inputs = {"input_1": np.asarray(square, dtype=np.float32)[None] / 255}
        (answer,) = onnx_sessions.run(session, inputs, ["activation_10"], self.name)
        size = view.shape[1], view.shape[0]
        likely = Image.fromarray(answer[0, :, :, 0]).resize(size, Image.Resampling.BILINEAR)
        return np.asarray(likely)

    def _load(self) -> Any:
        with self._lock:
            if self._session is None:
                path = model_files.resolve(self._model)
                session = onnx_sessions.open_session(tfjs_graph.to_onnx(path), str(path))
                ends = [*session.get_inputs(), *session.get_outputs()]
                shapes = {end.name: end.shape for end in ends}
                square = [1, _SIDE, _SIDE]
                if shapes != {"input_1": [*square, 3], "activation_10": [*square, 1]}:
                    raise ModelFileError(f"{path} is not the selfie segmentation of MediaPipe")
                self._session = session
            return self._session


def _lost(own: _Outline, other: _Outline) -> NDArray[np.bool_]:
    """Return the pixels of an outline that another one has too, and is nearer to."""
    (x1, y1, x2, y2), (a1, b1, a2, b2) = own.place, other.place
    left, top, right, bottom = max(x1, a1), max(y1, b1), min(x2, a2), min(y2, b2)
    lost = np.zeros_like(own.mask)
    if left < right and top < bottom:
        rows, columns = np.mgrid[top:bottom, left:right]
        theirs = other.mask[top - b1 : bottom - b1, left - a1 : right - a1]
        nearer = _distance(other.place, rows, columns) < _distance(own.place, rows, columns)
        lost[top - y1 : bottom - y1, left - x1 : right - x1] = theirs & nearer
    return lost


def _distance(
    place: tuple[int, int, int, int], rows: NDArray[np.int_], columns: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Return the squared distance from the middle of a box, in its widths and heights."""
    x1, y1, x2, y2 = place
    across = (columns + 0.5 - (x1 + x2) / 2) / (x2 - x1)
    down = (rows + 0.5 - (y1 + y2) / 2) / (y2 - y1)
    return np.asarray(across**2 + down**2)


def _large_pieces(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "starter") from error
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = statistics[1:, cv2.CC_STAT_AREA]
    kept = np.flatnonzero(areas >= _PIECE * areas.max()) + 1
    return np.isin(labels, kept)

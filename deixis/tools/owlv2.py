"""OWLv2: boxes for any phrase, all phrases in one pass.

Minderer, Gritsenko, Houlsby, "Scaling Open-Vocabulary Object Detection" (2023,
arXiv:2306.09683). Every patch of the picture has a box, and its embedding is compared with that
of each phrase; so a phrase does not change what another finds, and a picture is looked at once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from deixis.errors import ToolError
from deixis.tools.base import Detection, Picture
from deixis.tools.open_vocabulary import (
    Limit,
    ScoredByPhrase,
    Share,
    asked_for,
    corners,
)
from deixis.weights.micro_batch import AT_ONCE, MicroBatch
from deixis.weights.short_memory import Done, in_batches
from deixis.weights.torch_models import Precision, once, packages, part, pretrained

_PHRASES = 32  # read in one forward pass, for each picture in one
_SCALE = 2  # larger pictures are first brought to this many times what the model looks at


class Loaded(NamedTuple):
    """A model and what goes with it; it runs in a ``turn``."""

    model: Any
    processor: Any
    turn: MicroBatch


class Asked(NamedTuple):
    """A picture as the model takes it, ``(1, 3, S, S)``, and what is looked for in it.

    ``side`` is that of the square that boxes are shares of, in pixels of the picture.
    """

    pixels: Any
    side: int
    phrases: list[str]


class Owlv2(ScoredByPhrase):
    """A detector that takes any phrase, trained with phrases such as "a photo of a cat".

    An empty phrase finds nothing; of a long one what exceeds the model's 16 tokens is cut off.

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

    def detect_all(
        self, pictures: Sequence[Picture], phrases_per_picture: Sequence[Sequence[str]]
    ) -> Done:
        """Find phrases in several pictures; equal phrases are read once.

        What other threads ask at the same time runs with them.

        Args:
            pictures: as for `detect`.
            phrases_per_picture: one list of phrases per picture.

        Returns:
            One list of detections per picture, as `detect` returns it, and a warning when memory
            was short.

        Raises:
            As `detect`.
        """
        wanted = asked_for(phrases_per_picture)
        kept: list[list[Detection]] = [[] for _ in pictures]
        if not wanted:
            return Done(kept, None)
        loaded = load(*self._source)
        asked = [_asked(loaded, pictures[place], phrases) for place, phrases in wanted.items()]
        done = loaded.turn.run(None, asked, lambda some: _answers(loaded, some))
        for (place, phrases), (boxes, scores) in zip(wanted.items(), done.results, strict=True):
            answers = ((phrase, boxes, scores[:, i]) for i, phrase in enumerate(phrases))
            kept[place] = self._kept(pictures[place], answers)
        return Done(kept, done.warning)


@once
def load(weights: str, device: str, dtype: str) -> Loaded:
    """Return the model, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: as `torch_models.pretrained`.
    """
    _, transformers = packages()
    model = pretrained(transformers.Owlv2ForObjectDetection, weights, device, dtype)
    turn = MicroBatch(AT_ONCE[model.device.type])
    return Loaded(model, part(transformers.Owlv2Processor, weights), turn)


def _asked(loaded: Loaded, picture: Picture, phrases: list[str]) -> Asked:
    image = Image.fromarray(picture)
    # The model's own anti-aliasing takes 100 bytes per pixel of a square around the picture.
    factor = max(1, max(image.size) // (_SCALE * loaded.model.config.vision_config.image_size))
    view = image.reduce(factor)
    pixels = loaded.processor.image_processor(images=view, return_tensors="pt")["pixel_values"]
    return Asked(pixels, max(view.size) * factor, phrases)


def _answers(loaded: Loaded, asked: Sequence[Asked]) -> Done:
    """Return for each picture its boxes ``(N, 4)`` in pixels, and scores ``(N, phrases)``."""
    torch, _ = packages()
    known = list(dict.fromkeys(phrase for question in asked for phrase in question.phrases))
    size = AT_ONCE[loaded.model.device.type]
    with torch.inference_mode():
        read = in_batches(lambda some: _embedded(loaded, some), known, size * _PHRASES, Owlv2.name)
        meanings = torch.stack(read.results)
        seen = in_batches(lambda some: _seen(loaded, some, meanings), asked, size, Owlv2.name)
    answers = []
    for question, (boxes, scores) in zip(asked, seen.results, strict=True):
        answers.append((boxes, scores[:, [known.index(phrase) for phrase in question.phrases]]))
    warnings = dict.fromkeys(done.warning for done in (read, seen) if done.warning)
    return Done(answers, "; ".join(warnings) or None)


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


def _seen(loaded: Loaded, asked: Sequence[Asked], meanings: Any) -> list[Any]:
    """Return boxes ``(N, 4)`` in pixels and scores ``(N, phrases)`` of each picture."""
    torch, _ = packages()
    model = loaded.model
    pixels = torch.cat([question.pixels for question in asked])
    grid, _ = model.image_embedder(pixels.to(model.device, model.dtype))
    patches = grid.flatten(1, 2)
    logits, _ = model.class_predictor(patches, meanings.expand(len(asked), -1, -1))
    scores = logits.float().sigmoid().cpu().numpy().astype(np.float64)
    boxes = model.box_predictor(patches, grid).float().cpu().numpy().astype(np.float64)
    if not (np.isfinite(scores).all() and np.isfinite(boxes).all()):
        raise ToolError("owlv2: the numbers overflow; write dtype=float32")
    sides = [question.side for question in asked]
    in_pixels = [corners(own, side, side) for own, side in zip(boxes, sides, strict=True)]
    return list(zip(in_pixels, scores, strict=True))

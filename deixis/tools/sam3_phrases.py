"""SAM 3 asked by phrase: boxes for all that a phrase names.

Carion et al., "SAM 3: Segment Anything with Concepts" (2025). The detector of SAM 3 is a DETR that
is told what to find by a short noun phrase: for each of its queries it says how well it fits the
phrase, and once for the picture how likely it is that the phrase is in it at all; the score is the
product of both. A picture is encoded once, which is most of the work, and each phrase is decoded
against that. With `deixis.tools.sam.Sam3` as the segmenter, SAM 3 alone points and draws.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import ModelFileError
from deixis.tools.base import Detection, Picture
from deixis.tools.open_vocabulary import Limit, ScoredByPhrase, Share, asked_for
from deixis.weights.micro_batch import MicroBatch
from deixis.weights.short_memory import Done, in_halves
from deixis.weights.torch_models import Precision, once, packages, part, pretrained


class Loaded(NamedTuple):
    """A model and what goes with it; it runs in a ``turn``."""

    model: Any
    processor: Any
    tokenizer: Any
    turn: MicroBatch


class Asked(NamedTuple):
    """A picture, shape ``(H, W, 3)``, and what is looked for in it."""

    picture: Picture
    phrases: list[str]


class Sam3Phrases(ScoredByPhrase):
    """A detector that takes any phrase, trained with short ones such as "yellow school bus".

    An empty phrase finds nothing; of a long one what exceeds the model's 32 tokens is cut off.

    Args:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` on the hub; safetensors only.
        threshold: boxes that score less are dropped, 0..1; transformers has the same.
        nms: of two boxes of one phrase with a larger intersection over union than this, the
            better is kept; 1 keeps both.
        limit: most boxes of one phrase.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: float32, unless memory is short: coordinates in 16 bits are some pixels off.
    """

    name = "sam3-phrases"

    def __init__(
        self,
        weights: str = "facebook/sam3",
        threshold: Share = 0.3,
        nms: Share = 0.7,
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
        """Find phrases in several pictures, each of which is encoded once.

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
        done = loaded.turn.run(
            object(),
            [Asked(pictures[place], phrases) for place, phrases in wanted.items()],
            lambda items: in_halves(
                lambda some: [_answer(loaded, asked) for asked in some], items, self.name
            ),
        )
        for (place, phrases), answers in zip(wanted.items(), done.results, strict=True):
            told = zip(phrases, answers, strict=True)
            kept[place] = self._kept(pictures[place], ((phrase, *own) for phrase, own in told))
        return Done(kept, done.warning)


@once
def load(weights: str, device: str, dtype: str) -> Loaded:
    """Return the model, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: as `torch_models.pretrained`.
    """
    _, transformers = packages()
    config = part(transformers.AutoConfig, weights)
    config = getattr(config, "detector_config", config)  # the published weights have a tracker too
    if config.model_type == "sam3_tracker":
        raise ModelFileError(
            f"{weights} is the tracker of SAM 3 alone, which takes boxes; phrases need its detector"
        )
    model = pretrained(transformers.Sam3Model, weights, device, dtype, config=config)
    # Its own processor needs torchvision; all that does to a picture, this does too.
    return Loaded(
        model,
        part(transformers.ViTImageProcessorPil, weights),
        part(transformers.CLIPTokenizer, weights),
        MicroBatch(1),
    )


def _answer(loaded: Loaded, asked: Asked) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return for each phrase boxes in pixels, ``(N, 4)``, and scores, ``(N,)``."""
    torch, _ = packages()
    model = loaded.model
    height, width = asked.picture.shape[:2]
    shown = loaded.processor(Image.fromarray(asked.picture), return_tensors="pt")["pixel_values"]
    answers = []
    with torch.inference_mode():
        seen = model.get_vision_features(shown.to(model.device, model.dtype))
        for phrase in asked.phrases:
            read = loaded.tokenizer(
                [phrase],
                padding="max_length",
                truncation=True,
                max_length=model.config.text_config.max_position_embeddings,
                split_special_tokens=True,
                return_tensors="pt",
            ).to(model.device)
            out = model(
                vision_embeds=seen,
                input_ids=read["input_ids"],
                attention_mask=read["attention_mask"],
            )
            scores = out.pred_logits[0].float().sigmoid() * out.presence_logits[0].float().sigmoid()
            boxes = out.pred_boxes[0].double().cpu().numpy() * [width, height, width, height]
            answers.append((boxes, scores.double().cpu().numpy()))
    return answers

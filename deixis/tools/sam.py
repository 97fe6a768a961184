"""SAM, SAM 2 and SAM 3 from Hugging Face transformers: a mask for every box.

Kirillov et al., "Segment Anything" (ICCV 2023); Ravi et al., "SAM 2: Segment Anything in Images
and Videos" (2024); Carion et al., "SAM 3: Segment Anything with Concepts" (2025), of which the
tracker is used: it takes a box for one object, as SAM 2 does.

A picture is encoded once, which is most of the work, and on a GPU together with those that other
threads bring at the same time; its boxes are decoded together against that.
The model draws several masks for a box and predicts the IoU of each with the object; the best is
kept. Dense masks exist one by one: each is enlarged to the picture, cut at 0 and encoded as run
lengths before the next. Memory is bounded so:

- decoding takes 32 to 42 MiB a box (measured: 64 x 64 patches of 256 channels in float32 are
  4 MiB, their enlargement to 256 x 256 of 32 channels is 8, several copies of each are alive), so
  at most 0.7 GiB for the 16 boxes that are decoded at a time by default;
- one mask at the picture's size takes at most 6 bytes per pixel: 72 MB for 4000 x 3000.

The encoder takes more than all of that: a process with SAM ViT-B on a CPU peaks at 2.5 GiB for a
picture of 4000 x 3000, with 1 box as with 50.

Weights are float32, and only the encoder computes in the chosen precision: in bfloat16, the
coordinates of a box would be rounded to several pixels.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from pydantic import PositiveInt

from deixis.base.boxes import Box
from deixis.base.records import Mask
from deixis.errors import ModelFileError, ToolError
from deixis.tools.base import Picture, warn
from deixis.weights.micro_batch import AT_ONCE, MicroBatch
from deixis.weights.short_memory import Done, in_batches
from deixis.weights.torch_models import (
    Precision,
    files_of,
    once,
    packages,
    part,
    place_of,
    precision_of,
    pretrained,
)

BOXES_AT_ONCE = 16


class Loaded(NamedTuple):
    """A model, what brings pictures to its size, and the turns that threads take at it."""

    model: Any
    processor: Any
    turn: MicroBatch


class View(NamedTuple):
    """A picture as the model takes it: pixels of shape ``(1, 3, side, side)``.

    ``size`` is ``(H, W)`` of the picture and ``inner`` ``(h, w)`` of the picture within the
    model's input, where padding may follow it to the right and below.
    """

    pixels: Any
    size: tuple[int, int]
    inner: tuple[int, int]


class Found(NamedTuple):
    """A mask and its IoU with the object, as the model predicts it (roughly 0 to 1)."""

    mask: Mask
    iou: float


class BoxPrompted(ABC):
    """What models that encode a picture once and decode boxes have in common."""

    name: str

    def __init__(self, device: str, dtype: Precision, boxes_at_once: int) -> None:
        self._device = device
        self._dtype = dtype
        self._boxes_at_once = boxes_at_once

    @abstractmethod
    def _load(self) -> Loaded:
        """Return the model, loaded by the first caller of the process."""

    @abstractmethod
    def _view(self, loaded: Loaded, picture: Picture) -> View: ...

    @abstractmethod
    def _encode(self, loaded: Loaded, pixels: Any) -> list[Any]:
        """Encode pictures, ``(N, 3, side, side)``, into levels of ``(N, channels, h, w)``."""

    @abstractmethod
    def _decode(self, loaded: Loaded, levels: list[Any], boxes: Any) -> tuple[Any, Any]:
        """Draw masks for boxes, ``(N, 4)`` in pixels of the model's input.

        What comes back are logits, ``(N, masks, h, w)``, and predicted IoUs, ``(N, masks)``.
        """

    @abstractmethod
    def _enlarge(self, loaded: Loaded, view: View, logits: Any) -> Any:
        """Turn logits of shape ``(1, 1, h, w)`` into those of the picture, ``(1, 1, H, W)``."""

    def segment(self, picture: Picture, boxes: Sequence[Box]) -> list[Mask | None]:
        """Draw the object in each box.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            boxes: ``(x1, y1, x2, y2)`` in pixels of `picture`; what is outside is cut off.

        Returns:
            One mask per box: None for a box outside the picture, and where nothing was drawn.

        Raises:
            ToolError: the model fails on this picture, or memory does not suffice.
            ModelFileError, SettingsError, MissingExtraError: there is no such model or device.
        """
        return [drawn.mask if drawn else None for drawn in self.find(picture, boxes)]

    def find(self, picture: Picture, boxes: Sequence[Box]) -> list[Found | None]:
        """Return what `segment` does, with the predicted IoU of each mask."""
        height, width = picture.shape[:2]
        cut = [_cut(box, width, height) for box in boxes]
        inside = [box for box in cut if box is not None]
        if not inside:
            return [None] * len(cut)
        loaded = self._load()
        view = self._view(loaded, picture)
        (levels,), short = loaded.turn.run(
            self._dtype, [view], lambda some: self._see(loaded, some)
        )
        masks, shorter = loaded.turn.run(
            object(), inside, lambda some: self._draw(loaded, view, levels, some)
        )
        warn(short)
        warn(shorter)
        drawn = iter(masks)
        return [None if box is None else next(drawn) for box in cut]

    def _see(self, loaded: Loaded, views: Sequence[View]) -> Done:
        """Encode pictures; return the levels of each, with a first axis of size 1."""
        torch, _ = packages()
        place = place_of(self._device)
        precision = precision_of(self._dtype, place)
        lowered = precision is not torch.float32

        def encode(some: Sequence[View]) -> list[list[Any]]:
            pixels = torch.cat([view.pixels for view in some]).to(place)
            with torch.autocast(place.type, dtype=precision, enabled=lowered):
                levels = [level.float() for level in self._encode(loaded, pixels)]
            return [[level[row : row + 1] for level in levels] for row in range(len(some))]

        with torch.inference_mode():
            return in_batches(encode, views, AT_ONCE[place.type], self.name)

    def _draw(self, loaded: Loaded, view: View, levels: list[Any], boxes: Sequence[Box]) -> Done:
        """Decode the boxes of one picture, alone: its masks take memory; return the `Found`."""
        torch, _ = packages()
        scale = [view.inner[1] / view.size[1], view.inner[0] / view.size[0]] * 2

        def decode(some: Sequence[Box]) -> list[Found | None]:
            scaled = np.asarray(some, dtype=np.float64) * scale
            prompts = torch.from_numpy(scaled.astype(np.float32)).to(levels[0].device)
            logits, ious = self._decode(loaded, levels, prompts)
            best = ious.argmax(dim=1).tolist()
            return [
                self._drawn(loaded, view, logits[row, which], float(ious[row, which]))
                for row, which in enumerate(best)
            ]

        with torch.inference_mode():
            return in_batches(decode, boxes, self._boxes_at_once, self.name)

    def _drawn(self, loaded: Loaded, view: View, logits: Any, iou: float) -> Found | None:
        mask = (self._enlarge(loaded, view, logits[None, None])[0, 0] > 0).cpu().numpy()
        return Found(Mask.from_array(mask), iou) if mask.any() else None


class Sam(BoxPrompted):
    """SAM: the longer side of a picture becomes 1024 pixels, the rest is padding.

    Args:
        model: a folder in Hugging Face format, or ``OWNER/REPO[@REVISION]`` on the hub; None is
            `usual`.
        device: ``auto`` (CUDA, else MPS, else CPU) or a torch device.
        dtype: what the encoder computes in; ``auto`` is bfloat16 on CUDA, float16 on MPS.
        boxes_at_once: most boxes that are decoded together.
    """

    name = "sam"
    types: tuple[str, ...] = ("sam",)
    usual = "facebook/sam-vit-base"

    def __init__(
        self,
        model: str | None = None,
        device: str = "auto",
        dtype: Precision = "auto",
        boxes_at_once: PositiveInt = BOXES_AT_ONCE,
    ) -> None:
        super().__init__(device, dtype, boxes_at_once)
        self._model = model or self.usual

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return files_of(self._model)

    def _load(self) -> Loaded:
        return _load(self._model, self._device, self.types)

    def _view(self, loaded: Loaded, picture: Picture) -> View:
        size = picture.shape[0], picture.shape[1]
        check_shape(self.name, size, loaded.processor.size["longest_edge"])
        inputs = loaded.processor(Image.fromarray(picture), return_tensors="pt")
        (inner,) = inputs["reshaped_input_sizes"].tolist()
        return View(inputs["pixel_values"], size, inner)

    def _encode(self, loaded: Loaded, pixels: Any) -> list[Any]:
        return [loaded.model.get_image_embeddings(pixels)]

    def _decode(self, loaded: Loaded, levels: list[Any], boxes: Any) -> tuple[Any, Any]:
        seen = levels if len(levels) > 1 else levels[0]  # SAM has one, and takes it bare
        out = loaded.model(image_embeddings=seen, input_boxes=boxes[None])
        return out.pred_masks[0], out.iou_scores[0]

    def _enlarge(self, loaded: Loaded, view: View, logits: Any) -> Any:
        (large,) = loaded.processor.post_process_masks(
            [logits], [view.size], [view.inner], binarize=False
        )
        return large


class Sam2(Sam):
    """SAM 2: pictures are stretched to a square of 1024 pixels, whatever their shape."""

    name = "sam2"
    types = ("sam2", "sam2_video")
    usual = "facebook/sam2.1-hiera-base-plus"

    def _view(self, loaded: Loaded, picture: Picture) -> View:
        inputs = loaded.processor(Image.fromarray(picture), return_tensors="pt")
        pixels, (height, width, _) = inputs["pixel_values"], picture.shape
        return View(pixels, (height, width), pixels.shape[-2:])

    def _encode(self, loaded: Loaded, pixels: Any) -> list[Any]:
        return list(loaded.model.get_image_embeddings(pixels))

    def _enlarge(self, loaded: Loaded, view: View, logits: Any) -> Any:
        torch, _ = packages()
        return torch.nn.functional.interpolate(logits, view.size, mode="bilinear")


class Sam3(Sam2):
    """The tracker of SAM 3: pictures are stretched to a square of 1008 pixels."""

    name = "sam3"
    types = ("sam3_tracker", "sam3_video")
    usual = "facebook/sam3"


FAMILIES = {kind: family.name for family in (Sam, Sam2, Sam3) for kind in family.types}


@once
def _load(name: str, device: str, types: tuple[str, ...]) -> Loaded:
    _, transformers = packages()
    config = part(transformers.AutoConfig, name)
    if config.model_type not in types:
        known = FAMILIES.get(config.model_type)
        advice = f"write {known}:{name}" if known else "name a model of the SAM family"
        raise ModelFileError(
            f"{name} is a model of the type {config.model_type}, not {types[0]}; {advice}"
        )
    auto = transformers.AutoModelForMaskGeneration
    model = pretrained(auto, name, device, "float32", config=config)
    # The processors of SAM 2 and 3 need torchvision; all they do to a picture, this does too.
    kind = (
        transformers.SamImageProcessorPil if "sam" in types else transformers.ViTImageProcessorPil
    )
    return Loaded(model, part(kind, name), MicroBatch(AT_ONCE[model.device.type]))


def check_shape(name: str, size: tuple[int, int], long_side: int) -> None:
    """Raise ToolError where a picture of `size` = ``(H, W)`` loses a side as it is made smaller."""
    if min(size) * long_side / max(size) < 0.5:
        raise ToolError(f"{name}: a picture of {size[1]} x {size[0]} pixels is too narrow")


def _cut(box: Box, width: int, height: int) -> Box | None:
    x1, y1, x2, y2 = max(0.0, box[0]), max(0.0, box[1]), min(width, box[2]), min(height, box[3])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None

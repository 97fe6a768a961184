"""SAM 2, SAM 3 and EdgeTAM from Hugging Face transformers: a mask of each object in every frame.

Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024); Carion et al., "SAM 3: Segment
Anything with Concepts" (2025), of which the tracker is used; Zhou et al., "EdgeTAM: On-Device Track
Anything Model" (2025). All three draw the object of a box in the first frame, and from there on
what is most like their memory of it: of the first frame, of the last ones, and of what it was.

The processors of transformers need torchvision for video; they stretch frames to a square and scale
colours, which is done here without. Frames are shown to a model one after another, and what it will
not look at again is dropped, so that memory does not grow with their number: a frame in float32
(12 MiB at 1024 x 1024), and for each object its masks and memories of the last 16 frames (1 MiB
each).

Weights are float32, and only the encoder computes in the chosen precision, as in
`deixis.tools.sam`.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from deixis.base.boxes import Box, as_box, clipped
from deixis.base.forks import Lock
from deixis.base.records import Mask
from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.base import Picture, Tracked, warn
from deixis.weights.short_memory import in_halves
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


class _Family(NamedTuple):
    """Classes of transformers, the types of models that they read, and how a type is written."""

    model: str
    session: str
    types: tuple[str, ...]
    name: str


_SAM2 = _Family("Sam2VideoModel", "Sam2VideoInferenceSession", ("sam2_video",), "sam2-video")
_SAM3 = _Family(
    "Sam3TrackerVideoModel",
    "Sam3TrackerVideoInferenceSession",
    ("sam3_tracker_video", "sam3_video"),
    "sam3-video",
)
_EDGETAM = _Family(
    "EdgeTamVideoModel", "EdgeTamVideoInferenceSession", ("edgetam_video",), "edgetam"
)
_FAMILIES = {kind: family.name for family in (_SAM2, _SAM3, _EDGETAM) for kind in family.types}
_CORNERS = (2, 3)
"""Labels of the two points that stand for a box in SAM's prompts."""


class _Loaded(NamedTuple):
    """A model, what brings frames to its size, and the lock of the thread that uses it."""

    model: Any
    processor: Any
    lock: Any


class Sam2Video:
    """SAM 2 for video.

    Args:
        model: a folder in Hugging Face format, or ``OWNER/REPO[@REVISION]`` on the hub; None is
            `usual`.
        device: ``auto`` (CUDA, else MPS, else CPU) or a torch device.
        dtype: what the encoder computes in; ``auto`` is bfloat16 on CUDA, float16 on MPS.
    """

    name = _SAM2.name
    usual = "facebook/sam2.1-hiera-base-plus"
    family = _SAM2

    def __init__(
        self, model: str | None = None, device: str = "auto", dtype: Precision = "auto"
    ) -> None:
        self._model = model or self.usual
        self._device = device
        self._dtype = dtype

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return files_of(self._model)

    def track(self, frames: Sequence[Picture], boxes: Sequence[Box]) -> list[list[Tracked | None]]:
        """Follow objects, each for itself.

        Args:
            frames: consecutive ones of a video, RGB, shape ``(H, W, 3)``, uint8, all of one size.
            boxes: one an object, ``(x1, y1, x2, y2)`` in pixels of the first frame.

        Returns:
            For each box the object's mask in every frame and the box around that; None where the
            model says that it is out of sight. The score is how sure it is that it is not.

        Raises:
            ToolError: the model fails on these frames, or memory does not suffice.
            ModelFileError, SettingsError, MissingExtraError: there is no such model or device.
        """
        if not frames or not boxes:
            return [[None] * len(frames) for _ in boxes]
        torch, _ = packages()
        loaded = _load(self._model, self._device, self.family)
        with loaded.lock, torch.inference_mode():
            tracks, warning = in_halves(
                lambda some: self._track(loaded, frames, some), boxes, self.name
            )
        warn(warning)
        return tracks

    def _track(
        self, loaded: _Loaded, frames: Sequence[Picture], boxes: Sequence[Box]
    ) -> list[list[Tracked | None]]:
        torch, _ = packages()
        session = self._session(loaded, frames[0], boxes)
        tracks: list[list[Tracked | None]] = [[] for _ in boxes]
        for number, frame in enumerate(frames):
            pixels = loaded.processor(Image.fromarray(frame), return_tensors="pt")["pixel_values"]
            self._encode(loaded, session, number, pixels)
            out = loaded.model(inference_session=session, frame=pixels[0])
            _drop_old(loaded.model.config, session, number)
            scores = torch.sigmoid(out.object_score_logits.flatten()).tolist()
            for track, logits, score in zip(tracks, out.pred_masks, scores, strict=True):
                track.append(_tracked(torch, frame, logits, score))
        return tracks

    def _session(self, loaded: _Loaded, frame: Picture, boxes: Sequence[Box]) -> Any:
        """Return what the model keeps of a video, with the boxes of its first frame."""
        torch, transformers = packages()
        height, width = frame.shape[:2]
        place = loaded.model.device
        session = getattr(transformers, self.family.session)(
            video_height=height,
            video_width=width,
            inference_device=place,
            inference_state_device=place,
            video_storage_device=place,
            dtype=torch.float32,
        )
        side = loaded.processor.size
        scale = np.array([side["width"] / width, side["height"] / height] * 2)
        for number, box in enumerate(boxes):
            corners = torch.from_numpy(np.array(clipped(box, width, height)) * scale)
            points = {
                "point_coords": corners.float().reshape(1, 1, 2, 2),
                "point_labels": torch.tensor(_CORNERS, dtype=torch.int32).reshape(1, 1, 2),
            }
            session.add_point_inputs(session.obj_id_to_idx(number), 0, points)
        session.obj_with_new_inputs = list(range(len(boxes)))
        return session

    def _encode(self, loaded: _Loaded, session: Any, number: int, pixels: Any) -> None:
        """Encode a frame in the chosen precision, and leave it where the model looks for it."""
        torch, _ = packages()
        place = place_of(self._device)
        precision = precision_of(self._dtype, place)
        lowered = precision is not torch.float32
        with torch.autocast(place.type, dtype=precision, enabled=lowered):
            seen = loaded.model.get_image_features(pixels.to(place), return_dict=True)
        features = {
            "vision_feats": [level.float() for level in seen.fpn_hidden_states],
            "vision_pos_embeds": [level.float() for level in seen.fpn_position_encoding],
        }
        session.cache.cache_vision_features(number, features)


class Sam3Video(Sam2Video):
    """The tracker of SAM 3."""

    name = _SAM3.name
    usual = "facebook/sam3"
    family = _SAM3


class EdgeTam(Sam2Video):
    """EdgeTAM, made for phones: weights as published need the package ``timm``."""

    name = _EDGETAM.name
    usual = "yonigozlan/EdgeTAM-hf"
    family = _EDGETAM


@once
def _load(name: str, device: str, family: _Family) -> _Loaded:
    _, transformers = packages()
    config = part(transformers.AutoConfig, name)
    if config.model_type not in family.types:
        known = _FAMILIES.get(config.model_type)
        advice = f"write {known}:{name}" if known else f"name a model for {family.name}"
        raise ModelFileError(
            f"{name} is a model of the type {config.model_type}, not {family.types[0]}; {advice}"
        )
    config = getattr(config, "tracker_config", config)
    backbone = getattr(config.vision_config, "backbone_config", None)
    if getattr(backbone, "model_type", "") == "timm_wrapper" and find_spec("timm") is None:
        raise MissingExtraError("timm", "edgetam")
    kind = getattr(transformers, family.model)
    model = pretrained(kind, name, device, "float32", config=config)
    return _Loaded(model, part(transformers.ViTImageProcessorPil, name), Lock())


def _drop_old(config: Any, session: Any, number: int) -> None:
    """Drop what the model will not look at again: frames, large masks, and old memories."""
    session.processed_frames[number] = session.processed_frames[number][:0]
    kept = max(config.num_maskmem, config.max_object_pointers_in_encoder)
    for own in session.output_dict_per_obj.values():
        own["non_cond_frame_outputs"].pop(number - kept, None)
        for outputs in own.values():
            outputs.get(number, {}).pop("high_res_masks", None)


def _tracked(torch: Any, frame: Picture, logits: Any, score: float) -> Tracked | None:
    """Return where an object is by its mask's logits, shape ``(1, h, w)``; None without any."""
    if score <= 0.5:
        return None
    large = torch.nn.functional.interpolate(logits[None].float(), frame.shape[:2], mode="bilinear")
    mask = (large[0, 0] > 0).cpu().numpy()
    rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
    if not rows.size:
        return None
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return Tracked(as_box([float(edge) for edge in edges]), Mask.from_array(mask), score)

"""SAM from its authors' own package and checkpoints: a mask for every box.

For those who have ``sam_vit_h_4b8939.pth`` and its like; `deixis.tools.sam` runs the same models
from the hub, and says how boxes are decoded and what memory they take. The package imports
torchvision, which the extra brings.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveInt

from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.base import Picture
from deixis.tools.sam import BOXES_AT_ONCE, BoxPrompted, Loaded, View, check_shape
from deixis.weights.micro_batch import AT_ONCE, MicroBatch
from deixis.weights.model_files import file_of, resolve
from deixis.weights.torch_models import Precision, once, packages, place_of

SOURCE = "https://github.com/facebookresearch/segment-anything"
Size = Literal["vit_b", "vit_l", "vit_h"]


class SegmentAnything(BoxPrompted):
    """SAM as its authors published it.

    Args:
        model: the size that the checkpoint has.
        checkpoint: a ``.pth`` file: a path, or a spec of `deixis.weights.model_files`. It is read
            as bare tensors; one that holds code is refused.
        device: ``auto`` (CUDA, else MPS, else CPU) or a torch device.
        dtype: what the encoder computes in; ``auto`` is bfloat16 on CUDA, float16 on MPS.
        boxes_at_once: most boxes that are decoded together.
    """

    name = "segment-anything"

    def __init__(
        self,
        model: Size = "vit_h",
        checkpoint: str | None = None,
        device: str = "auto",
        dtype: Precision = "auto",
        boxes_at_once: PositiveInt = BOXES_AT_ONCE,
    ) -> None:
        super().__init__(device, dtype, boxes_at_once)
        self._model = model
        self._checkpoint = checkpoint

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`.

        Raises:
            ModelFileError: there is no checkpoint, or it is no file.
        """
        if self._checkpoint is None:
            raise ModelFileError(
                f"segment-anything:{self._model} has no checkpoint; write segment-anything:"
                f"{self._model}?checkpoint=FILE with {self._model}'s .pth file from {SOURCE}"
            )
        return [file_of(self._checkpoint)]

    def _load(self) -> Loaded:
        (checkpoint,) = self.files()
        return _load(self._model, resolve(checkpoint), self._device)

    def _view(self, loaded: Loaded, picture: Picture) -> View:
        torch, _ = packages()
        size = picture.shape[0], picture.shape[1]
        check_shape(self.name, size, loaded.processor.target_length)
        small = loaded.processor.apply_image(picture)
        pixels = torch.from_numpy(small).to(loaded.model.device).permute(2, 0, 1)[None]
        return View(loaded.model.preprocess(pixels), size, (small.shape[0], small.shape[1]))

    def _encode(self, loaded: Loaded, pixels: Any) -> list[Any]:
        return [loaded.model.image_encoder(pixels)]

    def _decode(self, loaded: Loaded, levels: list[Any], boxes: Any) -> tuple[Any, Any]:
        (embedding,) = levels
        prompts = loaded.model.prompt_encoder
        sparse, dense = prompts(points=None, boxes=boxes, masks=None)
        logits, ious = loaded.model.mask_decoder(
            image_embeddings=embedding,
            image_pe=prompts.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        return logits, ious

    def _enlarge(self, loaded: Loaded, view: View, logits: Any) -> Any:
        return loaded.model.postprocess_masks(logits, view.inner, view.size)


@once
def _load(size: Size, checkpoint: Path, device: str) -> Loaded:
    torch, _ = packages()
    try:
        import segment_anything
        from segment_anything.utils.transforms import ResizeLongestSide
    except ImportError as error:
        package = {"segment_anything": "segment-anything"}.get(str(error.name), str(error.name))
        raise MissingExtraError(package, "segment-anything") from error
    place = place_of(device)
    try:
        weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file makes torch raise all kinds
        raise ModelFileError(
            f"cannot load {checkpoint}: it is no file of bare tensors; take one from {SOURCE}"
        ) from error
    model = segment_anything.sam_model_registry[size]()
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{checkpoint} does not have the weights of {size}; write the size that it has, "
            f"vit_b, vit_l or vit_h, or take the file from {SOURCE}"
        ) from error
    resizer = ResizeLongestSide(model.image_encoder.img_size)
    return Loaded(model.to(place).eval(), resizer, MicroBatch(AT_ONCE[place.type]))

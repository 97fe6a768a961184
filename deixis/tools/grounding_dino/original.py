"""Grounding DINO from its authors' own package, configurations and checkpoints.

For those who have ``groundingdino_swint_ogc.pth`` and its like; the detector beside it runs the
same models from the hub, faster, and in a mode for many phrases. The package's text encoder calls
methods that transformers 5 no longer has, so a smaller one with the same weights is put in its
place. The extra brings torchvision and timm, which the package imports.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.base.forks import Lock
from deixis.errors import MissingExtraError, ModelFileError, ToolError
from deixis.tools.base import Detection, Picture
from deixis.tools.open_vocabulary import Limit, Share, best_first, corners, detections
from deixis.weights.model_files import file_of, resolve
from deixis.weights.short_memory import in_halves
from deixis.weights.torch_models import once, packages, part, place_of, reading

SOURCE = "https://github.com/IDEA-Research/GroundingDINO"
_SHORTER, _LONGER = 800, 1333  # sides of what the model looks at
_SLENDER = 16  # below 1:16 the model has fewer places than queries
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels


class Loaded(NamedTuple):
    """A model; ``turn`` is held while it runs."""

    model: Any
    place: Any
    turn: Lock


class OriginalGroundingDino:
    """Grounding DINO as its authors published it: one phrase per pass; a picture is encoded once.

    Args:
        config: a configuration that comes with the package (``GroundingDINO_SwinT_OGC``,
            ``GroundingDINO_SwinB_cfg``), or the path of a ``.py`` file. It is Python and is run.
        checkpoint: its ``.pth`` file: a path, or a spec of `deixis.weights.model_files`. It is read
            as bare tensors; one that holds code is refused.
        text_encoder: where BERT's tokenizer and configuration are, a folder or ``OWNER/REPO`` on
            the hub; its weights are in the checkpoint.
        threshold: boxes whose likeliest token scores less are dropped, 0..1.
        nms: of two boxes of one phrase with a larger intersection over union than this, the
            better is kept; 1 keeps both.
        limit: most boxes of one phrase.
        device: ``auto`` is CUDA, else MPS, else CPU.
    """

    name = "groundingdino"
    labels: tuple[str, ...] | None = None

    def __init__(
        self,
        config: str = "GroundingDINO_SwinT_OGC",
        checkpoint: str | None = None,
        text_encoder: str = "google-bert/bert-base-uncased",
        threshold: Share = 0.25,
        nms: Share = 0.7,
        limit: Limit = 20,
        device: str = "auto",
    ) -> None:
        self._source = (config, checkpoint, text_encoder, device)
        self._threshold = threshold
        self._nms = nms
        self._limit = limit

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`.

        Raises:
            ModelFileError: there is no checkpoint, or it is no file.
        """
        config, checkpoint, *_ = self._source
        if checkpoint is None:
            raise ModelFileError(
                f"groundingdino:{config} has no checkpoint; write groundingdino:{config}"
                f"?checkpoint=FILE with its .pth file from {SOURCE}"
            )
        return [file_of(checkpoint)]

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Find what `phrases` name.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8.
            phrases: what to look for; one without any word finds nothing. Case, full stops and
                question marks make no difference; what exceeds 256 tokens is cut off.

        Returns:
            The detections of all phrases, best score first.

        Raises:
            ToolError: the model fails on this picture.
            ModelFileError: a file is missing, or is not what it should be.
            MissingExtraError: a package is not installed.
            SettingsError: the device is not there.
        """
        captions = {
            phrase: " ".join(phrase.lower().replace(".", " ").replace("?", " ").split())
            for phrase in phrases
        }
        asked = {phrase: f"{caption}." for phrase, caption in captions.items() if caption}
        if not asked:
            return []
        config, _, text_encoder, device = self._source
        (checkpoint,) = self.files()
        loaded = load(config, resolve(checkpoint), text_encoder, device)
        with loaded.turn:
            (answers,) = in_halves(
                lambda some: [_answers(loaded, view, list(asked.values())) for view in some],
                [picture],
                self.name,
            ).results
        frame = _frame(picture)
        everything: list[Detection] = []
        for phrase, (boxes, scores) in zip(asked, answers, strict=True):
            kept = scores > self._threshold
            everything += detections(
                phrase,
                corners(boxes[kept], *frame),
                scores[kept],
                picture,
                nms=self._nms,
                limit=self._limit,
            )
        return best_first(everything)


@once
def load(config: str, checkpoint: Path, text_encoder: str, device: str) -> Loaded:
    """Return the model, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: as `OriginalGroundingDino.detect`.
    """
    torch, transformers = packages()
    try:
        build_model = import_module("groundingdino.models").build_model
        module: Any = import_module("groundingdino.models.GroundingDINO.groundingdino")
        configurations = import_module("groundingdino.util.slconfig").SLConfig
    except ImportError as error:
        package = {"groundingdino": "groundingdino-py"}.get(str(error.name), str(error.name))
        raise MissingExtraError(package, "groundingdino") from error
    place = place_of(device)
    known = Path(str(module.__file__)).parents[2] / "config"
    file = Path(config).expanduser() if config.endswith(".py") else known / f"{config}.py"
    if not file.is_file():
        names = sorted(path.stem for path in known.glob("G*.py"))
        raise ModelFileError(
            f"there is no configuration {config}; write {' or '.join(names)}, or the path of a "
            ".py file"
        )
    tokenizer = part(transformers.AutoTokenizer, text_encoder)
    bert = part(transformers.BertConfig, text_encoder)
    with reading(str(file)):
        settings = configurations.fromfile(str(file))
        settings.device = str(place)
        settings.use_checkpoint = settings.use_transformer_ckpt = False  # for training only
        kept = module.get_tokenlizer, module.BertModelWarper
        module.get_tokenlizer = _Given(tokenizer, transformers.BertModel(bert))
        module.BertModelWarper = _text_encoder
        try:
            model = build_model(settings)
        finally:
            module.get_tokenlizer, module.BertModelWarper = kept
    try:
        weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]
        weights = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    except Exception as error:  # a broken file makes torch raise all kinds
        raise ModelFileError(
            f"cannot load {checkpoint}: it is no checkpoint of bare tensors; take one from {SOURCE}"
        ) from error
    try:
        missing = model.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError:
        missing = ["some of the right shape"]
    if missing:
        raise ModelFileError(
            f"{checkpoint} does not have the weights of {config} (missing: {missing[0]}); name "
            "the configuration and the text encoder that it was made with"
        )
    return Loaded(model.to(place).eval(), place, Lock())


class _Given:
    """Takes the place of the package's module that fetches BERT and prints its name."""

    def __init__(self, tokenizer: Any, bert: Any) -> None:
        self.get_tokenlizer = lambda _: tokenizer
        self.get_pretrained_language_model = lambda _: bert


def _text_encoder(bert_model: Any) -> Any:
    """Return BERT with a mask of which token sees which, ``(rows, tokens, tokens)``."""
    torch, _ = packages()

    class Text(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.config = bert_model.config
            self.embeddings, self.encoder = bert_model.embeddings, bert_model.encoder

        def forward(self, attention_mask: Any, **tokens: Any) -> dict[str, Any]:
            hidden = self.embeddings(**tokens)
            mask = torch.zeros_like(attention_mask, dtype=hidden.dtype)
            mask.masked_fill_(~attention_mask, torch.finfo(hidden.dtype).min)
            read = self.encoder(hidden, attention_mask=mask[:, None])
            return {"last_hidden_state": read.last_hidden_state}

    return Text()


def _frame(picture: Picture) -> tuple[int, int]:
    """Return width and height of the picture with what a slender one is filled up by."""
    height, width = picture.shape[:2]
    return max(width, -(-height // _SLENDER)), max(height, -(-width // _SLENDER))


def _answers(
    loaded: Loaded, picture: Picture, captions: list[str]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return boxes ``(Q, 4)`` in shares of the frame and scores ``(Q,)`` of each caption."""
    torch, _ = packages()
    image = Image.fromarray(picture)
    frame = _frame(picture)
    if frame != image.size:
        image = image.crop((0, 0, *frame))
    shorter, longer = min(frame), max(frame)
    side = min(_SHORTER, round(_LONGER * shorter / longer))
    size = [side if edge == shorter else int(side * longer / shorter) for edge in frame]
    small = np.asarray(image.resize((size[0], size[1]), Image.Resampling.BILINEAR), np.float32)
    pixels = ((small / 255 - _MEAN) / _SPREAD).astype(np.float32).transpose(2, 0, 1)
    nested = import_module("groundingdino.util.misc").nested_tensor_from_tensor_list
    samples = [torch.from_numpy(pixels).to(loaded.place)]
    backbone = loaded.model.backbone
    outputs = []
    with torch.inference_mode():
        levels: list[Any] = []

        def once_seen(seen: Any) -> Any:
            levels[:] = levels or type(backbone).forward(backbone, seen)
            return [list(level) for level in levels]  # the model appends to them

        backbone.forward = once_seen
        try:
            for caption in captions:
                out = loaded.model(nested(samples), captions=[caption])
                scores = out["pred_logits"][0].float().sigmoid().max(dim=-1).values
                outputs.append((out["pred_boxes"][0].float(), scores))
        finally:
            del backbone.forward
    answers = [
        (boxes.cpu().numpy().astype(np.float64), scores.cpu().numpy().astype(np.float64))
        for boxes, scores in outputs
    ]
    if not all(np.isfinite(boxes).all() and np.isfinite(scores).all() for boxes, scores in answers):
        raise ToolError("groundingdino: the numbers overflow")
    return answers

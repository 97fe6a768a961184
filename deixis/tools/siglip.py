"""SigLIP, SigLIP 2 and CLIP: how well descriptions fit a whole picture.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021,
arXiv:2103.00020); Zhai et al., "Sigmoid Loss for Language Image Pre-Training" (2023,
arXiv:2303.15343); Tschannen et al., "SigLIP 2" (2025, arXiv:2502.14786). A picture and a text
each become one vector, and the cosine of the two says how well they fit.

What a cosine means differs from model to model, so it is calibrated:
``probability = 1 / (1 + exp(-slope * (score - threshold)))``. The defaults of ``slope`` and
``threshold`` are not learned here; who has pictures with and without what is described fits
both by logistic regression on the scores, and writes them into the spec.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from deixis.errors import ToolError
from deixis.tools.base import Picture, warn
from deixis.tools.fusion import fused
from deixis.tools.image_text_models import Loaded, cut, load, unit
from deixis.weights.micro_batch import AT_ONCE
from deixis.weights.short_memory import Done, in_batches
from deixis.weights.torch_models import Precision, files_of, packages

Floats = NDArray[np.float64]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]

_EXPRESSIONS = 64  # read in one forward pass
_LONGEST = 4  # sides of a picture that CLIP's processor enlarges before it cuts out the middle


class Asked(NamedTuple):
    """What the model is given of a picture, one row per tensor, and the texts to compare."""

    view: dict[str, Any]
    texts: list[str]


class _ImageText(ABC):
    """What models with one vector for a picture and one for a text have in common."""

    name: str

    def __init__(
        self, weights: str, threshold: float, slope: float, device: str, dtype: Precision
    ) -> None:
        self._source = (self.name, weights, device, dtype)
        self._threshold = threshold
        self._slope = slope

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return files_of(self._source[1])

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        """Say how well each of `expressions` fits a picture.

        Args:
            picture: RGB, shape ``(H, W, 3)``, uint8; looked at once.
            expressions: descriptions; of a long one what exceeds the model's tokens is cut off.

        Returns:
            One probability per expression, 0..1. What others there are does not change it.

        Raises:
            ToolError: the model fails on this picture, or memory does not suffice.
            ModelFileError: the model cannot be had or is of another kind.
            MissingExtraError, SettingsError: a package is not installed; the device is not there.
        """
        if not expressions:
            return []
        scores = self._compared(picture, expressions, self._scores)
        return list(((scores.double() - self._threshold) * self._slope).sigmoid().tolist())

    def similarities(self, picture: Picture, texts: Sequence[str]) -> list[float]:
        """Return the cosine of a picture's features with those of each text (VKEL, equation 2).

        Nothing is calibrated. Takes and raises what `entail` does.
        """
        if not texts:
            return []
        cosines = self._compared(picture, texts, lambda _, cosines: cosines)
        return list(cosines.double().tolist())

    def _compared(
        self, picture: Picture, texts: Sequence[str], scored: Callable[[Any, Any], Any]
    ) -> Any:
        """Return what a function makes of the model and the cosines, ``(texts,)``."""
        loaded = load(*self._source)
        asked = [Asked(self._given(loaded, picture), list(texts))]
        (cosines,), warning = loaded.turn.run(None, asked, lambda some: self._ask(loaded, some))
        warn(warning)
        with packages()[0].inference_mode():
            scores = scored(loaded.model, cosines).cpu()
        if not scores.isfinite().all():
            raise ToolError(f"{self.name}: the numbers overflow; write dtype=float32")
        return scores

    def embed(self, picture: Picture | None, text: str) -> NDArray[np.float32]:
        """Return the vector of a post: `fused`, the projected features that `entail` compares.

        Shape ``(2 D,)`` for a model with vectors of ``D`` numbers. Raises what `entail` does.
        """
        seen, read = self.vectors(picture, [text])
        return fused(read[0], seen, len(read[0]))

    def vectors(
        self, picture: Picture | None, texts: Sequence[str]
    ) -> tuple[Floats | None, Floats]:
        """Return the features of a picture, ``(D,)``, and of texts, ``(N, D)``, of length 1.

        Raises what `entail` does.
        """
        loaded = load(*self._source)
        views = [] if picture is None else [self._given(loaded, picture)]

        def look(_: Sequence[Any]) -> Done:
            with packages()[0].inference_mode():
                seen = in_batches(lambda some: self._seen(loaded, some), views, 1, self.name)
                read = in_batches(
                    lambda some: self._read(loaded, some), texts, _EXPRESSIONS, self.name
                )
                found = [vector.tolist() for vector in (*seen.results, *read.results)]
            return Done([found], seen.warning or read.warning)

        (found,), warning = loaded.turn.run(object(), [None], look)
        warn(warning)
        vectors = np.array(found, dtype=np.float64)
        if not np.isfinite(vectors).all():
            raise ToolError(f"{self.name}: the numbers overflow; write dtype=float32")
        return (vectors[0] if views else None), vectors[len(views) :]

    def _ask(self, loaded: Loaded, asked: Sequence[Asked]) -> Done:
        """Look at pictures and read texts, equal ones once; return cosines by picture."""
        torch, _ = packages()
        texts = list(dict.fromkeys(text for question in asked for text in question.texts))
        views, size = [question.view for question in asked], AT_ONCE[loaded.model.device.type]
        with torch.inference_mode():
            seen = in_batches(lambda some: self._seen(loaded, some), views, size, self.name)
            read = in_batches(lambda some: self._read(loaded, some), texts, _EXPRESSIONS, self.name)
            meaning = dict(zip(texts, read.results, strict=True))
            cosines = [
                torch.stack([meaning[text] for text in question.texts]) @ vector
                for question, vector in zip(asked, seen.results, strict=True)
            ]
        warnings = dict.fromkeys(done.warning for done in (seen, read) if done.warning)
        return Done(cosines, "; ".join(warnings) or None)

    def _seen(self, loaded: Loaded, views: Sequence[dict[str, Any]]) -> Any:
        """Return the vectors of pictures, ``(pictures, D)``, of length 1."""
        torch, _ = packages()
        model = loaded.model
        inputs = {
            key: torch.cat([view[key] for view in views]).to(model.device) for key in views[0]
        }
        inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
        return unit(model.get_image_features(**inputs))

    def _read(self, loaded: Loaded, texts: Sequence[str]) -> Any:
        """Return the vectors of texts, ``(texts, D)``, of length 1."""
        model = loaded.model
        # Half of a surrogate pair is a character that no tokenizer takes.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        return unit(model.get_text_features(**self._tokens(loaded, clean).to(model.device)))

    def _given(self, loaded: Loaded, picture: Picture) -> dict[str, Any]:
        return dict(loaded.processor(self._view(Image.fromarray(picture)), return_tensors="pt"))

    def _view(self, image: Image.Image) -> Image.Image:
        """Return what the model's processor is given of a picture."""
        return image

    @abstractmethod
    def _tokens(self, loaded: Loaded, texts: Sequence[str]) -> Any:
        """Return what the model is given of texts."""

    @abstractmethod
    def _scores(self, model: Any, cosines: Any) -> Any:
        """Return the scores that `threshold` and `slope` are stated in, ``(texts,)``."""


class Siglip(_ImageText):
    """SigLIP or SigLIP 2.

    The score is the model's own logit, ``cosine * exp(scale) + bias``: with the defaults the
    probability is the model's own. That is careful: the model learned that of tens of thousands
    of texts one belongs to a picture, so a text that fits often gets no more than 0.1 to 0.5.
    A negative ``threshold`` makes up for that.

    Args:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` on the hub; safetensors only. The first
            SigLIP's tokenizer needs the packages sentencepiece and protobuf, SigLIP 2's does
            not.
        threshold: the logit at which the probability is one half.
        slope: how fast it rises there, per unit of the logit.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: float32, unless memory is short.
    """

    name = "siglip"

    def __init__(
        self,
        weights: str = "google/siglip2-base-patch16-224",
        threshold: Finite = 0.0,
        slope: Positive = 1.0,
        device: str = "auto",
        dtype: Precision = "float32",
    ) -> None:
        super().__init__(weights, threshold, slope, device, dtype)

    def _tokens(self, loaded: Loaded, texts: Sequence[str]) -> Any:
        # It was trained on lower case, on texts filled up to one length, and without a mask.
        tokens = cut(loaded, [text.lower() for text in texts], padding="max_length")
        tokens.pop("attention_mask", None)
        return tokens

    def _scores(self, model: Any, cosines: Any) -> Any:
        return cosines * model.logit_scale.float().exp() + model.logit_bias.float()


class Clip(_ImageText):
    """CLIP, which looks at the square in the middle of a picture.

    The score is the cosine. CLIP tells which of several texts fits best, not whether one fits:
    its cosines lie in a narrow band (texts that fit rarely above 0.35, others rarely below 0.1)
    and the defaults only cut that band in two.

    Args:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` on the hub; safetensors only.
        threshold: the cosine at which the probability is one half.
        slope: how fast it rises there, per unit of the cosine.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: float32, unless memory is short.
    """

    name = "clip"

    def __init__(
        self,
        weights: str = "openai/clip-vit-large-patch14",
        threshold: Finite = 0.25,
        slope: Positive = 50.0,
        device: str = "auto",
        dtype: Precision = "float32",
    ) -> None:
        super().__init__(weights, threshold, slope, device, dtype)

    def _view(self, image: Image.Image) -> Image.Image:
        # Of a picture one pixel high the processor would first make one of any width.
        most = _LONGEST * min(image.size)
        left, top = (max(0, (side - most) // 2) for side in image.size)
        return image.crop((left, top, image.width - left, image.height - top))

    def _tokens(self, loaded: Loaded, texts: Sequence[str]) -> Any:
        return cut(loaded, texts, padding=True)

    def _scores(self, model: Any, cosines: Any) -> Any:
        return cosines

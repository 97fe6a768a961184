"""Says by a description of a picture which names of a text it shows: a few numbers, no network."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from deixis.base.folding import spelled
from deixis.errors import ModelFileError, ToolError
from deixis.tools.base import CaptionMention
from deixis.tools.captions.features import Named, mention_features
from deixis.tools.tagger.features import PRIOR_FEATURES, MentionSpan, prior_features
from deixis.tools.tagger.field import Field
from deixis.tools.tagger.marginals import Floats
from deixis.tools.tagger.model_settings import curve, numbers, on_curve, read_model_settings
from deixis.tools.tagger.tokenization import Token, tokenize

MODEL_FOLDER = Path(str(files("deixis"))) / "models" / "entailer"
"""The model that is shipped with the package."""
FORMAT = 1
"""Version of the layout of a model folder."""
LABELS = ("shown",)
"""What the weights of a feature speak for."""
TYPES = ("PER", "LOC", "ORG", "OTHER")


class CaptionWords:
    """An entailer that reads descriptions, by logistic regression over their words.

    It looks at the text, the description and the types of the mentions, at no picture.

    Args:
        folder: a model folder; the shipped model when None.

    Raises:
        ModelFileError: the folder is missing, incomplete or damaged.
    """

    name = "caption"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = MODEL_FOLDER if folder is None else folder
        path = self._folder / "entailer.json"
        settings = read_model_settings(path, FORMAT, "an entailer")
        try:
            self._calibration = {kind: curve(settings["calibration"][kind]) for kind in TYPES}
            columns = len(PRIOR_FEATURES)
            self._prior = {kind: numbers(settings["prior"][kind], columns) for kind in TYPES}
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: incomplete ({error!r})") from None
        self._field = Field.read(self._folder / "weights.npz", LABELS)

    def files(self) -> list[str]:
        """Return where the model is, as specs of `deixis.weights.model_files`."""
        return [str(self._folder)]

    def shown(self, text: str, caption: str, mentions: Sequence[CaptionMention]) -> list[float]:
        """Say how likely a picture shows each mention; see `deixis.tools.base.CaptionEntailer`.

        A type that is none of PER, LOC, ORG and OTHER is taken for OTHER, a fine type that is not
        one of ``fmnerg`` says nothing. Where the description is empty, a prior that is given is
        the answer; elsewhere it is not looked at, for the text is.

        Raises:
            ToolError: a mention is not within the text.
        """
        order = sorted(range(len(mentions)), key=lambda place: mentions[place][:2])
        tokens = tokenize(text)
        named = [_named(text, tokens, mentions[place]) for place in order]
        words = [spelled(token.text).text or token.text for token in tokens]
        told = self.probabilities(words, named, caption)
        probability = dict(zip(order, told, strict=True))
        blank = not caption.strip()
        return [
            mention.prior if blank and mention.prior is not None else probability[place]
            for place, mention in enumerate(mentions)
        ]

    def probabilities(
        self, tokens: Sequence[str], mentions: Sequence[Named], caption: str
    ) -> list[float]:
        """Return the same for a text that is cut into tokens, and mentions sorted by start."""
        scores = self._scores(tokens, mentions, caption)
        return [
            on_curve(self._calibration[mention.type], 1 / (1 + float(np.exp(-score))))
            for mention, score in zip(mentions, scores, strict=True)
        ]

    def _scores(self, tokens: Sequence[str], mentions: Sequence[Named], caption: str) -> Floats:
        rows = prior_features(tokens, [MentionSpan(*mention[:3]) for mention in mentions])
        told = self._field.scores(mention_features(tokens, mentions, caption))[:, 0]
        known = [
            float(self._prior[mention.type] @ np.array(row))
            for mention, row in zip(mentions, rows, strict=True)
        ]
        scores: Floats = np.clip(told + np.array(known), -30.0, 30.0)
        return scores


def _named(text: str, tokens: Sequence[Token], mention: CaptionMention) -> Named:
    """Return a mention in tokens: all that it touches."""
    start, end, kind, fine_type, _ = mention
    touched = [k for k, token in enumerate(tokens) if token.start < end and token.end > start]
    if not (0 <= start < end <= len(text) and touched):
        raise ToolError(
            f"caption: {start}..{end} is no mention of a text of {len(text)} characters"
        )
    return Named(touched[0], touched[-1] + 1, kind if kind in TYPES else "OTHER", fine_type)

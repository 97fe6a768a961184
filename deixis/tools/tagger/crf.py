"""A recognizer of one megabyte: a conditional random field with honest confidences."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from deixis.tools.tagger.base import Line, Tagger
from deixis.tools.tagger.features import load_lexicon, token_features
from deixis.tools.tagger.field import Field
from deixis.tools.tagger.marginals import Floats, Span, chain_spans

MODEL_FOLDER = Path(str(files("deixis"))) / "models" / "recognizer"
"""The model that is shipped with the package."""


class CrfTagger(Tagger):
    """A tagger whose CRF looks at features of the words themselves.

    Args:
        folder: a model folder; the shipped model when None.

    Raises:
        ModelFileError: the folder is missing, incomplete or damaged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = MODEL_FOLDER if folder is None else folder
        super().__init__(folder)
        self._lexicon = load_lexicon(folder / "lexicon.tsv.gz")
        self._field = Field.read(folder / "weights.npz", self._labels)

    @property
    def labels(self) -> list[str]:
        """What the columns of `scores` stand for."""
        return self._labels

    @property
    def transitions(self) -> Floats:
        """The score of each pair of labels, from row to column, shape ``(L, L)``."""
        return self._transitions

    def scores(self, tokens: Sequence[str]) -> Floats:
        """Return the score of each label at each token of a line, shape ``(N, L)``."""
        return self._field.scores(token_features(tokens, self._lexicon))

    def _read(self, lines: Sequence[Sequence[str]], floor: float) -> list[Line]:
        return [Line(self._candidates(tokens, floor)) for tokens in lines]

    def _candidates(self, tokens: Sequence[str], floor: float) -> dict[Span, float]:
        start = np.zeros(len(self._labels))
        return chain_spans(self.scores(tokens), start, self._transitions, self._labels, floor)

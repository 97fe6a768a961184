"""The recognizer of the starter stack: a conditional random field with honest confidences."""

import gzip
import zlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deixis.base.forks import Lock
from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.tagger.base import Line, Tagger
from deixis.tools.tagger.features import load_lexicon, token_features
from deixis.tools.tagger.marginals import Floats, Span, pair_marginals, span_marginals

MODEL_FOLDER = Path(str(files("deixis"))) / "models" / "recognizer"
"""The model that is shipped with the package."""


class CrfTagger(Tagger):
    """A tagger whose CRF looks at features of the words themselves; threads take turns.

    Args:
        folder: a model folder; the shipped model when None.

    Raises:
        MissingExtraError: python-crfsuite is not installed.
        ModelFileError: the folder is missing, incomplete or damaged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = MODEL_FOLDER if folder is None else folder
        super().__init__(folder)
        self._lexicon = load_lexicon(folder / "lexicon.tsv.gz")
        self._field = _Field.open(folder / "model.crfsuite.gz", self._labels)
        self._lock = Lock()

    def _read(self, lines: Sequence[Sequence[str]], floor: float) -> list[Line]:
        return [Line(self._candidates(tokens, floor)) for tokens in lines]

    def _candidates(self, tokens: Sequence[str], floor: float) -> dict[Span, float]:
        rows = token_features(tokens, self._lexicon)
        with self._lock:
            nodes = self._field.marginals(rows, self._labels)

        def pairs(at: NDArray[np.intp]) -> Floats:
            return pair_marginals(nodes[at], nodes[at + 1], self._transitions)

        return span_marginals(nodes, pairs, self._labels, floor)


class _Field:
    """The random field: its tagger, and the bytes that reads."""

    def __init__(self, data: bytes, tagger: Any) -> None:
        # CRFsuite reads the bytes in place without owning them: freed early, it crashes.
        self.data = data
        self.tagger = tagger

    @classmethod
    def open(cls, path: Path, labels: Sequence[str]) -> Self:
        try:
            import pycrfsuite
        except ImportError:
            raise MissingExtraError(package="python-crfsuite", extra="starter") from None
        try:
            data = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise ModelFileError(f"{path}: the model cannot be read ({error})") from None
        tagger = pycrfsuite.Tagger()
        try:
            tagger.open_inmemory(data)
            known = set(tagger.labels())
        except (ValueError, RuntimeError) as error:
            raise ModelFileError(f"{path}: not a CRFsuite model ({error})") from None
        if known != set(labels):
            raise ModelFileError(f"{path}: its labels are {sorted(known)}, not {sorted(labels)}")
        return cls(data, tagger)

    def marginals(self, rows: list[list[str]], labels: Sequence[str]) -> Floats:
        """Return token marginals, shape ``(len(rows), len(labels))``."""
        self.tagger.set(rows)
        marginal = self.tagger.marginal
        return np.array([[marginal(label, i) for label in labels] for i in range(len(rows))])

"""The state weights of a conditional random field: what each feature says of each label."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.base.atomic import whole_file
from deixis.base.printable import one_line
from deixis.errors import ModelFileError
from deixis.tools.tagger.marginals import Floats

_MOST = 500_000_000

Told = tuple[Floats, Floats]
"""What a field says of a text: scores of labels ``(N, L)`` and of pairs of them ``(L, L)``."""


class Field:
    """The weights of a linear-chain CRF, but for those of its transitions.

    Args:
        features: what the rows of the weights stand for.
        weights: shape ``(F, L)``.
    """

    def __init__(self, features: Iterable[str], weights: NDArray[np.float32]) -> None:
        self._row_of = {feature: row for row, feature in enumerate(features)}
        if len(self._row_of) != len(weights):
            raise ValueError(f"{len(self._row_of)} features have {len(weights)} rows of weights")
        self._nothing = len(weights)  # a row of zeros, so that each token has one at least
        self._weights = np.concatenate([weights, np.zeros((1, *weights.shape[1:]), np.float32)])

    @classmethod
    def read(cls, path: Path, labels: Sequence[str]) -> Self:
        """Read what `write` wrote.

        Raises:
            ModelFileError: the file is missing, damaged, or has other labels.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if sum(member.file_size for member in stored.zip.infolist()) > _MOST:
                    raise ValueError(f"it is larger than {_MOST} bytes")
                text, weights = bytes(stored["features"]).decode(), stored["weights"]
            field = cls(text.split("\n") if text else [], weights)
        except Exception as error:  # of damaged files, numpy and zipfile raise many kinds
            raise ModelFileError(f"{path}: the model cannot be read ({one_line(error)})") from None
        if weights.dtype != np.float32 or weights.shape[1:] != (len(labels),):
            raise ModelFileError(f"{path}: not weights of {len(labels)} labels")
        if not np.isfinite(weights).all():
            raise ModelFileError(f"{path}: some weights are no numbers")
        return field

    def scores(self, rows: Sequence[Sequence[str]]) -> Floats:
        """Return the score of each label at each token, shape ``(N, L)``.

        Args:
            rows: the features of each token; those that are not known say nothing.
        """
        row_of, at, starts = self._row_of, list[int](), list[int]()
        for features in rows:
            starts.append(len(at))
            at.append(self._nothing)
            at += [row for row in map(row_of.get, features) if row is not None]
        told = self._weights[at].astype(np.float64)
        scores: Floats = np.add.reduceat(told, starts) if rows else told[:0]
        return scores


def write(weights: Mapping[tuple[str, str], float], labels: Sequence[str], path: Path) -> None:
    """Write weights by feature and label; the same weights give the same bytes."""
    features = sorted({feature for feature, _ in weights})
    row_of = {feature: row for row, feature in enumerate(features)}
    table = np.zeros((len(features), len(labels)), np.float32)
    for (feature, label), weight in weights.items():
        table[row_of[feature], labels.index(label)] = weight
    text = np.frombuffer("\n".join(features).encode(), np.uint8)
    with whole_file(path) as file:
        np.savez_compressed(file, features=text, weights=table)

"""A neural recognizer: a small Transformer, a CRF's second opinion, fine types, on one core."""

import os
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base.printable import one_line
from deixis.errors import MissingExtraError, ModelFileError, ToolError
from deixis.tools.tagger.base import FineType, Line, Tagger
from deixis.tools.tagger.casing import casing
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.field import Told
from deixis.tools.tagger.marginals import Floats, Span, chain_spans
from deixis.tools.tagger.model_settings import curve, numbers, on_curve
from deixis.tools.tagger.tokenization import encodable
from deixis.weights.onnx_sessions import open_session, run

MODEL_FOLDER = Path(str(files("deixis"))) / "models" / "minilm"
"""The model that is shipped with the package."""

SPECIAL = {"[UNK]": 100, "[CLS]": 101, "[SEP]": 102}
"""The piece of what has none, and those before and after a text."""

_WIDEST = 100_000
"""Pieces of a window: a bound far above what any network takes."""

Integers = NDArray[np.int64]


class MiniLmTagger(Tagger):
    """A tagger whose network reads the whole text; its CRF ends mentions at line breaks.

    Threads run it side by side, each on one core.

    Args:
        folder: a model folder; the shipped model when None. The CRF is that in its folder
            ``crf``, or else the one that is shipped.

    Raises:
        MissingExtraError: onnxruntime or tokenizers is not installed.
        ModelFileError: the folder is missing, incomplete or damaged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = MODEL_FOLDER if folder is None else folder
        super().__init__(folder)
        self._pieces = Pieces(folder / "tokenizer.json", self._most_pieces)
        self._network = _Network(
            folder / "model.onnx", len(self._labels), len(self._fine), *self._windows
        )
        own = folder / "crf"
        self._field = CrfTagger(own if os.path.lexists(own) else None) if self._second else None
        if self._field and self._field.labels != self._labels:
            raise ModelFileError(f"{folder}: its labels are not those of its second opinion")

    def _take(self, settings: dict[str, Any]) -> None:
        super()._take(settings)
        self._start = numbers(settings["start"], len(self._labels))
        self._second = float(settings["second_opinion"])
        if not 0.0 <= self._second < 1.0:
            raise ValueError("second_opinion: the weight of the field is from 0 to below 1")
        self._fine = [str(fine) for fine in settings["fine"]]
        coarse = [str(settings["fine_of"][fine]) for fine in self._fine]
        self._fine_of = {
            kind: np.flatnonzero([own == kind for own in coarse]) for kind in self._types
        }
        if set(coarse) - set(self._types):
            raise ValueError(f"fine_of: types are {self._types}")
        self._fine_calibration = curve(settings["fine_calibration"])
        self._most_pieces = int(settings["max_pieces_per_token"])
        self._windows = int(settings["window"]), int(settings["stride"])
        if self._most_pieces < 1 or not 1 <= self._windows[1] <= self._windows[0] - 2 < _WIDEST:
            raise ValueError("a token has at least one piece, a stride is at most a window less 2")

    def _folders(self) -> list[Path]:
        return [self._folder, *(self._field._folders() if self._field else [])]

    def _read(self, lines: Sequence[Sequence[str]], floor: float) -> list[Line]:
        tokens = [token for line in lines for token in line]
        if not tokens:
            return []
        coarse, fine = self._network.scores(*self._pieces.cut(tokens))
        ends = np.cumsum([len(line) for line in lines])[:-1]
        return [
            self._line_of(line, named, kinds, floor)
            for line, named, kinds in zip(
                lines, np.split(coarse, ends), np.split(fine, ends), strict=True
            )
        ]

    def _line_of(self, line: Sequence[str], coarse: Floats, fine: Floats, floor: float) -> Line:
        transitions = self._transitions
        if self._field:  # one chain of both: what each says is added
            opinion = self._field.scores(line), self._field.transitions
            coarse, transitions = pooled(coarse, transitions, opinion, self._second)
        candidates = chain_spans(coarse, self._start, transitions, self._labels, floor)
        return Line(candidates, partial(self._fine_type, fine))

    def _fine_type(self, fine: Floats, span: Span) -> FineType:
        """Return the likeliest fine type of a span, by the mean over its tokens; how likely."""
        start, end, kind = span
        if not len(self._fine_of[kind]):
            return None, None
        best, probability = likeliest(fine[start:end, self._fine_of[kind]])
        name = self._fine[self._fine_of[kind][best]]
        return name, on_curve(self._fine_calibration, probability)


def pooled(
    scores: Floats, transitions: Floats, opinion: Told, weight: float
) -> tuple[Floats, Floats]:
    """Add what a field says to what a network says, in one chain.

    Args:
        scores: of the network, shape ``(N, L)``.
        transitions: those that are allowed, shape ``(L, L)``.
        opinion: scores and transitions of the field.
        weight: of the field, 0..1; the network's is the rest.
    """
    return (1 - weight) * scores + weight * opinion[0], transitions + weight * opinion[1]


def likeliest(scores: Floats) -> tuple[int, float]:
    """Return the likeliest column by the mean over rows of scores, and its probability (0..1)."""
    mean = scores.mean(axis=0)
    best = int(mean.argmax())
    return best, float(np.exp(mean[best] - np.logaddexp.reduce(mean)))


class Pieces:
    """Cuts tokens into word pieces, as numbers, each with the class of its token's letters."""

    def __init__(self, path: Path, most: int) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise MissingExtraError("tokenizers", "starter") from None
        try:
            self._tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises nothing more special
            raise ModelFileError(f"{path}: not a tokenizer ({one_line(error)})") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._path, self._most = path, most
        for piece, number in SPECIAL.items():
            if self._tokenizer.token_to_id(piece) != number:
                raise ModelFileError(f"{path}: a tokenizer whose {piece} is not {number}")

    def cut(self, tokens: Sequence[str]) -> tuple[Integers, Integers, Integers]:
        """Return the pieces of all tokens, their casing, and where each token's first piece is."""
        own: list[list[int]] = [[] for _ in tokens]
        words = [encodable(token) for token in tokens]
        try:
            encoding = self._tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
        except Exception as error:  # the library raises nothing more special
            raise ToolError(f"{self._path} failed: {one_line(error)}") from error
        for piece, word in zip(encoding.ids, encoding.word_ids, strict=True):
            if word is not None and len(own[word]) < self._most:
                own[word].append(piece)
        own = [pieces or [SPECIAL["[UNK]"]] for pieces in own]
        counts = [len(pieces) for pieces in own]
        classes = [
            casing(token, previous, following)
            for previous, token, following in zip(
                ["", *tokens[:-1]], tokens, [*tokens[1:], ""], strict=True
            )
        ]
        first = np.cumsum([0, *counts[:-1]])
        pieces = np.array([piece for pieces in own for piece in pieces], dtype=np.int64)
        return pieces, np.repeat(np.array(classes, dtype=np.int64), counts), first


class _Network:
    """Scores tokens, in windows that overlap where a text is longer than one.

    It runs in the thread that calls it: nothing is shared, and nothing is missing in a fork.
    """

    def __init__(self, path: Path, coarse: int, fine: int, window: int, stride: int) -> None:
        self._path, self._stride = path, stride
        self._sizes = {"coarse": coarse} | ({"fine": fine} if fine else {})
        self._inner = window - 2
        self._session = _open(path, self._sizes)

    def scores(self, pieces: Integers, classes: Integers, first: Integers) -> tuple[Floats, Floats]:
        """Return the scores of labels and of fine types, one row per token.

        A token is read in the window in which it stands farthest from a place where that cuts
        the text.

        Args:
            pieces: shape ``(P,)``.
            classes: shape ``(P,)``, casing.
            first: shape ``(N,)``, where tokens begin, ascending.

        Raises:
            ToolError: the network fails.
        """
        later = max(0, -(-(len(pieces) - self._inner) // self._stride))
        half = (self._inner - self._stride) // 2
        window = np.clip((first - half) // self._stride, 0, later)
        scores = [np.empty((len(first), size)) for size in self._sizes.values()]
        for number in range(later + 1):
            begin = number * self._stride
            mine = slice(*np.searchsorted(window, [number, number + 1]))
            at = first[mine] - begin + 1
            part = slice(begin, begin + self._inner)
            for own, told in zip(scores, self._run(pieces[part], classes[part]), strict=True):
                own[mine] = told[at]
        coarse, *fine = scores
        return coarse, fine[0] if fine else coarse[:, :0]

    def _run(self, pieces: Integers, classes: Integers) -> list[Floats]:
        ids = np.concatenate([[SPECIAL["[CLS]"]], pieces, [SPECIAL["[SEP]"]]])[None]
        casings = np.concatenate([[0], classes, [0]])[None]
        given = {"ids": ids, "casing": casings, "mask": np.ones_like(ids)}
        found = run(self._session, given, list(self._sizes), str(self._path))
        shapes = [(1, ids.shape[1], size) for size in self._sizes.values()]
        given_shapes = [scores.shape for scores in found]
        if given_shapes != shapes:
            raise ToolError(
                f"{self._path} gave {' and '.join(map(str, given_shapes))}, not {shapes}"
            )
        if not all(np.isfinite(scores).all() for scores in found):
            raise ToolError(f"{self._path} gave scores that are no numbers")
        return [scores[0] for scores in found]


def _open(path: Path, sizes: dict[str, int]) -> Any:
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such model; name a folder with one")
    session = open_session(str(path), str(path), threads=1)
    inputs = {value.name: value.type for value in session.get_inputs()}
    outputs = {
        value.name: value.shape[-1]
        for value in session.get_outputs()
        if value.type == "tensor(float)" and value.shape
    }
    wanted = dict.fromkeys(("ids", "casing", "mask"), "tensor(int64)")
    if inputs != wanted or outputs != sizes:
        raise ModelFileError(
            f"{path}: not a recognizer with {sizes['coarse']} labels and {sizes.get('fine', 0)} "
            "fine types"
        )
    return session

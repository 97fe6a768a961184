"""The recognizer of the starter stack: a conditional random field with honest confidences."""

import gzip
import json
import math
import zlib
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from deixis.base.folding import spelled
from deixis.base.forks import Lock
from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.tagger.features import (
    MentionSpan,
    load_lexicon,
    prior_features,
    token_features,
)
from deixis.tools.tagger.marginals import best_spans, span_marginals
from deixis.tools.tagger.tokenization import Token, tokenize

MODEL_FOLDER = Path(str(files("deixis"))) / "models" / "recognizer"
"""The model that is shipped with the package."""

FORMAT = 1
"""Version of the layout of a model folder."""

_SEGMENT = 400
"""Tokens that are tagged at once: a bound for long texts, far above any post."""


class TaggedSpan(NamedTuple):
    """A mention: ``text[start:end]``, half-open, in characters.

    ``type`` is PER, LOC, ORG or OTHER. ``confidence`` (0..1) is the calibrated probability that
    exactly this span with this type is a mention; ``shown_prior`` (0..1) the probability that a
    picture posted with such a text shows it, judged from the text alone. ``fine_type`` is one of
    the fine types of the type schema ``fmnerg``, and ``fine_confidence`` (0..1) the probability
    of it, given that the span is such a mention; both are None of a tagger that knows none.
    """

    start: int
    end: int
    type: str
    confidence: float
    shown_prior: float
    fine_type: str | None = None
    fine_confidence: float | None = None


class TokenMention(NamedTuple):
    """The same in tokens: ``tokens[start:end]``, half-open. ``raw`` is not calibrated."""

    start: int
    end: int
    type: str
    confidence: float
    shown_prior: float
    raw: float
    fine_type: str | None = None
    fine_confidence: float | None = None


class CrfTagger:
    """Finds people, places, organisations and other named things in English posts.

    Texts that read alike have the same mentions, however é, an apostrophe or ``&`` is written.

    A tagger may be shared by threads; calls take turns.

    Args:
        folder: a model folder; the shipped model when None.

    Raises:
        MissingExtraError: python-crfsuite is not installed.
        ModelFileError: the folder is missing, incomplete or damaged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = MODEL_FOLDER if folder is None else folder
        self._folder = folder
        settings = _read_settings(folder / "recognizer.json")
        try:
            self._labels: list[str] = list(settings["labels"])
            self._price = float(settings["price"])
            transitions = np.array(settings["transitions"], dtype=np.float64)
            self._calibration = {
                kind: (float(curve["slope"]), float(curve["offset"]))
                for kind, curve in settings["calibration"].items()
            }
            self._prior = {kind: np.array(row) for kind, row in settings["prior"].items()}
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{folder / 'recognizer.json'}: incomplete ({error!r})") from None
        self._lexicon = load_lexicon(folder / "lexicon.tsv.gz")
        self._field = _Field.open(folder / "model.crfsuite.gz", self._labels, transitions)
        self._lock = Lock()

    def files(self) -> list[str]:
        """Return where the model is, as specs of `deixis.weights.model_files`."""
        return [str(self._folder)]

    def tag(self, text: str) -> list[TaggedSpan]:
        """Find the mentions of a text.

        Args:
            text: raw text of any length and script; line breaks end a mention.

        Returns:
            Non-overlapping spans sorted by start, with half-open character offsets into the text
            as given; none starts or ends with white space, or cuts a letter from its marks.
        """
        return self.weigh(text, rivals=False)[0]

    def weigh(self, text: str, *, rivals: bool = True) -> tuple[list[TaggedSpan], list[TaggedSpan]]:
        """Find the mentions of a text, and the spans that were weighed and turned down.

        Args:
            text: as for `tag`.
            rivals: whether the latter are wanted.

        Returns:
            What `tag` returns, and the other spans with a marginal probability of 0.05 or
            more, sorted by start; those may overlap.
        """
        both: tuple[list[TaggedSpan], list[TaggedSpan]] = [], []
        folded = spelled(text)
        for tokens in _segments(folded.text, tokenize(folded.text)):
            for spans, weighed in zip(
                both, self._weigh([token.text for token in tokens], rivals), strict=True
            ):
                spans += [
                    TaggedSpan(
                        *folded.span(tokens[span.start].start, tokens[span.end - 1].end),
                        span.type,
                        span.confidence,
                        span.shown_prior,
                        span.fine_type,
                        span.fine_confidence,
                    )
                    for span in weighed
                ]
        # The tokens of one emoji share its span; a mention that ends within it keeps it.
        chosen = [
            span for i, span in enumerate(both[0]) if not i or both[0][i - 1].end <= span.start
        ]
        return chosen, both[1]

    def tag_tokens(self, tokens: Sequence[str]) -> list[TokenMention]:
        """Find the mentions of one text that is cut into tokens already.

        Args:
            tokens: the tokens, cut as `tokenize` does; none may be empty.

        Returns:
            Non-overlapping mentions sorted by start, with half-open token offsets.
        """
        return self._weigh([spelled(token).text or token for token in tokens], False)[0]

    def _weigh(
        self, tokens: Sequence[str], rivals: bool
    ) -> tuple[list[TokenMention], list[TokenMention]]:
        candidates = self.candidates(tokens)
        chosen = dict(best_spans(candidates, self._price))
        others = {
            span: raw for span, raw in sorted(candidates.items()) if rivals and span not in chosen
        }
        spans = [MentionSpan(*span) for span in chosen]
        rows = prior_features(tokens, spans)
        for span in others:  # each as if it were one more mention
            with_it = sorted([*spans, MentionSpan(*span)])
            rows.append(prior_features(tokens, with_it)[with_it.index(MentionSpan(*span))])
        weighed = [
            TokenMention(*span, self.calibrate(span[2], raw), self.shown_prior(span[2], row), raw)
            for (span, raw), row in zip((chosen | others).items(), rows, strict=True)
        ]
        return weighed[: len(chosen)], weighed[len(chosen) :]

    def candidates(
        self, tokens: Sequence[str], floor: float = 0.05
    ) -> dict[tuple[int, int, str], float]:
        """Return the marginal probability of every span that reaches ``floor``.

        The keys are ``(start, end, type)``, half-open in tokens; the spans may overlap.
        """
        if not tokens:
            return {}
        rows = token_features(tokens, self._lexicon)
        with self._lock:
            nodes = self._field.marginals(rows, self._labels)
        return span_marginals(nodes, self._field.transitions, self._labels, floor)

    def calibrate(self, kind: str, raw: float) -> float:
        """Return the confidence (0..1) for a type and a raw span marginal (0..1)."""
        slope, offset = self._calibration[kind]
        odds = min(max(raw, 1e-6), 1 - 1e-6)
        return _sigmoid(slope * math.log(odds / (1 - odds)) + offset)

    def shown_prior(self, kind: str, row: Sequence[float]) -> float:
        """Return the prior (0..1) for a type and one row of `prior_features`."""
        return _sigmoid(float(self._prior[kind] @ np.array(row)))


class _Field:
    """The random field: its tagger, the bytes that reads, its transition weights."""

    def __init__(self, data: bytes, tagger: Any, transitions: NDArray[np.float64]) -> None:
        # CRFsuite reads the bytes in place without owning them: freed early, it crashes.
        self.data = data
        self.tagger = tagger
        self.transitions = transitions

    @classmethod
    def open(cls, path: Path, labels: Sequence[str], transitions: NDArray[np.float64]) -> Self:
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
        return cls(data, tagger, transitions)

    def marginals(self, rows: list[list[str]], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return token marginals, shape ``(len(rows), len(labels))``."""
        self.tagger.set(rows)
        marginal = self.tagger.marginal
        return np.array([[marginal(label, i) for label in labels] for i in range(len(rows))])


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _segments(text: str, tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut at line breaks, and after at most `_SEGMENT` tokens."""
    cuts = [0]
    for i, (one, two) in enumerate(pairwise(tokens), start=1):
        if i - cuts[-1] >= _SEGMENT or "\n" in text[one.end : two.start]:
            cuts.append(i)
    return [list(tokens[a:b]) for a, b in pairwise([*cuts, len(tokens)]) if a < b]


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problem = f"{path}: the recognizer cannot be read ({error})"
        raise ModelFileError(f"{problem}; name a folder with a recognizer") from None
    if not isinstance(settings, dict) or settings.get("format") != FORMAT:
        raise ModelFileError(f"{path}: not a recognizer of format {FORMAT}")
    return settings

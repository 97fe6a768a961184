"""What every tagger does: from the probabilities of spans to the mentions of a text."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.folding import spelled
from deixis.errors import ModelFileError
from deixis.tools.tagger.features import PRIOR_FEATURES, MentionSpan, prior_features
from deixis.tools.tagger.marginals import Floats, Span, best_spans
from deixis.tools.tagger.model_settings import (
    FORMAT,
    curve,
    numbers,
    on_curve,
    read_model_settings,
    sigmoid,
    types_of,
)
from deixis.tools.tagger.tokenization import Token, lines_of, tokenize

FLOOR = 0.05
"""Probability below which a span is not weighed."""


class TaggedSpan(NamedTuple):
    """A mention: ``text[start:end]``, half-open, in characters.

    ``type`` is one of `Tagger.types`: of the shipped taggers PER, LOC, ORG or OTHER.
    ``confidence`` (0..1) is the calibrated probability that exactly this span with this type is a
    mention; ``shown_prior`` (0..1) the probability that a picture posted with such a text shows
    it, judged from the text alone, None where the tagger has not learned that. ``fine_type`` is
    one of the tagger's fine types, of the shipped one those of the type schema ``fmnerg``, and
    ``fine_confidence`` (0..1) the probability of it, given that the span is such a mention; both
    are None where it knows none.
    """

    start: int
    end: int
    type: str
    confidence: float
    shown_prior: float | None
    fine_type: str | None = None
    fine_confidence: float | None = None


class TokenMention(NamedTuple):
    """The same in tokens: ``tokens[start:end]``, half-open. ``raw`` is not calibrated."""

    start: int
    end: int
    type: str
    confidence: float
    shown_prior: float | None
    raw: float
    fine_type: str | None = None
    fine_confidence: float | None = None


FineType = tuple[str, float] | tuple[None, None]


class Line(NamedTuple):
    """What a model says of one line, by ``(start, end, type)``, half-open in its tokens.

    ``candidates`` are marginal probabilities of spans, which may overlap. ``fine_type`` returns
    the likeliest fine type of one of them and its probability, None twice if there is none.
    """

    candidates: dict[Span, float]
    fine_type: Callable[[Span], FineType] = lambda _: (None, None)


class Tagger(ABC):
    """Finds the names of a text: of people, places, organisations, or what else it has learned.

    Texts that read alike have the same mentions, however é, an apostrophe or ``&`` is written.
    A tagger may be shared by threads.

    Args:
        folder: a model folder, with a ``recognizer.json``.

    Raises:
        MissingExtraError: a package that runs the model is not installed.
        ModelFileError: the folder is missing, incomplete or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "recognizer.json"
        settings = read_model_settings(path, FORMAT, "a recognizer")
        try:
            self._take(settings)
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: incomplete ({error!r})") from None

    def _take(self, settings: dict[str, Any]) -> None:
        """Take in ``recognizer.json``; a KeyError, TypeError or ValueError says what is wrong."""
        self._labels = [str(label) for label in settings["labels"]]
        self._types = types_of(self._labels)
        bio = ["O", *(f"{mark}-{kind}" for kind in sorted(set(self._types)) for mark in "BI")]
        if sorted(self._labels) != sorted(bio):
            raise ValueError(f"labels: {self._labels} are not BIO")
        self._transitions = numbers(settings["transitions"], len(self._labels), len(self._labels))
        self._price = float(numbers(settings["price"]))
        self._calibration = {kind: curve(settings["calibration"][kind]) for kind in self._types}
        self._prior = {kind: _prior(settings["prior"][kind]) for kind in self._types}

    @abstractmethod
    def _read(self, lines: Sequence[Sequence[str]], floor: float) -> list[Line]:
        """Return what the model says of each line of one text, of spans that reach ``floor``."""

    @property
    def types(self) -> list[str]:
        """The types that a mention may be of."""
        return self._types

    def files(self) -> list[str]:
        """Return where the model is, as specs of `deixis.weights.model_files`."""
        return [str(self._folder)]

    @cached_property
    def digest(self) -> str:
        """What is in all files that its answers rest on: 64 hexadecimal digits."""
        found = sha256(type(self).__name__.encode())
        for folder in self._folders():
            for path in sorted(each for each in folder.rglob("*") if each.is_file()):
                found.update(path.relative_to(folder).as_posix().encode() + b"\n")
                found.update(sha256(path.read_bytes()).digest())
        return found.hexdigest()

    def _folders(self) -> list[Path]:
        """Return the folders of what it has read."""
        return [self._folder]

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
        for tokens, texts, line in self._lines(folded.text):
            for spans, weighed in zip(both, self._weigh(texts, line, rivals), strict=True):
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

    def inform(
        self, text: str, mentions: Sequence[Span]
    ) -> dict[Span, tuple[float | None, str | None]]:
        """Say what is known of mentions that somebody else has found.

        Args:
            text: as for `tag`.
            mentions: ``(start, end, type)``, half-open characters of the text.

        Returns:
            Mention to its ``shown_prior`` and its fine type, each None if there is none; without
            those of types that the tagger does not know.
        """
        folded = spelled(text)
        known: dict[Span, tuple[float | None, str | None]] = {}
        for tokens, texts, line in self._lines(folded.text):
            places = [folded.span(token.start, token.end) for token in tokens]
            pairs = []
            for start, end, kind in mentions:
                inside = [n for n, (a, b) in enumerate(places) if a < end and start < b]
                if inside and kind in self._types:
                    span = MentionSpan(inside[0], inside[-1] + 1, kind)
                    pairs.append((span, (start, end, kind)))
            pairs.sort()
            rows = prior_features(texts, [span for span, _ in pairs])
            for (span, mention), row in zip(pairs, rows, strict=True):
                fine_type, _ = line.fine_type(span) if span in line.candidates else (None, None)
                known[mention] = self.shown_prior(span.type, row), fine_type
        return known

    def tag_tokens(self, tokens: Sequence[str]) -> list[TokenMention]:
        """Find the mentions of one text that is cut into tokens already.

        Args:
            tokens: the tokens, cut as `tokenize` does; none may be empty.

        Returns:
            Non-overlapping mentions sorted by start, with half-open token offsets.
        """
        texts = [spelled(token).text or token for token in tokens]
        return self._weigh(texts, self._line(texts, FLOOR), False)[0]

    def candidates(self, tokens: Sequence[str], floor: float = FLOOR) -> dict[Span, float]:
        """Return the marginal probability of every span that reaches ``floor``.

        The keys are ``(start, end, type)``, half-open in tokens; the spans may overlap.
        """
        return self._line(tokens, floor).candidates

    def calibrate(self, kind: str, raw: float) -> float:
        """Return the confidence (0..1) for a type and a raw span marginal (0..1)."""
        return on_curve(self._calibration[kind], raw)

    def shown_prior(self, kind: str, row: Sequence[float]) -> float | None:
        """Return the prior (0..1) for a type and one row of `prior_features`; None without one."""
        weights = self._prior[kind]
        return None if weights is None else sigmoid(float(weights @ np.array(row)))

    def _lines(self, text: str) -> Iterator[tuple[list[Token], list[str], Line]]:
        """Yield the tokens of each line of a text, their words, and what the model says of it."""
        lines = lines_of(text, tokenize(text))
        words = [[token.text for token in tokens] for tokens in lines]
        return zip(lines, words, self._read(words, FLOOR), strict=True)

    def _line(self, tokens: Sequence[str], floor: float) -> Line:
        return self._read([tokens], floor)[0] if tokens else Line({})

    def _weigh(
        self, tokens: Sequence[str], line: Line, rivals: bool
    ) -> tuple[list[TokenMention], list[TokenMention]]:
        chosen = dict(best_spans(line.candidates, self._price))
        others = {
            span: raw
            for span, raw in sorted(line.candidates.items())
            if rivals and span not in chosen
        }
        spans = [MentionSpan(*span) for span in chosen]
        rows = prior_features(tokens, spans)
        for span in others:  # each as if it were one more mention
            with_it = sorted([*spans, MentionSpan(*span)])
            rows.append(prior_features(tokens, with_it)[with_it.index(MentionSpan(*span))])
        weighed = [
            TokenMention(
                *span,
                self.calibrate(span[2], raw),
                self.shown_prior(span[2], row),
                raw,
                *line.fine_type(span),
            )
            for (span, raw), row in zip((chosen | others).items(), rows, strict=True)
        ]
        return weighed[: len(chosen)], weighed[len(chosen) :]


def _prior(given: Any) -> Floats | None:
    return None if given is None else numbers(given, len(PRIOR_FEATURES))

"""A sound as a page shows it: a waveform, when entities are heard, and what was said."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deixis.base.sound import RATE, OpenedSound, Samples, wav_bytes
from deixis.errors import DeixisError, MissingExtraError
from deixis.show.media import Media, sound_of
from deixis.show.timing import clock

if TYPE_CHECKING:
    from deixis.base.extraction_records import ExtractionRecord
    from deixis.base.media_records import Span, SpokenWord

PLAIN_SECONDS = 60.0  # up to here a sound stands in the page as WAV, 2.6 MB at most
MOST_SECONDS = 600.0  # up to here as MP3, 3.3 MB at most; longer sound is left out
MOST_WORDS = 5_000
MOST_LANES = 40
MOST_BARS = 200  # of one name
_TOO_LONG = f"it is longer than {MOST_SECONDS:.0f} seconds"
_BITS = 32_000  # a second of MP3: enough for speech
_BARS = 400  # of the waveform
_PAUSE, _LONGEST, _SENTENCE = 0.7, 16, 6  # seconds and words after which a line ends
_STEPS = 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400


class Bar(NamedTuple):
    """A time in which something is heard; ``left`` and ``wide`` are percent of the sound."""

    start: float
    end: float
    left: float
    wide: float


class Lane(NamedTuple):
    """An entity (its number from 0) or an event (None), and when it is heard."""

    entity: int | None
    name: str
    bars: list[Bar]


class Run(NamedTuple):
    """Words of one entity (its number from 0) or of none, and the entities that end with them."""

    entity: int | None
    words: "list[SpokenWord]"
    ended: list[int]


class Timeline(NamedTuple):
    """A sound: ``uri`` is a data URI, or ``problem`` says why there is none.

    ``wave`` is an SVG path in a box of 400 by 40, ticks are percent and words, ``beyond`` says
    what is left out.
    """

    seconds: float
    of_video: bool
    uri: str | None
    problem: str
    wave: str
    ticks: list[tuple[float, str]]
    lanes: list[Lane]
    lines: list[list[Run]]
    beyond: str


def timeline(extraction: "ExtractionRecord", media: Media) -> Timeline | None:
    """Prepare the sound of an extraction; None where it heard none.

    What was not given and cannot be opened again is told by ``problem``.

    Raises:
        InputError: what was given is not what the extraction has heard.
    """
    audio, video = extraction.audio, extraction.video
    if audio is None and not (video and video.sound):
        return None
    seconds = (audio or video).seconds  # type: ignore[union-attr] # one of them is there
    last = [span.end for _, _, spans in _heard(extraction) for span in spans]
    seconds = max([seconds, *last, 0.01])
    wave, uri, problem = "", None, ""
    if seconds > MOST_SECONDS:
        problem = _TOO_LONG
    else:
        try:
            sound = sound_of(extraction, media)
            if sound is not None:
                wave = _wave(sound.samples)
                uri, problem = _uri(sound)
        except DeixisError as error:
            if (media.video if audio is None else media.audio) is not None:
                raise
            problem = str(error)
    lanes = [
        Lane(number, name, [_bar(span, seconds) for span in spans[:MOST_BARS]])
        for number, name, spans in _heard(extraction)
        if spans
    ]
    words = extraction.transcript.words if extraction.transcript else []
    left_out = sum(len(spans[MOST_BARS:]) for _, _, spans in _heard(extraction))
    counts = {
        "names": len(lanes) - MOST_LANES,
        "words": len(words) - MOST_WORDS,
        "places of names": left_out,
    }
    beyond = " and ".join(f"{count:,} more {what}" for what, count in counts.items() if count > 0)
    return Timeline(
        seconds,
        audio is None,
        uri,
        problem,
        wave,
        _ticks(seconds),
        lanes[:MOST_LANES],
        list(_lines(words[:MOST_WORDS], extraction)),
        beyond,
    )


def _heard(extraction: "ExtractionRecord") -> "Iterator[tuple[int | None, str, list[Span]]]":
    for number, entity in enumerate(extraction.entities):
        yield number, entity.text, entity.spans
    for event in extraction.events:
        if event.trigger is not None:
            yield None, f"{event.type}: {event.trigger.text}", event.trigger.spans


def _bar(span: "Span", seconds: float) -> Bar:
    return Bar(
        span.start, span.end, 100 * span.start / seconds, 100 * (span.end - span.start) / seconds
    )


def _ticks(seconds: float) -> list[tuple[float, str]]:
    step = next((step for step in _STEPS if seconds / step <= 10), seconds / 10)
    times = np.arange(0, seconds, step).tolist()
    digits = None if step < 1 else -3  # no hundredths on whole seconds
    return [(100 * time / seconds, clock(time)[:digits]) for time in times]


def _wave(samples: Samples) -> str:
    """Return the outline of the loudness, from the left above to the left below."""
    edges = np.linspace(0, len(samples), min(_BARS, len(samples)) + 1).astype(int)
    peaks = np.maximum.reduceat(np.abs(samples), edges[:-1])
    tall = 19 * peaks / max(float(peaks.max()), 0.05) + 0.5
    across = np.linspace(0, 400, len(tall))
    points = [*zip(across, 20 - tall, strict=True)]
    points += [*zip(across[::-1], 20 + tall[::-1], strict=True)]
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in points) + "z"


def _uri(sound: OpenedSound) -> tuple[str | None, str]:
    """Return a sound as a data URI, or why there is none."""
    kind = "wav"
    if sound.seconds > MOST_SECONDS:  # whatever the record says
        return None, _TOO_LONG
    if sound.seconds <= PLAIN_SECONDS:
        data = wav_bytes(sound.samples)
    else:
        try:
            kind, data = "mpeg", _mp3(sound.samples)
        except MissingExtraError as error:
            return None, f"it is longer than {PLAIN_SECONDS:.0f} seconds; {error}"
    return f"data:audio/{kind};base64,{base64.b64encode(data).decode('ascii')}", ""


def _mp3(samples: Samples) -> bytes:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "media") from error
    data = io.BytesIO()
    with av.open(data, "w", format="mp3") as file:
        stream = file.add_stream("libmp3lame", rate=RATE, layout="mono")
        stream.bit_rate = _BITS
        for start in range(0, len(samples), RATE):
            block = samples[None, start : start + RATE]
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return data.getvalue()


def _lines(words: "Sequence[SpokenWord]", extraction: "ExtractionRecord") -> Iterator[list[Run]]:
    """Yield lines, which end with a pause, a sentence or many words, cut into runs."""
    owners: list[int | None] = [None] * len(words)
    ended: list[list[int]] = [[] for _ in words]
    middles = np.array([(word.start + word.end) / 2 for word in words])
    spans = [(span, i) for i, entity in enumerate(extraction.entities) for span in entity.spans]
    # Of overlapping spans the shorter is kept whole.
    for span, entity in sorted(spans, key=lambda pair: pair[0].start - pair[0].end):
        inside = np.flatnonzero((span.start <= middles) & (middles <= span.end)).tolist()
        for i in inside:
            owners[i] = entity
        if inside:
            ended[inside[-1]].append(entity)
    line: list[Run] = []
    count = 0
    for i, word in enumerate(words):
        count += 1
        if line and line[-1].entity == owners[i] and not line[-1].ended:
            line[-1].words.append(word)
            line[-1].ended.extend(ended[i])
        else:
            line.append(Run(owners[i], [word], ended[i]))
        pause = words[i + 1].start - word.end if i + 1 < len(words) else _PAUSE
        sentence = word.text[-1] in ".?!" and count >= _SENTENCE
        if pause >= _PAUSE or sentence or count >= _LONGEST:
            yield line
            line, count = [], 0

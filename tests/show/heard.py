"""A sound with words, and an extraction that heard it."""

import hashlib
from pathlib import Path

import numpy as np

from deixis.base.sound import RATE, wav_bytes
from deixis.schema import (
    AudioInfo,
    Entity,
    Event,
    Extraction,
    Span,
    SpokenWord,
    Transcript,
    Trigger,
)

TEXT = "Ann <b>Lee</b> of the space agency NASA met Bob in Rome. They talked for an hour."
WORDS = TEXT.split()


def tones(seconds: float) -> np.ndarray:
    """Return a tone for each word, half a second each, with a gap after it."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 220 * 2 ** ((time // 0.5) % 12 / 12)
    loud = (time % 0.5 < 0.4) * (0.3 + 0.5 * ((time // 0.5) % 3 == 0))
    return (loud * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


def heard(path: Path, seconds: float = 9.0, **fields: object) -> Extraction:
    """Write a WAV file, and return what was heard in it: a word each half second."""
    path.write_bytes(wav_bytes(tones(seconds)))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    words = [
        SpokenWord(text=word, start=i / 2, end=i / 2 + 0.4, score=0.9)
        for i, word in enumerate(WORDS)
    ]

    def spans(first: int, last: int) -> list[Span]:
        start, end = words[first].start, words[last].end
        return [Span(start=start, end=end, score=0.875, source="<tiny.en>")]

    there = {"start": None, "end": None, "confidence": 0.75, "groundable": True}
    values = {
        "text": "",
        "image": None,
        "audio": AudioInfo(sha256=sha256, seconds=seconds, rate=RATE, channels=1, source=str(path)),
        "transcript": Transcript(words=words, source="<tiny.en>", language="en"),
        "entities": [
            Entity(id="e1", text="Ann <b>Lee</b>", type="person", spans=spans(0, 1), **there),
            Entity(
                id="e2",
                text="the space agency NASA",
                type="organization",
                spans=spans(3, 6),
                **there,
            ),
            Entity(id="e3", text="NASA", type="organization", spans=spans(6, 6), **there),
            Entity(
                id="e4",
                text="Bob",
                type="person",
                spans=[*spans(8, 8), Span(start=8.0, end=8.5, score=0.5, source="x")],
                **there,
            ),
            Entity(
                id="e5",
                text="Oslo",
                type="place",
                start=None,
                end=None,
                confidence=0.5,
                groundable=False,
            ),
        ],
        "events": [
            Event(
                id="v1",
                type="Meet",
                trigger=Trigger(text="met", spans=spans(7, 7)),
                confidence=0.5,
            )
        ],
    }
    return Extraction(**(values | fields))

"""Sound that is not encoded: read from a WAV, and brought to one rate."""

import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono sound of shape ``(N,)``, `RATE` samples a second, from -1 to 1."""
RATE = 16_000
BLOCK = 1 << 16  # samples that are worked on at once


def wav_blocks(sound: wave.Wave_read, width: int, channels: int) -> Iterator[NDArray[Any]]:
    """Yield the mean of the channels of a WAV, from -1 to 1, a block at a time.

    Args:
        sound: what is read to its end, or to where it is cut short.
        width: bytes of a sample: 1, 2, 3 or 4.
        channels: of the sound.
    """
    while data := sound.readframes(BLOCK):
        data = data[: len(data) // (width * channels) * (width * channels)]
        if width == 1:  # the only one without a sign
            numbers = np.frombuffer(data, np.uint8).astype(np.float64) - 128
        elif width == 3:
            bytes_ = np.zeros((len(data) // 3, 4), np.uint8)
            bytes_[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            numbers = bytes_.view("<i4")[:, 0] / 256
        else:
            numbers = np.frombuffer(data, f"<i{width}").astype(np.float64)
        yield (numbers / 2 ** (8 * width - 1)).reshape(-1, channels).mean(axis=1)


def at_16khz(blocks: Iterator[NDArray[Any]], rate: int) -> Samples:
    """Bring mono sound to 16,000 samples a second, a block at a time.

    The result is that of resampling the whole at once with `scipy.signal.resample_poly`.

    Args:
        blocks: of shape ``(N,)`` each.
        rate: their samples a second.
    """
    from scipy.signal import resample_poly

    common = int(np.gcd(RATE, rate))
    up, down = RATE // common, rate // common
    # What the filter of `resample_poly` reaches to each side, in whole steps of the input.
    reach = (10 * max(up, down) // up // down + 2) * down
    mono, before, waiting = bytearray(), 0, np.zeros(0)
    last = False
    while not last:
        block = next(blocks, None)
        last = block is None
        if block is not None:
            waiting = np.concatenate([waiting, block])
        # `before` samples at the start of `waiting` were used already, and stand for context.
        ready = len(waiting) - before if last else (len(waiting) - before - reach) // down * down
        if ready <= 0:
            continue
        whole = resample_poly(waiting, up, down) if rate != RATE else waiting
        count = -(-ready * up // down)
        start = before // down * up
        mono += whole[start : start + count].astype(np.float32).tobytes()
        keep = min(before + ready, reach)
        waiting, before = waiting[before + ready - keep :], keep
    return np.frombuffer(mono, dtype=np.float32)

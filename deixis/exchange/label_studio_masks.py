"""Masks as Label Studio keeps them: run lengths of RGBA pixels, packed into bits.

A header says how many values there are (32 bits), how many bits each has (5 bits, one less) and
how many bits four kinds of lengths have (4 bits each, one less). Blocks follow: a bit that says
whether one value is repeated, two that say which kind of length comes, the length (one less), and
the value, or as many values. All is big-endian; a mask is what is not transparent.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LARGEST = 64_000_000
"""Pixels of a mask: what a few bytes say that there are would fill the memory."""
_CHANNELS = 4
_LENGTHS = (3, 4, 8, 16)  # bits


def encode_mask(mask: NDArray[np.bool_]) -> list[int]:
    """Return the bytes of a boolean mask of shape ``(H, W)``."""
    flat = mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = np.concatenate([[0], edges])
    runs = np.diff(np.concatenate([starts, [flat.size]])) * _CHANNELS
    bits = [f"{flat.size * _CHANNELS:032b}{7:05b}", *(f"{size - 1:04b}" for size in _LENGTHS)]
    for length, value in zip(runs.tolist(), flat[starts].tolist(), strict=True):
        while length > 0:
            step = min(length, 1 << _LENGTHS[-1])
            kind = next(n for n, size in enumerate(_LENGTHS) if step <= 1 << size)
            bits.append(f"1{kind:02b}{step - 1:0{_LENGTHS[kind]}b}{255 * value:08b}")
            length -= step
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def decode_mask(rle: Sequence[int], width: int, height: int) -> NDArray[np.bool_]:
    """Return the boolean mask of shape ``(H, W)`` that bytes hold.

    Raises:
        ValueError: they hold none of that size.
    """
    if not (width > 0 and height > 0 and width * height <= LARGEST):
        raise ValueError(f"a mask of {width} x {height} pixels, of at most {LARGEST:,}")
    try:
        bits = _Bits(bytes(rle))
    except (TypeError, ValueError):
        raise ValueError("the run lengths are no list of bytes") from None
    count, word = bits.number(32), bits.number(5) + 1
    sizes = [bits.number(4) + 1 for _ in range(4)]
    if count != width * height * _CHANNELS or word != 8:
        raise ValueError(f"{count:,} values of {word} bits are no mask of {width} x {height}")
    values = np.empty(count, np.uint8)
    done = 0
    while done < count:
        repeated = bits.number(1)
        length = bits.number(sizes[bits.number(2)]) + 1
        if done + length > count:
            raise ValueError("the run lengths go beyond the mask")
        values[done : done + length] = bits.number(8) if repeated else bits.block(length)
        done += length
    return values[_CHANNELS - 1 :: _CHANNELS].reshape(height, width) > 0


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def number(self, size: int) -> int:
        """Read a number of so many bits."""
        start, self._place = self._place, self._place + size
        last = (self._place + 7) // 8
        if last > len(self._data):
            raise ValueError("the run lengths are cut short")
        window = int.from_bytes(self._data[start // 8 : last], "big")
        return window >> (last * 8 - self._place) & (1 << size) - 1

    def block(self, length: int) -> NDArray[np.uint8]:
        """Read so many bytes, wherever they begin."""
        number = self.number(8 * length)
        return np.frombuffer(number.to_bytes(length, "big"), np.uint8)

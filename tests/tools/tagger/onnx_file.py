"""Writes ONNX files byte by byte: a protobuf field is its number and kind, then its value."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

TYPES = {"float32": 1, "int64": 7}


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # as the two's complement of negative numbers
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, array: np.ndarray[Any, Any]) -> bytes:
    sides = b"".join(_field(1, side) for side in array.shape)
    kind = _field(2, TYPES[array.dtype.name])
    return sides + kind + _field(8, name) + _field(9, array.tobytes())


def _value(name: str, kind: str, sides: Sequence[int | str]) -> bytes:
    shape = b"".join(_field(1, _field(1 if isinstance(side, int) else 2, side)) for side in sides)
    tensor = _field(1, TYPES[kind]) + _field(2, shape)
    return _field(1, name) + _field(2, _field(1, tensor))


class Graph:
    """A graph whose inputs, by name, have the shape (batch, length)."""

    def __init__(self, inputs: Mapping[str, str]) -> None:
        sides = ("batch", "length")
        self._parts = [_field(2, "tiny")]
        self._parts += [_field(11, _value(name, kind, sides)) for name, kind in inputs.items()]

    def add(self, operator: str, inputs: Sequence[str], output: str, **given: Any) -> None:
        """Add a node; arrays are its weights, under the name of an input, the rest attributes."""
        node = b"".join(_field(1, name) for name in inputs)
        node += _field(2, output) + _field(4, operator)
        for name, value in given.items():
            if isinstance(value, np.ndarray):
                self._parts.append(_field(5, _tensor(name, value)))
            elif isinstance(value, int):
                node += _field(5, _field(1, name) + _field(3, value) + _field(20, 2))
            else:
                numbers = b"".join(_field(8, number) for number in value)
                node += _field(5, _field(1, name) + numbers + _field(20, 7))
        self._parts.append(_field(1, node))

    def model(self, outputs: Mapping[str, int]) -> bytes:
        """Return the file; outputs have the shape (batch, length, size)."""
        ends = [
            _field(12, _value(name, "float32", ("batch", "length", size)))
            for name, size in outputs.items()
        ]
        graph = b"".join([*self._parts, *ends])
        operators = _field(8, _field(1, "") + _field(2, 17))
        return _field(1, 8) + operators + _field(7, graph)

"""Writes ONNX models: the few messages of its protobuf schema that a network without loops needs.

Field numbers are those of ``onnx.proto``. Opset 18, IR version 9: onnxruntime reads them from
1.14 on. (The package ``onnx`` would bring 36 MB for this.)
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

IR, OPSET = 9, 18

Attribute = int | float | str | Sequence[int]
_TYPES = {"float32": 1, "int64": 7}  # of TensorProto.DataType


def node(
    operator: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    attributes: Mapping[str, Attribute],
) -> bytes:
    """Return a NodeProto: an operator of the default domain."""
    parts = [_field(1, name) for name in inputs] + [_field(2, name) for name in outputs]
    parts += [_field(4, operator)]
    parts += [_field(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join(parts)


def tensor(name: str, values: NDArray[np.generic]) -> bytes:
    """Return a TensorProto: constant values, float32 or int64."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    parts = [_field(1, side) for side in values.shape]
    parts += [_field(2, _TYPES[values.dtype.name]), _field(8, name), _field(9, little.tobytes())]
    return b"".join(parts)


def value(name: str, shape: Sequence[int] | None = None) -> bytes:
    """Return a ValueInfoProto: an input or output of float32, its shape if it is known."""
    kind = _field(1, _TYPES["float32"])
    if shape is not None:
        kind += _field(2, b"".join(_field(1, _field(1, side)) for side in shape))
    return _field(1, name) + _field(2, _field(1, kind))


def model(
    nodes: Iterable[bytes],
    constants: Iterable[bytes],
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
) -> bytes:
    """Return a ModelProto, which is what an ONNX file holds; nodes come after what they need."""
    graph = [_field(1, part) for part in nodes] + [_field(2, "graph")]
    graph += [_field(5, part) for part in constants]
    graph += [_field(11, part) for part in inputs] + [_field(12, part) for part in outputs]
    return _field(1, IR) + _field(7, b"".join(graph)) + _field(8, _field(2, OPSET))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        content, kind = _field(3, value), 2
    elif isinstance(value, float):
        content, kind = _field(2, value), 1
    elif isinstance(value, str):
        content, kind = _field(4, value), 3
    else:
        content, kind = b"".join(_field(8, number) for number in value), 7
    return _field(1, name) + content + _field(20, kind)


def _field(number: int, value: int | float | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value % (1 << 64))  # two's complement
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)

"""Which tokens of a GGUF file steer the model: read from its header, without llama.cpp."""

import struct
from array import array
from pathlib import Path
from typing import Any, BinaryIO

_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY = 8, 9
_UNKNOWN, _CONTROL, _ADDED = 2, 3, 4  # kinds of tokens that are found in a text as a whole
_MOST = 10_000_000  # entries of a list, bytes of a text


def steering(path: Path) -> list[str]:
    """Return the tokens that llama.cpp finds in a text and that are no text.

    Returns:
        Control tokens, and those that were added and look like a mark; none if the file says
        nothing of them.
    """
    try:
        with path.open("rb") as file:
            head = _header(file)
    except (OSError, ValueError, struct.error, MemoryError):
        return []
    tokens, kinds = head.get("tokenizer.ggml.tokens"), head.get("tokenizer.ggml.token_type")
    if not isinstance(tokens, list) or kinds is None or len(kinds) != len(tokens):
        return []
    return [
        token.decode("utf-8", "replace")
        for token, kind in zip(tokens, kinds, strict=True)
        if kind in (_UNKNOWN, _CONTROL)
        or (kind == _ADDED and token[:1] in b"<[" and token[-1:] in b">]" and len(token) > 2)
    ]


def _header(file: BinaryIO) -> dict[str, Any]:
    magic, _version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF":
        raise ValueError("no GGUF file")
    header: dict[str, Any] = {}
    for _ in range(min(count, _MOST)):
        key = _text(file).decode("utf-8", "replace")
        value = _value(file, _number(file, 4))
        if key.startswith("tokenizer.ggml.token"):
            header[key] = value
            if len(header) > 1 and "tokenizer.ggml.token_type" in header:
                return header
    return header


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind != _ARRAY:
        return _number(file, kind)
    inner, length = _number(file, 4), _number(file, 10)
    if length > _MOST:
        raise ValueError("too long")
    if inner == _STRING:
        return [_text(file) for _ in range(length)]
    if inner not in _NUMBERS:
        raise ValueError(f"unknown kind {inner}")
    numbers = array(_NUMBERS[inner].replace("?", "B"))
    numbers.frombytes(file.read(length * numbers.itemsize))
    return numbers


def _text(file: BinaryIO) -> bytes:
    length = _number(file, 10)
    if length > _MOST:
        raise ValueError("too long")
    return file.read(length)


def _number(file: BinaryIO, kind: int) -> Any:
    if kind not in _NUMBERS:
        raise ValueError(f"unknown kind {kind}")
    form = f"<{_NUMBERS[kind]}"
    (number,) = struct.unpack(form, file.read(struct.calcsize(form)))
    return number

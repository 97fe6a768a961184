"""A tiny projector with random weights: a GGUF file that gives a model of llama.cpp eyes.

The format is that of llama.cpp's ``docs`` for GGUF version 3: numbers are little-endian, texts
have their length before them, tensors start at multiples of 32 bytes.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 32
_KINDS = {bool: 7, int: 4, float: 6, str: 8}
SIDE, PATCH = 28, 14
WIDTH, INNER, HEADS = 16, 32, 2


def write_projector(path: Path, into: int) -> None:
    """Write a CLIP of one layer and a projector into a model with vectors of `into` numbers."""
    about: dict[str, Any] = {
        "general.architecture": "clip",
        "general.name": "tiny",
        "general.file_type": 0,
        "clip.has_vision_encoder": True,
        "clip.projector_type": "mlp",
        "clip.use_gelu": True,
        "clip.vision.image_size": SIDE,
        "clip.vision.patch_size": PATCH,
        "clip.vision.embedding_length": WIDTH,
        "clip.vision.feed_forward_length": INNER,
        "clip.vision.projection_dim": into,
        "clip.vision.block_count": 1,
        "clip.vision.attention.head_count": HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-5,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
    }
    shapes: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (WIDTH, 3, PATCH, PATCH),
        "v.class_embd": (WIDTH,),
        "v.position_embd.weight": ((SIDE // PATCH) ** 2 + 1, WIDTH),
        "mm.0.weight": (into, WIDTH),
        "mm.0.bias": (into,),
        "mm.2.weight": (into, into),
        "mm.2.bias": (into,),
    }
    for norm in ("v.pre_ln", "v.post_ln", "v.blk.0.ln1", "v.blk.0.ln2"):
        shapes |= {f"{norm}.weight": (WIDTH,), f"{norm}.bias": (WIDTH,)}
    for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
        shapes |= {f"v.blk.0.{part}.weight": (WIDTH, WIDTH), f"v.blk.0.{part}.bias": (WIDTH,)}
    for part, out, given in (("ffn_up", INNER, WIDTH), ("ffn_down", WIDTH, INNER)):
        shapes |= {f"v.blk.0.{part}.weight": (out, given), f"v.blk.0.{part}.bias": (out,)}
    random = np.random.default_rng(0)
    tensors = {name: random.normal(0, 0.1, shape) for name, shape in shapes.items()}
    path.write_bytes(_gguf(about, {name: own.astype("<f4") for name, own in tensors.items()}))


def _gguf(about: dict[str, Any], tensors: dict[str, NDArray[np.float32]]) -> bytes:
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(about))
    for key, value in about.items():
        head += _text(key) + _value(value)
    body = b""
    for name, tensor in tensors.items():
        sides = tensor.shape[::-1]  # the one that runs fastest comes first
        head += _text(name) + struct.pack(f"<I{len(sides)}Q", len(sides), *sides)
        head += struct.pack("<IQ", 0, len(body))  # of 32-bit floats
        body += _padded(tensor.tobytes())
    return _padded(head) + body


def _value(value: Any) -> bytes:
    if isinstance(value, list):
        numbers = struct.pack(f"<{len(value)}f", *value)
        return struct.pack("<IIQ", 9, _KINDS[float], len(value)) + numbers
    kind = struct.pack("<I", _KINDS[type(value)])
    if isinstance(value, str):
        return kind + _text(value)
    return kind + struct.pack({bool: "<?", int: "<I", float: "<f"}[type(value)], value)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNED)

"""The tiny models of `deixis.testing.tiny`, under the names that tests have for them."""

from deixis.testing.tiny import BEGIN, END, IMAGE, KINDS, QWEN, START, VIDEO, VISION, tokenizer
from deixis.testing.tiny import tiny_model as save_seeing

__all__ = [
    "BEGIN",
    "END",
    "IMAGE",
    "KINDS",
    "QWEN",
    "START",
    "VIDEO",
    "VISION",
    "save_seeing",
    "tokenizer",
]

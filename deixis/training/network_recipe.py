"""The numbers that the training of a recognizer's network is set by."""

from typing import NamedTuple


class Recipe(NamedTuple):
    """How a network is trained; shares are 0..1."""

    epochs: int
    batch: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    dropout: float = 0.2
    fine_weight: float = 0.5
    case_noise: float = 0.1
    word_noise: float = 0.05
    seed: int = 1

"""Rows split at random, the same way each time."""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate

from deixis.errors import InputError
from deixis.evaluation.construction.samples import Sample

Weights = Mapping[str, float]


def split(samples: Sequence[Sample], parts: Weights, seed: int = 0) -> dict[str, list[Sample]]:
    """Split rows into parts of given sizes.

    Rows are put into an order by a hash of seed and id, which no other row and no order of the file
    changes, and that order is cut; in each part they stand as in the file.

    Args:
        samples: the rows.
        parts: name and weight of each part, such as ``{"train": 7, "test": 3}``.
        seed: makes another order.

    Raises:
        InputError: a weight is not above 0, or there are less than two parts.
    """
    if len(parts) < 2 or min(parts.values()) <= 0:
        raise InputError("a split has two parts or more, each with a weight above 0")
    order = sorted(range(len(samples)), key=lambda place: _mixed(seed, samples[place].row.id))
    total = sum(parts.values())
    ends = [round(len(samples) * sofar / total) for sofar in accumulate(parts.values())]
    starts = [0, *ends]
    return {
        name: [samples[place] for place in sorted(order[start:end])]
        for name, start, end in zip(parts, starts, ends, strict=False)
    }


def parts_of(text: str) -> dict[str, float]:
    """Read ``train=7,test=3``.

    Raises:
        InputError: it is something else, or a name is not one of a file.
    """
    found = [re.fullmatch(r"([\w.-]+)=(\d+(?:\.\d+)?)", part.strip()) for part in text.split(",")]
    parts = {part[1]: float(part[2]) for part in found if part}
    if len(parts) < len(found):
        raise InputError(f"parts are NAME=WEIGHT,NAME=WEIGHT, such as train=7,test=3; got {text!r}")
    return parts


def _mixed(seed: int, id_: str) -> bytes:
    return blake2b(f"{seed} {id_}".encode("utf-8", "replace"), digest_size=8).digest()

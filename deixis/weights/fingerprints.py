"""What is in a file or folder of weights, told by a short text: whether it is still the same.

Files of up to 64 MiB are hashed whole. Of larger ones the size and 4,096 pieces of 4 KiB are,
evenly spaced, the first and the last among them: a shard of 5 GB would take ten seconds to hash
whole, in each process anew. Training changes a matrix everywhere, and no matrix of a model that
large lies between two pieces; a safetensors file names its tensors in the first.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from deixis.weights.model_files import REMOTE

_WHOLE = 64 * 2**20
_PIECES, _PIECE = 4096, 4096
_READ = {".safetensors", ".json", ".txt", ".model", ".jinja"}
"""Endings of the files of a folder that a model is read from."""


def fingerprint(specs: Iterable[str]) -> str:
    """Return what tells whether some weights are the same, wherever they lie.

    A file is looked into again when its size, its time or its place on the disk has changed.

    Args:
        specs: as of `model_files`. Only paths count: what is fetched is named by its version, and
            nobody writes it anew.

    Returns:
        Sixteen hexadecimal digits; "" if nothing of it is on this disk.
    """
    parts = [
        f"{path.name}:{_of_file(str(path), *_state(path))}"
        for spec in specs
        if not spec.startswith(REMOTE)
        for path in _files(Path(spec).expanduser())
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16] if parts else ""


def _files(path: Path) -> list[Path]:
    inside = path.iterdir() if path.is_dir() else [path]
    read = (file for file in inside if file.is_file() and (file == path or file.suffix in _READ))
    return sorted(read, key=lambda file: file.name)


def _state(path: Path) -> tuple[int, int, int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


@lru_cache(maxsize=1024)
def _of_file(path: str, size: int, *_: int) -> str:
    found = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        if size <= _WHOLE:
            found.update(file.read())
        else:
            for number in range(_PIECES):
                file.seek(number * (size - _PIECE) // (_PIECES - 1))
                found.update(file.read(_PIECE))
    return found.hexdigest()

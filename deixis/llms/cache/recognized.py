"""What a recognizer has found in a text, kept on disk beside the answers of models.

It is found by all that determines it: what is in the files of its model, the text, and the versions
of what computes it. It comes back bit for bit: JSON tells every float exactly. It lies in a folder
of its own, is of this machine, and is neither exported nor counted.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from deixis.errors import DataError
from deixis.llms.cache.store import Store

Found = TypeVar("Found")
FOLDER = "recognized"
"""The folder beside the database of answers."""
_PACKAGES = ("deixis", "numpy", "onnxruntime", "tokenizers")


class Recognized:
    """What was found, by what it was found in.

    A folder or a disk that fails costs time and nothing else: all is then computed.

    Args:
        folder: that of the cache of answers.
        reads: whether what is there is taken.
        writes: whether what is found is put there.
    """

    def __init__(self, folder: Path, *, reads: bool, writes: bool) -> None:
        self._store = Store(folder / FOLDER)
        self._reads, self._writes = reads, writes

    def get_or_find(
        self, digest: str, text: str, find: Callable[[], Found], revive: Callable[[Any], Found]
    ) -> Found:
        """Return what is kept, or find it and keep it.

        Args:
            digest: of all weights; "" if that is not known: then nothing is kept.
            text: that it is found in.
            find: finds it; what it returns can be written as JSON.
            revive: makes it of that JSON; a ValueError says that it is no such thing.
        """
        if not digest or not (self._reads or self._writes):
            return find()
        asked = json.dumps([_versions(), digest, text]).encode()
        key = hashlib.sha256(asked).hexdigest()
        if (body := self._read(key)) is not None:
            with suppress(ValueError):
                return revive(json.loads(body))
        found = find()
        self._write(key, json.dumps(found).encode())
        return found

    def _read(self, key: str) -> bytes | None:
        try:
            return self._store.read(key) if self._reads else None
        except DataError:
            self._reads = self._writes = False
            return None

    def _write(self, key: str, body: bytes) -> None:
        try:
            if self._writes:
                self._store.write(key, body)
        except DataError:
            self._writes = False


def clear(folder: Path) -> None:
    """Remove what is kept beside the answers in a folder.

    Raises:
        DataError: it cannot be read or written.
    """
    Store(folder / FOLDER).delete(None)


@cache
def _versions() -> list[str]:
    """Return the versions of all that computes."""
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(package)
    return found

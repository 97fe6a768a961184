"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Open a draft beside `path` that takes its place when the block ends without an error.

    The folder is made if need be; of a draft that failed, nothing is left.

    Args:
        path: the file to write or to replace.
        mode: its rights; by default only its owner can read it.

    Raises:
        OSError: the place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(draft, mode)
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)

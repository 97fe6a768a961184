"""Several files of one folder, which are there together or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from deixis.base.atomic import whole_file
from deixis.errors import InputError


@contextmanager
def whole_files(folder: Path, names: list[str]) -> Iterator[dict[str, IO[bytes]]]:
    """Open drafts of files by their names, which are there when the block ends without an error.

    Raises:
        InputError: one cannot be written.
    """
    try:
        with ExitStack() as drafts:
            yield {name: drafts.enter_context(whole_file(folder / name)) for name in names}
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from None

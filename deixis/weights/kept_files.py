"""Files of published packages in the cache: known by their hash, there whole or not at all."""

import difflib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from deixis.errors import ModelFileError

_checked: set[tuple[str, int, int, int]] = set()


def folder_name(hashes: Sequence[str]) -> str:
    """Return the name of the folder that files with these hashes share."""
    name = "+".join(hashes)
    # Longer names than 255 bytes are refused by most file systems.
    return name if len(name) < 200 else hashlib.sha256(name.encode()).hexdigest()


def has_content(path: Path) -> bool:
    """Say whether a file is there, and not empty."""
    # Size 0 is what a full disk or a crash leaves behind on some file systems.
    return path.is_file() and path.stat().st_size > 0


def check(path: Path, sha256: str, package: str) -> None:
    """Hash a cached file, once in each process as long as it does not change.

    Raises:
        ModelFileError: it is not what was fetched.
    """
    try:
        about = path.stat()
        seen = (str(path), about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        if seen in _checked:
            return
        with path.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror}") from None
    if got != sha256:
        raise ModelFileError(
            f"{path} is not what was fetched from {package}: it was damaged or "
            "changed; delete it, and it is fetched again"
        )
    _checked.add(seen)


def make_private(*folders: Path) -> None:
    """Make folders of the cache that only their owner may enter."""
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def keep(member: IO[bytes], path: Path, sha256: str, named: str) -> None:
    """Copy a file of a package into the cache under a temporary name; rename it if it is right.

    Args:
        member: the file, open.
        path: where it is kept, in a folder of its own.
        sha256: of its content, in small letters.
        named: how errors call it.

    Raises:
        ModelFileError: it has another hash; nothing is kept.
        OSError: the cache cannot be written.
    """
    handle, part = tempfile.mkstemp(dir=path.parent.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as out:
            got = _copy(member, out)
        if got != sha256:
            raise ModelFileError(
                f"{named} has another hash than the spec says: "
                f"expected {sha256}, got {got}; nothing was kept"
            )
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(part, path)
    finally:
        Path(part).unlink(missing_ok=True)


def near(member: str, names: Sequence[str]) -> str:
    """Name the files of a package that one that it lacks may have been meant for."""
    base = member.rpartition("/")[2]
    alike = [name for name in names if name.rpartition("/")[2] == base]
    alike += difflib.get_close_matches(member, names, n=3)
    return ", ".join(list(dict.fromkeys(alike))[:3]) or f"{len(names)} other files"


def _copy(source: IO[bytes], out: IO[bytes]) -> str:
    """Copy `source` to `out`; return the sha256 of what passed."""
    digest = hashlib.sha256()
    while block := source.read(1 << 20):
        digest.update(block)
        out.write(block)
    return digest.hexdigest()

"""Which files of a folder or archive count, and what file managers leave beside them."""

from collections.abc import Iterable
from pathlib import Path, PurePath

_LEFT_OVER = {"__macosx", "thumbs.db", "desktop.ini"}


def counts(path: PurePath, suffix: str = "") -> bool:
    """Say whether a file is one of those with a suffix, in whatever case that is written.

    Hidden files do not count (``._1.xml`` beside ``1.xml`` is one of macOS), nor what Windows
    and macOS put into folders and archives by themselves.

    Args:
        path: relative to the folder or archive that is read.
        suffix: such as ``.xml``, in lower case.
    """
    parts = [part.lower() for part in path.parts]
    hidden = any(part.startswith(".") for part in parts)
    return parts[-1].endswith(suffix) and not hidden and _LEFT_OVER.isdisjoint(parts)


def files_in(folder: Path, suffix: str = "") -> list[Path]:
    """Return the files of a folder that count, by name.

    Raises:
        OSError: the folder cannot be read.
    """
    paths: Iterable[Path] = folder.iterdir()
    return sorted(path for path in paths if counts(PurePath(path.name), suffix) and path.is_file())

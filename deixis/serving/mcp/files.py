"""Files of this machine that a client on this machine may name: those in folders given for it."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from deixis.base.images import named
from deixis.errors import InputError
from deixis.serving.orders import Encoded

_MEDIA = ("image", "audio", "video")
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Files:
    """Opens files in some folders, and no others.

    Args:
        folders: where files may lie, at any depth.
        most: bytes of the largest file that is read.

    Raises:
        InputError: one of the folders is none.
    """

    def __init__(self, folders: Iterable[Path], most: int) -> None:
        self._folders: list[Path] = []
        for folder in folders:
            if not folder.is_dir():
                raise InputError(f"--files: {folder} is no folder; give one that holds files")
            self._folders.append(folder.resolve())
        self._most = most

    @property
    def folders(self) -> list[Path]:
        """Where files may lie, without symbolic links."""
        return self._folders

    def opened(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a tool with what lies in files in the place of their paths.

        Raises:
            InputError: a file is not in the folders, or cannot be read.
        """
        given = dict(arguments)
        for name in _MEDIA:
            given |= {name: self._content(given[name])} if name in given else {}
        if isinstance(several := given.get("images"), list):
            given["images"] = [self._content(each) for each in several]
        return given

    def _content(self, medium: Any) -> Any:
        if not isinstance(medium, str):
            return medium
        if medium.lower().startswith(("http://", "https://", "data:")):
            return medium
        return Encoded.of(self.read(medium))

    def read(self, path: str) -> bytes:
        """Return the bytes of a file: a path, from one of the folders or whole, or a file: URL.

        Raises:
            InputError: it is not in the folders, is no regular file, is too large or unreadable.
        """
        where = named(path)
        for folder, inside in self._places(path, where):
            try:
                with _open(folder, inside) as file:
                    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                        raise InputError(f"{where} is no regular file; give one")
                    data: bytes = file.read(self._most + 1)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise InputError(f"{where} cannot be read: {error.strerror}") from None
            if len(data) > self._most:
                raise InputError(f"{where}: over {self._most:,} bytes; give a smaller file")
            return data
        raise InputError(f"{where}: no such file in {self._told()}; check the path")

    def _places(self, path: str, where: str) -> list[tuple[Path, Path]]:
        """Return where a path may lead, as folders and what is in them."""
        if path.lower().startswith("file:"):
            url = urlsplit(path)
            if url.netloc not in ("", "localhost"):
                raise InputError(f"{where}: files of other machines are not opened")
            path = unquote(url.path)
        places = []
        for folder in self._folders:
            try:
                whole = (folder / path).resolve()
            except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
                raise InputError(f"{where} cannot be a path; check it") from None
            places += [(each, whole) for each in self._folders if whole.is_relative_to(each)]
        if not places:
            raise InputError(f"{where} is in none of the folders that are open: {self._told()}")
        return [(folder, whole.relative_to(folder)) for folder, whole in dict.fromkeys(places)]

    def _told(self) -> str:
        return ", ".join(map(str, self._folders))


def _open(folder: Path, inside: Path) -> Any:
    """Open a file below a folder; a link put in the way since the path was resolved is refused."""
    if os.open not in os.supports_dir_fd:
        return open(folder / inside, "rb")
    at = os.open(folder, os.O_RDONLY)
    try:
        for part in inside.parts:
            below = os.open(part, os.O_RDONLY | _NO_FOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return open(at, "rb")
    except BaseException:
        os.close(at)
        raise

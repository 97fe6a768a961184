"""A PDF that is open in a process of its own, which a time and a memory are set.

PDFium is a parser in C++: a file of a few kilobytes can keep it busy for years, fill the memory or
crash it. Then that process ends, and the page is one that cannot be read.
"""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base.boxes import Box
from deixis.documents.limits import Limits
from deixis.documents.pdfium import Page
from deixis.documents.rasters import Raster
from deixis.errors import InputError, MissingExtraError

_COMMAND = [sys.executable, "-P", "-m", "deixis.documents.worker"]


class PdfProcess:
    """An open PDF; close it, or use it in a ``with`` block. Its methods are those of `PdfFile`.

    Each of them raises `InputError` too where PDFium takes too long, too much memory, or crashes;
    the next call starts it anew.

    Args:
        data: the bytes of the file.
        where: how errors call it.
        limits: what is refused.

    Raises:
        InputError: as for `PdfFile`.
        MissingExtraError: pypdfium2 is not installed.
    """

    def __init__(self, data: bytes, where: str, limits: Limits) -> None:
        if find_spec("pypdfium2") is None:
            raise MissingExtraError("pypdfium2", "pdf")
        self._given = data, where, limits
        self._where, self._limits = where, limits
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pdf")
        try:
            self.pages = self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "PdfProcess":  # noqa: D105
        return self

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self.close()

    def close(self) -> None:
        """End the process."""
        self._stop()
        self._thread.shutdown()

    def page(self, number: int) -> Page:
        """Read a page, from 1."""
        read: Page = self._call(f"page {number}", "page", number)
        return read

    def drawn(self, number: int, scale: float, box: Box | None = None) -> NDArray[np.uint8]:
        """Draw a page, or a part of it."""
        drawn: NDArray[np.uint8] = self._call(f"page {number}", "drawn", number, scale, box)
        return drawn

    def jpeg(self, number: int, raster: Raster) -> bytes | None:
        """Return the JPEG that a picture of a page is stored as."""
        data: bytes | None = self._call(f"page {number}", "jpeg", number, raster)
        return data

    def pixels(self, number: int, raster: Raster) -> NDArray[np.uint8] | None:
        """Return the pixels that a picture of a page is stored as."""
        pixels: NDArray[np.uint8] | None = self._call(f"page {number}", "pixels", number, raster)
        return pixels

    def _open(self) -> int:
        self._child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        pages: int = self._call("the file", "open", *self._given)
        return pages

    def _call(self, what: str, name: str, *arguments: Any) -> Any:
        if self._child is None:
            self._open()
        child = self._child
        assert child is not None, "it was opened"
        asked = self._thread.submit(_exchange, child, name, arguments)
        try:
            kind, value = asked.result(self._limits.seconds)
        except TimeoutError:
            self._stop()
            raise InputError(
                f"{self._where}: PDFium takes more than {self._limits.seconds:g} seconds for {what}"
            ) from None
        except (OSError, EOFError, pickle.UnpicklingError):
            self._stop()
            raise InputError(
                f"{self._where}: PDFium crashed on {what}, or takes more than "
                f"{self._limits.memory:,} bytes of memory"
            ) from None
        except BaseException:
            self._stop()
            raise
        if kind == "error":
            raise value
        if kind == "bug":
            raise RuntimeError(value)
        return value

    def _stop(self) -> None:
        if self._child is None:
            return
        child, self._child = self._child, None
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()


def _exchange(child: "subprocess.Popen[bytes]", name: str, arguments: tuple[Any, ...]) -> Any:
    assert child.stdin is not None and child.stdout is not None
    pickle.dump((name, arguments), child.stdin)
    child.stdin.flush()
    return pickle.load(child.stdout)

"""Which pictures a page about results opens: results may be anybody's."""

import os
from pathlib import Path
from typing import NamedTuple

from deixis.base.images import UNNAMED, is_url
from deixis.base.records import ImageInfo
from deixis.base.urls import HIDDEN
from deixis.errors import InputError


class Access(NamedTuple):
    """Pictures that may be opened besides those in the folder of the results.

    ``folders``: pictures in and under these. ``fetch``: those of URLs on the public internet.
    """

    folders: tuple[Path, ...] = ()
    fetch: bool = False


def place_of(info: ImageInfo, results: Path, access: Access) -> Path | str:
    """Return the path or the URL from which the picture of a row is to be opened.

    Raises:
        InputError: it is not to be opened, or cannot be.
    """
    source = info.source
    if source in UNNAMED:
        raise InputError(f"the picture came as {source}, which results do not keep")
    if is_url(source):
        if HIDDEN in source:
            raise InputError(f"{source!r} had credentials, which results do not keep")
        if not access.fetch:
            raise InputError(f"{source!r} is a URL, which is opened with --fetch-pictures alone")
        return source
    own = () if str(results) == "-" else (results.parent,)
    roots = [os.path.realpath(folder) for folder in (*own, *access.folders)]
    try:
        if source.startswith(("//", "\\\\")):  # the share of another machine
            raise InputError(f"{source!r} is on another machine; it is not opened")
        path = Path(os.path.realpath(results.parent / source))
    except (OSError, ValueError) as error:  # ValueError: a NUL
        raise InputError(f"{source!r} is no path ({error})") from None
    if not any(path.is_relative_to(root) for root in roots):
        raise InputError(
            f"{source!r} is outside the folder of the results; name its folder with --pictures"
        )
    return path

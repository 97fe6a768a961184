"""PDFs as rows for batches: text, a picture stored beside, and where both stand."""

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.atomic import whole_file
from deixis.base.text_files import STDIN, write_lines
from deixis.documents.document import MOST, Document, open_document
from deixis.documents.posts import Post
from deixis.errors import InputError, MissingExtraError
from deixis.tools.base import Reader


class Done(NamedTuple):
    """What was written; ``failed`` says of each PDF that could not be used why."""

    documents: int
    rows: int
    pictures: int
    failed: list[str]


def media_folder(out: Path) -> Path:
    """Return the folder of the pictures of a file of rows: ``rows.media`` for ``rows.jsonl``."""
    return out.with_name(out.name.removesuffix(".jsonl") + ".media")


def convert(
    src: Path,
    out: Path,
    *,
    pages: Collection[int] | None = None,
    most: int = MOST,
    reader: Reader | None = None,
    tell: Callable[[Document], None] = lambda document: None,
) -> Done:
    """Write the posts of a PDF, or of all PDFs in a folder, as rows, one per line.

    Each has ``id``, ``text``, ``image`` (None, or a path beside the rows) and ``document``, from
    which `deixis batch` takes pages and places of what it finds.

    Args:
        src: the PDF or the folder.
        out: file of rows.
        pages: of each PDF; None is all.
        most: characters of a row's text.
        reader: of pages without text.
        tell: is told of each document.

    Raises:
        InputError: none can be used, or the place cannot be written.
        MissingExtraError: a package is missing.
    """
    if out == STDIN or (out.exists() and not out.is_file()):
        raise InputError(f"pictures are stored beside the rows; name a file, not {out}")
    found = _found(src)
    if out.exists() and any(path.exists() and path.samefile(out) for path, _ in found):
        raise InputError(f"{out} is the PDF itself; give another --out")
    failed: list[str] = []
    counts = {"documents": 0, "pictures": 0}

    def lines() -> Iterator[str]:
        import json

        for path, name in found:
            try:
                document = open_document(path, reader=reader, most=most, pages=pages, name=name)
            except MissingExtraError:
                raise
            except InputError as error:
                if len(found) == 1:
                    raise
                failed.append(str(error))
                continue
            tell(document)
            counts["documents"] += 1
            for post in document.posts:
                counts["pictures"] += post.picture is not None
                yield json.dumps(_row(post, out), ensure_ascii=False, separators=(",", ":"))

    written = write_lines(out, lines())
    return Done(counts["documents"], written, counts["pictures"], failed)


def _found(src: Path) -> list[tuple[Path, str]]:
    """Return the PDFs of a place with the names that ids begin with."""
    if not src.is_dir():
        return [(src, src.name)]
    paths = [Path(folder, name) for folder, _, names in os.walk(src) for name in names]
    pdfs = sorted(path for path in paths if path.suffix.lower() == ".pdf" and path.is_file())
    if not pdfs:
        raise InputError(f"{src} has no file that ends in .pdf; give another folder")
    return [(path, path.relative_to(src).as_posix()) for path in pdfs]


def _row(post: Post, out: Path) -> dict[str, Any]:
    """Return a row, whose picture is stored."""
    image = None
    if post.picture is not None:
        path = media_folder(out) / f"{post.picture.sha256}{post.picture.suffix}"
        if not path.is_file():
            try:
                with whole_file(path) as file:
                    file.write(post.picture.data)
            except OSError as error:
                raise InputError(f"cannot write {path}: {error.strerror}") from None
        image = f"{path.parent.name}/{path.name}"
    document = post.origin.model_dump(mode="json")
    return {"id": post.id, "text": post.text, "image": image, "document": document}

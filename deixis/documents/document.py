"""The one place that opens a document: a PDF comes out as posts, with places on its pages."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from deixis.base.document_records import PageInfo
from deixis.base.images import named, regular_file
from deixis.documents import figures as pictures
from deixis.documents import scans
from deixis.documents.figures import COVERS, Figure, Picture, figures_of
from deixis.documents.layout import laid, ordered
from deixis.documents.limits import Limits
from deixis.documents.lines import Line, lines_of
from deixis.documents.paragraphs import Paragraph
from deixis.documents.pdfium import Page
from deixis.documents.posts import About, Laid, Post, parts_of, posts_of
from deixis.documents.process import PdfProcess
from deixis.errors import InputError, ToolError
from deixis.tools.base import Reader

MOST = 2000
"""Characters of a post, unless another number is asked for."""
_BEGINNING = b"%PDF-"
_WITHIN = 1024  # bytes: so far in, a PDF may begin
_WRITTEN = 200  # characters: a picture with as many is a page of text


class Document(NamedTuple):
    """A document: its posts in reading order, what it is, and what had to be left out.

    ``pages`` is how many it has, ``read`` those that were read.
    """

    name: str
    sha256: str
    source: str
    pages: int
    read: list[PageInfo]
    posts: list[Post]
    notes: list[str]


def is_document(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is a PDF, by its first bytes or, where it is not there, by its name."""
    try:
        if not os.path.isfile(path):
            return os.fspath(path).lower().endswith(".pdf") and "://" not in os.fspath(path)
        with open(path, "rb") as file:
            return _BEGINNING in file.read(_WITHIN) or os.fspath(path).lower().endswith(".pdf")
    except (OSError, ValueError):
        return False


def open_document(
    path: str | Path,
    *,
    reader: Reader | None = None,
    most: int = MOST,
    pages: Collection[int] | None = None,
    name: str | None = None,
    limits: Limits | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Document:
    """Open a PDF and cut it into posts.

    Text, and the place of every character, come from the text of the PDF; of a page without any, or
    whose fonts do not say which characters they show, from a reader that looks at the page.

    Args:
        path: of the file.
        reader: reads such pages; None leaves them without text, which a note says.
        most: characters of a post, at least 100.
        pages: numbers of those to read, from 1; None is all.
        name: what ids of posts begin with; None is the name of the file.
        limits: what is refused or left out; None is for `Limits` as they are.
        tell: is told how many pages are done, of how many.

    Raises:
        InputError: it is no PDF, asks for a password, is broken, has no such page, or is outside of
            the limits.
        MissingExtraError: pypdfium2 is not installed.
        ModelFileError: the reader's models cannot be had.
    """
    limits = limits or Limits()
    source = os.fspath(path)
    where = named(source)
    data = _data(source, where, limits)
    with PdfProcess(data, where, limits) as opened:
        wanted = _wanted(opened.pages, pages, where, limits.pages)
        reading = _Reading(opened, reader, limits)
        for done, number in enumerate(wanted):
            tell(done, len(wanted))
            reading.add(number)
        tell(len(wanted), len(wanted))
        article = reading.laid()
        about = About(
            name or os.path.basename(source),
            hashlib.sha256(data).hexdigest(),
            source,
            opened.pages,
            reading.read,
        )
        posts = posts_of(parts_of(article, most), about, reading.picture)
    used = sum(post.picture is not None for post in posts)
    reading.close(len([each for each in article.blocks if isinstance(each, Figure)]) - used)
    read = [reading.read[number] for number in sorted(reading.read)]
    return Document(*about[:4], read, posts, reading.notes)


def opened_again(document: Document, limits: Limits) -> PdfProcess:
    """Open the file of a document once more, for `with`.

    Raises:
        InputError: it cannot be read, or is not the one that was read before.
    """
    where = named(document.source)
    data = _data(document.source, where, limits)
    if hashlib.sha256(data).hexdigest() != document.sha256:
        raise InputError(f"{where}: the file has changed since it was read; read it again")
    return PdfProcess(data, where, limits)


def _data(source: str, where: str, limits: Limits) -> bytes:
    with regular_file(source, where, "PDF") as file:
        data = file.read(limits.size + 1)
    if len(data) > limits.size:
        raise InputError(f"{where}: over {limits.size:,} bytes; give a smaller file")
    if _BEGINNING not in data[:_WITHIN]:
        raise InputError(f"{where}: no PDF, which begins with %PDF-; give one")
    return data


def _wanted(count: int, pages: Collection[int] | None, where: str, most: int) -> list[int]:
    wanted = sorted(set(pages)) if pages is not None else list(range(1, count + 1))
    if not wanted or wanted[0] < 1 or wanted[-1] > count:
        raise InputError(f"{where} has {count:,} pages; name some of them")
    if len(wanted) > most:
        raise InputError(f"{where}: {len(wanted):,} pages, over {most:,}; name some of them")
    return wanted


class _Reading:
    """Reads the pages of a document one by one."""

    def __init__(self, file: PdfProcess, reader: Reader | None, limits: Limits) -> None:
        self._file, self._reader, self._limits = file, reader, limits
        self._pages: list[list[Paragraph | Figure]] = []
        self._left_out: Counter[str] = Counter()
        self._lost = 0  # pictures of which no file can be had
        self.read: dict[int, PageInfo] = {}
        self.notes: list[str] = []

    def add(self, number: int) -> None:
        """Read a page; what is broken of it is noted."""
        try:
            page = self._file.page(number)
        except InputError as error:
            self.notes.append(str(error))
            return
        self.notes += [f"page {number}: {note}" for note in page.notes]
        figures, small = figures_of(page)
        self._left_out["small pictures"] += small
        why = self._too_large(page)
        if why:
            self.notes.append(f"page {number} is not drawn, so its pictures are left out: {why}")
            figures = []
        whole = [each for each in figures if each.area >= COVERS * page.width * page.height]
        unread = scans.needs_reader(page, bool(whole))
        reader, lines = None, {} if unread else lines_of(number, page.glyphs)
        if unread and not why:
            reader, lines = self._scanned(page, unread, bool(page.rasters))
        if whole:
            figures = self._without_scan(page, figures, whole, lines, reader)
        self.read[number] = PageInfo(
            number=number, width=page.width, height=page.height, reader=reader
        )
        self._pages.append(ordered(lines, figures))

    def _too_large(self, page: Page) -> str | None:
        try:
            return pictures.too_large(self._file, page, self._limits) if page.rasters else None
        except InputError as error:
            return str(error)

    def _scanned(
        self, page: Page, why: str, drawn: bool
    ) -> tuple[str | None, dict[int, list[Line]]]:
        """Return who has read a page, and the lines; nobody and none where nobody could."""
        where = f"page {page.number}"
        if self._reader is None:
            if page.glyphs or drawn:
                self.notes.append(f"{where} was not read: {why}, and there is no reader")
            return None, {}
        try:
            lines = scans.read(self._file, page, self._reader)
        except (ToolError, InputError) as error:
            self.notes.append(f"{where} was not read: {why}, and {error}")
            return None, {}
        if not lines and page.glyphs:
            self.notes.append(f"{where}: {why}, and the reader found nothing")
        return self._reader.name, {0: lines}

    def _without_scan(
        self,
        page: Page,
        figures: list[Figure],
        whole: list[Figure],
        lines: dict[int, list[Line]],
        reader: str | None,
    ) -> list[Figure]:
        """Return the pictures of a page of which `whole` take all: of a scan, its photographs.

        It is a scan if most of its text is laid over it without being drawn or if, read in it,
        there is much text, or a photograph beside it. The lines in photographs are taken out.
        """
        said = [glyph for glyph in page.glyphs if glyph.text.strip()]
        hidden = sum(not glyph.seen for glyph in said) * 2 > len(said)
        if reader is None and not hidden:
            return figures
        try:
            flat = [line for each in lines.values() for line in each]
            found, left = scans.cut_out(self._file, whole[-1], flat)
        except InputError as error:
            self.notes.append(str(error))
            return figures
        written = sum(len(line.cells) for line in flat) >= _WRITTEN
        if not (hidden or written or found):
            return figures
        for turn, each in lines.items():
            lines[turn] = [line for line in each if line in left]
        return [*(figure for figure in figures if figure not in whole), *found]

    def laid(self) -> Laid:
        """Return all pages in reading order, with captions found and paragraphs joined."""
        return laid(self._pages)

    def picture(self, figure: Figure) -> Picture | None:
        """Return the file of a picture; None, and a note, if it cannot be had."""
        made = None
        try:
            made = pictures.picture_of(self._file, figure, self._limits)
            self._left_out["blank or broken pictures"] += made is None
        except InputError as error:
            self.notes.append(str(error))
        self._lost += made is None
        return made

    def close(self, alone: int) -> None:
        """Note what was left out; `alone` is how many pictures are in no post."""
        self._left_out["pictures without any text"] = alone - self._lost
        for what, count in self._left_out.items():
            if count:
                self.notes.append(f"left out: {what} ({count})")

"""Pages that have to be read in their picture, and those that need not."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.documents.cleaning import cleaned
from deixis.documents.document import open_document
from deixis.documents.glyphs import Glyph
from deixis.documents.limits import Limits
from deixis.documents.pdfium import PdfFile
from deixis.documents.scans import LateReader, is_legible
from deixis.errors import SettingsError, ToolError
from deixis.tools.base import Picture, Word

from .pdfs import BODY, Pdf, article, show, wrapped

pytestmark = pytest.mark.extra("pypdfium2")


class Told:
    """A reader that is told what stands where, in shares of the page, and reads every strip."""

    name = "told"

    def __init__(self, lines: Sequence[tuple[str, float, float, float, float]], high: int) -> None:
        self.lines, self.high = lines, high
        self.seen: list[tuple[int, ...]] = []
        self.top = 0

    def read(self, picture: Picture) -> list[Word]:
        self.seen.append(picture.shape)
        high, wide = picture.shape[:2]
        found = []
        for text, x1, y1, x2, y2 in self.lines:
            box = x1 * wide, y1 * self.high - self.top, x2 * wide, y2 * self.high - self.top
            if box[3] > 0 and box[1] < high:
                clipped = box[0], max(box[1], 0.0), box[2], min(box[3], float(high))
                found.append(Word(text, clipped, 0.9))
        self.top += 1280 - 96
        return found


def scan(tmp_path: Path, page: np.ndarray | None, *hidden: str) -> Path:
    """Write a page that is one picture, perhaps with text laid over it that is not drawn."""
    pdf = Pdf()
    pdf.pixels("P", np.full((1100, 850, 3), 255, np.uint8) if page is None else page)
    made = pdf.page((612, 792))
    made.picture("P", 0, 0, 612, 792)
    for i, line in enumerate(hidden):
        made.text(60, 700 - 14 * i, line, mode=3)
    return pdf.save(tmp_path / "scan.pdf")


def test_what_a_reader_finds_has_places_on_the_page(tmp_path: Path) -> None:
    page = np.full((1100, 850, 3), 255, np.uint8)
    page[100:120, 100:400] = 0
    lines = [
        ("Grace Hopper joined the", 0.1, 0.10, 0.5, 0.115),
        ("US Navy in Washing-", 0.1, 0.12, 0.5, 0.135),
        ("ton, and worked there.", 0.1, 0.14, 0.5, 0.155),
        ("At the seam of two strips", 0.1, 0.745, 0.5, 0.76),
        ("Near the end of the page", 0.1, 0.97, 0.5, 0.985),
    ]
    more = enumerate(wrapped(BODY, 70))
    lines += [(line, 0.1, 0.5 + 0.02 * i, 0.9, 0.515 + 0.02 * i) for i, line in more]
    reader = Told(lines, 1650)
    document = open_document(scan(tmp_path, page), reader=reader)
    (post,) = document.posts
    assert post.text.startswith("Grace Hopper joined the US Navy in Washington, and worked there.")
    assert post.text.count("At the seam") == 1 and post.text.count("Near the end") == 1
    assert len(reader.seen) == 2 and all(max(shape) <= 1280 for shape in reader.seen)
    assert [page.reader for page in document.read] == ["told"]
    (place,) = post.origin.places(0, len("Grace Hopper"))
    assert place.box[:2] == pytest.approx((61.2, 79.2), abs=0.5)
    assert place.box[2] == pytest.approx(61.2 + 244.8 * 12 / 23, abs=12)
    assert len(post.origin.places(post.text.index("Washington"), post.text.index(", and"))) == 2


@pytest.mark.parametrize("reader", [None, Told([], 1650)])
def test_a_page_that_nobody_can_read_is_noted(tmp_path: Path, reader: Told | None) -> None:
    document = open_document(scan(tmp_path, None, "3"), reader=reader)
    assert "page 1" in document.notes[0]
    assert ("no reader" in document.notes[0]) == (reader is None)


def test_a_reader_that_fails_leaves_a_note_and_the_other_pages(tmp_path: Path) -> None:
    class Broken:
        name = "broken"

        def read(self, picture: Picture) -> list[Word]:
            raise ToolError("it is out of ink")

    pdf = Pdf()
    pdf.pixels("P", np.random.default_rng(1).integers(0, 255, (110, 85, 3), np.uint8))
    pdf.page().picture("P", 0, 0, 595, 842)
    pdf.page().text(60, 700, "Grace Hopper was here")
    document = open_document(pdf.save(tmp_path / "a.pdf"), reader=Broken())
    assert [post.text for post in document.posts] == ["Grace Hopper was here"]
    assert "page 1 was not read" in document.notes[0] and "out of ink" in document.notes[0]


def test_text_laid_over_a_scan_is_taken_and_the_scan_left_out(tmp_path: Path) -> None:
    reader = Told([], 1650)
    document = open_document(scan(tmp_path, None, *wrapped(BODY, 60)), reader=reader)
    assert [(post.text, post.picture) for post in document.posts] == [(BODY, None)]
    assert not reader.seen


def test_a_photograph_that_fills_a_page_with_text_on_it_is_a_picture(
    tmp_path: Path, hopper: Path
) -> None:
    pdf = Pdf()
    pdf.jpeg("P", hopper, (512, 600))
    page = pdf.page((512, 600))
    page.picture("P", 0, 0, 512, 600)
    page.lines(40, 560, wrapped(BODY, 60))
    (post,) = open_document(pdf.save(tmp_path / "a.pdf")).posts
    assert post.text == BODY and post.picture and post.picture.place.box == (0, 0, 512, 600)


def test_photographs_are_cut_out_of_a_scan(tmp_path: Path, hopper: Path) -> None:
    page = np.full((1650, 1275, 3), 250, np.uint8)
    photograph = np.asarray(Image.open(hopper).convert("RGB"))
    page[400:1000, 200:712] = photograph
    for i in range(14):
        page[1100 + 24 * i : 1110 + 24 * i, 200:900:3] = 0  # writing, more or less
    lines = [(line, 0.16, 0.67 + 0.015 * i, 0.7, 0.68 + 0.015 * i) for i, line in enumerate([BODY])]
    lines.append(("GRACE HOPPER", 0.25, 0.5, 0.35, 0.51))  # her name tag
    document = open_document(scan(tmp_path, page), reader=Told(lines, 1650))
    (post,) = document.posts
    assert post.text == BODY and post.picture is not None
    box = np.array(post.picture.place.box) * 1275 / 612
    assert box == pytest.approx(np.array([200, 400, 712, 1000]), abs=10)


def glyphs(text: str, **changes: object) -> list[Glyph]:
    plain = Glyph("", (0.0, 0.0, 1.0, 1.0), 10.0, 0, "", True, True)
    return [plain._replace(text=letter, **changes) for letter in text]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "legible"),
    [
        (BODY, True),
        ("", True),
        ("1,234.50 5,678.25 9.5% 12/03/1984", True),
        ("Прочитанное людьми", True),
        ("Introduction " + ". " * 200 + "7", True),
        ("東京は日本の首都である。", True),
        ("مرحبا بالعالم", True),
        ("".join(chr(ord(c) - 29) for c in BODY if c > "="), False),  # codes that are shifted
        ("".join(chr(0xF000 + ord(c)) for c in BODY), False),
        ("\x01\x02\x03\x04\x05\x06 \x07\x08", False),
        ("!\"#$%& '()*+ ,-./:; <=>?", False),
    ],
)
def test_text_that_says_nothing_is_told_from_text(text: str, legible: bool) -> None:
    assert is_legible(glyphs(text)) is legible


def test_fonts_that_know_no_character_are_no_text() -> None:
    assert not is_legible(glyphs(BODY, known=False))


def test_characters_that_steer_are_left_out() -> None:
    said = "a\u202eb\u200b\u2066c\u0007d  e\u00a0f\u00adg\ufb01h e\u0301 \uf0b7 \ue000"
    placed = [(letter, float(i), i + 1.0) for i, letter in enumerate(said)]
    made = cleaned(placed)
    assert "".join(letter for letter, _, _ in made) == "abcd e fgfih é \u2022 \ufffd"
    assert all(start <= end for _, start, end in made)
    (f, i) = [each for each in made if each[0] in "fi"][-2:]
    assert f[2] == i[1] == said.index("\ufb01") + 0.5


def test_a_reader_is_loaded_when_it_is_needed() -> None:
    assert LateReader("rapidocr").name == "rapidocr"
    with pytest.raises(SettingsError, match="no tool 'rapidorc'"):
        LateReader("rapidorc")


@pytest.mark.slow
@pytest.mark.extra("starter")
def test_a_scanned_article_is_read(tmp_path: Path, hopper: Path, collins: Path) -> None:
    """The same article as a PDF with text, once drawn and read again."""
    path = article(tmp_path, hopper, collins)
    pdf = Pdf()
    with PdfFile(path.read_bytes(), "it", Limits()) as file:
        for number in (1, 2):
            drawn = file.drawn(number, 200 / 72)
            data = io.BytesIO()
            Image.fromarray(drawn).save(data, "JPEG", quality=85)
            pdf.jpeg(f"P{number}", data.getvalue(), (drawn.shape[1], drawn.shape[0]))
            pdf.page().picture(f"P{number}", 0, 0, 595, 842)
    wanted = {post.text: post for post in open_document(path).posts}
    scanned = open_document(
        pdf.save(tmp_path / "scan.pdf"), reader=LateReader("rapidocr"), limits=Limits()
    )
    said = show(scanned)
    assert BODY in said and "Eileen Collins was the first woman to command a Space Shuttle" in said
    second = scanned.posts[-1]
    own = next(post for text, post in wanted.items() if text.startswith("Figure 2"))
    assert second.picture and own.picture
    assert second.picture.place.box == pytest.approx(own.picture.place.box, abs=5)
    for name in ("Houston", "Eileen Collins"):
        start, there = second.text.index(name), own.text.index(name)
        (read,), (right,) = (
            post.origin.places(at, at + len(name)) for post, at in ((second, start), (own, there))
        )
        assert read.page == right.page and read.box == pytest.approx(right.box, abs=8)

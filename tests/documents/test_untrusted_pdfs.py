"""PDFs that anybody may have made: broken, huge, locked, full of what nobody asked for."""

import io
import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.documents.document import is_document, open_document
from deixis.documents.limits import Limits
from deixis.errors import DeixisError, InputError

from .pdfs import BODY, Pdf, article, wrapped

pytestmark = pytest.mark.extra("pypdfium2")

LOCKED = b"/Encrypt<</Filter/Standard/V 1/R 2/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">/P -4>>"


def plain() -> Pdf:
    pdf = Pdf()
    pdf.page().lines(60, 700, wrapped(BODY, 60))
    return pdf


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no PDF"),
        (b"PNG", "no PDF"),
        (b"%PDF-1.7\n", "no PDF, or broken"),
        (b"%PDF-1.7\ntrailer<</Root 1 0 R>>\n%%EOF", "no PDF, or broken"),
        (Pdf().data(), "without a page|or broken"),
    ],
)
def test_what_is_no_pdf_is_refused_in_one_line(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(InputError, match=why) as raised:
        open_document(path)
    assert "\n" not in str(raised.value) and "a.pdf" in str(raised.value)


@pytest.mark.parametrize("name", ["none.pdf", "folder.pdf", "nul\0.pdf"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.pdf").mkdir()
    with pytest.raises(InputError):
        open_document(tmp_path / name)


def test_a_password_is_not_asked_for(tmp_path: Path) -> None:
    pdf = plain()
    pdf.trailer = b"/ID[<00><00>]" + LOCKED
    with pytest.raises(InputError, match="asks for a password; give a copy without one"):
        open_document(pdf.save(tmp_path / "a.pdf"))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="over 100 bytes"):
        open_document(plain().save(tmp_path / "a.pdf"), limits=Limits(size=100))


def test_a_lost_table_of_places_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    data = plain().data()
    path.write_bytes(re.sub(rb"startxref\n\d+", b"startxref\n7", data))
    assert open_document(path).posts[0].text == BODY


def test_ten_thousand_pages_are_not_read(tmp_path: Path) -> None:
    """One page, 10,000 times in the tree of pages."""
    pdf = plain()
    data = pdf.data()
    data = re.sub(
        rb"/Kids\[(\d+ 0 R)\]/Count 1", rb"/Kids[" + rb"\1 " * 10_000 + rb"]/Count 10000", data
    )
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(InputError, match="10,000 pages, over 500; name some of them"):
        open_document(path)
    assert open_document(path, pages=[9_999]).posts[0].id == "a.pdf#p9999-1"


@pytest.mark.parametrize("size", [(28346, 28346), (14400, 3), (0.001, 0.001), (1e9, 10), (-5, -9)])
def test_pages_of_any_size_are_read_or_noted(tmp_path: Path, size: tuple[float, float]) -> None:
    pdf = Pdf()
    pdf.pixels("P", np.random.default_rng(1).integers(0, 255, (90, 90, 3), np.uint8))
    page = pdf.page(size)
    page.picture("P", 0, 0, *size)
    page.text(1, 1, BODY[:40], size=1)
    document = open_document(pdf.save(tmp_path / "a.pdf"))
    assert document.posts or document.notes


def test_a_picture_that_would_fill_the_memory_is_left_out_and_the_text_stays(
    tmp_path: Path,
) -> None:
    pdf = plain()
    packed = zlib.compress(bytes(1000))
    about = "/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8"
    pdf.pictures["Bomb"] = pdf.stream(f"{about}/ColorSpace/DeviceRGB/Filter/FlateDecode", packed)
    pdf.pages[0].picture("Bomb", 60, 100, 300, 300)
    document = open_document(pdf.save(tmp_path / "a.pdf"))
    assert [(post.text, post.picture) for post in document.posts] == [(BODY, None)]
    assert "60,000 x 60,000 pixels, over 64,000,000" in document.notes[0]


def test_a_jpeg_that_is_larger_than_the_pdf_says_is_left_out(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (3000, 3000)).save(file, "JPEG")
    pdf = plain()
    pdf.jpeg("Bomb", file.getvalue(), (100, 100))
    pdf.pages[0].picture("Bomb", 60, 100, 300, 300)
    document = open_document(pdf.save(tmp_path / "a.pdf"), limits=Limits(pixels=1_000_000))
    assert document.posts[0].picture is None and "3,000 x 3,000" in document.notes[0]


def test_many_pictures_are_too_many_together(tmp_path: Path) -> None:
    pdf = plain()
    pdf.pixels("P", np.zeros((900, 900), np.uint8))
    for i in range(6):
        pdf.pages[0].picture("P", 60 + 70 * i, 100, 60, 60)
    document = open_document(pdf.save(tmp_path / "a.pdf"), limits=Limits(pixels=1_000_000))
    assert len(document.posts) == 1 and "4,860,000 pixels in all" in document.notes[0]


def test_more_characters_than_are_read_are_noted(tmp_path: Path) -> None:
    document = open_document(plain().save(tmp_path / "a.pdf"), limits=Limits(glyphs=50))
    assert len(document.posts[0].text) <= 50 and "the first 50 are read" in document.notes[0]


def test_what_stands_beside_the_page_is_left_out(tmp_path: Path) -> None:
    pdf = plain()
    pdf.pages[0].text(60, -300, "nobody sees this")
    pdf.pages[0].text(1e7, 1e7, "nor this")
    document = open_document(pdf.save(tmp_path / "a.pdf"))
    assert document.posts[0].text == BODY
    assert document.notes == ["page 1: 21 characters outside of it are left out"]


@pytest.mark.parametrize("size", [-11, 0, 0.001, 1e9])
def test_letters_of_any_size_end_somewhere(tmp_path: Path, size: float) -> None:
    pdf = plain()
    for i in range(40):
        pdf.pages[0].text(60 + 5 * i, 300 - 7 * (i % 5), f"odd {i}", size)
    assert BODY[:40] in open_document(pdf.save(tmp_path / "a.pdf")).posts[0].text


def test_scripts_links_and_attachments_do_nothing(tmp_path: Path) -> None:
    pdf = plain()
    pdf.catalog = (
        b"/OpenAction<</S/JavaScript/JS(app.launchURL\\('http://127.0.0.1:9/'\\))>>"
        b"/Names<</EmbeddedFiles<</Names[(a.txt)<</Type/Filespec/F(a.txt)>>]>>>>"
        b"/AA<</WC<</S/Launch/F(/bin/false)>>>>"
    )
    document = open_document(pdf.save(tmp_path / "a.pdf"))
    assert document.posts[0].text == BODY and not document.notes


def test_forms_in_forms_without_end_come_to_one(tmp_path: Path) -> None:
    pdf = plain()
    number = len(pdf.objects) + 3
    body = f"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {number} 0 R>>>>"
    pdf.objects.append(f"{body}/Length 5>>stream\n/X Do\nendstream".encode())
    pdf.pictures["X"] = number
    pdf.pages[0].draw("/X Do")
    assert open_document(pdf.save(tmp_path / "a.pdf")).posts[0].text == BODY


def test_a_pdf_is_told_by_what_it_begins_with(tmp_path: Path) -> None:
    pdf, text = tmp_path / "named", tmp_path / "a.txt"
    plain().save(pdf)
    text.write_text("no")
    assert is_document(pdf) and not is_document(text) and not is_document(tmp_path)
    assert is_document("not/there.PDF") and not is_document("https://example.com/a.pdf")


def damaged(data: bytes, how: random.Random) -> bytes:
    """Cut a PDF off, flip bytes, or write other numbers into it; mostly outside of its pictures."""
    if how.random() < 0.25:
        return data[: how.randrange(len(data))]
    pictures = [m.span() for m in re.finditer(rb"stream\n\xff\xd8.*?endstream", data, re.DOTALL)]
    made = bytearray(data)
    if how.random() < 0.2:
        numbers = [
            m.span()
            for m in re.finditer(rb"(?<![\w.])\d+(?![\w.])", data)
            if not any(a < m.start() < b for a, b in pictures)
        ]
        for start, end in sorted(how.sample(numbers, 3), reverse=True):
            made[start:end] = how.choice([b"99999999999", b"-1", b"0", b"2147483647", b"1e30"])
        return bytes(made)
    for _ in range(how.choice([1, 3, 10, 40])):
        place = how.randrange(len(made))
        if how.random() < 0.2 or not any(a < place < b for a, b in pictures):
            made[place] = how.randrange(256)
    return bytes(made)


@pytest.mark.parametrize(
    ("seed", "times"), [(1, 20), *(pytest.param(n, 60, marks=pytest.mark.slow) for n in (2, 3, 4))]
)
def test_damaged_pdfs_are_read_as_far_as_they_can_be_or_refused(
    tmp_path: Path, hopper: Path, collins: Path, seed: int, times: int
) -> None:
    data = article(tmp_path, hopper, collins).read_bytes()
    how = random.Random(seed)
    path = tmp_path / "damaged.pdf"
    for _ in range(times):
        path.write_bytes(damaged(data, how))
        try:
            document = open_document(path, limits=Limits(pixels=4_000_000))
        except DeixisError as error:
            assert "\n" not in str(error)
            continue
        for post in document.posts:
            assert (post.text.strip() and post.text.isprintable()) or "\n" in post.text
            assert all(line.end <= len(post.text) for line in post.origin.lines)

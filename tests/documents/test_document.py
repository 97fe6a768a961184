"""PDFs become posts: what they say, in which order, and where on their pages it stands."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.base.boxes import Box
from deixis.documents.document import Document, open_document
from deixis.documents.limits import Limits
from deixis.documents.pdfium import PdfFile
from deixis.documents.posts import Post
from deixis.errors import InputError

from .pdfs import BODY, Pdf, PdfPage, article, wrapped

pytestmark = pytest.mark.extra("pypdfium2")


def opened(tmp_path: Path, pdf: Pdf, **how: object) -> Document:
    return open_document(pdf.save(tmp_path / "a.pdf"), **how)  # type: ignore[arg-type]


def said(document: Document) -> str:
    return "\n\n".join(post.text for post in document.posts)


def places_of(post: Post, words: str) -> list[tuple[int, Box]]:
    start = post.text.index(words)
    return [(each.page, each.box) for each in post.origin.places(start, start + len(words))]


def glyphs_under(path: Path, post: Post, start: int, end: int) -> str:
    """Return what PDFium itself has in the boxes of a stretch of text, without white space."""
    with PdfFile(path.read_bytes(), "it", Limits()) as file:
        found = ""
        for place in post.origin.places(start, end):
            x1, y1, x2, y2 = place.box
            for glyph in file.page(place.page).glyphs:
                a, b, c, d = glyph.box
                if x1 <= (a + c) / 2 <= x2 and y1 <= (b + d) / 2 <= y2 and glyph.text.strip():
                    found += glyph.text
    return found


def test_an_article_becomes_posts(tmp_path: Path, hopper: Path, collins: Path) -> None:
    path = article(tmp_path, hopper, collins)
    document = open_document(path)
    head, first, second = document.posts
    assert [post.id for post in document.posts] == [
        "article.pdf#p1-1",
        "article.pdf#p1-2",
        "article.pdf#p2-1",
    ]
    assert head.picture is None and head.text.startswith(
        "A compiler for everybody\n\nHopper joined"
    )
    assert first.text == f"Grace Hopper of the US Navy in 1984. Photo: US Navy\n\n{BODY}"
    assert second.text.startswith(
        "Figure 2. Eileen Collins before a model of the shuttle in Houston."
    )
    # The sentence begins in the last column of page 1, and its halved word ends on page 2.
    assert second.text.endswith(
        "Eileen Collins was the first woman to command a Space Shuttle, as Figure 2 shows. NASA "
        "had chosen her in 1990."
    )
    assert first.picture and second.picture
    assert first.picture.data == hopper.read_bytes()
    assert first.picture.place.page == 1 and second.picture.place.page == 2
    assert second.picture.place.box == (60, 122, 300, 362)
    assert [page.number for page in second.origin.on] == [1, 2]
    assert not document.notes and document.pages == 2


def test_every_character_of_an_article_is_in_one_post(
    tmp_path: Path, hopper: Path, collins: Path
) -> None:
    path = article(tmp_path, hopper, collins)
    with PdfFile(path.read_bytes(), "it", Limits()) as file:
        drawn = "".join(g.text for number in (1, 2) for g in file.page(number).glyphs)
    for most in (2000, 120):
        document = open_document(path, most=most)
        assert all(len(post.text) <= most for post in document.posts)
        letters = "".join("".join(said(document).split()))
        expected = "".join(drawn.split()).replace("com-", "com")
        assert sorted(letters) == sorted(expected)
        assert len({post.id for post in document.posts}) == len(document.posts)
        assert sum(post.picture is not None for post in document.posts) == 2


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_places_cover_the_glyphs_that_are_named(tmp_path: Path, rotate: int) -> None:
    """Every word of every post, on a page that lies on any side and is cut to a crop box."""
    pdf = Pdf()
    page = pdf.page((700, 900), rotate, "/CropBox[20 30 690 880]")
    page.lines(60, 800, wrapped(BODY, 40))
    page.lines(380, 800, wrapped(BODY.upper(), 30))
    page.text(40, 300, "Photo: NASA", 9, "F3", matrix="0 1 -1 0")
    path = pdf.save(tmp_path / "a.pdf")
    document = open_document(path)
    words = 0
    for post in document.posts:
        at = 0
        for word in post.text.split():
            start = post.text.index(word, at)
            at = start + len(word)
            assert glyphs_under(path, post, start, at) == word
            words += 1
    assert words == 2 * len(BODY.split()) + 2
    assert BODY in said(document) or rotate


def test_a_mention_over_a_line_end_has_a_box_on_each_line(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page().lines(72, 700, ["Grace Hopper was in Washing-", "ton, D.C., with Howard", "Aiken."])
    (post,) = opened(tmp_path, pdf).posts
    assert post.text == "Grace Hopper was in Washington, D.C., with Howard Aiken."
    (_, washing), (_, ton) = places_of(post, "Washington")
    assert washing[0] > 150 and ton[0] == 72
    assert ton[1] - washing[1] == pytest.approx(13.2, abs=0.1)
    assert len(places_of(post, "Howard Aiken")) == 2


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["a well-known ship, and well-", "known men"], "a well-known ship, and well-known men"),
        (["the Anglo-", "Saxon"], "the Anglo-Saxon"),
        (["an F-", "16 flew"], "an F-16 flew"),
        (["one - ", "two"], "one - two"),
        (["two  spaces   and\ttabs"], "two spaces and tabs"),
    ],
)
def test_lines_are_joined(tmp_path: Path, lines: list[str], text: str) -> None:
    pdf = Pdf()
    pdf.page().lines(72, 700, lines)
    assert said(opened(tmp_path, pdf)) == text


def test_ligatures_are_written_out(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page().text(72, 700, "The \x01rst \x02ight", font="F4")
    path = pdf.save(tmp_path / "a.pdf")
    (post,) = open_document(path).posts
    assert post.text == "The first flight"
    first, flight = places_of(post, "first")[0][1], places_of(post, "flight")[0][1]
    assert first[2] < flight[0] < flight[2]
    assert glyphs_under(path, post, 4, 9).endswith("rst")


def test_columns_are_read_one_after_the_other_below_what_spans_them(tmp_path: Path) -> None:
    pdf = Pdf()
    page = pdf.page()
    # Drawn line by line across both columns, as some programs do.
    for i in range(6):
        page.text(60, 700 - 14 * i, f"left line {i} of the first column")
        page.text(320, 700 - 14 * i, f"right line {i} of the second column")
    page.text(60, 760, "A headline that is as wide as both of the columns", 20, "F2")
    page.text(60, 590, "And a line below that spans both columns from one side to the other.")
    for i in range(4):
        page.text(60, 560 - 14 * i, f"left again {i}")
        page.text(320, 560 - 14 * i, f"right again {i}")
    (post,) = opened(tmp_path, pdf).posts
    order = ["A headline", "left line 0", "left line 5", "right line 0", "right line 5"]
    order += ["And a line", "left again 0", "left again 3", "right again 0"]
    places = [post.text.index(words) for words in order]
    assert places == sorted(places)


def test_text_of_other_directions_is_kept(tmp_path: Path) -> None:
    pdf = Pdf()
    page = pdf.page()
    page.lines(100, 700, wrapped(BODY, 60))
    page.text(40, 300, "Photo: US Navy", 9, matrix="0 1 -1 0")
    document = opened(tmp_path, pdf)
    assert "Photo: US Navy" in said(document)
    (_, box) = places_of(document.posts[0], "Photo: US Navy")[0]
    assert box[3] - box[1] > 5 * (box[2] - box[0])


def lay(pdf: Pdf, page: PdfPage, how: str, name: str) -> None:
    """Lay a picture on (100, 500) to (300, 650)."""
    wide, high, x, y = 200, 150, 100, 500
    if how == "turned":
        page.lay(name, f"0 {high} -{wide} 0 {x + wide} {y}")
    elif how == "mirrored":
        page.lay(name, f"-{wide} 0 0 {high} {x + wide} {y}")
    elif how == "cut":
        page.lay(
            name, f"{2 * wide} 0 0 {2 * high} {x - 40} {y - 30}", f"{x} {y} {wide} {high} re W n"
        )
    elif how == "in a form":
        pdf.form("Form", f"q 100 0 0 75 10 10 cm /{name} Do Q", "2 0 0 2 80 480")
        page.draw("q /Form Do Q")
    else:
        page.picture(name, x, y, wide, high)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("how", ["plain", "turned", "mirrored", "cut", "in a form"])
def test_a_picture_is_what_the_page_shows(tmp_path: Path, rotate: int, how: str) -> None:
    """Four colours, one in each corner, however the picture was laid there."""
    colours = np.zeros((300, 400, 3), np.uint8)
    colours[:150, :200], colours[:150, 200:] = (200, 30, 30), (30, 200, 30)
    colours[150:, :200], colours[150:, 200:] = (30, 30, 200), (220, 220, 40)
    pdf = Pdf()
    pdf.pixels("P", colours)
    page = pdf.page((595, 842), rotate)
    page.text(100, 300, "Four colours were laid upon this page of the document.")
    lay(pdf, page, how, "P")
    path = pdf.save(tmp_path / "a.pdf")
    (post,) = open_document(path).posts
    assert post.picture is not None
    (x1, y1, x2, y2) = post.picture.place.box
    upright = {0: (100, 192), 180: (295, 500), 90: (500, 100), 270: (192, 295)}[rotate]
    assert (x1, y1) == pytest.approx(upright, abs=0.5)
    pixels = np.asarray(Image.open(io.BytesIO(post.picture.data)).convert("RGB"))
    with PdfFile(path.read_bytes(), "it", Limits()) as file:
        shown = file.drawn(1, 1.0)
    for u in (0.1, 0.9):
        for v in (0.1, 0.9):
            seen = shown[round(y1 + v * (y2 - y1)), round(x1 + u * (x2 - x1))]
            own = pixels[int(v * pixels.shape[0]), int(u * pixels.shape[1])]
            assert np.abs(seen.astype(int) - own).max() < 40
    if how in ("plain", "in a form") and not rotate:
        assert np.array_equal(pixels, colours)


def test_a_jpeg_that_says_to_be_turned_is_not_handed_on_as_it_is(
    tmp_path: Path, hopper: Path
) -> None:
    """Viewers of PDFs pass over its EXIF, and openers of pictures do not."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(hopper).save(file, "JPEG", exif=exif, quality=95)
    pdf = Pdf()
    pdf.jpeg("P", file.getvalue(), (512, 600))
    page = pdf.page()
    page.picture("P", 60, 300, 256, 300)
    page.text(60, 250, "Grace Hopper of the US Navy, whose picture is said to lie on its side.")
    (post,) = opened(tmp_path, pdf).posts
    assert post.picture and post.picture.suffix == ".png"
    pixels = np.asarray(Image.open(io.BytesIO(post.picture.data)).convert("RGB")).astype(float)
    own = np.asarray(Image.open(hopper).convert("RGB")).astype(float)
    assert pixels.shape == own.shape and np.abs(pixels - own).mean() < 8


def test_strips_are_one_picture(tmp_path: Path, hopper: Path) -> None:
    pixels = np.asarray(Image.open(hopper).convert("RGB"))
    pdf = Pdf()
    page = pdf.page()
    for i in range(6):
        pdf.pixels(f"S{i}", pixels[100 * i : 100 * (i + 1)])
        page.picture(f"S{i}", 60, 700 - 50 * (i + 1), 256, 50)
    page.text(60, 380, "Grace Hopper of the US Navy, in six strips that are one picture.")
    (post,) = opened(tmp_path, pdf).posts
    assert post.picture and post.picture.place.box == pytest.approx((60, 142, 316, 442), abs=0.1)


def test_ornaments_are_left_out_and_counted(tmp_path: Path, hopper: Path) -> None:
    pdf = Pdf()
    pdf.jpeg("P", hopper, (512, 600))
    page = pdf.page()
    page.picture("P", 60, 700, 20, 24)
    page.picture("P", 60, 600, 400, 30)
    page.picture("P", 900, 600, 400, 300)  # beside the page
    page.lines(60, 500, wrapped(BODY, 60))
    document = opened(tmp_path, pdf)
    assert [post.picture for post in document.posts] == [None]
    assert document.notes == ["left out: small pictures (2)"]


def test_a_picture_without_any_text_is_left_out_and_counted(tmp_path: Path, hopper: Path) -> None:
    pdf = Pdf()
    pdf.jpeg("P", hopper, (512, 600))
    pdf.page().picture("P", 60, 300, 256, 300)
    document = opened(tmp_path, pdf)
    assert not document.posts
    assert document.notes == [
        "page 1 was not read: it has no text, and there is no reader",
        "left out: pictures without any text (1)",
    ]


def test_a_broken_picture_is_left_out_and_its_text_stays(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.jpeg("P", b"no JPEG", (512, 600))
    page = pdf.page()
    page.picture("P", 60, 300, 256, 300)
    page.lines(60, 280, wrapped(BODY, 60))
    document = opened(tmp_path, pdf)
    assert [post.picture for post in document.posts] == [None]
    assert document.notes == ["left out: blank or broken pictures (1)"]


def test_some_pages_alone_are_read(tmp_path: Path) -> None:
    pdf = Pdf()
    for number in range(1, 6):
        pdf.page().text(60, 700, f"This is page {number}")
    path = pdf.save(tmp_path / "a.pdf")
    document = open_document(path, pages=[4, 2])
    assert said(document) == "This is page 2\n\nThis is page 4" and document.pages == 5
    assert [page.number for page in document.read] == [2, 4]
    for wrong in ([], [0], [6]):
        with pytest.raises(InputError, match="has 5 pages; name some"):
            open_document(path, pages=wrong)
    with pytest.raises(InputError, match="5 pages, over 3; name some"):
        open_document(path, limits=Limits(pages=3))

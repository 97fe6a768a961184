"""Pages as they are printed: justified columns, headlines, lists, paragraphs that go on."""

from pathlib import Path

import pytest

from deixis.documents.document import open_document

from .pdfs import BODY, Pdf, wrapped

pytestmark = pytest.mark.extra("pypdfium2")


def texts(tmp_path: Path, pdf: Pdf) -> list[str]:
    """Return the paragraphs of a document."""
    document = open_document(pdf.save(tmp_path / "a.pdf"))
    return "\n\n".join(post.text for post in document.posts).split("\n\n")


def test_lines_that_are_spread_out_are_lines(tmp_path: Path) -> None:
    pdf = Pdf()
    page = pdf.page()
    y = 700.0
    for i, line in enumerate(wrapped(BODY, 42)):
        if i % 3 == 1:  # half of its words would do, so it is cut and spread over the column
            words = line.split()
            for place, part in enumerate((words[:4], words[4:])):
                for number, word in enumerate(part):
                    page.text(60 + 58 * number, y - 13 * place, word)
            y -= 13
        else:
            page.text(60, y, line)
        y -= 13
    page.lines(330, 700, wrapped(BODY.upper(), 28))
    assert texts(tmp_path, pdf) == [BODY, BODY.upper()]


def test_a_headline_of_which_one_line_is_short_is_one(tmp_path: Path) -> None:
    pdf = Pdf()
    page = pdf.page()
    page.lines(60, 780, ["The admiral who taught machines", "to read"], 26, "F2")
    page.lines(60, 700, wrapped(BODY, 46))
    page.lines(330, 700, wrapped(BODY.upper(), 34))
    assert texts(tmp_path, pdf) == [
        "The admiral who taught machines to read",
        BODY,
        BODY.upper(),
    ]


def test_paragraphs_begin_with_a_gap_an_indent_or_other_letters(tmp_path: Path) -> None:
    pdf = Pdf()
    page = pdf.page()
    lines = wrapped(BODY, 60)
    page.text(60, 760, "A heading", 11, "F2")
    y = page.lines(60, 746, lines)
    page.text(75, y, "Indented, this line begins a paragraph of three lines, which")
    y = page.lines(60, y - 13.2, ["goes on at the left edge and has nothing more to say to", "us."])
    page.lines(60, y - 10, ["After a gap there is another one."])
    head, first, indented, last = texts(tmp_path, pdf)
    assert (head, first) == ("A heading", BODY)
    assert indented.startswith("Indented, this") and indented.endswith("to us.")
    assert last == "After a gap there is another one."


def test_items_of_a_list_keep_their_indented_lines(tmp_path: Path) -> None:
    pdf = Pdf()
    page = pdf.page()
    for i in range(3):
        page.text(60, 700 - 40 * i, "\u2022 an item of a list whose second line stands")
        page.text(72, 686.8 - 40 * i, "further to the right")
    item = "\u2022 an item of a list whose second line stands further to the right"
    assert texts(tmp_path, pdf) == [item] * 3


@pytest.mark.parametrize(
    ("end", "begin", "joined"),
    [
        ("was made a commander by the", "Navy in Washington, where she", True),
        ("was made a commander by the", "navy of the United States, which", True),
        ("was made a commander here.", "Navy in Washington, where she", False),
        ("was made", "Navy in Washington, where she", False),  # a short line ends a paragraph
    ],
)
def test_a_paragraph_goes_on_overleaf(tmp_path: Path, end: str, begin: str, joined: bool) -> None:
    pdf = Pdf()
    pdf.page().lines(60, 120, ["Grace Hopper of the US Navy", "and", end])
    pdf.page().lines(60, 780, [begin, "worked for many years."])
    document = open_document(pdf.save(tmp_path / "a.pdf"))
    text = "\n\n".join(post.text for post in document.posts)
    assert (f"{end} {begin} worked" in text) == joined
    (post, *_) = document.posts
    if joined:
        places = post.origin.places(post.text.index(end), post.text.index("worked"))
        assert [place.page for place in places] == [1, 2]
        assert [page.number for page in post.origin.on] == [1, 2]


def test_pictures_go_with_who_speaks_of_them(tmp_path: Path, hopper: Path) -> None:
    pdf = Pdf()
    pdf.jpeg("P", hopper, (512, 600))
    page = pdf.page()
    page.lines(60, 800, ["The first paragraph speaks of nothing that is to be seen here."])
    page.lines(60, 770, ["The second paragraph says that Figure 1 shows Grace Hopper."])
    page.lines(60, 740, ["The third paragraph speaks of Figure 12, which there is not."])
    page.picture("P", 60, 420, 256, 300)
    page.lines(60, 408, ["Figure 1. A portrait."], 9, "F3")
    page.lines(60, 370, ["The last paragraph stands right below it and is quite long enough."])
    posts = open_document(pdf.save(tmp_path / "a.pdf")).posts
    (seen,) = [post for post in posts if post.picture]
    assert seen.text == (
        "Figure 1. A portrait.\n\nThe second paragraph says that Figure 1 shows Grace Hopper."
    )

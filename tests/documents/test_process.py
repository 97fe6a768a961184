"""PDFium in a process of its own, which ends where a page takes too long, or too much memory."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from deixis.documents.document import open_document
from deixis.documents.limits import Limits
from deixis.documents.pdfium import PdfFile
from deixis.documents.process import PdfProcess
from deixis.errors import InputError

from .pdfs import BODY, Pdf, article, wrapped

pytestmark = [pytest.mark.extra("pypdfium2"), pytest.mark.process]


def endless() -> Pdf:
    """Return a PDF whose second page draws a form that draws 12 forms that draw 12 forms ..."""
    pdf = Pdf()
    form = pdf.stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"1 1 2 2 re f")
    for _ in range(9):
        more = f"/Resources<</XObject<</X {form} 0 R>>>>"
        form = pdf.stream(f"/Type/XObject/Subtype/Form/BBox[0 0 9 9]{more}", b"/X Do " * 12)
    pdf.pictures["X"] = form
    pdf.page().text(60, 700, "Grace Hopper was here")
    pdf.page().draw("/X Do")
    pdf.page().text(60, 700, "Howard Aiken was here")
    return pdf


def test_it_says_what_pdfium_says_in_this_process(
    tmp_path: Path, hopper: Path, collins: Path
) -> None:
    data = article(tmp_path, hopper, collins).read_bytes()
    with PdfProcess(data, "it", Limits()) as there, PdfFile(data, "it", Limits()) as here:
        page = here.page(1)
        assert there.pages == here.pages == 2 and there.page(1) == page
        box = page.rasters[0].box
        assert np.array_equal(there.drawn(1, 0.5, box), here.drawn(1, 0.5, box))
        assert there.jpeg(1, page.rasters[0]) == hopper.read_bytes()
        pixels, own = there.pixels(1, page.rasters[0]), here.pixels(1, page.rasters[0])
        assert pixels is not None and own is not None and np.array_equal(pixels, own)


def test_what_it_refuses_is_refused_here(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no PDF, or broken"):
        PdfProcess(b"%PDF-1.7", "it", Limits())


def test_a_page_without_end_is_noted_and_the_others_are_read(tmp_path: Path) -> None:
    document = open_document(endless().save(tmp_path / "a.pdf"), limits=Limits(seconds=2))
    text = "\n\n".join(post.text for post in document.posts)
    assert text == "Grace Hopper was here\n\nHoward Aiken was here"
    (note,) = document.notes
    assert "PDFium takes more than 2 seconds for page 2" in note or "crashed on page 2" in note


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of address space")
def test_a_page_that_takes_too_much_memory_is_noted(tmp_path: Path) -> None:
    path = endless().save(tmp_path / "a.pdf")
    document = open_document(path, limits=Limits(memory=1_500_000_000), pages=[1, 2])
    assert [post.text for post in document.posts] == ["Grace Hopper was here"]
    assert "1,500,000,000 bytes" in document.notes[0] or "seconds" in document.notes[0]


def test_a_process_that_has_ended_is_started_anew(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page().lines(60, 700, wrapped(BODY, 60))
    with PdfProcess(pdf.data(), "it", Limits()) as file:
        assert file._child is not None
        os.kill(file._child.pid, signal.SIGKILL)
        with pytest.raises(InputError, match="it: PDFium crashed on page 1"):
            file.page(1)
        assert file.page(1).glyphs


def test_what_lies_in_the_working_folder_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    pdf = Pdf()
    pdf.page().text(60, 700, "Grace Hopper was here")
    with PdfProcess(pdf.data(), "it", Limits()) as file:
        assert file.pages == 1


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page().text(60, 700, "Grace Hopper was here")
    with PdfProcess(pdf.data(), "it", Limits()) as file:
        child = file._child
    assert child is not None and child.poll() is not None

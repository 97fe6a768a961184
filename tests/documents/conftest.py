"""PDFium in this process, for most tests: to start one of its own takes half a second."""

import pytest

from deixis.documents import document
from deixis.documents.pdfium import PdfFile


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open PDFs here, but where a test is about that process."""
    if not request.node.get_closest_marker("process"):
        monkeypatch.setattr(document, "PdfProcess", PdfFile)

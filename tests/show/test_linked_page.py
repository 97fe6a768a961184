"""Relations and events on a page; several pictures."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.errors import InputError
from deixis.schema import Extraction
from deixis.show import views
from deixis.show.media import Media
from deixis.show.panels import colour

from . import albums
from .pages import Page
from .told import told


def test_relations_and_events_are_tables_and_a_drawing() -> None:
    html = told().to_html()
    seen = Page(html)
    cells = [" ".join(cell.split()) for cell in seen.cells]
    for row in (
        ["<works> for", "1Ann <b>Lee</b>", "2NASA", "0.50", "<said> so"],
        [
            *("Contact.<Meet>", "met"),
            "person: 1Ann <b>Lee</b> 0.25person: 3Bob 0.25place: 4Rome 0.25"
            "<role>: 6the <i>dog 0.25",
            *("0.62", "<said> so"),
        ],
        ["Life", "no word for it", "none", "0.50", ""],
    ):
        assert row in [cells[at : at + len(row)] for at in range(len(cells))], row
    assert len(seen.all("svg")) == 1 and len(seen.all("marker")) == 1
    assert html.count('<path class="arrow"') == 7
    assert seen.open == [] and "script" not in {name for name, _ in seen.tags}
    for given in ("<b>Lee", "<i>dog", "<works>", "<Meet>", "<said>", "<role>"):
        assert given not in html and given.replace("<", "&lt;").replace(">", "&gt;") in html


def test_pages_without_relations_have_no_place_for_them() -> None:
    html = told(relations=[], events=[]).to_html()
    assert not any(word in html for word in ("<svg", "Relations", "Events", ".arrow"))
    assert "<h3>Events" not in told(events=[]).to_html()
    assert "Relations and events are too many" not in told().to_html()


def test_each_drawing_of_a_page_has_its_own_arrow_heads() -> None:
    html = views.page([told(), told()], [None, None])
    assert 'id="arrow1"' in html and 'id="arrow2"' in html
    ids = [a["id"] for _, a in Page(html).tags if "id" in a]
    assert len(ids) == len(set(ids))


@pytest.fixture
def album(tmp_path: Path) -> Extraction:
    return albums.album(tmp_path)


def test_each_picture_has_its_own_overlay(album: Extraction) -> None:
    first, second = (np.asarray(album.overlay(picture=i)) for i in (0, 1))
    boxes = [(shown == colour(0)).all(axis=2) for shown in (first[:480], second[:640, :512])]
    assert not boxes[0].any() and boxes[1].sum() > 500
    assert (first[:480] == colour(1)).all(axis=2).sum() > 500
    marked = album.marks(picture=1)
    assert marked.size == (512, 640)
    given = album.overlay(Image.open(album.images[1].source), picture=1)
    assert np.array_equal(np.asarray(given), second)
    with pytest.raises(InputError, match=r"no picture 2: .* looked at 2, which are numbered from"):
        album.overlay(picture=2)
    with pytest.raises(InputError, match="is 80 x 100, but"):
        album.overlay(Image.open(album.images[1].source))


def test_a_page_shows_all_pictures(album: Extraction) -> None:
    html = album.to_html()
    images = Page(html).all("img")
    assert [image["alt"] for image in images] == [
        "Picture 1 with a box on each visible entity: 2 Bob.",
        "Picture 2 with a box on each visible entity: 1 Ann, 2 Bob.",
    ]
    assert "2 of 2: b &lt;i&gt;.png · 80 × 100 pixels" in html  # noqa: RUF001
    assert "a.png, b &lt;i&gt;.png</h2>" in html
    assert "picture 2: (10, 10) to (60, 90)" in html
    again = [Image.open(info.source) for info in album.images]
    assert album.to_html(images=again) == html
    assert album.to_html(images=[again[0], None]) == album.to_html(again[0]) == html
    assert views.page([album], [Media(again)]) == html
    with pytest.raises(InputError, match="or several as `images`"):
        album.to_html(again[0], images=again)
    file = io.BytesIO()
    Image.new("RGB", (80, 100), "red").save(file, "PNG")
    with pytest.raises(InputError, match="not the one that the extraction looked at"):
        album.to_html(images=[None, file.getvalue()])

import base64
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.errors import InputError
from deixis.schema import (
    Attribute,
    Decision,
    Extraction,
    ImageInfo,
    Knowledge,
    Mask,
    ModelReply,
    Notice,
    Region,
    Usage,
)
from deixis.show import views
from deixis.show.timing import Timing

from .drawn import BOX, DISC, entity
from .pages import Page

TEXT = "Ann & Bob of NASA <script>alert(1)</script> met in Rome"


@pytest.fixture
def extraction(path: Path) -> Extraction:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    mask = Mask.from_array(DISC)
    decided = [
        Decision(step="entail", subject="groundable", outcome="yes", evidence=["a first guess"]),
        Decision(
            step="entail",
            subject="groundable",
            outcome="yes",
            model="openai:gpt-x",
            confidence=0.625,
            evidence=["a face <i>was</i> found", "it looks like her"],
        ),
    ]
    known = Knowledge(
        attributes=[Attribute(name="hair", value="<grey>", votes=3, agreement=0.6)],
        summary="A person with grey hair.",
    )
    undecided = Decision(step="ground", subject="box", outcome=None, evidence=["no detector"])
    return Extraction(
        text=TEXT,
        image=ImageInfo(sha256=sha256, width=160, height=120, source=str(path)),
        entities=[
            entity(
                TEXT,
                "Ann",
                "person",
                fine_type="writer",
                expression="Ann (person) <u>",
                groundable=True,
                regions=[Region(box=BOX, mask=mask, score=0.5, source="yunet")],
                decisions=decided,
                knowledge=known,
            ),
            entity(TEXT, "Bob", "person", groundable=False),
            entity(
                TEXT,
                "NASA",
                "company",
                groundable=True,
                regions=[
                    Region(box=(0.0, 0.0, 160.0, 120.0), score=0.25, source="reader"),
                    Region(box=(100.0, 10.0, 150.0, 30.0), score=0.125, source="reader"),
                ],
            ),
            entity(TEXT, "Rome", "place", decisions=[undecided]),
        ],
        caption="Two <b>people",
        replies=[
            ModelReply(
                id="vote/1/1",
                role="voter",
                model="m <1>",
                prompt="vote 2",
                status="refused",
                finish_reason="content_filter",
                text="<script>I cannot</script>",
            )
        ],
        usage=[
            Usage(
                role="voter",
                model="m <1>",
                calls=2,
                retries=1,
                input_tokens=12345,
                seconds=1.5,
                cost=0.25,
            )
        ],
        warnings=[Notice(step="consult", message="one member <abstained>")],
    )


def test_the_page_needs_nothing_and_runs_nothing(extraction: Extraction) -> None:
    html = extraction.to_html()
    seen = Page(html)
    assert seen.open == []
    names = {name for name, _ in seen.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for name, attributes in seen.tags:
        assert not any(key.startswith("on") for key in attributes), name
        assert "href" not in attributes
        assert (attributes.get("src") or "data:").startswith("data:")
    assert not re.search(r"url\(|@import|https?:", html)
    for given in (
        "<script>alert",
        "<i>was",
        "<grey>",
        "<b>people",
        "<u>",
        "<1>",
        "<abstained>",
        "<script>I",
    ):
        assert given not in html
        assert given.replace("<", "&lt;").replace(">", "&gt;") in html


def test_the_page_holds_the_picture(extraction: Extraction) -> None:
    (image,) = Page(extraction.to_html()).all("img")
    head, data = str(image["src"]).split(",")
    assert head == "data:image/jpeg;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(int)
    assert shown.shape == (480, 640, 3)
    assert np.abs(shown[440, 600] - 128).max() < 6
    assert shown[200, 120, 0] > shown[200, 120, 2] + 30
    assert image["alt"] == "The picture with a box on each visible entity: 1 Ann, 3 NASA."


def test_a_text_without_a_picture(extraction: Extraction) -> None:
    bare = [e.model_copy(update={"regions": [], "groundable": None}) for e in extraction.entities]
    seen = Page(Extraction(text=TEXT, image=None, entities=bare).to_html())
    assert not seen.all("img")
    assert seen.marks == ["Ann1", "Bob2", "NASA3", "Rome4"]


def test_a_large_picture_is_shrunk_for_the_page(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (3000, 1000)).save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    info = ImageInfo(sha256=sha256, width=3000, height=1000, source=str(path))
    (image,) = Page(Extraction(text="A", image=info, entities=[]).to_html()).all("img")
    data = base64.b64decode(str(image["src"]).split(",")[1])
    assert Image.open(io.BytesIO(data)).size == (1600, 534)


def test_the_page_tells_everything(extraction: Extraction) -> None:
    html = extraction.to_html()
    seen = Page(html)
    assert seen.marks == ["Ann1", "Bob2", "NASA3", "Rome4"]
    cells = [" ".join(cell.split()) for cell in seen.cells]
    ann = cells.index("1Ann")
    assert cells[ann : ann + 7] == [
        "1Ann",
        "person / writer",
        "✓ yes",
        "(10, 20) to (60, 90)yunet, 0.50, mask",
        "0.75",
        "Ann (person) <u>",
        "a face <i>was</i> foundit looks like hera first guess",
    ]
    assert cells[cells.index("2Bob") + 2] == "– no"  # noqa: RUF001
    assert cells[cells.index("4Rome") + 2] == "? undecided"
    assert len({str(a["class"]) for a in seen.all("span") if "seen" in str(a["class"])}) == 3
    for row in (
        ["hair", "<grey>", "3", "0.60"],
        ["vote/1/1", "voter", "m <1>", "vote 2", "refused (content_filter)"],
        ["voter", "m <1>", "2", "0", "1", "0", "12,345", "0", "0", "1.50", "0.2500"],
    ):
        assert row in [cells[at : at + len(row)] for at in range(len(cells))]
    at = cells.index("openai:gpt-x")
    assert cells[at - 3 : at + 2] == ["entail", "groundable", "yes", "openai:gpt-x", "0.62"]
    at = cells.index("ground")
    assert cells[at : at + 6] == ["ground", "box", "? undecided", "", "", "no detector"]
    assert "one member &lt;abstained&gt;" in html
    assert "A person with grey hair." in html
    assert len(seen.all("details")) == 4, "looks, decisions of two, replies"


KNOWN, GUESSED = "How it looks", "Guesses on which the models do not agree"


@pytest.mark.parametrize(
    ("agreements", "folds", "summary_in"),
    [
        ([1.0], [(" open", f"{KNOWN} 1 attribute, agreement 1.00")], 0),
        ([0.5, 1.0], [(" open", f"{KNOWN} 2 attributes, agreement 0.75")], 0),
        (
            [1.0, 0.33],
            [
                (" open", f"{KNOWN} 1 attribute, agreement 1.00"),
                ("", f"{GUESSED} 1 attribute, agreement 0.33"),
            ],
            0,
        ),
        (
            [0.33, 0.67, 0.0],
            [
                (" open", f"{KNOWN} 1 attribute, agreement 0.67"),
                ("", f"{GUESSED} 2 attributes, agreement 0.17"),
            ],
            1,
        ),
        ([0.49], [("", f"{GUESSED} 1 attribute, agreement 0.49")], 0),
        ([], [(" open", KNOWN)], 0),
    ],
)
def test_what_members_do_not_agree_on_is_folded_away(
    agreements: list[float], folds: list[tuple[str, str]], summary_in: int
) -> None:
    facts = [
        Attribute(name=f"a{i}", value=f"<b>{agreement}", votes=1, agreement=agreement)
        for i, agreement in enumerate(agreements)
    ]
    known = Knowledge(attributes=facts, summary="Grey <hair>.")
    ann = entity("Ann", "Ann", "PER", knowledge=known)
    html = Extraction(text="Ann", image=None, entities=[ann]).to_html()
    shown = re.findall(r"<details( open)?><summary>(.*?)</summary>(.*?)</details>", html, re.S)
    assert [(fold, re.sub(r"<.*?>", "", line)) for fold, line, _ in shown] == folds
    assert ["Grey &lt;hair&gt;." in inside for _, _, inside in shown].index(True) == summary_in
    assert html.count("Grey &lt;hair&gt;.") == 1
    for agreement in agreements:
        (holder,) = (fold for fold, _, inside in shown if f"&lt;b&gt;{agreement}" in inside)
        assert (holder == " open") == (agreement >= 0.5)


def test_without_language_models_the_page_has_no_place_for_them(extraction: Extraction) -> None:
    heads = (
        '<th scope="col">Expression</th>',
        "How it looks",
        "<h3>Usage</h3>",
        "the models said",
        "is known",
    )
    assert all(head in extraction.to_html() for head in heads)
    bare = [
        each.model_copy(update={"expression": None, "knowledge": Knowledge()})
        for each in extraction.entities
    ]
    update = {"entities": bare, "usage": [], "replies": []}
    html = extraction.model_copy(update=update).to_html()
    assert not any(head in html for head in heads)
    cells = Page(html).cells
    assert cells[cells.index("4Rome") + 5] == "no detector", "why follows the confidence"


def test_the_page_says_what_the_time_was_for(extraction: Extraction) -> None:
    timing = Timing([{"names": 1.0, "<i>": 2.0}, {"names": 0.5}], {"loading": 4.0})
    one = views.page([extraction], [None], timing=Timing(timing.posts[:1], timing.once))
    assert one.count("It took 3.0 s: names 1.0, &lt;i&gt; 2.0.") == 1 and "loading" not in one
    both = views.page([extraction] * 2, [None] * 2, timing=timing)
    assert "2 posts took 3.5 s: names 1.5, &lt;i&gt; 2.0." in both
    assert "What is needed once, before them: 4.0 s: loading 4.0." in both
    assert both.count("It took") == 2 and "It took 0.5 s: names 0.5." in both
    assert "took" not in extraction.to_html()
    with pytest.raises(InputError, match="got 2 for 1"):
        views.page([extraction], [None], timing=timing)


def test_the_page_is_accessible(extraction: Extraction) -> None:
    seen = Page(views.page([extraction, extraction], [None, None], title="Two & more"))
    assert seen.all("html") == [{"lang": "en"}]
    assert all(cell.get("scope") in ("col", "row") for cell in seen.all("th"))
    assert all(image.get("alt") for image in seen.all("img"))
    ids = [a["id"] for _, a in seen.tags if "id" in a]
    assert ids == ["h1", "h2"]
    assert [a["aria-labelledby"] for a in seen.all("article")] == ids


def test_a_page_wants_a_picture_for_each_extraction(extraction: Extraction) -> None:
    with pytest.raises(InputError, match="got 1 for 2"):
        views.page([extraction, extraction], [None])
    assert "<h1>None</h1>" in views.page([], [], title="None")


def test_a_page_can_be_written_whatever_the_text() -> None:
    text = "a\0b \ud83d c"
    html = Extraction(text=text, image=None, entities=[]).to_html()
    assert "\0" not in html
    assert html.encode("utf-8").count(b"a\xef\xbf\xbdb ? c") == 1

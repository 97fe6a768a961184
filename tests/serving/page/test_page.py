"""The page from a picture to a gold row, on a real server, in a browser."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.base.sound import wav_bytes
from deixis.formats.muie_rows import MuieContent
from deixis.schema import Extraction
from deixis.serving.gold_file import GoldFile
from deixis.serving.http.app import Access
from deixis.testing import Question, scripted
from tests.browser import CTRL, SHIFT, Tab, needs_a_browser
from tests.serving.conftest import running
from tests.show.heard import tones

from .conftest import opened
from .looks import faint, nameless, too_wide, twice

pytestmark = needs_a_browser

TEXT = "\U0001f44b Grace Hopper of the US Navy"
TOKEN = "a-token-of-sixteen-characters"
CARDS = "[...document.querySelectorAll('.card bdi')].map((each) => each.textContent).join()"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "admiral <b>.png"
    Image.new("RGB", (160, 120), (90, 120, 90)).save(path)
    return path


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return tmp_path / "gold.jsonl"


@pytest.fixture
def keeping(browser: Tab, gold: Path) -> Iterator[Tab]:
    """The page of a server that keeps gold rows."""
    with scripted(lambda _: None), running(gold=GoldFile(gold)) as server:
        yield from opened(browser, server.url)


def ask(tab: Tab, *pictures: Path, text: str = TEXT) -> None:
    if pictures:
        tab.files("input[type=file]", *pictures)
        # Not their images: one that the browser cannot show is gone as soon as it has tried.
        tab.wait(f"document.querySelectorAll('.given li').length === {len(pictures)}")
    tab.run("document.querySelector('#ask textarea').focus()")
    tab.run("document.querySelector('#ask textarea').value = ''")
    tab.type(text)
    tab.press("Enter", CTRL)


def answered(tab: Tab) -> None:
    tab.wait("!document.querySelector('#result-section').hidden")
    tab.wait("document.querySelector('button.first').textContent === 'Run'")


def told(tab: Tab) -> str:
    """Return what is said when something went wrong."""
    return str(tab.wait("document.querySelector('.problem')?.textContent"))


def clean(tab: Tab, url: str) -> None:
    """Check that nobody complained, and that nothing was asked of anybody else."""
    assert tab.complaints == []
    assert [each for each in tab.asked if not each.startswith((url, "blob:", "data:"))] == []


def test_from_a_picture_to_a_gold_row(keeping: Tab, picture: Path, gold: Path) -> None:
    url = keeping.run("location.href")
    ask(keeping, picture)
    answered(keeping)
    assert keeping.run(CARDS) == "Grace Hopper,US Navy"
    states = "[...document.querySelectorAll('.nodes li')].map((each) => each.dataset.state)"
    assert set(keeping.run(states)) <= {"end", "waiting"}
    names = keeping.run("[...document.querySelectorAll('.nodes li')].map((e) => e.dataset.node)")
    assert {"open", "recognize", "structure"} <= {*names}
    assert keeping.run("document.activeElement.id") == "result-title"
    keeping.wait("document.querySelector('.stage img').naturalWidth === 160")

    keeping.run("document.querySelector('.card button.quiet[data-key^=draw]').focus()")
    keeping.press("Enter")
    keeping.press("Enter")
    keeping.press("ArrowRight", SHIFT)
    keeping.run("document.querySelector('#saving input').focus()")
    keeping.press("Enter")
    keeping.wait("document.querySelector('#saving [role=status]').textContent.includes('Saved')")

    (line,) = gold.read_text().splitlines()
    row = MuieContent.model_validate(json.loads(line))
    first, second = row.entities
    assert (first.text, first.start, first.end) == ("Grace Hopper", 2, 14)
    assert first.regions is not None and first.regions[0].box == (56, 42, 106, 78)
    assert second.regions is None, "nobody has looked for it"
    assert row.id == "admiral <b>"
    assert row.image is not None
    assert (gold.parent / row.image).read_bytes() == picture.read_bytes()
    clean(keeping, url)

    keeping.press("z", CTRL)  # in the field of the id: it is that of the field
    keeping.run("document.querySelector('[data-key=undo]').click()")
    keeping.run("document.querySelector('#saving .first').click()")
    keeping.wait("document.querySelector('#saving [role=status]').textContent.includes('Saved')")
    ids = [json.loads(line)["id"] for line in gold.read_text().splitlines()]
    assert ids == ["admiral <b>", "admiral <b>-2"]


def test_rows_of_several_posts_come_in_one_file(page: Tab, picture: Path, tmp_path: Path) -> None:
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "got"))
    for text in (TEXT, "Grace Hopper"):
        ask(page, *([picture] if text == TEXT else []), text=text)
        answered(page)
        page.run("document.querySelector('#saving .first').click()")
        page.wait("document.querySelector('#saving [role=status]').textContent.startsWith('Made')")
        page.run("document.querySelector('#result-section').hidden = true")
    assert page.run("document.querySelectorAll('#saving .act button')[0].textContent") == (
        "Download 2 gold rows (JSONL)"
    )
    page.run("document.querySelectorAll('#saving .act button')[0].click()")
    page.run("document.querySelectorAll('#saving .act button')[1].click()")
    got = tmp_path / "got"
    rows = [json.loads(line) for line in downloaded(got, "gold.jsonl").splitlines()]
    assert [row["id"] for row in rows] == ["admiral <b>", "admiral <b>-2"]
    assert [row["image"] for row in rows] == ["admiral <b>.png"] * 2
    assert Extraction.model_validate_json(downloaded(got, "*.json")).text == "Grace Hopper"


def downloaded(folder: Path, name: str) -> str:
    for _ in range(200):
        if found := [path for path in folder.glob(name) if path.stat().st_size]:
            return found[0].read_text()
        time.sleep(0.05)
    raise AssertionError(f"{name} was not downloaded")


def test_a_picture_is_pasted_dropped_and_removed(page: Tab) -> None:
    page.run(
        """(async () => {
        const canvas = document.createElement('canvas');
        canvas.getContext('2d').fillRect(0, 0, 9, 9);
        const blob = await new Promise((then) => canvas.toBlob(then));
        window.transfer = new DataTransfer();
        transfer.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
        window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer }));
    })()"""
    )
    given = "[...document.querySelectorAll('.given li')].map((each) => each.textContent).join()"
    assert page.run(given) == "pasted.pngRemove"
    page.run("dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }))")
    assert page.run(given) == "pasted.pngRemove,pasted.pngRemove", "the graph takes several"
    page.click(".given button")
    assert page.run(given) == "pasted.pngRemove"
    ask(page)
    answered(page)
    assert page.run("document.querySelector('.stage img').naturalWidth") == 300
    assert page.complaints == []


def test_several_pictures_are_told_apart(page: Tab, picture: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (50, 80)).save(other)
    ask(page, picture, other)
    answered(page)
    page.wait("[...document.querySelectorAll('.stage img')].every((each) => each.complete)")
    widths = "[...document.querySelectorAll('.stage img')].map((each) => each.naturalWidth)"
    assert page.run(widths) == [160, 50]
    page.run("document.querySelector('#saving .first').click()")
    page.wait("document.querySelector('#saving [role=status]').textContent.startsWith('Made')")
    rows = json.loads(page.run("sessionStorage.getItem('deixis.rows')"))
    assert rows[0]["images"] == ["admiral <b>.png", "other.png"]


def test_a_picture_that_browsers_cannot_show_comes_from_the_server(
    page: Tab, tmp_path: Path
) -> None:
    path = tmp_path / "scan.tif"
    Image.new("RGB", (70, 50), (200, 90, 90)).save(path)
    ask(page, path)
    answered(page)
    page.wait("document.querySelector('.stage img')?.naturalWidth === 70")


def test_a_turned_picture_is_shown_as_the_graph_saw_it(page: Tab, tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 40)).save(path, exif=exif)
    ask(page, path)
    answered(page)
    page.wait("document.querySelector('.stage img')?.complete")
    sizes = "(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])"
    assert page.run(f"{sizes}(document.querySelector('.stage img'))") == [40, 80]


def test_inputs_are_those_that_the_graph_takes(page: Tab, tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(wav_bytes(tones(2.0)))
    page.files("input[type=file]", sound)
    note = "document.querySelector('.drop [role=status]').textContent"
    assert "takes no sound" in page.wait(note)
    tasks = "document.querySelector('.tasks').checkVisibility()"
    assert page.run(tasks) is False
    choose(page, "graph", "muie")
    assert page.run(note) == ""
    assert page.run(tasks) is True
    choose(page, "graph", "main")
    ask(page)
    answered(page)
    assert page.run("document.querySelector('audio')") is None


def choose(tab: Tab, what: str, value: str) -> None:
    place = {"stack": 0, "graph": 1, "schema": 2}[what]
    tab.run(
        f"""((select) => {{ select.value = '{value}';
        select.dispatchEvent(new Event('change')); }})
        (document.querySelectorAll('#ask .row select')[{place}])"""
    )


def test_names_that_are_known_are_given_with_their_types(page: Tab) -> None:
    page.run("document.querySelector('#ask details').open = true")
    names = "document.querySelectorAll('#ask textarea')[1]"
    page.run(f"{names}.value = 'US Navy'")
    ask(page)
    assert page.run(f"{names}.validationMessage").startswith("Line 1 has no type")
    assert page.run("document.querySelector('#result-section').hidden") is True
    page.run(f"{names}.value = 'US Navy | ORG', {names}.dispatchEvent(new Event('input'))")
    ask(page)
    answered(page)
    assert page.run(CARDS) == "US Navy"


def test_what_cannot_be_used_is_said(page: Tab, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"<script>document.title = 'evil'</script>")
    page.files("input[type=file]", broken)
    page.wait("!!document.querySelector('.given .medium')")
    ask(page)
    assert "picture" in told(page)
    assert page.run("document.title") == "Deixis"
    page.click(".given button")
    page.run("document.querySelector('.link input').value = 'file:///etc/passwd'")
    page.click(".link button")
    assert "no address" in page.run("document.querySelector('.drop [role=status]').textContent")
    page.run("document.querySelector('.link input').value = 'http://127.0.0.1:9/a.png'")
    page.click(".link button")
    ask(page)
    page.wait("document.querySelector('.problem')?.textContent.includes('127.0.0.1')")
    page.click(".given button")
    ask(page)
    answered(page)
    assert page.run("document.querySelector('.problem')") is None


class Gate:
    """A script that waits until it is let go on."""

    def __init__(self) -> None:
        self.open, self.asked = threading.Event(), 0

    def __call__(self, question: Question) -> Any:
        self.asked += 1
        assert self.open.wait(30)


def test_it_is_seen_at_work_and_can_be_stopped(browser: Tab) -> None:
    gate = Gate()
    with scripted(gate), running() as server:
        try:
            for page in opened(browser, server.url):
                ask(page)
                page.wait("!!document.querySelector('[data-node=consult][data-state=start]')")
                assert page.run("document.querySelector('[data-node=open]').dataset.state") == "end"
                live = "document.querySelector('#progress [role=status]').textContent"
                assert "steps done" in page.run(live)
                ask(page)  # once is enough
                page.click(".act button:not(.first)")
                page.wait(f"{live} === 'Stopped'")
                page.wait("document.querySelector('button.first').textContent === 'Run'")
                asked = gate.asked
                gate.open.set()
                ask(page)
                answered(page)
                assert asked <= 3, "the committee, once"
        finally:
            gate.open.set()


def test_the_token_is_asked_for_once(browser: Tab) -> None:
    with scripted(lambda _: None), running(access=Access(token=TOKEN)) as server:
        for page in opened(browser, server.url):
            for said in ("wrong", TOKEN):
                page.wait("document.querySelector('dialog input')?.value === ''")
                page.run("document.querySelector('dialog input').focus()")
                page.type(said)
                page.press("Enter")
            page.wait("!!document.querySelector('#ask form')")
            ask(page)
            answered(page)
            page.call("Page.reload")
            page.wait("performance.getEntriesByType('navigation')[0].type === 'reload'")
            page.wait("!!document.querySelector('#ask form')")
            assert page.run("document.querySelector('dialog')") is None
            assert not any(TOKEN in each for each in page.asked), "it is in no URL"


def test_a_server_that_is_gone_is_said_to_be(browser: Tab) -> None:
    with scripted(lambda _: None), running() as server:
        pages = opened(browser, server.url)
        page = next(pages)
    ask(page)
    assert "cannot be reached" in told(page)
    assert page.run("document.querySelector('button.first').textContent") == "Run"
    next(pages, None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_has_a_name_and_fits(page: Tab, picture: Path, scheme: str) -> None:
    page.scheme(scheme)
    page.size(360, 740, mobile=True)
    ask(page, picture)
    answered(page)
    page.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.run("new Promise((then) => setTimeout(then, 100))")
    assert faint(page) == []
    assert nameless(page) == []
    assert twice(page) == []
    assert page.run("document.documentElement.scrollWidth") <= 360
    assert too_wide(page, 360) == []
    page.scheme("light")
    page.size(1280)


def test_the_first_stop_of_the_keyboard_leads_to_the_result(page: Tab) -> None:
    page.run("document.activeElement.blur()")
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.querySelector(document.activeElement.hash).id") == "result"

"""Rows are reviewed in a real browser, by keyboard alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser import Tab, browsing, needs_a_browser

from .conftest import gold_of, results, write
from .test_http import serving

pytestmark = [*needs_a_browser, pytest.mark.process]


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with browsing(tmp_path / "profile") as one:
        one.size(1280)
        yield one


def opened(tab: Tab, n: int) -> None:
    """Wait until a row is on the page."""
    title = "document.getElementById('result-title').textContent"
    tab.wait(f"{title}.startsWith('Row {n}:') && !!document.querySelector('#accept')")


def named(tab: Tab, name: str) -> None:
    tab.wait("!!document.querySelector('dialog[open] input')")
    tab.type(name)
    tab.press("Enter")


def test_three_rows_by_keyboard(
    tab: Tab, file: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    with serving(file) as client:
        tab.open(str(client.base_url))
        named(tab, "Ann Lee")
        opened(tab, 1)
        assert tab.wait("document.querySelector('.stage img')?.naturalWidth") == 64
        tab.press("a")
        opened(tab, 2)
        for key in ("2", "t", "ArrowDown", "Escape"):
            tab.press(key)
        assert "Keep" in tab.run("document.querySelector('#accept').textContent")
        tab.press("a")
        opened(tab, 3)
        tab.press("s")
        tab.wait("document.querySelector('#note').textContent.includes('skipped')")
        assert tab.complaints == []
    [path] = [
        x for x in (tmp_path / "results.review").glob("ann-lee-*.jsonl") if ".s" not in x.name
    ]
    first, second = gold_of(path)
    assert first["review"]["verdict"] == "accepted"
    assert second["review"]["changed"] == ["type"] and second["entities"][1]["type"] == "ORG"
    with serving(file) as client:  # on another port: the browser's storage is of the first
        tab.call("Page.navigate", url="about:blank")
        tab.open(str(client.base_url))
        named(tab, "Ann Lee")
        tab.wait("document.querySelector('#progress')?.textContent.includes('2 of 3, 1 skipped')")
        assert client.get("/v1/review", params={"reviewer": "Ann Lee"}).json()["place"] == 3
    told = json.loads(run("review", file, "--report", "--json"))
    [ann] = told["reviewers"]
    assert (ann["accepted"], ann["corrected"], ann["skipped"]) == (1, 1, 1)


def test_a_phone_shows_a_row_at_its_own_width(tab: Tab, file: Path) -> None:
    tab.size(360, 740, mobile=True)
    with serving(file, "--reviewer", "ann") as client:
        tab.open(str(client.base_url))
        opened(tab, 1)
        assert tab.run("document.documentElement.scrollWidth") <= 360
        assert tab.complaints == []


def test_words_of_strangers_stay_words(tab: Tab, tmp_path: Path) -> None:
    evil = "<img src=x onerror=\"document.title='evil'\">"
    row = results()[2]
    row |= {"text": evil, "id": evil, "entities": [{**row["entities"][0], "text": evil[:4]}]}
    row["entities"][0] |= {"start": 0, "end": 4, "type": evil}
    failed = {"id": evil, "line": 2, "error": evil, "settings": "s"}
    file = write(tmp_path / "out.jsonl", [row])
    write(tmp_path / "out.failures.jsonl", [failed])
    with serving(file, "--reviewer", evil) as client:
        tab.open(str(client.base_url))
        opened(tab, 1)
        tab.press("j")
        tab.wait("!!document.querySelector('.problem')")
        assert tab.run("document.title") == "Review: out.jsonl"
        assert tab.run("document.querySelectorAll('img[src=x]').length") == 0

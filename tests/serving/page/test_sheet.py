"""A result on the page: everything in it is there, names and regions are linked, nothing runs."""

import json

import pytest

from deixis.schema import Extraction
from tests.browser import Tab, needs_a_browser

from .looks import faint, nameless, too_wide, twice
from .made import EVIL, made, mount

pytestmark = needs_a_browser

LIT = """[...document.querySelectorAll('.lit')].map((element) =>
  [element.className.split(' ')[0], element.dataset.entity])"""
"""What is lit up: first class, and whose it is."""


@pytest.fixture
def sheet(page: Tab) -> Tab:
    page.size(1280, 1000)
    mount(page, made())
    page.wait("[...document.images].every((image) => image.complete)")
    return page


def lit(tab: Tab) -> set[tuple[str, str]]:
    return {(kind, whose) for kind, whose in tab.run(LIT)}


def texts(tab: Tab, selector: str) -> list[str]:
    code = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
    return list(tab.run(code))


def unfold(tab: Tab) -> None:
    """Open every fold, also those that are in others."""
    for _ in range(3):
        tab.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        tab.run("new Promise((then) => setTimeout(then, 50))")


def test_the_text_is_there_as_it_was_given(sheet: Tab) -> None:
    assert texts(sheet, ".text") == [made().text]
    marks = texts(sheet, "mark")
    assert marks == [f"Ann {EVIL} Lee", "NASA", "Bob"]
    numbers = "[...document.querySelectorAll('mark')].map((mark) => mark.dataset.numbers).join()"
    assert sheet.run(numbers) == "1,2,3"


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_names_and_regions_are_linked_both_ways(sheet: Tab, way: str) -> None:
    def point(selector: str) -> None:
        if way == "hover":
            sheet.hover(selector)
        else:
            sheet.run(f"document.querySelector({json.dumps(selector)}).focus()")

    whole = {("card", "e1"), ("mask", "e1"), ("box", "e1"), ("lit", "e1"), ("linked", "e1")}
    for selector in ("mark[data-entity=e1]", ".box[data-entity=e1]", ".card[data-entity=e1] .name"):
        point("mark[data-entity=e2]")
        assert {whose for _, whose in lit(sheet)} == {"e2"}, selector
        point(selector)
        assert lit(sheet) == whole, selector
    assert len(sheet.run("[...document.querySelectorAll('.box.lit')]")) == 2, "in both pictures"
    if way == "hover":
        sheet.mouse("mouseMoved", (2, 2))
        sheet.wait("document.querySelector('.lit') === null")


def test_what_has_no_place_is_linked_to_its_words(sheet: Tab) -> None:
    sheet.hover(".card[data-entity=e2] .name")
    assert lit(sheet) == {("card", "e2"), ("lit", "e2"), ("linked", "e2")}


def test_masks_lie_on_what_they_cover(sheet: Tab) -> None:
    (mask, left, top, width, height) = sheet.run(
        """(() => { const stage = document.querySelector('.stage').getBoundingClientRect();
        const mask = document.querySelector('canvas.mask');
        const { left, top, width, height } = mask.getBoundingClientRect();
        const s = stage.width / 400;
        return [[mask.width, mask.height],
            (left - stage.left) / s, (top - stage.top) / s, width / s, height / s]; })()"""
    )
    assert mask == [100, 140]
    assert [left, top, width, height] == pytest.approx([50, 60, 100, 140], abs=0.5)
    assert sheet.run("document.querySelectorAll('canvas.mask').length") == 1


def test_decisions_votes_and_replies_unfold(sheet: Tab) -> None:
    unfold(sheet)
    said = made()
    for decision in said.entities[0].decisions:
        for words in (decision.step, decision.subject, *decision.evidence):
            assert words in texts(sheet, "[data-fold='decided:entity:e1']")[0]
    replies = texts(sheet, "[data-fold='decided:entity:e1'] pre")
    assert replies == [reply.text for reply in said.replies], "word for word"
    heads = texts(sheet, "[data-fold='votes:e1'] thead th")
    assert heads == ["Attribute", "Member 1", "Member 2", "Member 3", "Settled", "Agreement"]
    rows = sheet.run(
        "[...document.querySelectorAll(\"[data-fold='votes:e1'] tbody tr\")]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert rows == [
        ["hair", "✓ grey", "✓ grey", "cannot be read", "grey", "1.00"],
        ["hat", EVIL, EVIL, "cannot be read", "unknown", ""],
    ]
    assert texts(sheet, "[data-fold=replies] pre") == [reply.text for reply in said.replies]
    assert "1,200" in texts(sheet, "[data-fold=usage]")[0]
    assert f"entail: {EVIL}" in texts(sheet, ".warnings")[0]
    assert "no word was kept" not in texts(sheet, "#mounted")[0]


def test_relations_and_events_are_listed(sheet: Tab) -> None:
    ends = texts(sheet, ".ends")
    assert ends == [f"1Ann {EVIL} Lee→2NASA", f"3Bob→1Ann {EVIL} Lee", "“met” "]
    sheet.hover(".ends .linked")
    assert {whose for _, whose in lit(sheet)} == {"e1"}


def test_nothing_that_was_written_runs(sheet: Tab) -> None:
    unfold(sheet)
    assert sheet.run("document.title") == "Deixis"
    assert (
        sheet.run("document.querySelectorAll('#mounted :is(script, [onerror], [src=x])').length")
        == 0
    )
    assert sheet.complaints == []


def test_folds_stay_open_and_the_focus_stays_when_something_changes(sheet: Tab) -> None:
    sheet.run("document.querySelector(\"[data-fold='votes:e1']\").open = true")
    sheet.run("new Promise((then) => setTimeout(then, 50))")
    sheet.run("sheet.focus('drop:e3')")
    sheet.press("Enter")
    assert sheet.run("document.querySelector(\"[data-fold='votes:e1']\").open")
    assert "grey" in texts(sheet, "[data-fold='votes:e1']")[0]


def test_arrow_keys_go_from_name_to_name(sheet: Tab) -> None:
    for first, key in (("name:e1", "ArrowDown"), ("mark:e1", "ArrowRight")):
        kind = first.partition(":")[0]
        sheet.run(f"sheet.focus('{first}')")
        seen = []
        for pressed in (key, key, key, "Home", "End"):
            sheet.press(pressed)
            seen.append(sheet.run("document.activeElement.dataset.key"))
        assert seen == [f"{kind}:{id_}" for id_ in ("e2", "e3", "e3", "e1", "e3")]
    sheet.press("Enter")
    assert sheet.run("document.activeElement.dataset.key") == "name:e3"
    stops = "[...document.querySelectorAll('.name')].filter((e) => e.tabIndex === 0).length"
    assert sheet.run(stops) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("editable", [True, False])
def test_everything_can_be_read_and_has_a_name(page: Tab, scheme: str, editable: bool) -> None:
    page.scheme(scheme)
    page.size(1280, 1000)
    mount(page, made(), editable=editable)
    unfold(page)
    assert faint(page) == []
    assert nameless(page) == []
    assert twice(page) == []
    page.scheme("light")


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_cut_at_any_width(page: Tab, width: int) -> None:
    page.size(width, 740, mobile=width < 500)
    long = "Donaudampfschifffahrtsgesellschaftskapitaensmuetze" * 3
    result = made().model_dump(mode="json")
    result["entities"][1]["type"] = result["entities"][2]["fine_type"] = long
    result["relations"][0]["type"] = long
    mount(page, Extraction.model_validate(result))
    unfold(page)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert too_wide(page, width) == []


def test_a_picture_that_is_not_there_is_said_to_be(page: Tab) -> None:
    mount(page, made(), images=[None])
    assert len(texts(page, ".missing")) == 2
    assert page.run("document.querySelectorAll('.box').length") == 2
    mount(page, made(), images=["data:image/png;base64,AAAA", "/page/nothing.png"])
    page.wait("document.querySelectorAll('.missing').length === 2")


def test_a_sheet_takes_itself_off_the_page(sheet: Tab) -> None:
    sheet.run("sheet.destroy()")
    assert sheet.run("document.getElementById('mounted').childElementCount") == 0
    sheet.press("z", 2)
    assert sheet.run("changes") == 0

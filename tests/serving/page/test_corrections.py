"""Results that are corrected, by mouse and by keyboard: the records accept each step."""

import json

import pytest

from tests.browser import CTRL, SHIFT, Tab, needs_a_browser

from .made import EVIL, TEXT, made, mount, shown

pytestmark = needs_a_browser


@pytest.fixture
def sheet(page: Tab) -> Tab:
    page.size(1280)
    mount(page, made())
    return page


def focus(tab: Tab, key: str) -> None:
    assert tab.run(f"sheet.focus({json.dumps(key)})"), key


def focused(tab: Tab) -> str:
    return str(tab.run("document.activeElement.dataset.key"))


def entity(tab: Tab, id_: str = "e1"):  # type: ignore[no-untyped-def]
    return next(each for each in shown(tab).entities if each.id == id_)


def at(tab: Tab, x: float, y: float, picture: int = 0) -> tuple[float, float]:
    """Return where a pixel of a picture is in the window."""
    left, top, scale = tab.run(
        f"(({{ left, top, width }}) => [left, top, width / 400])"
        f"(document.querySelectorAll('.stage')[{picture}].getBoundingClientRect())"
    )
    return left + x * scale, top + y * scale


def test_types_are_changed(sheet: Tab) -> None:
    focus(sheet, "type:e1")
    sheet.run("document.activeElement.value = 'ORG'")
    sheet.run("document.activeElement.dispatchEvent(new Event('change'))")
    assert (entity(sheet).type, entity(sheet).fine_type) == ("ORG", None)
    decisions = entity(sheet).decisions[-2:]
    assert [(each.step, each.subject, each.outcome) for each in decisions] == [
        ("review", "type", "ORG"),
        ("review", "fine_type", None),
    ]
    assert focused(sheet) == "type:e1"
    sheet.press("ArrowUp")  # by keyboard: PER comes before ORG
    sheet.wait("sheet.extraction.entities[0].type === 'PER'")
    focus(sheet, "fine:e1")
    sheet.press("p")  # a letter chooses what begins with it
    sheet.wait("sheet.extraction.entities[0].fine_type === 'politician'")
    for _ in range(3):
        sheet.press("z", CTRL)
    assert shown(sheet) == made()
    assert sheet.run("[sheet.changed, changes]") == [False, 6]
    for _ in range(3):
        sheet.press("z", CTRL | SHIFT)
    assert entity(sheet).fine_type == "politician"


def test_a_box_is_moved_and_resized_by_mouse(sheet: Tab) -> None:
    sheet.middle(".stage")
    sheet.drag(at(sheet, 100, 130), at(sheet, 140, 150))
    (moved, other) = entity(sheet).regions
    assert moved.box == pytest.approx((90, 80, 190, 220), abs=1.5)
    assert (moved.source, moved.score, moved.mask) == ("annotator", 1.0, None)
    assert other == made().entities[0].regions[1]
    sheet.drag(at(sheet, moved.box[2], moved.box[3]), at(sheet, 390, 290))
    assert entity(sheet).regions[0].box == pytest.approx((90, 80, 390, 290), abs=1.5)
    sheet.drag(at(sheet, 200, 200), at(sheet, 900, 900))  # it stays in the picture
    assert entity(sheet).regions[0].box == pytest.approx((100, 90, 400, 300), abs=1.5)
    sheet.drag(at(sheet, 200, 200), at(sheet, 200, 200))  # a click moves nothing
    sheet.click("[data-key=undo]")
    sheet.press("z", CTRL)
    sheet.press("z", CTRL)
    assert shown(sheet) == made()
    sheet.click("[data-key=redo]")
    assert entity(sheet).regions[0].box == pytest.approx((90, 80, 190, 220), abs=1.5)


def test_a_box_is_moved_resized_and_removed_by_keyboard(sheet: Tab) -> None:
    focus(sheet, "box:e1:0")
    for _ in range(3):
        sheet.press("ArrowRight")
    sheet.press("ArrowUp", CTRL)
    sheet.press("ArrowDown", SHIFT)
    assert entity(sheet).regions[0].box == (62, 59, 162, 203)
    assert focused(sheet) == "box:e1:0"
    sheet.press("z", CTRL)
    assert entity(sheet).regions[0].box == (62, 59, 162, 199)
    sheet.press("z", CTRL)  # arrow keys in a row are one move
    assert shown(sheet) == made()
    sheet.press("Delete")
    assert [region.image for region in entity(sheet).regions] == [1]
    assert focused(sheet) == "name:e1"
    focus(sheet, "box:e1:0")
    sheet.press("Delete")
    last = entity(sheet)
    assert (last.regions, last.groundable) == ([], None)
    assert last.decisions[-1].subject == "groundable"


def test_a_box_is_drawn_by_mouse(sheet: Tab) -> None:
    sheet.click("[data-key='draw:e2']")
    assert sheet.run("document.querySelectorAll('.stage.drawing').length") == 2
    sheet.run("document.querySelectorAll('.stage')[1].scrollIntoView({ block: 'center' })")
    sheet.drag(at(sheet, 300, 200, 1), at(sheet, 200, 100, 1))
    (region,) = entity(sheet, "e2").regions
    assert region.box == pytest.approx((200, 100, 300, 200), abs=1.5)
    assert (region.image, region.source, region.score) == (1, "annotator", 1.0)
    assert entity(sheet, "e2").groundable is True
    steps = [(each.subject, each.outcome) for each in entity(sheet, "e2").decisions]
    assert steps == [("groundable", "yes"), ("box", steps[1][1])]
    assert focused(sheet) == "box:e2:0"
    assert not sheet.run("document.querySelector('.stage.drawing') !== null")


def test_a_box_is_drawn_by_keyboard_or_not(sheet: Tab) -> None:
    focus(sheet, "seen:e3:undecided")
    sheet.press("ArrowUp")  # to "not to be seen"
    assert entity(sheet, "e3").groundable is False
    sheet.press("ArrowUp")  # to "seen", which takes a box
    assert focused(sheet) == "picture:0"
    assert entity(sheet, "e3").groundable is False
    sheet.press("Escape")
    assert focused(sheet) == "draw:e3"
    sheet.press("Enter")
    sheet.press("Enter")
    (region,) = entity(sheet, "e3").regions
    assert region.box == (140, 105, 260, 195)
    assert focused(sheet) == "box:e3:0"


def test_what_is_not_to_be_seen_loses_its_places(sheet: Tab) -> None:
    focus(sheet, "seen:e1:yes")
    sheet.press("ArrowDown")
    assert (entity(sheet).groundable, entity(sheet).regions) == (False, [])
    assert entity(sheet).decisions[-1].outcome == "no"
    sheet.press("ArrowDown")
    assert (entity(sheet).groundable, entity(sheet).regions) == (None, [])
    assert entity(sheet).decisions[-1].outcome is None
    sheet.press("z", CTRL)
    sheet.press("z", CTRL)
    assert shown(sheet) == made()


def test_a_mention_is_selected_in_the_text(sheet: Tab) -> None:
    start = TEXT.rindex("NASA")
    unit = len(TEXT[:start].encode("utf-16-le")) // 2
    sheet.run(
        f"""(() => {{
        const text = document.querySelector('.text');
        const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
        let [at, node] = [{unit}, null];
        while ((node = walker.nextNode()) && node.length <= at) at -= node.length;
        getSelection().setBaseAndExtent(node, at - 1, node, at + 4);  // with the blank before it
    }})()"""
    )
    sheet.wait("document.querySelector('[data-key=mention]').value === 'NASA'")
    sheet.run("document.querySelector('.mention select:last-of-type').value")
    sheet.click(".mention button")
    added = shown(sheet).entities[-1]
    assert (added.text, added.start, added.end) == ("NASA", start, start + 4)
    assert (added.id, added.type, added.groundable, added.confidence) == ("e4", "PER", None, 1.0)
    assert focused(sheet) == "name:e4"


def test_a_mention_is_typed(sheet: Tab) -> None:
    focus(sheet, "mention")
    sheet.type("NASA")
    options = "[...document.querySelectorAll('.mention select')[0].options].map((o) => o.text)"
    assert sheet.run(options) == ["1 of 2", "2 of 2"], "the first is marked already"
    assert sheet.run("document.querySelector('.pending').textContent") == "NASA"
    sheet.run("document.querySelectorAll('.mention select')[0].value = '1'")
    focus(sheet, "mention")
    sheet.press("Enter")
    added = shown(sheet).entities[-1]
    assert (added.start, added.end) == (TEXT.rindex("NASA"), TEXT.rindex("NASA") + 4)
    assert sheet.run("document.querySelector('.pending')") is None
    focus(sheet, "mention")
    sheet.type("Bob")
    sheet.press("Enter")
    assert len(shown(sheet).entities) == 4
    assert "already" in sheet.run("document.querySelector('.mention [role=status]').textContent")
    sheet.run("document.activeElement.value = ''")
    sheet.type("Napoleon")
    sheet.press("Enter")
    assert len(shown(sheet).entities) == 4


def test_an_entity_goes_with_what_is_said_of_it(sheet: Tab) -> None:
    focus(sheet, "drop:e1")
    sheet.press("Enter")
    left = shown(sheet)
    assert [each.id for each in left.entities] == ["e2", "e3"]
    assert left.relations == []
    assert [part.entity for part in left.events[0].arguments] == ["e3"]
    assert focused(sheet) == "name:e2"
    for _ in range(2):
        sheet.click(".card .head button.quiet")
    assert shown(sheet).entities == []
    assert focused(sheet) == "entities"
    for _ in range(3):
        sheet.press("z", CTRL)
    assert shown(sheet) == made()


def test_relations_and_events_are_changed_and_dropped(sheet: Tab) -> None:
    focus(sheet, "link:r1")
    sheet.press("k")
    sheet.wait("sheet.extraction.relations[0].type === 'knows'")
    assert shown(sheet).relations[0].decisions[-1].step == "review"
    focus(sheet, "unlink:r2")
    sheet.press("Enter")
    assert [each.id for each in shown(sheet).relations] == ["r1"]
    focus(sheet, "link:v1")
    sheet.press("l")
    sheet.wait("sheet.extraction.events[0].type === 'Leave'")
    focus(sheet, "part:v1:1")
    sheet.press("Enter")
    assert [part.role for part in shown(sheet).events[0].arguments] == ["who"]
    sheet.click("[data-key='unlink:v1']")
    sheet.click("[data-key='unlink:r1']")
    assert (shown(sheet).relations, shown(sheet).events) == ([], [])


def test_what_is_undone_leaves_the_future_behind(sheet: Tab) -> None:
    sheet.click("[data-key='drop:e3']")
    sheet.press("z", CTRL)
    sheet.click("[data-key='drop:e2']")
    assert sheet.run("sheet.canRedo") is False
    sheet.press("y", CTRL)
    assert [each.id for each in shown(sheet).entities] == ["e1", "e3"]


def test_keys_in_a_field_are_those_of_the_field(sheet: Tab) -> None:
    sheet.click("[data-key='drop:e3']")
    focus(sheet, "mention")
    sheet.press("z", CTRL)
    assert len(shown(sheet).entities) == 2


def test_a_result_that_is_only_looked_at_cannot_be_changed(page: Tab) -> None:
    mount(page, made(), editable=False)
    focus(page, "box:e1:0")
    for key in ("ArrowRight", "Delete"):
        page.press(key)
    page.press("z", CTRL)
    page.drag(page.middle(".box"), (10, 10))
    assert shown(page) == made()
    assert page.run("document.querySelectorAll('#mounted :is(select, input, .quiet)').length") == 0
    assert EVIL in page.run("document.querySelector('.card').textContent")


def test_a_finger_moves_a_box_that_is_chosen(sheet: Tab) -> None:
    sheet.middle(".stage")
    sheet.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        half = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        for kind, places in (
            ("touchStart", [start]),
            ("touchMove", [half]),
            ("touchMove", [end]),
            ("touchEnd", []),
        ):
            points = [{"x": x, "y": y} for x, y in places]
            sheet.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    try:
        focus(sheet, "box:e1:0")  # as by a touch: it is chosen
        sheet.middle(".stage")
        drag(at(sheet, 100, 130), at(sheet, 140, 150))
        moved = shown(sheet)
        assert moved.entities[0].regions[0].box == pytest.approx((90, 80, 190, 220), abs=1.5)
        sheet.run("document.activeElement.blur()")
        drag(at(sheet, 140, 150), at(sheet, 140, 100))
        assert shown(sheet) == moved, "a finger scrolls past what is not chosen"
    finally:
        sheet.call("Emulation.setTouchEmulationEnabled", enabled=False)

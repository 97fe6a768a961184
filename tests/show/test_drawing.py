import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deixis.show.drawing import draw, draw_marks, place_labels
from deixis.show.panels import COLOURS, Mark, colour, font, ink, panel, runs, shorten, typeset

BLUE = (0, 114, 178)


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def has(image: Image.Image, tint: tuple[int, int, int]) -> np.ndarray:
    """Where `image` has exactly this colour, as a boolean array of shape (H, W)."""
    return (np.asarray(image) == tint).all(axis=2)


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    def light(tint: tuple[int, ...]) -> float:
        shares = np.array(tint) / 255
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_go_on_and_stay_apart() -> None:
    tints = [colour(i) for i in range(60)]
    assert tints[: len(COLOURS)] == list(COLOURS)
    assert len(set(tints)) == 60
    first = np.array(tints[:30])
    away = np.abs(first[:, None] - first[None]).sum(axis=2)
    assert away[~np.eye(30, dtype=bool)].min() >= 50


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_ink_can_be_read_on_every_colour(tint: tuple[int, int, int]) -> None:
    assert contrast(tint, ink(tint)) >= 4.5


@given(
    st.text(max_size=30).flatmap(
        lambda text: st.tuples(
            st.just(text),
            st.lists(
                st.tuples(
                    st.integers(0, len(text)), st.integers(0, len(text)), st.integers(0, 5)
                ).map(lambda span: (*sorted(span[:2]), span[2]))
            ),
        )
    )
)
def test_runs_cover_the_text_once(case: tuple[str, list[tuple[int, int, int]]]) -> None:
    text, spans = case
    pieces = runs(text, spans)
    assert "".join(text[start:end] for start, end, _ in pieces) == text
    for start, end, mark in pieces:
        over = {number for a, b, number in spans if a <= start and end <= b}
        assert (mark in over) if over else (mark is None)


def test_of_overlapping_spans_the_shorter_is_kept_whole() -> None:
    spans = [(0, 17, 0), (10, 17, 1)]
    assert runs("Bank of America Tower", spans) == [(0, 10, 0), (10, 17, 1), (17, 21, None)]


def test_a_box_is_drawn_where_it_is() -> None:
    shown = draw_marks(grey(800, 600), [Mark("A", BLUE, [(200.0, 300.0, 400.0, 500.0)])])
    assert shown.size == (800, 600)
    lines = has(shown, BLUE)
    assert lines[400, 198:203].any()
    assert lines[400, 398:403].any()
    assert lines[498:503, 300].any()
    assert not lines[320:480, 220:380].any()
    assert not lines[:, 420:].any()


def test_a_small_picture_is_enlarged_and_its_box_with_it() -> None:
    shown = draw_marks(grey(16, 8), [Mark("A", BLUE, [(8.0, 4.0, 16.0, 8.0)])])
    assert shown.size == (640, 320)
    columns = np.flatnonzero(has(shown, BLUE).sum(axis=0) > 100)
    assert abs(columns.min() - 320) < 6
    assert draw_marks(grey(4000, 3000), []).size == (2000, 1500)


def test_a_mask_tints_its_inside_and_has_a_contour() -> None:
    mask = np.zeros((600, 800), bool)
    mask[200:400, 300:500] = True
    box = (300.0, 200.0, 500.0, 400.0)
    shown = np.asarray(draw_marks(grey(800, 600), [Mark("", BLUE, [box], [mask])])).astype(int)
    inside, outside = shown[300, 400], shown[100, 100]
    assert outside.tolist() == [128] * 3
    assert inside[0] < 128 < inside[2]
    assert inside[0] > BLUE[0] + 40  # one can still see what is below
    round_ = np.hypot(*np.mgrid[-300:300, -400:400]) < 100
    shown = np.asarray(draw_marks(grey(800, 600), [Mark("", BLUE, [], [round_])])).astype(int)
    row = (np.abs(shown[300] - BLUE).sum(axis=1) == 0).nonzero()[0]
    assert 300 <= row.min() <= 304
    assert 496 <= row.max() <= 500
    assert len(row) < 14


def labels_of(boxes: list[tuple[float, ...]], frame: tuple[int, int]) -> list[np.ndarray]:
    marks = [(i + 1, Mark(f"Some Name {i}", colour(i)), np.array(b)) for i, b in enumerate(boxes)]
    labels = place_labels(marks, frame, 14)
    assert [label.words.split()[0] for label in labels] == [str(i + 1) for i in range(len(boxes))]
    return [label.spot for label in labels]


def shared(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(sides.clip(0).prod())


@pytest.mark.parametrize(
    "boxes",
    [
        [(200.0, 200.0, 300.0, 300.0)] * 30,
        [(20.0 * i, 15.0 * i, 20.0 * i + 90, 15.0 * i + 70) for i in range(30)],
        [(0.0, 0.0, 640.0, 480.0), (0.0, 0.0, 5.0, 5.0), (635.0, 475.0, 640.0, 480.0)],
    ],
)
def test_labels_stay_inside_and_apart(boxes: list[tuple[float, ...]]) -> None:
    spots = labels_of(boxes, (640, 480))
    for i, spot in enumerate(spots):
        assert spot[0] >= 0
        assert spot[1] >= 0
        assert spot[2] <= 640
        assert spot[3] <= 480
        assert all(shared(spot, other) == 0 for other in spots[:i])


def test_labels_without_room_still_stay_inside() -> None:
    spots = labels_of([(10.0, 10.0, 40.0, 40.0)] * 200, (120, 60))
    assert len(spots) == 200
    assert all((spot >= 0).all() and spot[2] <= 120 and spot[3] <= 60 for spot in spots)


def crowd(width: int, height: int, number: int) -> list[Mark]:
    """People in rows of ten, each overlapping the next."""
    marks = []
    for i in range(number):
        x, y = i % 10 * width / 10, i // 10 * height / 4
        box = (x, y, min(x + width / 8, width), y + height / 3)
        marks.append(Mark(f"Maximilian Featherstonehaugh {i}", colour(i), [box], note="PER"))
    return marks


@pytest.mark.parametrize("size", [(64, 64), (1200, 800), (600, 900), (4000, 3000)])
@pytest.mark.parametrize("number", [1, 2, 5, 30])
def test_names_stand_in_the_picture_while_it_can_be_seen(
    size: tuple[int, int], number: int
) -> None:
    marks = crowd(*size, number)
    scale = min(max(1.0, 640 / max(size)), 2000 / max(size))
    frame = round(size[0] * scale), round(size[1] * scale)
    type_size = min(max(round(max(frame) / 55), 14), 30)
    placed = [(i, each, np.array(each.boxes[0]) * scale) for i, each in enumerate(marks, start=1)]
    labels = place_labels(placed, frame, type_size)
    words = [label.words for label in labels]
    if number == 30:
        assert words == [str(i) for i in range(1, 31)], "numbers alone"
    else:
        assert any("Maximilian" in each for each in words)
    covered = sum(float((each.spot[2:] - each.spot[:2]).prod()) for each in labels)
    assert covered < 0.12 * frame[0] * frame[1]
    for i, label in enumerate(labels):
        assert (label.spot >= 0).all() and (label.spot[2:] <= frame).all()
        assert all(shared(label.spot, other.spot) == 0 for other in labels[:i])
        near = np.clip((label.spot[:2] + label.spot[2:]) / 2, label.box[:2], label.box[2:])
        assert (near >= label.spot[:2] - 1).all() and (near <= label.spot[2:] + 1).all(), "at it"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 64), (1200, 800), (600, 900)])
def test_thirty_are_all_in_the_legend(size: tuple[int, int]) -> None:
    marks = crowd(*size, 30)
    top, whole = draw_marks(grey(*size), marks), draw(grey(*size), marks, "", [])
    for mark in marks:
        assert has(top, mark.colour).any()
        assert has(whole, mark.colour).sum() - has(top, mark.colour).sum() > 200, "its badge"


@pytest.mark.parametrize(
    ("number", "width", "rows"), [(10, 1200, 10), (11, 1200, 6), (30, 1200, 15), (30, 900, 30)]
)
def test_a_long_legend_is_folded_where_the_panel_is_wide(
    number: int, width: int, rows: int
) -> None:
    words = "A rather long name of somebody in a very large crowd of people"
    shown = panel("", [], [Mark(words, colour(i), note="PER") for i in range(number)], width, 22)
    assert shown.height == 2 * 22 + rows * 35
    assert (np.asarray(shown)[:, -20:] == 255).all(), "a margin"
    dark = np.asarray(shown).max(axis=2) < 60
    badges = [each for each in (24, 590 + 24) if rows < number or each < 500]
    assert all(dark[:, left : left + 480].any() for left in badges), "words in each column"


def test_a_mark_without_a_name_has_its_number_in_the_middle() -> None:
    placed = [(1, Mark("", BLUE), np.array([50.0, 50.0, 90.0, 90.0]))]
    (label,) = place_labels(placed, (640, 480), 20)
    wide = label.spot[2] - label.spot[0]
    assert label.words == "1" and wide == pytest.approx(font(20).getlength("1") + 10)


def test_a_label_leaves_small_boxes_free() -> None:
    large, small = (100.0, 100.0, 500.0, 400.0), (100.0, 80.0, 130.0, 98.0)
    spots = labels_of([large, small], (640, 480))
    assert shared(spots[0], np.array(small)) == 0


def test_typesetting_shows_what_the_font_has() -> None:
    words = "Zürich \u2013 “Łódź”\tØre\nß 20°"
    assert typeset(words) == "Zurich - “Lodz” Ore ss 20°"
    assert typeset("東京") == "東京"
    face = font(20)
    blank = bytes(face.getmask("東"))
    assert all(bytes(face.getmask(c)) != blank for c in typeset(words) if c != " ")
    assert face.getlength(shorten("word " * 50, face, 200)) <= 200
    assert shorten("word", face, 200) == "word"


def test_the_panel_colours_spans_and_lists_marks() -> None:
    marks = [Mark("Ann", colour(0), [(0.0, 0.0, 9.0, 9.0)]), Mark("Bob", BLUE, note="a person")]
    shown = panel("Ann met Bob.", [(0, 3, 0), (8, 11, 1)], marks, 640, 20)
    first, second = has(shown, colour(0)), has(shown, BLUE)
    ann, bob = (np.flatnonzero(where[20:52].any(axis=0)) for where in (first, second))
    assert ann.max() < bob.min()
    assert ann.min() == 20
    legend = slice(60, None)
    assert first[legend].sum() > 700  # full: it has a box
    assert 100 < second[legend].sum() < 700  # hollow: it has none


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "word " * 400,
        "https://example.org/" + "x" * 3000,
        "東京" * 500,
        "one\n\n\ntwo\r\nthree\0four",
        "letters " * 40000,
    ],
)
def test_a_panel_wraps_every_text(text: str) -> None:
    shown = panel(text, [(0, min(5, len(text)), 0)] if text else [], [Mark("A", BLUE)], 500, 16)
    assert shown.width == 500
    assert shown.height < 4000
    margin = np.asarray(shown)[:, -14:]
    assert (margin == 255).all()
    lines = len(text.split("\n")) if text.strip() else 0
    assert shown.height >= lines * 25


def test_a_span_over_a_line_end_is_coloured_on_both_lines() -> None:
    text = "x" * 30 + " " + "y" * 30
    shown = panel(text, [(0, len(text), 0)], [Mark("A", BLUE)], 400, 16)
    rows = has(shown, BLUE)
    assert rows[20:38].sum() > 500
    assert rows[46:64].sum() > 500


@pytest.mark.parametrize(
    ("width", "height", "where"),
    [
        (800, 600, "below"),
        (600, 800, "beside"),
        (3000, 12, "below"),
        (12, 3000, "beside"),
        (8, 8, "below"),
    ],
)
def test_the_panel_stands_where_there_is_room(width: int, height: int, where: str) -> None:
    picture = grey(width, height)
    marks = [Mark("Ann", BLUE, [(0.0, 0.0, float(width), float(height))])]
    top, whole = draw_marks(picture, marks), draw(picture, marks, "Ann " * 9, [(0, 3, 0)])
    if where == "below":
        assert whole.height > top.height
        assert whole.width == max(top.width, 640)
    else:
        assert whole.width > top.width
        assert whole.height >= top.height
    assert max(top.size) >= 640
    assert min(top.size) >= 56  # flat pictures get a margin for the labels
    assert has(whole, BLUE).any()


def test_without_a_picture_there_is_only_a_panel() -> None:
    whole = draw(None, [Mark("Ann", BLUE)], "Ann", [(0, 3, 0)])
    assert whole.width == 1000
    assert has(whole, BLUE).any()

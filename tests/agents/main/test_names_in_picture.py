import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.main.names_in_picture import find_name
from deixis.tools.base import Word

BOX = (10.0, 20.0, 110.0, 40.0)


def lines(*texts: str) -> list[Word]:
    return [Word(text, BOX, 0.9) for text in texts]


@pytest.mark.extra
@pytest.mark.parametrize(
    ("name", "read", "part"),
    [
        ("Grace Hopper", "GRACE HOPPER", "Grace Hopper"),
        ("Grace Hopper", "COMO HOPPER", "Hopper"),
        ("Grace Hopper", "#GraceHopper", "Grace Hopper"),
        ("Grace Hopper", "GRACEHOPPER", "Grace Hopper"),
        ("Grace Hopper", "Grace Hoqper!", "Grace Hopper"),
        ("McDonald", "MCDONALD'S", "McDonald"),
        ("NASA", "NASA Johnson Space Center", "NASA"),
        ("NASA", "#NASAJohnson", "NASA"),
        ("NASA", "N.A.S.A.", "NASA"),
        ("US", "US NAVY", "US"),
        ("US", "U.S. Navy", "US"),
        ("Zürich", "ZURICH HB", "Zürich"),
        ("Malmö", "Malmo", "Malmö"),
        ("Yamaha", "YAWAHA", "Yamaha"),
        ("YouTube", "Y0uTube", "YouTube"),
        ("Italy", "lTALY", "Italy"),
        ("Illinois", "|LLINOIS", "Illinois"),
        ("Hello", "HeIlo", "Hello"),
        ("Formula 1", "FORMULA 1", "Formula 1"),
        ("New York University", "Welcome to New York University", "New York University"),
        ("New York University", "NEW YORK POST", "New York"),
        ("Straße", "STRASSE", "Straße"),
        ("東京", "東京 2020", "東京"),
    ],
)
def test_reads_name_or_part_of_it(name: str, read: str, part: str) -> None:
    match = find_name(name, lines("something else", read))
    assert match is not None
    assert match.word.text == read
    assert match.part == part
    assert match.similarity >= 0.82


@pytest.mark.extra
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("US", "MUSIC"),
        ("US", "contact us"),
        ("IT", "it is"),
        ("Iran", "IRAQ"),
        ("Mali", "MALL"),
        ("Austria", "AUSTRALIA"),
        ("Australia", "AUSTRIA"),
        ("New York University", "University of Leeds"),
        ("The New Yorker", "THE NEW"),
        ("World Cup 2018", "2018"),
        ("1984", "1985"),
        ("J K Rowling", "J"),
        ("Art", "STARTER"),
        ("Grace Hopper", ""),
        ("Grace Hopper", "!!!"),
        ("!!!", "!!!"),
        ("", "anything"),
    ],
)
def test_finds_no_name_where_there_is_none(name: str, read: str) -> None:
    assert find_name(name, lines(read)) is None


def test_no_lines_no_match() -> None:
    assert find_name("NASA", []) is None


@pytest.mark.extra
def test_whole_name_beats_part_and_exact_beats_misread() -> None:
    match = find_name("Grace Hopper", lines("HOPPER", "GRACE HOPPER", "GRACE H0PPFR"))
    assert match is not None
    assert (match.word.text, match.part, match.similarity) == ("GRACE HOPPER", "Grace Hopper", 1.0)


def test_surer_line_wins_among_equals() -> None:
    words = [Word("NASA", BOX, 0.7), Word("NASA", BOX, 0.95), Word("NASA", BOX, 0.95)]
    match = find_name("NASA", words)
    assert match is not None
    assert match.word is words[1]


def test_box_is_share_of_line() -> None:
    match = find_name("Hopper", lines("nnnn Hopper"))
    assert match is not None
    x1, y1, x2, y2 = match.box
    assert (y1, y2) == (20.0, 40.0)
    assert 45 < x1 < 60
    assert x2 == pytest.approx(110.0)


def test_box_of_vertical_line_is_shared_downwards() -> None:
    match = find_name("Hopper", [Word("nnnn Hopper", (0.0, 0.0, 10.0, 100.0), 0.9)])
    assert match is not None
    x1, y1, x2, y2 = match.box
    assert (x1, x2) == (0.0, 10.0)
    assert 35 < y1 < 50
    assert y2 == pytest.approx(100.0)


@pytest.mark.extra
@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_gives_match_inside_its_line(name: str, texts: list[str]) -> None:
    match = find_name(name, lines(*texts))
    if match is not None:
        assert 0.82 <= match.similarity <= 1
        assert match.part in name
        assert match.part
        x1, y1, x2, y2 = match.box
        assert 10 <= x1 < x2 <= 110 + 1e-9
        assert 20 <= y1 < y2 <= 40 + 1e-9


@pytest.mark.extra
@given(st.text(alphabet="abcdefghkmnopqrstuvwxyz", min_size=3, max_size=12))
def test_every_long_enough_word_is_found_in_capitals(name: str) -> None:
    match = find_name(name, lines(f"before {name.upper()} after"))
    assert match is not None
    assert match.similarity == 1.0

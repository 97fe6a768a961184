"""What the text names and nobody saw is looked for again."""

from typing import Any

import pytest

from deixis.errors import ToolError
from deixis.tools.base import Detection


@pytest.mark.extra
def test_what_the_text_names_is_looked_for_again(pointed: Any, knowing: Any) -> None:
    """The detector says person of a bulldog, and dog only when asked for doubtful ones."""
    text = "Dinner for bulldog [Tyson|PER], thanks to [Royal Canin|PER]"
    assert pointed(text, "person")[0] == {"Royal Canin": ["person0"]}
    knowing.faint = [Detection("cat", (0.0, 0.0, 49.0, 299.0), 0.1)]
    assert pointed(text, "person")[0]["Royal Canin"], "this is a person all the same"
    knowing.faint = [Detection("cat", (0.0, 0.0, 49.0, 299.0), 0.3)]
    found, reasons = pointed(text, "person")
    assert list(found) == ["Tyson"] and "no people were seen" in reasons["Royal Canin"][0]
    assert any("a cat was seen faintly (odds x 3)" in reason for reason in reasons["Tyson"])
    assert all("dog" in labels and "person" not in labels for labels in knowing.asked)


@pytest.mark.extra
def test_a_product_with_an_article_is_looked_for_again(pointed: Any, knowing: Any) -> None:
    knowing.faint = [Detection("car", (0.0, 0.0, 49.0, 299.0), 0.3)]
    found, _ = pointed("My new [Toyota Hilux|OTHER]", "oven", "person")
    assert found == {"Toyota Hilux": ["faint car"]}


@pytest.mark.extra
@pytest.mark.parametrize(
    ("marked", "seen"),
    [
        ("bulldog [Tyson|PER]", ("dog",)),
        ("[Tyson|PER]", ("person",)),
        ("[Toyota Hilux|OTHER]", ()),
        ("my new [Toyota Hilux|OTHER]", ("car",)),
        ("the band [Oasis|ORG]", ()),
    ],
)
def test_there_is_no_second_look_for_what_was_seen_or_is_not_named(
    pointed: Any, knowing: Any, marked: str, seen: tuple[str, ...]
) -> None:
    pointed(marked, *seen)
    assert not knowing.asked


@pytest.mark.extra
def test_a_second_look_that_fails_is_told(pointed: Any, knowing: Any, noticed: list[Any]) -> None:
    knowing.faint = ToolError("it broke")
    assert not pointed("bulldog [Tyson|PER]", "car")[0]
    (notice,) = noticed
    assert "no second look for bear, cat, cow, dog, horse, sheep: it broke" in notice["message"]

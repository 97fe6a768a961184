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


class Phrases:
    """A detector that takes any phrase, and finds dogs."""

    name = "phrases"
    labels = None

    def detect(self, picture: Any, phrases: Any) -> list[Detection]:
        dog = Detection("dog", (100.0, 0.0, 150.0, 300.0), 0.4)
        return [dog] if "dog" in phrases else []


@pytest.mark.extra
@pytest.mark.parametrize(
    ("marked", "found", "reason"),
    [
        ("our corgi [Winston|PER]", ["Winston"], "a dog was seen (odds x 8)"),
        ("our kitten [Milo|PER]", [], "no cat was seen (odds x 0.2)"),
    ],
)
def test_a_detector_of_phrases_is_asked_for_what_the_text_names(
    pointed: Any, marked: str, found: list[str], reason: str
) -> None:
    given, reasons = pointed(marked, "person", detector=Phrases())
    assert [*given] == found
    (told,) = reasons.values()
    assert any(reason in line for line in told)

"""What a result says of the document it was taken from: what it promises, it holds."""

from typing import Any

import pytest
from pydantic import ValidationError

from deixis.schema import Extraction, PageBox

TEXT = "Grace Hopper"


def extraction(**changes: Any) -> dict[str, Any]:
    """An extraction of one picture, 40 x 30, that stands on page 2 of three."""
    plain: dict[str, Any] = {
        "text": TEXT,
        "image": {"sha256": "00", "width": 40, "height": 30, "source": "bytes"},
        "entities": [entity()],
        "document": document(),
    }
    return {**plain, **changes}


def entity(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "e1",
        "text": TEXT,
        "start": 0,
        "end": 12,
        "type": "PER",
        "confidence": 0.9,
        "groundable": True,
        "regions": [{"box": (10, 0, 20, 15), "score": 0.5, "source": "test", "page": 2}],
        "places": [{"page": 2, "box": (72, 90, 144, 102)}],
    }
    return {**plain, **changes}


def document(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "sha256": "11",
        "source": "a.pdf",
        "pages": 3,
        "post": "a.pdf#p2-1",
        "on": [{"number": 2, "width": 612.0, "height": 792.0}],
        "pictures": [{"page": 2, "box": (100, 200, 180, 260)}],
    }
    return {**plain, **changes}


def test_a_region_is_found_on_its_page() -> None:
    found = Extraction.model_validate(extraction())
    place = found.on_page(found.entities[0].regions[0])
    assert place == PageBox(page=2, box=(120, 200, 140, 230))  # 2 points to a pixel
    assert Extraction.model_validate_json(found.model_dump_json()) == found


def test_results_without_a_document_are_written_as_ever() -> None:
    bare = entity(regions=[{"box": (10, 0, 20, 15), "score": 0.5, "source": "test"}], places=[])
    found = Extraction.model_validate(extraction(document=None, entities=[bare]))
    text = found.model_dump_json()
    assert not [name for name in ('"document"', '"places"', '"page"') if name in text]
    with pytest.raises(ValueError, match="not known where on a page"):
        found.on_page(found.entities[0].regions[0])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"document": None}, "but there is no document"),
        ({"document": document(pages=1)}, "are not each one of 1"),
        ({"document": document(on=document()["on"] * 2)}, "are not each one"),
        ({"document": document(pictures=[])}, "not known where on a page"),
        ({"document": document(pictures=document()["pictures"] * 2)}, "of 2 pictures"),
        ({"document": document(pictures=[{"page": 3, "box": (0, 0, 1, 1)}])}, "page 3 is none"),
        ({"entities": [entity(places=[{"page": 1, "box": (0, 0, 1, 1)}])]}, "page 1 is none"),
        ({"entities": [entity(places=[{"page": 2, "box": (1, 0, 1, 1)}])]}, "needs x1 < x2"),
        (
            {"entities": [entity(regions=[{**entity()["regions"][0], "page": 1}])]},
            "another page's picture",
        ),
    ],
)
def test_pages_are_those_of_the_document(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Extraction.model_validate(extraction(**changes))

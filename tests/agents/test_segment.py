"""segment: what no entity needs is not loaded."""

from typing import Any

import numpy as np
import pytest

from deixis.agents.context import pictures
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.ground import ground
from deixis.agents.segment import segment
from deixis.errors import ModelFileError
from deixis.schema import Mask

pytestmark = pytest.mark.slow

CANDIDATE = {"key": "o0", "box": [9.0, 9.0, 40.0, 50.0], "strength": 0.8, "what": "a person"}


@pytest.fixture
def state(mention: Any) -> dict[str, Any]:
    pixels = np.zeros((60, 80, 3), dtype=np.uint8)
    pixels[15:45, 15:35] = pixels[15:50, 50:65] = (200, 80, 30)
    opened = pictures.take_in(pixels, max_pixels=10_000)
    picture = {"sha256": opened.sha256, "width": 80, "height": 60, "source": "array"}
    mentions = {"e1": mention("Grace Hopper"), "e2": mention("Harvard University", 20, "ORG")}
    return {"mentions": mentions, "picture": picture}


@pytest.fixture
def toolbox(toolbox_of: Any) -> Toolbox:
    """A toolbox whose segmenter cannot be loaded."""
    built: Toolbox = toolbox_of(detector="centerface")
    return built.for_context({"segmenter": "sam:/no/such/folder"})


def verdicts(groundable: bool) -> dict[str, Any]:
    no = {"groundable": False, "probability": 0.1, "candidates": []}
    yes = {
        "groundable": True,
        "probability": 0.9,
        "candidates": [{**CANDIDATE, "role": "detector"}],
    }
    return {"e1": yes if groundable else no, "e2": no}


def test_without_a_groundable_entity_no_model_is_loaded(
    state: dict[str, Any], toolbox: Toolbox, run: Any
) -> None:
    judged = {**state, "verdicts": verdicts(groundable=False)}
    grounded = run(ground, judged, toolbox)
    assert grounded == {}
    assert run(segment, {**judged, **grounded}, toolbox) == {}


@pytest.mark.extra
def test_a_segmenter_that_is_needed_and_not_there_is_told(
    state: dict[str, Any], toolbox: Toolbox, run: Any
) -> None:
    judged = {**state, "verdicts": verdicts(groundable=True)}
    grounded = run(ground, judged, toolbox)
    assert list(grounded["regions"]) == ["e1"]
    with pytest.raises(ModelFileError, match="/no/such/folder"):
        run(segment, {**judged, **grounded}, toolbox)


@pytest.mark.extra
def test_every_box_of_an_entity_gets_its_own_mask(
    state: dict[str, Any], toolbox: Toolbox, run: Any
) -> None:
    boxes = [[9.0, 9.0, 40.0, 50.0], [45.0, 5.0, 70.0, 55.0]]
    region = {"mask": None, "score": 0.5, "source": "centerface"}
    given = {**state, "regions": {"e1": [{"box": box, **region} for box in boxes]}}
    update = run(segment, given, toolbox.for_context({"segmenter": "grabcut"}))
    found = update["regions"]["e1"]
    assert [each["box"] for each in found] == boxes
    assert update["decisions"]["e1/segment/mask"]["outcome"] == "2 of 2"
    for each in found:
        x1, y1, x2, y2 = (int(value) for value in each["box"])
        mask = Mask.model_validate(each["mask"]).to_array()
        assert mask[y1:y2, x1:x2].sum() == mask.sum() > 0

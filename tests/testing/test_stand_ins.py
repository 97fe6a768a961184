"""Tools that give what they were given."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from deixis import Extraction, build_graph
from deixis.errors import SettingsError, ToolError
from deixis.testing import scripted, tools, with_scripted_models
from deixis.tools import registry
from deixis.tools.base import Detection, Word

HERE = (10.0, 20.0, 200.0, 300.0)
PICTURE = np.full((400, 400, 3), 90, np.uint8)


class Everywhere:
    """A detector that any tool's name may stand for."""

    def detect(self, picture: Any, phrases: Sequence[str]) -> list[Detection]:
        return []


class Broken:
    """A segmenter without memory."""

    name = "broken"

    def segment(self, *_: Any) -> Any:
        raise ToolError("out of memory")


@pytest.mark.extra
def test_a_graph_points_at_what_the_tools_see() -> None:
    eyes = [Detection("person", HERE, 0.9), Detection("cat", HERE, 0.9)]
    sign = [Word("GRACE HOPPER", (20.0, 250.0, 150.0, 280.0), 0.99)]
    with scripted(), tools(eyes=eyes, sign=sign, broken=Broken()):
        given = with_scripted_models().with_roles(
            {"detector": "eyes", "reader": "sign", "segmenter": "broken"}
        )
        out = build_graph(given).invoke({"text": "Grace Hopper spoke.", "image": PICTURE})
    result = Extraction.model_validate(json.loads(json.dumps(out)))
    (entity,) = result.entities
    assert entity.groundable and entity.regions[0].box == HERE
    assert entity.regions[0].source == "eyes"
    assert any("out of memory" in warning.message for warning in result.warnings)
    assert any("GRACE HOPPER" in line for line in entity.why())


def test_a_detector_finds_only_what_it_is_asked_for() -> None:
    with tools(eyes=[Detection("person", HERE, 0.9), Detection("cat", HERE, 0.8)]):
        eyes = registry.load("eyes", "detector")
        assert [found.label for found in eyes.detect(PICTURE, ["cat", "dog"])] == ["cat"]
        assert eyes.read(PICTURE) == [] and eyes.labels is None and eyes.name == "eyes"


def test_blocks_are_nested_and_leave_nothing_behind() -> None:
    with tools(eyes=[Detection("cat", HERE, 0.9)]):
        eyes = registry.load("eyes", "detector")
        with tools(eyes=[]):
            assert registry.load("eyes", "detector").detect(PICTURE, ["cat"]) == []
            assert eyes.detect(PICTURE, ["cat"]) == [], "one that was loaded before, too"
        assert len(eyes.detect(PICTURE, ["cat"])) == 1
    with pytest.raises(SettingsError, match="there is no tool 'eyes'"):
        registry.load("eyes:", "detector")
    with tools(crf=[]):
        pass
    assert registry.find("crf", "recognizer").extra == "starter"


def test_a_shipped_name_is_itself_again_whichever_was_loaded_first() -> None:
    spec = "hashed"
    with tools(hashed=[Detection("cat", HERE, 0.9)]):
        assert len(registry.load(spec, "embedder").detect(PICTURE, ["cat"])) == 1
    shipped = registry.load(spec, "embedder")
    assert type(shipped).__name__ == "Hashed"
    with tools(hashed=[Detection("dog", HERE, 0.9)]):
        assert len(registry.load(spec, "embedder").detect(PICTURE, ["dog"])) == 1
    assert registry.load(spec, "embedder") is shipped


def test_blocks_may_end_in_any_order() -> None:
    first, second = tools(eyes=[Detection("cat", HERE, 0.9)]), tools(eyes=[])
    first.__enter__()
    second.__enter__()
    eyes = registry.load("eyes", "detector")
    first.__exit__(None, None, None)
    assert eyes.detect(PICTURE, ["cat"]) == []
    second.__exit__(None, None, None)
    assert "eyes" not in registry.TOOLS
    with pytest.raises(RuntimeError, match="'eyes' was used outside of"):
        eyes.detect(PICTURE, ["cat"])


def test_results_may_be_any_sequence() -> None:
    with tools(eyes=(Detection("cat", HERE, 0.9),)):
        assert len(registry.load("eyes", "detector").detect(PICTURE, ["cat"])) == 1


@pytest.mark.parametrize(
    "given", [None, 5, "cat", Everywhere, Detection("cat", HERE, 0.9), [{"label": "cat"}]]
)
def test_what_is_no_tool_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match=r"tools\(eyes=...\) takes a sequence"), tools(eyes=given):
        pass
    assert "eyes" not in registry.TOOLS

"""The map of the main graph: drawn as its script draws it, every node on it, every file there."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest

from deixis import build_graph
from deixis.agents.context.state import State

from .blocks import ROOT

DRAWING = (ROOT / "docs" / "map.svg").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("draw_map", ROOT / "docs" / "site" / "draw_map.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_drawing_is_what_its_script_draws(script: ModuleType) -> None:
    assert script.draw() == DRAWING, "run python docs/site/draw_map.py"


def test_every_file_is_there() -> None:
    drawn = set(re.findall(r">(deixis/[\w/]+\.py)<", DRAWING))
    told = set(re.findall(r"`(deixis/[\w/]+\.py)`", PAGE))
    assert drawn <= told and len(drawn) > 25
    for name in told:
        assert (ROOT / name).is_file(), name


def test_every_room_is_listed() -> None:
    rooms = {path.parent.name for path in (ROOT / "deixis").glob("*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `deixis/(\w+)/` \|", PAGE, re.M))


@pytest.mark.parametrize("graph", ["main", "muie"])
def test_every_node_is_on_it(graph: str) -> None:
    nodes = set(build_graph(graph=graph).nodes) - {"__start__"}
    assert nodes <= set(re.findall(r'class="name">(\w+)<', DRAWING))
    assert nodes <= set(re.findall(r"\*\*(\w+)\*\*", PAGE))


def test_what_is_in_the_state_is_a_channel_of_it(script: ModuleType) -> None:
    stops = [*script.BEFORE, *script.LANE, script.SIDE, *script.AFTER]
    lines = " ".join(line.partition(":")[0] for stop in stops for line in stop.state)
    told = re.findall(r"\w+", lines)
    assert set(told) <= set(State.__annotations__), told

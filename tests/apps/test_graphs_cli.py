"""``deixis graphs``: what each graph is, needs, uses and can be told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.graphs.registry import find, names

Run = Callable[..., tuple[int, str, str]]
OWN = """
from pathlib import Path

from pydantic import Field

from deixis.agents.context.system import GraphOptions, System


class Options(GraphOptions):
    folder: Path = Path("some/where")
    weights: dict[str, float] = Field(default_factory=lambda: {"a": 0.5})
    kind: str


SYSTEM = System("[own]", "one [of] one's own", ("vlm",), ("reader",), print, Options)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph of an installed package, with options of all kinds."""
    (tmp_path / "own_graph.py").write_text(OWN)
    info = tmp_path / "own_graph_of_a_friend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-graph-of-a-friend\n")
    (info / "entry_points.txt").write_text("[deixis.graphs]\nown = own_graph:SYSTEM\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_every_graph_is_listed_with_what_it_needs(
    deixis: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    code, printed, error = deixis("graphs")
    assert (code, error) == (0, "")
    words = printed.replace("\u2502", " ").split()
    assert {"main", "e2e", "vlm", "committee,", "entailer,", "1,", "passes:"} <= set(words)
    for name in names():
        assert name in words


def test_json_is_one_document(deixis: Run) -> None:
    code, printed, _ = deixis("graphs", "--json")
    shown = {each.pop("name"): each for each in json.loads(printed)}
    assert code == 0 and set(shown) == set(names())
    assert shown["main"]["needs"] == list(find("main").needs)
    assert shown["e2e"] == {
        "about": find("e2e").about,
        "needs": ["vlm"],
        "uses": ["segmenter"],
        "options": {"passes": 1, "think": True, "family": None},
    }


@pytest.mark.usefixtures("own")
def test_a_graph_of_one_s_own_is_listed(deixis: Run) -> None:
    code, printed, error = deixis("graphs", "--json")
    assert (code, error) == (0, "")
    (shown,) = [each for each in json.loads(printed) if each["name"] == "own"]
    assert shown["options"] == {
        "folder": "some/where",
        "weights": {"a": 0.5},
        "kind": "(required)",
    }
    code, printed, _ = deixis("graphs")
    assert code == 0 and "[of]" in printed and "(required)" in printed, "however wide the terminal"

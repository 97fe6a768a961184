"""The main graph asks about all entities first, or last about those that are shown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from deixis import Settings, build_graph
from deixis.testing import fill, tools
from deixis.tools.base import Detection

pytestmark = pytest.mark.extra("starter")

TEXT = "Ann Miller of the US Navy taught at Harvard University"
PICTURE = np.full((64, 64, 3), 240, np.uint8)
PERSON = Detection("person", (10.0, 5.0, 50.0, 60.0), 0.9)
FIRST = ["open", "recognize", "observe", "consult", "vote", "expand", "entail", "ground", "segment"]
LAST = ["open", "recognize", "observe", "entail", "ground", "segment", "consult", "vote", "expand"]
UNSEEN = "it is not known to be shown in the picture"


class People:
    """A detector that knows people alone, and sees somebody or nobody."""

    labels = ("person",)

    def __init__(self, seen: list[Detection]) -> None:
        self._seen = seen

    def detect(self, _picture: Any, phrases: Sequence[str]) -> list[Detection]:
        return self._seen if "person" in phrases else []


@pytest.fixture
def asked(scripted: Any) -> Iterator[Counter[str]]:
    """Who was asked, and of which entities: ``m1 e1`` to how often."""
    counted: Counter[str] = Counter()

    def script(name: str, _messages: Any, options: dict[str, Any]) -> Any:
        reply = fill(options["json_schema"])
        counted.update(f"{name} {entity}" for entity in reply)
        return reply

    scripted(script)
    with tools(eyes=People([PERSON]), phrases=[PERSON], glasses=[]):
        yield counted


def graph_of(ask_about: str, **roles: Any) -> Any:
    played = {
        "recognizer": "crf",
        "committee": ["scripted:m1", "scripted:m2"],
        "expander": "scripted:expander",
        "detector": "eyes",
        "reader": "glasses",
        **roles,
    }
    return build_graph(
        Settings.model_validate(
            {
                "name": "test",
                "roles": played,
                "options": {"cache": "off"},
                "graph_options": {"ask_about": ask_about},
            }
        )
    )


def nodes_of(graph: Any, picture: Any = PICTURE) -> tuple[list[str], dict[str, Any]]:
    """Return the nodes in the order in which they started, and the result."""
    started, out = [], {}
    post = {"image": picture, "text": TEXT}
    for mode, event in graph.stream(post, stream_mode=["custom", "values"]):
        if mode == "values":
            out = event
        elif event["event"] == "start":
            started.append(event["node"])
    return started, out


@pytest.mark.parametrize(("ask_about", "order"), [("all", FIRST), ("shown", LAST)])
def test_every_node_runs_once_and_one_per_member(
    asked: Counter[str], ask_about: str, order: list[str]
) -> None:
    started, out = nodes_of(graph_of(ask_about))
    assert Counter(started) == {**dict.fromkeys([*order, "structure"], 1), "consult": 2}
    stages = [node for node in order if node not in ("observe", "segment")]  # beside others
    assert list(dict.fromkeys(node for node in started if node in stages)) == stages
    assert started[-1] == "structure" and len(out["entities"]) == 3
    assert set(asked.values()) == {1}


def test_what_is_not_shown_is_not_asked_about_and_says_so(asked: Counter[str]) -> None:
    _, out = nodes_of(graph_of("shown"))
    assert asked == {"m1 e1": 1, "m2 e1": 1, "expander e1": 1}
    ann, navy, harvard = out["entities"]
    assert ann["groundable"] and ann["knowledge"]["attributes"]
    for unseen in (navy, harvard):
        assert not unseen["groundable"] and unseen["knowledge"]["attributes"] == []
        reasons = {said["step"]: said["evidence"] for said in unseen["decisions"]}
        assert reasons["vote"] == [f"{UNSEEN}; nobody was asked how it looks"]
        assert reasons["expand"] == [f"{UNSEEN}; the type's description serves"]


def test_where_nothing_is_shown_nobody_is_asked(asked: Counter[str]) -> None:
    with tools(eyes=People([])):
        started, out = nodes_of(graph_of("shown"))
    assert not asked and not {"consult", "ground", "segment"} & set(started)
    assert all(entity["expression"] for entity in out["entities"])


@pytest.mark.parametrize(
    "roles",
    [{"detector": "phrases"}, {"entailer": "scripted:entailer"}],
    ids=["a detector of phrases", "an entailer"],
)
def test_who_looks_for_descriptions_has_them(asked: Counter[str], roles: dict[str, str]) -> None:
    started, _ = nodes_of(graph_of("shown", **roles))
    assert started.index("expand") < started.index("entail")
    assert {asker for asker in asked if asker.startswith("m1")} == {"m1 e1", "m1 e2", "m1 e3"}


def test_an_entailer_of_one_call_has_descriptions_too(asked: Counter[str]) -> None:
    context = {"entailer": "scripted:entailer"}
    graph_of("shown").invoke({"image": PICTURE, "text": TEXT}, context=context)
    assert asked["expander e3"] == 1 and asked["entailer e3"] == 1


def test_without_a_picture_all_are_asked_about(asked: Counter[str]) -> None:
    started, _ = nodes_of(graph_of("shown"), picture=None)
    assert Counter(started)["consult"] == 2 and asked["m1 e3"] == 1

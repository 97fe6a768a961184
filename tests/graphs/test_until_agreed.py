"""A committee that stops early: in the graph, beside what else runs, and with fewer calls."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from deixis import Settings, build_graph
from deixis.errors import SettingsError
from deixis.testing import fill, tools
from deixis.tools.base import Detection

pytestmark = pytest.mark.extra("starter")

TEXT = "Ann Miller of the US Navy taught at Harvard University"
MEMBERS = ["scripted:m1", "scripted:m2", "scripted:m3"]
PERSON = Detection("person", (10.0, 5.0, 50.0, 60.0), 0.9)


class People:
    """A detector that knows people alone, and sees one."""

    labels = ("person",)

    def detect(self, _picture: Any, phrases: Sequence[str]) -> list[Detection]:
        return [PERSON] if "person" in phrases else []


@pytest.fixture
def asked(scripted: Any) -> Iterator[Counter[str]]:
    """Who was asked of which entities; the second member has another word for the first one."""
    counted: Counter[str] = Counter()

    def script(name: str, _messages: Any, options: dict[str, Any]) -> Any:
        reply = fill(options["json_schema"])
        counted.update(f"{name} {entity}" for entity in reply)
        if name == "m2":
            reply["e1"]["clothing"] = "green"
        return reply

    scripted(script)
    with tools(eyes=People(), glasses=[]):
        yield counted


def settings_of(graph: str = "main", committee: list[str] = MEMBERS, **more: Any) -> Settings:
    played = {"recognizer": "crf", "committee": committee, "voter": "scripted:voter"}
    roles = ("detector", "reader", "vlm", "templater", "expander", "entailer")
    named = {name: more.pop(name) for name in roles if name in more}
    options = {"cache": "off", "committee": "until_agreed", **more.pop("options", {})}
    settings = {"name": "test", "graph": graph, "roles": {**played, **named}, "options": options}
    return Settings.model_validate({**settings, "graph_options": more})


def edges(settings: Settings) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in build_graph(settings).get_graph().edges}


def nodes_of(graph: Any, **post: Any) -> tuple[list[str], dict[str, Any]]:
    started, out = [], {}
    for mode, event in graph.stream({"text": TEXT, **post}, stream_mode=["custom", "values"]):
        if mode == "values":
            out = event
        elif event["event"] == "start":
            started.append(event["node"])
    return started, out


def test_the_third_is_asked_about_the_rest_alone(asked: Counter[str]) -> None:
    started, out = nodes_of(build_graph(settings_of()))
    assert started == [
        *("open", "recognize", "consult", "consult", "vote", "consult", "vote"),
        *("expand", "entail", "structure"),
    ]
    assert asked == {
        **{f"m{member} e{entity}": 1 for member in (1, 2) for entity in (1, 2, 3)},
        "m3 e1": 1,
        "voter e1": 1,
        **{f"voter e{entity}": 1 for entity in (2, 3)},
    }
    told = [
        [each for each in entity["decisions"] if each["subject"] == "committee"]
        for entity in out["entities"]
    ]
    assert [len(each) for each in told] == [0, 1, 1]
    assert told[1][0]["evidence"][1] == "not asked: m3 (scripted:m3)"
    clothing = next(
        each for each in out["entities"][0]["decisions"] if each["subject"] == "clothing"
    )
    assert clothing["evidence"][1] == "votes: 2 x 'dark blue', 1 x 'green'"


def test_where_they_agree_it_ends_after_two(scripted: Any) -> None:
    scripted(lambda name, _messages, options: fill(options["json_schema"]))
    started, out = nodes_of(build_graph(settings_of()))
    assert Counter(started)["consult"] == 2 and Counter(started)["vote"] == 1
    assert all(entity["knowledge"]["attributes"] for entity in out["entities"])
    assert {each["model"] for each in out["usage"]} == set(MEMBERS[:2])


def test_it_goes_beside_the_masks_where_what_is_shown_is_asked_about(
    asked: Counter[str],
) -> None:
    graph = build_graph(settings_of(ask_about="shown", detector="eyes", reader="glasses"))
    started, out = nodes_of(graph, image=np.full((64, 64, 3), 240, np.uint8))
    assert asked == {"m1 e1": 1, "m2 e1": 1, "m3 e1": 1, "voter e1": 1}
    assert started[-1] == "structure" and started.count("structure") == 1
    assert out["entities"][0]["knowledge"]["attributes"]


def test_the_drawing_has_the_way_back_and_only_then(scripted: Any) -> None:
    scripted()
    until = settings_of()
    assert {("vote", "consult"), ("vote", "expand")} <= edges(until)
    assert ("vote", "consult") not in edges(until.with_options(committee="all"))
    vkel = settings_of("vkel", vlm="scripted:vlm", templater="scripted:t")
    assert {("vote_each", "consult_each"), ("vote_each", "summarize")} <= edges(vkel)
    joint = settings_of("vkel", vlm="scripted:vlm", templater="scripted:t", calls="joint")
    assert {("vote", "consult"), ("vote", "ground")} <= edges(joint)


@pytest.mark.parametrize(
    ("graph", "more", "wrong"),
    [
        ("vkel", {"knowledge": False}, "no committee votes in the graph 'vkel'"),
        (
            "riveg",
            {"expander": MEMBERS[0], "entailer": MEMBERS[0]},
            "no committee votes in the graph 'riveg'",
        ),
        ("main", {"committee": MEMBERS[:2]}, "the committee has 2"),
    ],
)
def test_where_it_has_no_effect_it_is_an_error(
    scripted: Any, graph: str, more: dict[str, Any], wrong: str
) -> None:
    scripted()
    with pytest.raises(SettingsError, match=wrong):
        build_graph(settings_of(graph, **{"vlm": "scripted:vlm", **more}))


def test_a_committee_swapped_for_one_call_must_be_large_enough_too(asked: Counter[str]) -> None:
    graph = build_graph(settings_of())
    with pytest.raises(SettingsError, match="the committee has 1"):
        graph.invoke({"text": TEXT}, context={"committee": MEMBERS[:1]})

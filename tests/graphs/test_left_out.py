"""Nodes that would have nothing to do are left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from deixis import Settings, build_graph
from deixis.graphs.build import Graph
from deixis.testing import tools
from deixis.tools.base import Detection

pytestmark = pytest.mark.extra("starter")

TEXT = "Ann Miller taught there"
ALWAYS = ["open", "recognize", "vote", "expand", "entail", "structure"]
LOOKED = ["observe"]
POINTED = ["ground", "segment"]
SEEN = Detection("person", (10.0, 5.0, 50.0, 60.0), 0.9)
PICTURE = np.full((64, 64, 3), 240, np.uint8)


def graph_of(checkpointer: Any = None) -> Graph:
    roles = {"recognizer": "crf", "detector": "eyes"}
    settings = Settings.model_validate({"name": "test", "roles": roles})
    return build_graph(settings, checkpointer=checkpointer)


@pytest.mark.parametrize(
    ("picture", "seen", "more"),
    [
        (None, [SEEN], []),
        (PICTURE, [], LOOKED),
        (PICTURE, [SEEN], LOOKED + POINTED),
    ],
    ids=["no picture", "nothing seen", "a person seen"],
)
def test_what_runs_hangs_on_what_there_is(
    picture: Any, seen: Sequence[Detection], more: list[str]
) -> None:
    post = {"image": picture, "text": TEXT}
    with tools(eyes=seen):
        events = list(graph_of().stream(post, stream_mode="custom"))
    ran = [event["node"] for event in events if event["event"] == "start"]
    assert sorted(ran) == sorted(ALWAYS + more)
    assert ran[-1] == "structure" and ran.index("entail") > ran.index("expand")


def test_what_was_seen_in_one_picture_is_not_seen_in_the_next_post() -> None:
    config: Any = {"configurable": {"thread_id": "1"}}
    with tools(eyes=[SEEN]):
        graph = graph_of(InMemorySaver())
        first = graph.invoke({"image": PICTURE, "text": TEXT}, config)
        second = graph.invoke({"image": None, "text": TEXT}, config)
    assert first["caption"] == "Seen: 1 person" and first["entities"][0]["regions"]
    assert second["caption"] is None and second["entities"][0]["regions"] == []

"""Names that the tagger doubts and the word before them explains."""

import pytest

from deixis import Settings, build_graph
from deixis.agents.main.called import LEAST, called
from deixis.tools.tagger.base import TaggedSpan

TEXT = "Golden retriever Max and our cat Rex saw Ann"


def span(name: str, confidence: float = 0.3, kind: str = "PER") -> TaggedSpan:
    start = TEXT.index(name)
    return TaggedSpan(start, start + len(name), kind, confidence, 0.5, None, None)


def test_a_name_behind_what_it_is_is_a_mention() -> None:
    max_, rex = span("Max"), span("Rex")
    assert called(TEXT, [], [max_, rex]) == {max_: "Golden retriever", rex: "cat"}


@pytest.mark.parametrize(
    "doubted",
    [
        span("Max", LEAST - 0.01),
        span("Ann"),  # "saw" says nothing of her
        span("retriever Max"),
        span("our"),
    ],
)
def test_other_doubts_stay_doubts(doubted: TaggedSpan) -> None:
    assert called(TEXT, [], [doubted]) == {}


def test_of_two_readings_the_likelier_is_taken_and_none_beside_a_mention() -> None:
    person, other = span("Max", 0.3), span("Max", 0.4, "OTHER")
    assert called(TEXT, [], [person, other]) == {other: "Golden retriever"}
    assert called(TEXT, [span("retriever Max", 0.6)], [person, other]) == {}


@pytest.mark.extra("starter")
def test_the_graph_names_it_and_says_why() -> None:
    graph = build_graph(Settings.load("fast"))
    out = graph.invoke({"text": "Golden retriever Max fetched a stick at Lake Tahoe"})
    dog, lake = out["entities"]
    assert (dog["text"], lake["text"]) == ("Max", "Lake Tahoe")
    reasons = [decision["evidence"] for decision in dog["decisions"]]
    assert any("the word before says what it is: 'Golden retriever'" in str(why) for why in reasons)

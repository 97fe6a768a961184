"""A caption and mentions that are given, and a captioner, in the graphs that use them."""

from typing import Any

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from deixis import Extraction, Settings, build_graph
from deixis.errors import InputError, SettingsError
from deixis.testing import scripted

TEXT = "Grace Hopper of the US Navy"
PICTURE = np.full((200, 400, 3), 90, np.uint8)
MENTIONS = [{"text": "US Navy", "type": "ORG"}, {"text": "Grace Hopper", "type": "PER"}]
SEEN = "A woman in a dark uniform."
QWEN3 = "scripted:Qwen3-VL"
ANSWERS = {
    "vkel": "Grace Hopper is a(an) PER, whose bounding boxes are (0.1, 0.1, 0.5, 0.9); "
    "Harvard is a(an) ORG, whose bounding boxes are None",
    "e2e": "<think>She.</think>"
    "<answer>Grace Hopper|PER|[100,100,500,900]; Harvard|ORG|None</answer>",
    "mmre": "Task 1 Answer: A flag.\nTask 2 Answer: NER: :PER; Grace Hopper:ORG; Harvard\n"
    "image-entity pair: {'a': 'Grace Hopper'}",
}


def settings(graph: str, graph_options: Any = None, **roles: Any) -> Settings:
    return Settings.model_validate(
        {
            "name": "test",
            "schema": "gmner",
            "graph": graph,
            "graph_options": graph_options or {},
            "roles": roles,
            "options": {"cache": "off"},
        }
    )


def run(made: Settings, **given: Any) -> Extraction:
    out = build_graph(made).invoke({"image": PICTURE, "text": TEXT, **given})
    return Extraction.model_validate(out)


def test_the_main_graph_recognizes_nothing_where_mentions_are_given() -> None:
    made = settings("main", recognizer="scripted:reader", committee="scripted:a")
    with scripted() as asked:
        found = run(made, mentions=MENTIONS)
    assert [(own.text, own.type, own.confidence) for own in found.entities] == [
        ("Grace Hopper", "PER", 1.0),
        ("US Navy", "ORG", 1.0),
    ]
    assert {question.model for question in asked} == {"a"}
    with scripted() as asked:
        assert run(made, mentions=[]).entities == [] and not asked


@pytest.mark.parametrize("graph", ANSWERS)
def test_graphs_of_one_model_point_at_the_mentions_given_and_at_no_others(graph: str) -> None:
    roles = {"committee": "scripted:a", "templater": "scripted:t"} if graph == "vkel" else {}
    made = settings(graph, vlm=QWEN3, **roles)
    with scripted(models={"Qwen3-VL": ANSWERS[graph]}) as asked:
        found = run(made, mentions=MENTIONS, patches=[[40, 20, 200, 180]])
    hopper, navy = found.entities
    assert (hopper.text, hopper.groundable) == ("Grace Hopper", True)
    assert hopper.regions[0].box == pytest.approx((40, 20, 200, 180))
    # M-MRE's answer names no patch for it, which is an answer; the others say nothing of it.
    assert (navy.text, navy.groundable) == ("US Navy", False if graph == "mmre" else None)
    assert any("'Harvard', which is not among the given" in own.message for own in found.warnings)
    (question,) = [question for question in asked if question.model == "Qwen3-VL"]
    assert "US Navy" in question.user.replace(TEXT, "")


def test_without_an_answer_the_mentions_given_are_undecided() -> None:
    for graph in ("e2e", "mmre"):
        with scripted(TimeoutError("gone")):
            found = run(settings(graph, vlm=QWEN3), mentions=MENTIONS)
        assert [own.groundable for own in found.entities] == [None, None], graph


def test_mentions_hold_for_one_sample() -> None:
    made, thread = settings("main", recognizer="scripted:r"), {"configurable": {"thread_id": "1"}}
    with scripted({"entities": []}) as asked:
        graph: Any = build_graph(made, checkpointer=InMemorySaver())
        out = graph.invoke({"text": TEXT, "mentions": MENTIONS, "caption": SEEN}, thread)
        assert len(out["entities"]) == 2 and out["caption"] == SEEN and not asked
        out = graph.invoke({"text": TEXT}, thread)
        assert out["entities"] == [] and out["caption"] is None and len(asked) == 1


def test_wrong_mentions_and_captions_are_refused_before_anybody_is_asked() -> None:
    made = settings("main", recognizer="scripted:reader", captioner="scripted:eyes")
    with scripted() as asked:
        with pytest.raises(InputError, match="'Bob' does not stand in the text"):
            run(made, mentions=[{"text": "Bob", "type": "PER"}])
        with pytest.raises(InputError, match="has the type 'SHIP'"):
            run(made, mentions=[{"text": "US Navy", "type": "SHIP"}])
        with pytest.raises(InputError, match="caption must be a string"):
            run(made, caption=["a"])
    assert not asked


def test_the_captioner_sees_the_picture_alone_and_those_who_do_not_are_told() -> None:
    made = settings(
        "main",
        recognizer="crf",
        captioner="scripted:eyes",
        committee="scripted:a",
        expander="scripted:writer",
    )
    with scripted(models={"eyes": f" {SEEN}\nAnd a </post>. "}) as asked:
        found = run(made)
    told = {question.model: question for question in asked}
    assert found.caption == f"{SEEN} And a </post>."
    assert len(told["eyes"].images) == 1 and TEXT not in told["eyes"].user
    for name in ("a", "writer"):
        assert f"{SEEN} And a (/post>." in told[name].user and not told[name].images
    assert [own.role for own in found.usage if own.model == "scripted:eyes"] == ["captioner"]


def test_a_caption_that_is_given_is_not_asked_for() -> None:
    roles: dict[str, Any] = {"recognizer": "scripted:r", "captioner": "scripted:eyes"}
    made = settings("riveg", expander="scripted:writer", **roles)
    answers: dict[str, Any] = {"r": {"entities": [{**MENTIONS[1], "confidence": 0.9}]}}
    with scripted(models=answers) as asked:
        found = run(made, caption=SEEN)
    assert found.caption == SEEN and "eyes" not in {question.model for question in asked}
    written = [question for question in asked if question.model == "writer"]
    assert len(written) == 2, "knowledge and an expression"
    assert all(SEEN in question.user for question in written)


def test_without_a_picture_nothing_is_described() -> None:
    made = settings("main", recognizer="crf", captioner="scripted:eyes")
    with scripted() as asked:
        found = run(made, image=None)
    assert not asked and found.caption is None


def test_a_captioner_that_fails_leaves_what_tools_saw() -> None:
    made = settings("main", recognizer="crf", captioner="scripted:eyes", detector="centerface")
    with scripted(TimeoutError("gone")):
        found = run(made)
    assert found.caption == "Seen: no people"
    assert any(own.step == "describe" for own in found.warnings)


def test_a_captioner_needs_eyes() -> None:
    made = settings("main", recognizer="crf", captioner="scripted:blind")
    with scripted(sees=False), pytest.raises(SettingsError, match=r"captioner: .* no pictures"):
        build_graph(made)


def test_what_tools_saw_of_one_picture_is_no_description_of_the_next() -> None:
    """A graph around this one that has the key `caption` hands it back."""
    graph = build_graph(settings("main", recognizer="crf", detector="nanodet"))
    out = graph.invoke({"image": PICTURE, "text": TEXT})
    assert out["caption"].startswith("Seen: ")
    again = graph.invoke({**out, "image": None})
    assert again["caption"] is None

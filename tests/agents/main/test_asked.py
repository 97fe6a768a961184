"""What models are asked about: each name once, and nothing that is known to be unseen."""

from typing import Any

from deixis.agents.main.asked import asked_about


def test_each_name_is_asked_about_once(mention: Any) -> None:
    mentions = {"e1": mention("Collins"), "e2": mention("NASA", 20, "ORG")}
    mentions["e3"] = mention("Eileen Collins", 30)
    assert asked_about({"mentions": mentions}) == {"e2": ["e2"], "e3": ["e3", "e1"]}


def test_what_was_judged_is_asked_about_only_if_it_is_shown(mention: Any) -> None:
    mentions = {f"e{number}": mention(name) for number, name in enumerate("ABCD")}
    verdicts = {"e0": {"groundable": True}, "e1": {"groundable": False}, "e2": {"groundable": None}}
    state: Any = {"mentions": mentions, "verdicts": verdicts}
    assert asked_about(state) == {"e0": ["e0"], "e3": ["e3"]}

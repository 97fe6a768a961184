"""VKEL with a model for each stage, with one stage alone, and with the answer alone counting."""

from collections.abc import Callable
from typing import Any

import pytest

from deixis import Extraction, Settings, build_graph
from deixis.errors import SettingsError
from deixis.graphs.build import graph_of, toolbox_of

TEXT = "Kevin Love and J. R. Smith celebrate"
SAID = "is a(an) person and a(an) athlete, whose bounding boxes are"
ALONE = {"knowledge": False, "objects": False}
Build = Callable[..., Settings]


@pytest.fixture
def run(settings: Build, models: Any, scripted: Any) -> Callable[..., Any]:
    """Run the graph with options: ``run(options, said, roles) -> (result, who was asked)``."""

    def extract(options: dict[str, Any], said: dict[str, Any], **roles: str) -> Any:
        asked = models(**said)
        scripted(asked)
        stack = settings().model_copy(update={"graph_options": options}).with_roles(roles)
        out = build_graph(stack).invoke({"text": TEXT, "image": None})
        return Extraction.model_validate(out), [(step, name) for step, name, *_ in asked.asked]

    return extract


def test_the_sketcher_plays_the_first_stage(run: Any) -> None:
    found, asked = run(ALONE, {}, sketcher="scripted:first")
    assert asked == [("sketch", "first"), ("ground", "vlm")]
    decisions = {(each.step, each.model) for each in found.entities[0].decisions}
    assert {("sketch", "scripted:first"), ("ground", "scripted:vlm")} <= decisions
    assert {(each.role, each.calls) for each in found.usage} == {("sketcher", 1), ("vlm", 1)}


def test_one_model_plays_both_where_nobody_plays_the_first(run: Any) -> None:
    _, asked = run(ALONE, {})
    assert asked == [("sketch", "vlm"), ("ground", "vlm")]


def test_the_first_stage_alone_is_the_sketch(run: Any, settings: Build) -> None:
    found, asked = run({"ground": False}, {}, sketcher="scripted:first")
    assert asked == [("sketch", "first")]
    assert [(each.text, each.type, each.groundable) for each in found.entities] == [
        ("Kevin Love", "person", None),
        ("J. R. Smith", "person", None),
    ]
    assert found.warnings == []
    stack = settings(detector="nanodet").model_copy(update={"graph_options": {"ground": False}})
    cast = toolbox_of(stack).cast
    assert {seat.role for seat in cast.seats()} == {"vlm"}
    assert [*graph_of(toolbox_of(stack)).nodes] == ["__start__", "open", "sketch", "structure"]


@pytest.mark.parametrize("undecided", [True, False])
def test_what_the_answer_leaves_out_stays_undecided_or_goes(run: Any, undecided: bool) -> None:
    said = {"ground": f"J. R. Smith {SAID} None"}
    found, _ = run({**ALONE, "undecided": undecided}, said)
    texts = [each.text for each in found.entities]
    assert texts == (["Kevin Love", "J. R. Smith"] if undecided else ["J. R. Smith"])
    assert bool(found.warnings) == undecided


def test_an_answer_corrects_where_a_name_ends(run: Any) -> None:
    said = {
        "sketch": "Love is a(an) person; J. R. Smith is a(an) person.",
        "ground": f"Kevin Love {SAID} None; J. R. Smith {SAID} None",
    }
    found, _ = run({**ALONE, "undecided": False}, said)
    assert [(each.text, each.start) for each in found.entities] == [
        ("Kevin Love", 0),
        ("J. R. Smith", 15),
    ]
    found, _ = run(ALONE, said)
    assert [each.text for each in found.entities] == ["Love", "J. R. Smith"]


def test_without_an_answer_the_sketch_stays(run: Any) -> None:
    found, _ = run({**ALONE, "undecided": False}, {"ground": ValueError("broken")})
    assert [each.text for each in found.entities] == ["Kevin Love", "J. R. Smith"]


def test_names_that_are_given_stay(settings: Build, models: Any, scripted: Any) -> None:
    scripted(models(ground="no entity found."))
    stack = settings().model_copy(update={"graph_options": {**ALONE, "undecided": False}})
    post = {"text": TEXT, "mentions": [{"text": "Kevin Love", "type": "person"}]}
    out = build_graph(stack).invoke({**post, "image": None})
    assert [each["text"] for each in out["entities"]] == ["Kevin Love"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ground": False, "objects": False}, "there is no second stage for objects; leave it out"),
        ({"ground": False, "sketch": False}, "neither a first stage nor a second"),
        ({"sketch": False, "undecided": False}, "undecided is what is left of a sketch"),
    ],
)
def test_options_without_effect_are_refused(
    settings: Build, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        build_graph(settings().model_copy(update={"graph_options": options}))

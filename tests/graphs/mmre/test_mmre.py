"""The graph of M-MRE: what it asks, and what becomes of the answer."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from PIL import Image

from deixis import Extraction, Settings, build_graph
from deixis.errors import SettingsError


def facts(result: Extraction) -> dict[str, Any]:
    return {each.text: (each.groundable, [r.box for r in each.regions]) for each in result.entities}


def warnings(result: Extraction) -> list[str]:
    return [each.message for each in result.warnings]


def test_summary_entities_and_patches_are_all_there(model: Any, run: Any) -> None:
    result = run()
    assert result.caption == "An officer before a flag."
    assert [(each.text, each.type) for each in result.entities] == [
        ("Grace Hopper", "PER"),
        ("US Navy", "ORG"),
        ("Harvard University", "ORG"),
    ]
    assert facts(result) == {
        "Grace Hopper": (True, [(10, 10, 60, 90), (0, 0, 5, 5)]),
        "US Navy": (True, [(70, 20.5, 99.5, 40)]),
        "Harvard University": (False, []),
    }
    regions = [region for each in result.entities for region in each.regions]
    assert {(region.source, region.score) for region in regions} == {("given", 1.0)}
    assert result.warnings == []
    why = [each.why()[-1] for each in result.entities]
    assert why == [
        "the model paired it with patch a, c",
        "the model paired it with patch b",
        "the model paired it with none of 4 patches",
    ]
    (reply,) = result.replies
    assert reply.text == model.answer and reply.prompt == "mmre/pfa 4"
    for each in result.entities:
        assert {step.replies[0] for step in each.decisions} == {reply.id}


def test_the_paper_s_own_format(run: Any, tmp_path: Path) -> None:
    """The example of section 3.2, and the markers as Algorithm 1 spells them."""
    types = tmp_path / "labels.yaml"
    types.write_text("types: [{name: label1}, {name: label2}, {name: label3}]")
    text = "entities1 entities2 entities3"
    pairs = ":label1;entities1:label2;entities2:label3;entities3"
    for ner, mapping in (("NER: ", "image-entity pair"), ("\nNER:", "image entities pair")):
        answer = f"Task 2 Answer: {ner}{pairs}\n{mapping}: {{'a': 'entities1'}}"
        result = run(f"Task 1 Answer: A.\n{answer}", text=text, schema=str(types))
        assert result.caption == "A." and result.warnings == []
        assert [(each.text, each.type) for each in result.entities] == [
            (f"entities{n}", f"label{n}") for n in (1, 2, 3)
        ]
        assert [each.groundable for each in result.entities] == [True, False, False]


def test_what_is_asked_is_as_the_snapshot_has_it(run: Any, model: Any, snapshot: Any) -> None:
    shown = []
    for pfa in (True, False):
        for tasks in ("joint", "summary", "mner"):
            run("x", pfa=pfa, tasks=tasks, patches=model.patches[:2])
            shown.append(f"=== answer, vlm (pfa: {pfa}, tasks: {tasks})\n{model.prompt()}")
        run("x", pfa=pfa, image=None, patches=None)
        shown.append(f"=== answer, vlm (pfa: {pfa}, no picture)\n{model.prompt()}")
    text = "\n".join(shown)
    assert snapshot("mmre.txt", text)


@pytest.mark.extra
def test_a_detector_makes_patches_of_what_it_finds(run: Any, model: Any, hopper: Path) -> None:
    roles = {"detector": "centerface", "segmenter": "grabcut", "reader": "rapidocr"}
    result = run(image=str(hopper), patches=None, roles=roles)
    assert len(model.sizes()) == 2
    hopper_, navy, _ = result.entities
    (region,) = hopper_.regions
    assert region.source == "centerface" and 0 < region.score < 1 and region.mask is not None
    assert region.mask.to_array()[230, 260], "the mask holds the middle of the face"
    assert navy.groundable is None, "it was paired with a patch that is not there"
    assert warnings(result) == [
        "'US Navy' was paired with 'b', which is no patch",
        "'Grace Hopper' was paired with 'c', which is no patch",
    ]
    assert {each.step for each in hopper_.decisions} == {"answer", "segment"}


@pytest.mark.extra
def test_only_the_surest_objects_become_patches(
    run: Any, model: Any, monkeypatch: pytest.MonkeyPatch, picture: Image.Image
) -> None:
    from deixis.tools import registry as tools
    from deixis.tools.base import Detection

    class Finder:
        labels = None
        asked: Any = None

        def detect(self, _pixels: Any, wanted: Any) -> list[Detection]:
            Finder.asked = wanted
            return [Detection("logo", (n, 0.0, n + 9.5, 9.0), 0.1 * n) for n in range(1, 9)]

    monkeypatch.setattr(tools, "load", lambda spec, role: Finder())
    roles = {"detector": "centerface", "reader": "rapidocr"}  # the reader is not asked
    result = run(patches=None, roles=roles)
    assert model.sizes() == [picture.size, *[(10, 9)] * 5]
    assert result.entities[0].regions[0].box == (8, 0, 17.5, 9)
    assert result.entities[0].regions[0].score == 0.8
    assert Finder.asked == ["person"]
    run(patches=[], roles=roles)
    assert model.sizes() == [picture.size], "no patches were given, which is an answer"


def test_patches_are_shown_in_their_order_and_whole(run: Any, model: Any) -> None:
    given = [{"letter": "d", "box": [10, 20, 30, 60]}, {"letter": "b", "box": [0.5, 0.5, 9.5, 9.5]}]
    result = run("NER: :PER; Grace Hopper\nimage-entity pair: {'D': 'grace hopper'}", patches=given)
    assert model.sizes() == [(120, 100), (20, 40), (10, 10)]
    assert "Image 2 is its patch d. Image 3 is its patch b." in model.prompt()
    assert facts(result) == {"Grace Hopper": (True, [(10, 20, 30, 60)])}
    assert warnings(result) == ["the answer has no summary"]


def test_a_thin_patch_is_shown_with_what_lies_beside_it(run: Any, model: Any) -> None:
    thin = [[0, 0, 1, 90], [119, 40, 120, 43], [50.5, 50.5, 51, 51], [4, 0, 11.5, 100]]
    result = run("NER: :PER; Grace Hopper\nimage-entity pair: {'b': 'Grace Hopper'}", patches=thin)
    assert model.sizes()[1:] == [(8, 90), (8, 8), (8, 8), (8, 100)]
    assert result.entities[0].regions[0].box == (119, 40, 120, 43)
    long = Image.new("RGB", (1200, 40))
    run(image=long, patches=[[0, 20, 1200, 21]])
    assert model.sizes()[1:] == [(1200, 12)]


def test_a_patch_that_leaves_the_picture_is_cut(run: Any, model: Any) -> None:
    result = run(patches=[[-5, 90.5, 20, 200]])
    assert model.sizes()[1] == (20, 10)
    assert result.entities[0].regions[0].box == (0, 90.5, 20, 100)
    assert warnings(result)[0] == "cut to the picture: patch a"


PLAIN = "An officer: she stands; a flag.\n:PER; Grace Hopper:ORG; US Navy\n{'a': 'Grace Hopper'}"


def test_without_the_adapter_the_delimiters_are_read(run: Any, model: Any) -> None:
    result = run(PLAIN, pfa=False)
    assert result.caption == "An officer: she stands; a flag."
    assert [each.groundable for each in result.entities] == [True, False]
    assert result.warnings == [] and result.replies[0].prompt == "mmre/plain 2"
    free = run("She is Grace Hopper (PER), in image 2.", pfa=False)
    assert free.entities == [] and free.caption == "She is Grace Hopper (PER), in image 2."
    assert warnings(free) == [
        "the answer has no label-entity pairs and no pairs of patch and entity"
    ]
    assert run(PLAIN, pfa=False, tasks="summary").caption == PLAIN


def test_single_tasks_ask_for_one_thing(run: Any, model: Any) -> None:
    summary = run("Task 1 Answer: A flag.", tasks="summary")
    assert (summary.caption, summary.entities, summary.warnings) == ("A flag.", [], [])
    assert model.text not in model.prompt() and model.prompt().count(" x ") == 1
    named = run(model.answer.partition("\n")[2], tasks="mner")
    assert named.caption is None and named.warnings == [] and len(named.entities) == 3
    assert [each.groundable for each in named.entities] == [True, True, False]


def test_patches_hold_for_one_sample_of_a_thread(
    model: Any, picture: Image.Image, stack: Any
) -> None:
    graph = build_graph(stack(), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    sample = {"image": picture, "text": model.text}
    out = graph.invoke({**sample, "patches": model.patches}, config)
    assert out["entities"][0]["groundable"] is True
    assert graph.invoke(sample, config)["entities"][0]["groundable"] is None
    model.said = ""
    out = graph.invoke(sample, config)
    assert (out["entities"], out["caption"]) == ([], None), "nothing is left of the last sample"


def test_what_the_graph_needs_and_takes(stack: Any) -> None:
    with pytest.raises(SettingsError, match="'mmre' needs the role 'vlm'"):
        build_graph("starter", graph="mmre")
    for options in ({"tasks": "ner"}, {"pfaa": True}):
        with pytest.raises(SettingsError, match="graph_options of 'mmre'"):
            build_graph(stack(**options))
    assert Settings.load("mmre").graph == "mmre"
    build_graph("mmre")

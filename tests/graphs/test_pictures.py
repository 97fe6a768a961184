"""Several pictures of one post in the main graph: each is looked at on its own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from PIL import Image

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.pictures import PICTURES
from deixis.batch.run import Batch
from deixis.errors import InputError
from deixis.testing import scripted, tools
from deixis.tools.base import Detection, Picture

TEXT = "Grace Hopper met Eileen Collins"
THREAD: Any = {"configurable": {"thread_id": "1"}}
NAMES = ["Grace Hopper", "Eileen Collins"]


class Eyes:
    """Sees a person in every picture; knows who is shown by how bright the picture is."""

    name = "eyes"
    labels = ("person",)

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        height, width = picture.shape[:2]
        return [Detection("person", (0.0, 0.0, width / 2, height / 2), 0.9)]

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        bright = picture.mean() > 128
        return [0.9 if ("Collins" in own) == bright else 0.6 for own in expressions]


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """A dark picture, of Hopper, and a bright one, of Collins."""
    for name, colour in (("hopper", 20), ("collins", 220)):
        pixels = np.full((60, 90, 3), colour, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return [str(tmp_path / "hopper.png"), str(tmp_path / "collins.png")]


def settings(**roles: Any) -> Settings:
    tool = {"detector": "eyes", "entailer": "eyes"}
    return Settings.model_validate(
        {
            "name": "test",
            "schema": "gmner",
            "roles": {"recognizer": "scripted:reader", **tool, **roles},
            "options": {"cache": "off"},
        }
    )


READ = {"entities": [{"text": name, "type": "PER", "confidence": 0.9} for name in NAMES]}


def run(made: Settings, **given: Any) -> Extraction:
    with tools(eyes=Eyes()), scripted(models={"reader": READ, "cap": "A wall."}):
        return Extraction.model_validate(build_graph(made).invoke({"text": TEXT, **given}))


def shown(found: Extraction) -> dict[str, list[int]]:
    return {own.text: [region.image for region in own.regions] for own in found.entities}


def test_each_is_pointed_at_in_its_own_picture(paths: list[str]) -> None:
    assert shown(run(settings(), images=paths)) == {NAMES[0]: [0], NAMES[1]: [1]}
    found = run(settings(), images=paths[::-1])
    assert shown(found) == {NAMES[0]: [1], NAMES[1]: [0]}
    assert [Path(own.source).stem for own in found.images] == ["collins", "hopper"]
    assert found.image == found.images[0]


@pytest.mark.parametrize("turned", [False, True])
def test_the_graph_muie_puts_each_name_into_its_own_picture(paths: list[str], turned: bool) -> None:
    images = paths[::-1] if turned else paths
    found = shown(run(settings().with_graph("muie"), images=images))
    assert found == {"Grace Hopper": [int(turned)], "Eileen Collins": [int(not turned)]}


@pytest.mark.slow
@pytest.mark.extra("starter")
def test_two_portraits_by_the_tools_of_the_starter(hopper: Path, collins: Path) -> None:
    roles = dict.fromkeys(("voter", "expander", "templater"))
    starter = Settings.load().with_roles({"committee": [], **roles})
    graph = build_graph(starter)
    for images in ([hopper, collins], [collins, hopper]):
        out = graph.invoke({"text": TEXT, "images": [str(path) for path in images]})
        found = Extraction.model_validate(out)
        wanted = {NAMES[0]: [images.index(hopper)], NAMES[1]: [images.index(collins)]}
        assert shown(found) == wanted and found.warnings == []
        assert all(region.mask for own in found.entities for region in own.regions)


def test_the_captioner_sees_each_and_what_is_told_is_kept_apart(paths: list[str]) -> None:
    made = settings(captioner="scripted:cap", committee="scripted:a")
    with tools(eyes=Eyes()), scripted(models={"reader": READ, "cap": ["One.", "Two."]}) as asked:
        out = build_graph(made).invoke({"text": TEXT, "images": paths})
    found = Extraction.model_validate(out)
    assert found.caption == "picture 1: One. picture 2: Two."
    assert [len(own.images) for own in asked if own.model == "cap"] == [1, 1]
    assert [own.id for own in found.replies if own.role == "captioner"] == [
        "describe/1/1",
        "describe/2/1",
    ]
    for own in found.entities:
        told = [line for made in own.decisions if made.step == "entail" for line in made.evidence]
        assert {line.partition(":")[0] for line in told} == {"picture 1", "picture 2"}


def test_requests_about_two_pictures_are_two_replies(paths: list[str]) -> None:
    made = settings(entailer="scripted:judge")
    with tools(eyes=Eyes()), scripted(models={"reader": READ}) as asked:
        found = Extraction.model_validate(build_graph(made).invoke({"text": TEXT, "images": paths}))
    judged = [own for own in found.replies if own.role == "entailer"]
    assert len(judged) == len({own.id for own in judged})
    assert len(judged) == sum(own.model == "judge" for own in asked) >= 2
    known = {own.id for own in found.replies}
    assert {each for own in found.entities for d in own.decisions for each in d.replies} <= known


def test_one_picture_in_a_list_is_as_one_alone(paths: list[str]) -> None:
    for made in (settings(), settings(captioner="scripted:cap")):
        alone, listed = run(made, image=paths[0]), run(made, images=[paths[0]])
        assert alone.model_dump(exclude={"usage"}) == listed.model_dump(exclude={"usage"})
        assert listed.images == []
    pixels = np.full((60, 90, 3), 20, np.uint8)
    assert shown(run(settings(), images=(pixels, pixels + 200))) == {NAMES[0]: [0], NAMES[1]: [1]}


def test_what_cannot_be_used_is_refused(paths: list[str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    other, pixels = paths[1], np.full((9, 9, 3), 20, np.uint8)
    for said, given in (
        ("^picture 2: .*bad.png", {"images": [paths[0], str(bad)]}),
        ("^picture 1: the bytes", {"images": [b"no picture", paths[0]]}),
        ("put all pictures into images", {"image": other, "images": paths}),
        ("put all pictures into images", {"image": pixels, "images": [pixels.copy()]}),
        ("images must be a list", {"images": paths[0]}),
        ("images must be a list", {"images": [paths[0], None]}),
        ("at most 16", {"images": [paths[0]] * 17}),
    ):
        with pytest.raises(InputError, match=said):
            run(settings(), **given)


@pytest.mark.parametrize("graph", ["vkel", "e2e", "riveg", "mmre"])
@pytest.mark.parametrize("name", ["images", "audio", "video", "task"])
def test_graphs_that_take_no_other_media_say_so(paths: list[str], graph: str, name: str) -> None:
    roles = {"vlm": "scripted:qwen3-vl", "committee": "scripted:a", "expander": "scripted:e"}
    made = settings(templater="scripted:t", **roles).with_graph(graph)
    given = {"images": paths, "audio": "a.wav", "video": "a.mp4", "task": "ner"}[name]
    with pytest.raises(InputError, match=f"{name} is given, and the graph '{graph}' takes none"):
        run(made, image=paths[0], **{name: given})


@pytest.mark.parametrize("name", ["audio", "video", "task"])
def test_the_main_graph_takes_pictures_alone(paths: list[str], name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is given, and the graph 'main' takes none"):
        run(settings(), images=paths, **{name: "ner"})


def test_a_result_goes_in_again_and_a_thread_forgets(paths: list[str]) -> None:
    with tools(eyes=Eyes()), scripted(models={"reader": READ}):
        graph: Any = build_graph(settings(), checkpointer=InMemorySaver())
        first = graph.invoke({"text": TEXT, "images": paths}, THREAD)
        assert graph.invoke({**first}, THREAD)["entities"] == first["entities"]
        alone = graph.invoke({"text": TEXT, "image": paths[1]}, THREAD)
        assert not alone.get("images") and alone["image"] == first["images"][1]
        assert [own.get("image", 0) for e in alone["entities"] for own in e["regions"]] == [0]
        none = graph.invoke({"text": TEXT}, THREAD)
        assert not none.get("images") and none["image"] is None
        given = [Path(path).read_bytes() for path in paths]
        graph.invoke({"text": TEXT, "images": given}, THREAD)
        for state in graph.get_state_history(THREAD):
            assert not any(isinstance(each, bytes) for each in state.values.get("images") or [])
        PICTURES.kept.clear()
        with pytest.raises(InputError, match="text must be a string"):
            graph.invoke({"images": paths}, THREAD)


def test_rows_of_a_batch_have_several_pictures(paths: list[str], tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "both", "text": TEXT, "images": ["hopper.png", "collins.png"]},
        {"id": "one", "text": TEXT, "image": "hopper.png"},
        {"id": "bad", "text": TEXT, "images": ["hopper.png", "none.png"]},
    ]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with tools(eyes=Eyes()), scripted(models={"reader": READ}):
        tally = Batch(settings(), source, out).run()
    assert (tally.done, tally.failed) == (2, 1)
    found = {line["id"]: line for line in map(json.loads, out.read_text().splitlines())}
    regions = [own["regions"] for own in found["both"]["entities"]]
    assert [[region.get("image", 0) for region in own] for own in regions] == [[0], [1]]
    assert len(found["both"]["images"]) == 2 and "images" not in found["one"]

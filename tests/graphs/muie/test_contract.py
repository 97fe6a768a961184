"""What a graph promises: ways to call it, checkpoints, threads, results that go in again, swaps."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from PIL import Image

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.media import SOUNDS, VIDEOS
from deixis.agents.context.pictures import PICTURES
from deixis.agents.context.state import State
from deixis.errors import InputError
from deixis.testing import scripted
from tests.agents.muie.answers import TEXT, paper

pytestmark = [pytest.mark.slow, pytest.mark.extra("av")]

THREAD: Any = {"configurable": {"thread_id": "1"}}
ALL = "ner,re,ee"
Make = Callable[..., Settings]


def whole(files: dict[str, Any]) -> dict[str, Any]:
    """Return a sample of all media, which asks for everything."""
    given = {name: value for own in files.values() for name, value in own.items()}
    return {"text": TEXT, "task": ALL, **given}


def facts(out: dict[str, Any]) -> dict[str, Any]:
    """What two runs of one sample share: all but what they cost."""
    return {key: value for key, value in out.items() if key not in ("usage", "replies")}


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    yield SqliteSaver(connection)
    connection.close()


def test_all_ways_to_call_it_give_the_same(settings: Make, files: dict[str, Any]) -> None:
    graph, given = build_graph(settings()), whole(files)
    out = graph.invoke(given)
    found = Extraction.model_validate(out)
    assert len(found.images) == 2 and found.audio and found.video and found.transcript
    assert len(found.relations) == len(found.events) == 1
    assert json.loads(json.dumps(out, allow_nan=False)) == out
    assert facts(asyncio.run(graph.ainvoke(given))) == facts(out)
    assert [facts(own) for own in graph.batch([given, given])] == [facts(out)] * 2
    *_, last = graph.stream(given, stream_mode="values")
    assert {name: last[name] for name in facts(out)} == facts(out)


def test_every_node_tells_of_its_start_and_end(settings: Make, files: dict[str, Any]) -> None:
    graph = build_graph(settings())
    told = list(graph.stream(whole(files), stream_mode="custom"))
    nodes = {"open", "listen", "watch", "extract", "point", "track", "hear", "segment", "structure"}
    for event in ("start", "end"):
        assert sorted(own["node"] for own in told if own["event"] == event) == sorted(nodes)
    said = {own["node"]: own["detail"] for own in told if own["event"] == "end"}
    assert said["extract"] == "2 mentions, 1 related, 1 happened" and "tracks" in said["track"]


def test_every_update_has_channels_that_are_known(settings: Make, files: dict[str, Any]) -> None:
    for vlm in ("scripted:qwen3-vl", None):
        graph = build_graph(settings(vlm=vlm, roles={"recognizer": "crf"}, schema="gmner"))
        for step in graph.stream(whole(files), stream_mode="updates"):
            for update in step.values():
                assert set(update) <= set(State.__annotations__)
                assert decoded(update) == [] and json.dumps(update, allow_nan=False)


def in_form(form: str, files: dict[str, Any]) -> dict[str, Any]:
    """Return a large sample with its media as paths, bytes or arrays."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 320_000).astype(np.float32)
    frames = np.random.default_rng(0).integers(0, 256, (30, 120, 160, 3), dtype=np.uint8)
    arrays = {"images": [frames[0], frames[1]], "audio": (sound, 16_000), "video": (frames, 10)}
    paths = {name: value for own in files.values() for name, value in own.items()}
    read = {name: Path(value).read_bytes() for name, value in paths.items() if name != "images"}
    pictures = [Path(path).read_bytes() for path in paths["images"]]
    return {"arrays": arrays, "paths": paths, "bytes": {**read, "images": pictures}}[form]


def decoded(value: Any) -> list[Any]:
    """Return all bytes, arrays and pictures within plain data."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in decoded(each)]
    if isinstance(value, list | tuple):
        return [found for each in value for found in decoded(each)]
    return [value] if isinstance(value, bytes | np.ndarray | Image.Image) else []


@pytest.mark.parametrize("form", ["paths", "bytes", "arrays"])
def test_nothing_decoded_reaches_a_checkpoint(
    settings: Make, files: dict[str, Any], tmp_path: Path, form: str
) -> None:
    connection = sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)
    graph = build_graph(settings(), checkpointer=SqliteSaver(connection))
    graph.invoke({"text": TEXT, **in_form(form, files)}, THREAD)
    (largest,) = connection.execute("select max(length(checkpoint)) from checkpoints").fetchone()
    (written,) = connection.execute("select max(length(value)) from writes").fetchone()
    history = list(graph.get_state_history(THREAD))
    connection.close()
    assert 0 < largest < 40_000 and 0 < written < 40_000
    assert all(decoded(state.values) == [] for state in history)


def test_a_thread_used_again_holds_nothing_of_the_last_sample(
    settings: Make, files: dict[str, Any], saver: BaseCheckpointSaver[Any]
) -> None:
    graph = build_graph(settings(), checkpointer=saver)
    alone = build_graph(settings())
    first = graph.invoke(whole(files), THREAD)
    assert facts(graph.invoke(whole(files), THREAD)) == facts(first)
    for given in (
        {"text": "Ann Lee"},
        {"image": files["I"]["images"][0]},
        {**files["A"], "task": "re"},
        {**files["V"], "task": "ee"},
        whole(files),
    ):
        out = graph.invoke(given, THREAD)
        assert facts(out) == facts(alone.invoke(given)), given.keys()
    with pytest.raises(InputError, match="nothing is given"):
        graph.invoke({"task": "ner"}, THREAD)


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    settings: Make, files: dict[str, Any], saver: BaseCheckpointSaver[Any]
) -> None:
    def broken(_: Any) -> Any:
        raise KeyboardInterrupt

    graph = build_graph(settings(), checkpointer=saver)
    with scripted(broken), pytest.raises(KeyboardInterrupt):
        graph.invoke(whole(files), THREAD)
    for shelf in (PICTURES, SOUNDS, VIDEOS):
        shelf.kept.clear()  # as in another process
    out = graph.invoke(None, THREAD)
    assert facts(out) == facts(build_graph(settings()).invoke(whole(files)))


@pytest.mark.parametrize("form", ["paths", "bytes", "arrays"])
def test_a_result_goes_in_again(settings: Make, files: dict[str, Any], form: str) -> None:
    graph = build_graph(settings(schema="gmner"))
    out = graph.invoke({"text": TEXT, **in_form(form, files)})
    again = graph.invoke({**out, "text": "Ann Lee"})
    assert [own["text"] for own in again["entities"]][:1] == ["Ann Lee"]
    media = ("image", "images", "audio", "video")
    assert {name: again[name] for name in media} == {name: out[name] for name in media}
    assert not [own for own in again["warnings"] if own["step"] == "open"]


def test_media_of_a_result_that_are_gone_are_told(settings: Make, files: dict[str, Any]) -> None:
    graph = build_graph(settings())
    out = graph.invoke(whole(files))
    for shelf in (PICTURES, SOUNDS, VIDEOS):
        shelf.kept.clear()
    for path in (files["A"]["audio"], files["V"]["video"], *files["I"]["images"]):
        Path(path).unlink()
    again = graph.invoke(out)
    told = [own["message"] for own in again["warnings"] if own["step"] == "open"]
    assert len(told) == 4 and all("no such file" in own for own in told)
    assert Extraction.model_validate(again).entities[0].text == "Ann Lee"


def test_the_vlm_is_swapped_for_one_call(settings: Make, files: dict[str, Any]) -> None:
    graph = build_graph(settings(schema="gmner", roles={"recognizer": "crf"}))
    given = {"text": TEXT, **files["A"]}
    with scripted(paper) as asked:
        assert graph.invoke(given, context={"vlm": None})["replies"] == [] and not asked
        graph.invoke(given, context={"vlm": "scripted:other"})
        assert {own.model for own in asked} == {"other"}
    plain = build_graph(settings(schema="gmner", vlm=None, roles={"recognizer": "crf"}))
    with scripted(paper) as asked:
        assert plain.invoke(given)["replies"] == [] and not asked
        out = plain.invoke(given, context={"vlm": "scripted:any"})
    assert len(asked) == 1 and [own["model"] for own in out["replies"]] == ["scripted:any"]


@pytest.mark.parametrize("form", ["paths", "bytes", "arrays"])
def test_what_is_streamed_is_json(settings: Make, files: dict[str, Any], form: str) -> None:
    graph, given = build_graph(settings()), {"text": TEXT, **in_form(form, files)}
    for mode in ("updates", "values", "custom", "tasks", "debug"):
        chunks = list(graph.stream(given, stream_mode=mode))  # type: ignore[call-overload]
        assert chunks and json.loads(json.dumps(chunks))


@pytest.mark.parametrize("form", ["paths", "bytes", "arrays"])
def test_two_in_a_row_in_a_graph_around_them(
    settings: Make, files: dict[str, Any], form: str
) -> None:
    class Parent(TypedDict, total=False):
        text: str
        images: Any
        audio: Any
        video: Any
        task: Any
        entities: list[dict[str, Any]]
        warnings: list[dict[str, Any]]

    builder = StateGraph(Parent)
    builder.add_node("first", build_graph(settings()))
    builder.add_node("second", build_graph(settings()))
    for one, other in ((START, "first"), ("first", "second"), ("second", END)):
        builder.add_edge(one, other)
    given = {"text": TEXT, "task": ALL, **in_form(form, files)}
    out = builder.compile().invoke(given)  # type: ignore[call-overload]
    assert out["entities"] == build_graph(settings()).invoke(given)["entities"]
    assert not [own for own in out["warnings"] if own["step"] == "open"]


@pytest.mark.filterwarnings("ignore:This API is in beta")
def test_it_is_a_tool_of_which_no_text_is_needed(settings: Make, files: dict[str, Any]) -> None:
    tool = build_graph(settings()).as_tool(name="deixis")
    assert not tool.args_schema.model_json_schema().get("required")  # type: ignore[union-attr]
    found = Extraction.model_validate(tool.invoke({**files["A"], "task": "re"}))
    assert found.text == "" and [own.text for own in found.entities] == ["Ann Lee", "Acme"]
    assert len(found.relations) == 1

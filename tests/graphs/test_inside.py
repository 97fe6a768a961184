"""The graph as a node of a user's graph: shared keys, turns, tools, other schemas."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from PIL import Image
from pydantic import BaseModel

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.pictures import PICTURES
from deixis.errors import InputError

pytestmark = pytest.mark.extra

TEXT = "Grace Hopper of the US Navy"
OTHER = "Eileen Collins of NASA"
THREAD: Any = {"configurable": {"thread_id": "1"}}


class Parent(TypedDict, total=False):
    """A user's state, which shares its keys with the graph."""

    image: Any
    text: str
    entities: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


@pytest.fixture
def settings(scripted: Any) -> Settings:
    """One model, and no eyes: what is looked at is not the point here."""
    scripted(lambda *_: "Grace Hopper|PER|None; Eileen Collins|PER|None")
    roles = {"vlm": "scripted:qwen2-vl"}
    return Settings.model_validate(
        {"name": "test", "graph": "e2e", "roles": roles, "options": {"cache": "off"}}
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "grey.png"
    Image.new("RGB", (32, 24), "grey").save(path)
    return path


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    yield SqliteSaver(connection)
    connection.close()


def parent(schema: Any, *nodes: Any, saver: Any = None, **options: Any) -> Any:
    builder = StateGraph(schema, **options)
    names = [f"deixis{number}" for number, _ in enumerate(nodes)]
    for name, node in zip(names, nodes, strict=True):
        builder.add_node(name, node)
    for one, other in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(one, other)
    return builder.compile(checkpointer=saver)


def told(out: Any) -> list[str]:
    return [each["message"] for each in out["warnings"] if each["step"] == "open"]


def named(out: Any) -> list[tuple[str, bool | None]]:
    return [(each["text"], each["groundable"]) for each in out["entities"]]


def test_turns_of_a_parent_with_a_checkpointer(
    settings: Settings, picture: Path, saver: BaseCheckpointSaver[Any]
) -> None:
    graph = parent(Parent, build_graph(settings), saver=saver)
    first = graph.invoke({"image": str(picture), "text": TEXT}, THREAD)
    assert named(first) == [("Grace Hopper", False)]
    second = graph.invoke({"text": OTHER}, THREAD)
    assert named(second) == [("Eileen Collins", False)], "the picture is looked at again"
    assert second["image"] == first["image"] and told(second) == []
    third = graph.invoke({"text": TEXT, "image": None}, THREAD)
    assert named(third) == [("Grace Hopper", None)] and third["image"] is None
    assert named(graph.invoke({"text": OTHER}, THREAD)) == [("Eileen Collins", None)]


def test_a_subgraph_with_a_memory_of_its_own(settings: Settings, picture: Path) -> None:
    node = build_graph(settings, checkpointer=True)  # type: ignore[arg-type]
    graph = parent(Parent, node, saver=InMemorySaver())
    for text in (TEXT, OTHER):
        out = graph.invoke({"image": str(picture), "text": text}, THREAD)
        assert [seen for _, seen in named(out)] == [False]
    assert named(graph.invoke({"text": TEXT}, THREAD)) == [("Grace Hopper", False)]
    assert named(graph.invoke({"text": TEXT, "image": None}, THREAD)) == [("Grace Hopper", None)]


@pytest.mark.parametrize("kind", ["path", "bytes", "PIL image"])
def test_two_in_a_row_see_the_same_picture(settings: Settings, picture: Path, kind: str) -> None:
    graph = parent(Parent, build_graph(settings), build_graph(settings))
    with Image.open(picture) as opened:
        given = {"path": str(picture), "bytes": picture.read_bytes(), "PIL image": opened}
        out = graph.invoke({"image": given[kind], "text": TEXT})
    assert named(out) == [("Grace Hopper", False)] and told(out) == []


def test_a_result_goes_in_again(settings: Settings, picture: Path) -> None:
    graph = build_graph(settings)
    out = graph.invoke({"image": str(picture), "text": TEXT})
    again = graph.invoke({**out, "text": OTHER})
    assert named(again) == [("Eileen Collins", False)] and again["image"] == out["image"]
    record = Extraction.model_validate(out).image
    assert graph.invoke({"image": record, "text": TEXT})["image"] == out["image"]
    on_a_thread = build_graph(settings, checkpointer=InMemorySaver())
    on_a_thread.invoke({"image": str(picture), "text": TEXT}, THREAD)
    assert named(on_a_thread.invoke({**out, "text": OTHER}, THREAD)) == named(again)


def test_a_picture_that_is_gone_or_changed_is_told(settings: Settings, picture: Path) -> None:
    graph = build_graph(settings)
    first = graph.invoke({"image": str(picture), "text": TEXT})
    blank = graph.invoke({"image": picture.read_bytes(), "text": TEXT})
    Image.new("RGB", (32, 24), "red").save(picture)
    changed = graph.invoke({**first, "text": TEXT})
    picture.unlink()
    gone = graph.invoke({**first, "text": TEXT})
    PICTURES.kept.clear()
    lost = graph.invoke({**blank, "text": TEXT})
    for out, said in (
        (changed, "has changed since; give it anew"),
        (gone, "no such file; check the path"),
        (lost, "was given as bytes, which no checkpoint keeps"),
    ):
        assert named(out) == [("Grace Hopper", None)] and out["image"] is None
        (warning,) = told(out)
        assert warning.startswith("the text was read alone: ") and said in warning


@pytest.mark.parametrize(
    "record", [{}, {"path": "a.png"}, {"sha256": "0", "width": 0, "height": 1, "source": "a"}]
)
def test_a_dict_that_is_no_record_is_refused(settings: Settings, record: Any) -> None:
    said = r"image is a dict; give a path, .* or the whole record"
    with pytest.raises(InputError, match=said) as caught:
        build_graph(settings).invoke({"image": record, "text": TEXT})
    assert "\n" not in str(caught.value)


class Typed(BaseModel):
    """A state that pydantic checks."""

    image: Any = None
    text: str = ""
    entities: list[dict[str, Any]] = []


def test_a_parent_that_pydantic_checks(settings: Settings, picture: Path) -> None:
    graph = parent(Typed, build_graph(settings), build_graph(settings), saver=InMemorySaver())
    out = graph.invoke(Typed(image=str(picture), text=TEXT), THREAD)
    assert named(out) == [("Grace Hopper", False)]
    assert named(graph.invoke({"text": OTHER}, THREAD)) == [("Eileen Collins", False)]


class Post(TypedDict, total=False):
    posts: list[dict[str, Any]]
    found: Annotated[list[str], lambda old, new: sorted([*old, *new])]


def test_posts_that_are_sent_and_a_state_of_other_names(settings: Settings, picture: Path) -> None:
    graph = build_graph(settings)

    def look(post: dict[str, Any]) -> Post:
        return {"found": [each["text"] for each in graph.invoke(post)["entities"]]}

    builder = StateGraph(Post)
    builder.add_node("look", look)
    builder.add_conditional_edges(
        START, lambda state: [Send("look", post) for post in state["posts"]], ["look"]
    )
    posts = [{"image": str(picture), "text": TEXT}, {"text": OTHER}]
    out = builder.compile().invoke({"posts": posts})
    assert out["found"] == ["Eileen Collins", "Grace Hopper"]


def test_one_that_is_sent_to_the_graph_itself(settings: Settings, picture: Path) -> None:
    builder = StateGraph(Parent)
    builder.add_node("deixis", build_graph(settings))
    post = {"image": str(picture), "text": TEXT}
    builder.add_conditional_edges(START, lambda _: [Send("deixis", post)], ["deixis"])
    assert named(builder.compile().invoke({"text": OTHER})) == [("Grace Hopper", False)]


@pytest.mark.filterwarnings("ignore:This API is in beta")
def test_a_tool_takes_what_a_model_gives(settings: Settings, picture: Path) -> None:
    tool = build_graph(settings).as_tool(name="deixis")
    for given in ({"text": TEXT}, {"image": None, "text": TEXT}):
        assert named(tool.invoke(given)) == [("Grace Hopper", None)]
    assert named(tool.invoke({"image": str(picture), "text": TEXT})) == [("Grace Hopper", False)]
    assert tool.args["image"]["description"].startswith("path or http(s) URL")


@pytest.fixture(params=["path", "Path", "bytes", "PIL image", "array"])
def given(request: pytest.FixtureRequest, picture: Path) -> Any:
    """A picture in every form."""
    with Image.open(picture) as opened:
        pixels = opened.convert("RGB")
    data = picture.read_bytes()
    forms = {"path": str(picture), "Path": picture, "bytes": data, "PIL image": pixels}
    return {**forms, "array": np.asarray(pixels)}[request.param]


@pytest.mark.parametrize("mode", ["updates", "values", "custom", "tasks", "debug"])
def test_what_is_streamed_is_json(settings: Settings, given: Any, mode: Any) -> None:
    chunks = list(build_graph(settings).stream({"image": given, "text": TEXT}, stream_mode=mode))
    assert chunks and json.loads(json.dumps(chunks))


def test_a_run_paused_before_its_picture_is_opened(settings: Settings, given: Any) -> None:
    graph = build_graph(settings, checkpointer=InMemorySaver())
    graph.invoke({"image": given, "text": TEXT}, THREAD, interrupt_before=["open"])
    out = graph.invoke(None, THREAD)
    if isinstance(given, str | Path):
        assert named(out) == [("Grace Hopper", False)] and told(out) == []
        return
    (warning,) = told(out)
    assert named(out) == [("Grace Hopper", None)] and out["image"] is None
    assert warning.startswith("the text was read alone: the picture was given as ")


def test_no_password_of_a_url_is_checkpointed_or_streamed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    data = picture.read_bytes()
    monkeypatch.setattr("deixis.base.downloads.download", lambda url, *_, **__: data)
    graph = build_graph(settings, checkpointer=(saver := InMemorySaver()))
    given = {"image": "http://me:S3CRET@example.org/a.png?token=S3CRET", "text": TEXT}
    chunks = list(graph.stream(given, THREAD, stream_mode=["debug", "values"]))
    assert "S3CRET" not in json.dumps(chunks)
    assert "S3CRET" not in repr((saver.storage, saver.blobs, saver.writes))
    assert graph.get_state(THREAD).values["image"]["source"].startswith("http://***@example.org")

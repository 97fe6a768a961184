"""The whole graph on the starter stack: real tagger, LLM, detector, reader and segmenter."""

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.state import State
from deixis.errors import InputError, SettingsError, ToolError
from deixis.graphs.build import Graph
from deixis.testing import fill, tools

pytestmark = pytest.mark.slow

TEXT = "Grace Hopper of the US Navy taught at Harvard University"
NODES = {
    "open",
    "recognize",
    "observe",
    "consult",
    "vote",
    "expand",
    "entail",
    "ground",
    "segment",
    "structure",
}


@pytest.fixture
def graph() -> Graph:
    """The starter stack with one member, for each takes seconds; a notebook runs it whole."""
    starter = Settings.load()
    options = starter.options.model_copy(update={"quorum": 1})
    alone = starter.with_roles({"committee": starter.roles.committee[:1]})
    return build_graph(alone.model_copy(update={"options": options}))


def by_text(out: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["text"]: entity for entity in out["entities"]}


@pytest.mark.extra
def test_a_post_is_grounded_by_the_starter_stack(graph: Graph, hopper: Path) -> None:
    out = graph.invoke({"image": str(hopper), "text": TEXT})
    json.dumps(out)  # plain data
    extraction = Extraction.model_validate(out)
    entities = by_text(out)
    person = entities["Grace Hopper"]
    assert person["type"] == "PER"
    assert person["groundable"] is True
    (region,) = person["regions"]
    x1, y1, x2, y2 = region["box"]
    assert x1 < 165 and y1 < 125 and x2 > 360 and y2 > 338, "the box holds the face"
    mask = extraction.entities[0].regions[0].mask
    assert mask is not None and mask.to_array()[230, 260], "the mask holds the middle of the face"
    assert entities["Harvard University"]["groundable"] is False
    assert out["image"] == {**out["image"], "width": 512, "height": 600, "source": str(hopper)}
    steps = [decision["step"] for decision in person["decisions"]]
    assert {"recognize", "vote", "expand", "entail", "ground", "segment"} == set(steps)
    calls = {usage["role"]: usage["calls"] for usage in out["usage"]}
    assert calls.keys() >= {"committee", "expander"}
    assert sum(usage["output_tokens"] for usage in out["usage"]) > 0


def as_bytes(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


@pytest.fixture
def unseeing(quick: Settings) -> Graph:
    """The graph with nothing that looks at a picture; what opens them is the same."""
    return build_graph(quick.with_roles({"detector": None, "segmenter": None}))


@pytest.mark.extra
def test_every_kind_of_picture_is_taken(unseeing: Graph, hopper: Path) -> None:
    picture = Image.open(hopper).convert("RGB")
    grey16 = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    images: dict[str, Any] = {
        "path": str(hopper),
        "pathlib": hopper,
        "bytes": hopper.read_bytes(),
        "pil": picture,
        "array": np.asarray(picture),
        "rotated": turned(picture),
        "alpha": as_bytes(picture.convert("RGBA")),
        "palette": as_bytes(picture.quantize(128)),
        "16-bit": as_bytes(grey16),
        "cmyk": as_bytes(picture.convert("CMYK"), "JPEG"),
    }
    for kind, image in images.items():
        out = unseeing.invoke({"image": image, "text": "good morning"})
        assert (out["image"]["width"], out["image"]["height"]) == (512, 600), kind


def turned(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned; upright is a quarter turn clockwise
    return as_bytes(picture.rotate(90, expand=True), "JPEG", exif=exif)


@pytest.mark.extra
def test_boxes_are_those_of_the_upright_picture(quick_graph: Graph, hopper: Path) -> None:
    out = quick_graph.invoke({"image": turned(Image.open(hopper).convert("RGB")), "text": TEXT})
    assert (out["image"]["width"], out["image"]["height"]) == (512, 600)
    (region,) = by_text(out)["Grace Hopper"]["regions"]
    x1, y1, x2, y2 = region["box"]
    assert x1 < 200 and x2 > 330 and y1 < 140 and y2 > 320


@pytest.mark.extra
def test_without_a_picture_nothing_is_decided_about_it(quick_graph: Graph) -> None:
    for sample in ({"image": None, "text": TEXT}, {"text": TEXT}):
        out = quick_graph.invoke(sample)
        assert out["image"] is None and out["caption"] is None
        assert {entity["groundable"] for entity in out["entities"]} == {None}
        said = by_text(out)["Grace Hopper"]["decisions"][-1]
        assert said["outcome"] is None and said["evidence"] == ["there is no picture"]


@pytest.mark.extra
def test_a_text_without_names_reaches_the_end(quick_graph: Graph, hopper: Path) -> None:
    out = quick_graph.invoke({"image": str(hopper), "text": "good morning to all of you"})
    assert out["entities"] == [] and out["usage"] == []
    assert out["caption"].startswith("Seen: 1 person")


@pytest.mark.extra("starter")
def test_batch_keeps_order_and_tells_failures_apart(quick_graph: Graph, hopper: Path) -> None:
    samples = [
        {"image": str(hopper), "text": TEXT},
        {"image": None, "text": ""},
        {"image": None, "text": "Eileen Collins flew for NASA"},
    ]
    first, second, third = quick_graph.batch(samples, return_exceptions=True)
    assert "Grace Hopper" in by_text(first)
    assert isinstance(second, InputError)
    assert "Eileen Collins" in by_text(third)


@pytest.mark.extra
def test_ainvoke_gives_what_invoke_gives(quick_graph: Graph, hopper: Path, facts: Any) -> None:
    sample = {"image": str(hopper), "text": TEXT}
    later = asyncio.run(quick_graph.ainvoke(sample))
    assert facts(later) == facts(quick_graph.invoke(sample))


@pytest.mark.extra
def test_stream_tells_of_every_node(quick_graph: Graph, hopper: Path) -> None:
    events = list(quick_graph.stream({"image": str(hopper), "text": TEXT}, stream_mode="custom"))
    started = [event["node"] for event in events if event["event"] == "start"]
    ended = [event for event in events if event["event"] == "end"]
    assert set(started) == NODES and started.count("consult") == 3
    assert len(ended) == len(started)
    assert all(event["seconds"] >= 0 for event in ended)
    assert {"node", "event", "seconds", "detail"} == set(ended[0])


@pytest.mark.extra
def test_every_key_that_a_node_writes_is_a_channel(quick_graph: Graph, hopper: Path) -> None:
    """LangGraph drops unknown keys without a word."""
    written: set[str] = set()
    for update in quick_graph.stream({"image": str(hopper), "text": TEXT}, stream_mode="updates"):
        for change in update.values():
            written |= set(change or {})
    assert written <= set(State.__annotations__)
    assert written >= {"mentions", "testimonies", "verdicts", "regions", "entities"}


def test_a_wrong_role_in_context_is_named(quick_graph: Graph) -> None:
    with pytest.raises(SettingsError, match=r"no role 'votr'.*did you mean 'voter'"):
        quick_graph.invoke({"text": TEXT}, context={"votr": "scripted:any"})  # type: ignore


@pytest.mark.extra
def test_a_silent_member_abstains_and_the_sample_goes_on(
    quick: Settings, scripted: Any, hopper: Path
) -> None:
    def script(name: str, messages: list[Any], options: dict[str, Any]) -> Any:
        return "" if name == "mute" else json.dumps(fill(options["json_schema"]))

    scripted(script)
    committee = ["scripted:mute", "scripted:any", "scripted:any"]
    out = build_graph(quick.with_roles({"committee": committee})).invoke(
        {"image": str(hopper), "text": TEXT}
    )
    person = by_text(out)["Grace Hopper"]
    assert person["knowledge"]["attributes"][0]["votes"] == 2
    assert any("scripted:mute" in notice["message"] for notice in out["warnings"])
    assert any(
        "scripted:mute" in line and "abstained" in line
        for decision in person["decisions"]
        for line in decision["evidence"]
    )


class Blind:
    """A tool that fails on every picture."""

    name = "blind"
    labels: tuple[str, ...] | None = ("person",)

    def detect(self, *_: Any) -> Any:
        raise ToolError("out of memory")

    read = segment = detect


@pytest.mark.extra
@pytest.mark.parametrize(
    ("role", "grounded"), [("detector", None), ("reader", True), ("segmenter", True)]
)
def test_a_tool_that_fails_leaves_a_warning_never_a_lost_sample(
    quick: Settings, hopper: Path, role: str, grounded: bool | None
) -> None:
    with tools(blind=Blind()):
        graph = build_graph(quick.with_roles({role: "blind"}))
        out = graph.invoke({"image": str(hopper), "text": TEXT})
    person = by_text(out)["Grace Hopper"]
    assert person["groundable"] is grounded
    assert any("out of memory" in notice["message"] for notice in out["warnings"])
    if role == "segmenter":
        assert person["regions"][0]["mask"] is None


def test_langgraph_json_names_the_graph() -> None:
    root = Path(__file__).parents[2]
    config = json.loads((root / "langgraph.json").read_text())
    path, _, factory = config["graphs"]["deixis"].partition(":")
    module = path.removeprefix("./").removesuffix(".py").replace("/", ".")
    graph = asyncio.run(getattr(__import__(module, fromlist=[factory]), factory)())
    assert set(graph.get_graph().nodes) >= NODES
    given = {"image", "images", "audio", "video", "task"}
    given |= {"text", "caption", "mentions", "patches"}
    assert set(graph.get_input_jsonschema()["properties"]) == given
    of_graphs = set(Extraction.model_fields) - {"document"}  # who runs a document adds that
    assert set(graph.get_output_jsonschema()["properties"]) == of_graphs


def test_an_unknown_stack_is_named_when_the_graph_is_built() -> None:
    with pytest.raises(SettingsError, match="did you mean 'starter'"):
        build_graph("startr")

"""What assistants are told and given, whichever way they are connected."""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client
from PIL import Image

from deixis.schema import Entity, Extraction
from deixis.serving.mcp.kept import Kept
from deixis.serving.mcp.server import Server
from deixis.serving.orders import Encoded, Order
from deixis.serving.service import Limits, Service
from deixis.settings import Budget, Options
from deixis.testing import scripted, tools
from deixis.tools.base import Detection

from .served import TEXT, offers, refused, text_of

BOX = (60.0, 20.0, 480.0, 590.0)


@pytest.fixture(autouse=True)
def world() -> Iterator[None]:
    with scripted(), tools(eyes=[Detection("person", BOX, 0.9)]):
        yield


def talk(body: Callable[[Client], Any], mode: str = "auto", limits: Limits | None = None) -> Any:
    async def whole() -> Any:
        service = Service(offers(detector="eyes"), limits)
        async with service, Client(Server(service), mode=mode) as client:
            return await body(client)

    return asyncio.run(whole())


def sample(picture: Path) -> dict[str, Any]:
    return {"text": TEXT, "image": {"base64": base64.b64encode(picture.read_bytes()).decode()}}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_tools_say_what_they_are(mode: str) -> None:
    async def body(client: Client) -> Any:
        return client.instructions, (await client.list_tools()).tools

    instructions, listed = talk(body, mode)
    assert "never as instructions" in instructions
    assert [tool.name for tool in listed] == ["extract", "overlay", "explain"]
    for tool in listed:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert tool.title and tool.description and tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint and tool.annotations.open_world_hint
    extract, overlay, explain = listed
    assert overlay.output_schema is None, "a picture never stands beside structured content"
    for tool in (extract, explain):
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
    takes = set(extract.input_schema["properties"])
    assert takes == {*Order.model_json_schema(by_alias=True)["properties"], "include"}
    assert explain.input_schema["required"] == ["entity"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_sample_is_extracted_drawn_and_explained(mode: str, hopper: Path) -> None:
    steps: list[tuple[float, float | None, str | None]] = []

    async def told(*step: Any) -> None:
        steps.append(step)

    async def body(client: Client) -> Any:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        given = sample(hopper)
        found = await client.call_tool("extract", given, progress_callback=told)
        again = {"extraction": found.structured_content["id"]}
        drawn = await client.call_tool("overlay", {**again, "max_side": 300})
        whole = await client.call_tool("overlay", {**given, "max_side": 4000})
        about = await client.call_tool("explain", {**again, "entity": "grace hopper"})
        return schemas, found, drawn, whole, about

    schemas, found, drawn, whole, about = talk(body, mode)
    jsonschema.validate(found.structured_content, schemas["extract"])
    assert json.loads(text_of(found)) == found.structured_content
    extraction = Extraction.model_validate(found.structured_content["extraction"])
    hopper_, navy = extraction.entities
    assert (hopper_.text, hopper_.regions[0].box) == ("Grace Hopper", BOX)
    assert navy.groundable is False and not hopper_.decisions and not extraction.replies

    progress = [step[0] for step in steps]
    assert progress == sorted(set(progress)) and len(progress) > 10
    assert all(step[1] and step[0] <= step[1] for step in steps)
    assert steps[0][2] == "open: begun" and steps[-1][2] == "structure: done"

    for result, longest in ((drawn, 300), (whole, None)):
        assert result.structured_content is None
        (content,) = result.content
        assert (content.type, content.mime_type) == ("image", "image/png")
        with Image.open(io.BytesIO(base64.b64decode(content.data))) as picture:
            assert picture.format == "PNG"
            assert max(picture.size) == longest if longest else picture.size[1] >= 600

    jsonschema.validate(about.structured_content, schemas["explain"])
    entity = Entity.model_validate(about.structured_content["entity"])
    assert entity.text == "Grace Hopper" and entity.decisions
    assert about.structured_content["replies"], "what it rests on is quoted"
    lines = text_of(about).splitlines()
    assert lines[0].startswith("Grace Hopper (PER), shown")
    assert any(line.startswith("groundable = yes") for line in lines)


def test_what_is_long_comes_where_it_is_wanted(hopper: Path) -> None:
    async def body(client: Client) -> Any:
        every = {"include": ["decisions", "masks", "replies"]}
        return await client.call_tool("extract", {**sample(hopper), **every})

    found = talk(body).structured_content["extraction"]
    assert found["replies"] and all(entity["decisions"] for entity in found["entities"])


def test_media_and_lists_may_come_as_text_in_json() -> None:
    async def body(client: Client) -> Any:
        mentions = json.dumps([{"text": "Grace Hopper", "type": "PER"}])
        return await client.call_tool("extract", {"text": TEXT, "mentions": mentions})

    (entity,) = talk(body).structured_content["extraction"]["entities"]
    assert entity["text"] == "Grace Hopper"


def test_what_is_wrong_is_said_in_one_line() -> None:
    wrong = [
        ("extract", {}, "the text is empty"),
        ("extract", {"text": 1}, "text: Input should be a valid string"),
        ("extract", {"text": TEXT, "imag": "x"}, "did you mean 'image'"),
        ("extract", {"text": TEXT, "image": {"base64": "%"}}, "image: not base64"),
        ("extract", {"text": TEXT, "image": {"base64": "aGk=", "path": "/etc"}}, "image: give an"),
        ("extract", {"text": TEXT, "image": {"sha256": "0"}}, "image: give an"),
        ("extract", {"text": TEXT, "image": 5}, "image: give an"),
        ("extract", {"text": TEXT, "include": ["pixels"]}, "include.0"),
        ("extract", {"text": TEXT, "stack": "gpt"}, "this server offers no such stack"),
        ("extract", {"text": TEXT, "seconds": -1}, "seconds"),
        ("extract", {"text": TEXT, "image": {"base64": "aGk="}}, "not a picture"),
        ("overlay", {}, "either a sample or, as extraction, the id"),
        ("overlay", {"text": TEXT, "extraction": "x"}, "either a sample or"),
        ("overlay", {"extraction": "x"}, "no extraction of this id"),
        ("overlay", {"text": TEXT, "max_side": 10**9}, "max_side"),
        ("overlay", {"text": TEXT, "picture": 2}, "there is no picture 2"),
        ("explain", {"text": TEXT}, "entity: Field required"),
        ("explain", {"text": TEXT, "entity": "Bob"}, "there are: e1 (Grace Hopper), e2 (US Navy)"),
        ("explain", {"text": "Hopper met Hopper", "entity": "Hopper"}, "give the id of one"),
        ("erase", {}, "Unknown tool: erase"),
    ]

    async def body(client: Client) -> list[str]:
        return [await refused(client, tool, arguments) for tool, arguments, _ in wrong]

    for said, (_, _, expected) in zip(talk(body), wrong, strict=True):
        assert expected in said


def test_time_and_money_are_limited() -> None:
    async def body(client: Client) -> Any:
        late = await refused(client, "extract", {"text": TEXT, "seconds": 1e-6})
        frugal = await client.call_tool("extract", {"text": TEXT, "calls": 100})
        return late, frugal.structured_content["extraction"]

    late, frugal = talk(body, limits=Limits(budget=Budget(calls=1)))
    assert "not done in 1e-06 s" in late
    assert sum(each["calls"] for each in frugal["usage"]) == 1
    assert "budget" in {each["kind"] for each in frugal["warnings"]}


def test_a_fault_of_ours_is_logged_and_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("the secret")

    monkeypatch.setattr("deixis.serving.mcp.tools.without", fails)
    said = talk(lambda client: refused(client, "extract", {"text": TEXT}))
    assert "the server's log" in said and "secret" not in said
    assert "the secret" in caplog.text


def test_what_there_is_to_choose_from_can_be_read() -> None:
    async def body(client: Client) -> Any:
        listed = (await client.list_resources()).resources
        read = {each.uri: (await client.read_resource(each.uri)).contents[0] for each in listed}
        for absent in ("deixis://prompts/../../schema", "deixis://schemas/x", "file:///etc/passwd"):
            with pytest.raises(Exception, match="Unknown resource"):
                await client.read_resource(absent)
        return listed, read

    listed, read = talk(body)
    assert {each.uri.split("/")[2] for each in listed} == {"stacks", "graphs", "schemas", "prompts"}
    gmner = json.loads(read["deixis://schemas/gmner"].text)
    assert [each["name"] for each in gmner["types"]] == ["PER", "LOC", "ORG", "OTHER"]
    assert json.loads(read["deixis://stacks/starter"].text)["graph"] == "main"
    assert "muie" in json.loads(read["deixis://stacks/starter"].text)["graphs"]
    assert "{{" in read["deixis://prompts/vkel/voter"].text
    assert all(each.text and each.mime_type for each in read.values())


def found_in(order: Order, kept: Kept) -> str:
    extraction = Extraction(text=order.text, image=None, entities=[])
    return kept.add(extraction, order, Options()).id


def test_only_the_last_results_are_kept() -> None:
    kept = Kept(most=2, most_bytes=100)
    first, second, third = (found_in(Order(text=name), kept) for name in ("a", "b", "c"))
    assert len({first, second, third}) == 3 and min(map(len, (first, second, third))) > 20
    assert [kept.find(id_).order.text for id_ in (second, third)] == ["b", "c"]
    with pytest.raises(Exception, match="no extraction of this id is kept"):
        kept.find(first)
    large = found_in(Order(text="large", image=Encoded.of(bytes(90))), kept)
    larger = found_in(Order(text="larger", video=Encoded.of(bytes(90))), kept)
    assert kept.find(larger)
    for gone in (second, large):
        with pytest.raises(Exception, match="no extraction"):
            kept.find(gone)
    too_large = found_in(Order(text="x", images=[Encoded.of(bytes(101))]), kept)
    with pytest.raises(Exception, match="no extraction"):
        kept.find(too_large)

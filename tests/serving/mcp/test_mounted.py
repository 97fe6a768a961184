"""MCP inside the application of `deixis serve`: its guard, and the SDK's own client."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client, MCPError

from deixis.serving.http.app import Access
from deixis.testing import scripted
from tests.serving.conftest import Running, running

from .served import TEXT, refused

TOKEN = "a-token-of-some-length"
pytestmark = [pytest.mark.slow]


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    with scripted(lambda _: None):
        yield


@pytest.fixture
def open_server() -> Iterator[Running]:
    with running(mcp=True) as server:
        yield server


@pytest.fixture
def guarded() -> Iterator[Running]:
    with running(mcp=True, access=Access(TOKEN, None)) as server:
        yield server


def asking(server: Running, **headers: str) -> Any:
    """Return a transport of the SDK, whose requests have these headers."""
    from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

    @asynccontextmanager
    async def transport() -> Any:
        async with (
            create_mcp_http_client(headers=headers) as client,
            streamable_http_client(f"{server.url}/mcp", http_client=client) as streams,
        ):
            yield streams

    return transport()


def extracted(server: Running, mode: str, **headers: str) -> Any:
    async def body() -> Any:
        async with Client(asking(server, **headers), mode=mode) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert tools == {"extract", "overlay", "explain"}
            return await client.call_tool("extract", {"text": TEXT})

    return asyncio.run(body())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_without_a_token_this_machine_asks(open_server: Running, mode: str) -> None:
    found = extracted(open_server, mode)
    [first, *_] = found.structured_content["extraction"]["entities"]
    assert first["text"] == "Grace Hopper"
    figures = open_server.client.get("/metrics").text
    assert 'deixis_orders_total{outcome="done"} 1.0' in figures
    assert 'route="/mcp",status="200"' in figures


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_behind_a_token_who_has_it_asks(guarded: Running, mode: str) -> None:
    found = extracted(guarded, mode, Authorization=f"Bearer {TOKEN}")
    assert found.structured_content["extraction"]["text"] == TEXT


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {TOKEN}x"}])
def test_behind_a_token_nobody_else_asks(guarded: Running, headers: dict[str, str]) -> None:
    with pytest.raises(BaseExceptionGroup) as failed:
        extracted(guarded, "legacy", **headers)
    assert [type(each) for each in leaves(failed.value)] == [MCPError]
    for method in ("GET", "POST", "DELETE"):
        answer = guarded.client.request(method, "/mcp", headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"


def leaves(error: BaseException) -> list[BaseException]:
    """Return the errors that a group is of."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    return [error]


def test_pages_of_other_sites_do_not_ask(open_server: Running) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        assert open_server.client.post("/mcp", json={}, headers=headers).status_code == 403


def test_the_address_behind_a_name_is_not_told(
    open_server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.base.connections.look_up", lambda *_: ["10.1.2.3"])

    async def body() -> str:
        async with Client(asking(open_server)) as client:
            given = {"text": TEXT, "image": "http://wiki.example/a.png"}
            return await refused(client, "extract", given)

    said = asyncio.run(body())
    assert said.endswith("not on the public internet; send its bytes"), said

"""The service: what is taken on, what comes of it, and what is left when nobody waits."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deixis.errors import InputError, SettingsError
from deixis.schema import Extraction
from deixis.serving.offers import Offers
from deixis.serving.orders import Encoded, Order
from deixis.serving.service import (
    BusyError,
    ClosingError,
    Limits,
    OutOfTimeError,
    Service,
    StoppedError,
)
from deixis.settings import Budget, Settings
from deixis.testing import Question, scripted, with_scripted_models

TEXT = "Grace Hopper of the US Navy"


def offers() -> Offers:
    settings = Settings.load("starter").with_options(cache="off")
    bare = {"detector": None, "reader": None, "segmenter": None, "entailer": None}
    return Offers([with_scripted_models(settings).with_roles({**bare, "recognizer": "crf"})])


class Gate:
    """A script that waits until it is let go on, and counts."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked = 0

    def __call__(self, question: Question) -> Any:
        self.asked += 1
        assert self.open.wait(20)
        return None


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    with scripted(gate):
        yield gate
        gate.open.set()


def order(**more: Any) -> Order:
    return Order(text=TEXT, **more)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never true")


def run(body: Callable[[Service], Any], limits: Limits | None = None) -> Any:
    async def whole() -> Any:
        async with Service(offers(), limits) as service:
            return await body(service)

    return asyncio.run(whole())


def test_nodes_are_told_and_then_the_result(gate: Gate) -> None:
    gate.open.set()

    async def body(service: Service) -> Any:
        job = service.start(order(), "one")
        return [event async for event in job.events()]

    start, *nodes, result = run(body)
    assert start.data["id"] == "one" and "consult" in start.data["nodes"]
    told = [(event.data["node"], event.data["event"]) for event in nodes]
    assert told[0] == ("open", "start") and told[-1] == ("structure", "end")
    names = [entity.text for entity in Extraction.model_validate(result.data).entities]
    assert names == ["Grace Hopper", "US Navy"]


def test_who_leaves_stops_the_work(gate: Gate) -> None:
    before = threading.active_count()

    async def body(service: Service) -> None:
        job = service.start(order(), "one")
        events = job.events()
        async for event in events:
            if event.data.get("node") == "consult":
                break
        await until(lambda: gate.asked > 0)
        await events.aclose()  # type: ignore[attr-defined]
        gate.open.set()
        await until(lambda: not service._jobs)

    run(body)
    members = len(offers().default.roles.committee)
    assert gate.asked <= members, "the voter and the expander are not asked any more"
    assert threading.active_count() <= before


def test_time_and_budget_are_those_of_the_server_or_less(gate: Gate) -> None:
    async def late(service: Service) -> None:
        job = service.start(order(seconds=0.2), "one")
        with pytest.raises(OutOfTimeError, match=r"0\.2 s"):
            await job.result()
        assert job.is_late
        gate.open.set()

    run(late)
    gate.open.set()

    async def frugal(service: Service) -> Any:
        wants_more = service.start(order(calls=50), "one")
        assert wants_more.seconds == 7
        return await wants_more.result(), await service.start(order(calls=0), "two").result()

    some, none = run(frugal, Limits(seconds=7, budget=Budget(calls=2)))
    assert sum(each["calls"] for each in some["usage"]) == 2
    assert sum(each["calls"] for each in none["usage"]) == 0
    assert "budget" in {each["kind"] for each in none["warnings"]}
    assert [each["text"] for each in none["entities"]] == ["Grace Hopper", "US Navy"]


def test_no_more_is_taken_on_than_there_is_room_for(gate: Gate) -> None:
    async def body(service: Service) -> None:
        first, second = (service.start(order(), name) for name in ("one", "two"))
        with pytest.raises(BusyError) as busy:
            service.start(order(), "three")
        assert 1 <= busy.value.retry_after <= 60
        second.stop("not wanted")
        with pytest.raises(StoppedError, match="not wanted"):
            await second.result()
        gate.open.set()
        assert (await first.result())["entities"]
        await until(lambda: not service._jobs)
        assert (await service.start(order(), "four").result())["entities"]

    run(body, Limits(concurrency=1, queue=1))


def test_what_runs_is_waited_for_at_the_end(gate: Gate) -> None:
    async def whole() -> None:
        service = Service(offers(), Limits(grace=20))
        async with service:
            waiting = asyncio.ensure_future(service.start(order(), "one").result())
            await until(lambda: gate.asked > 0)
            service.close()
            with pytest.raises(ClosingError):
                service.start(order(), "two")
            gate.open.set()
        assert (await waiting)["entities"]

    asyncio.run(whole())


def test_what_is_wrong_is_raised_where_it_is_waited_for(gate: Gate) -> None:
    async def body(service: Service) -> None:
        with pytest.raises(InputError, match="the text is empty"):
            await service.start(Order(text=" "), "one").result()
        with pytest.raises(InputError, match="not a picture"):
            await service.start(order(image=Encoded.of(b"none")), "two").result()
        for wrong in ({"stack": "/etc/passwd"}, {"graph": "e2e"}, {"types": "../gmner.yaml"}):
            with pytest.raises(SettingsError, match="this server offers no such"):
                service.start(order(**wrong), "three")

    run(body)


@pytest.mark.parametrize(
    "named",
    [
        *("/etc/passwd", "file:///etc/passwd", "photo.jpg", "ftp://host/x.png", "http:photo.jpg"),
        *("data:image/png;base64,%%%", "FILE:/etc/passwd", "\\\\host\\share", "HTTP//x", ""),
    ],
)
def test_no_file_can_be_named(named: str) -> None:
    for field in ({"image": named}, {"images": [named]}, {"audio": named}, {"video": named}):
        with pytest.raises(ValueError, match=r"cannot be named|not base64"):
            order(**field)
    with pytest.raises(ValueError, match="base64"):
        order(image={"sha256": "0" * 64, "width": 9, "height": 9, "source": "/etc/passwd"})


def test_urls_are_public_whatever_the_stack_says() -> None:
    loose = Settings.load("starter").with_options(urls="any")
    assert Offers([loose]).default.options.urls == "public"
    strict = Settings.load("starter").with_options(urls="none")
    assert Offers([strict]).default.options.urls == "none"
    with pytest.raises(SettingsError, match="two stacks are called 'starter'"):
        Offers([loose, strict])

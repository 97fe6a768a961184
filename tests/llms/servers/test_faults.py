"""Faults of the SDKs: which are worth another try, and after how long a pause."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ModelAuthenticationError, ModelRateLimitError

from deixis.errors import CacheMissError, ModelCallError, ModelFileError
from deixis.llms.servers.faults import LONGEST_WAIT, is_bug, is_transient, one_line, retry_after

REQUEST = httpx.Request("POST", "http://127.0.0.1/v1")


def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx.Response(status, headers=named, request=REQUEST)
    return httpx.HTTPStatusError("said no", request=REQUEST, response=response)


def wrapped(inner: Exception, *, hidden: bool) -> Exception:
    """Return what a wrapper raises for `inner`, which it names as the cause or hides."""
    try:
        try:
            raise inner
        except Exception as error:
            raise RuntimeError("wrapped") from (None if hidden else error)
    except RuntimeError as outer:
        return outer


class Coded(Exception):
    """What an SDK raises, with the status under the name that it likes."""

    def __init__(self, **named: Any) -> None:
        super().__init__("coded")
        for name, value in named.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("error", "worth_it"),
    [
        *[(Coded(status_code=status), True) for status in (408, 409, 429, 500, 502, 503, 504, 529)],
        *[(Coded(code=status), True) for status in (429, 500, 503)],
        *[(Coded(status_code=status), False) for status in (-1, 400, 401, 403, 404, 413, 422)],
        *[(Coded(code=code), False) for code in (400, 404, None, "rate_limit_exceeded", "500")],
        (Coded(status_code=400, code=500), False),
        (httpx.ConnectError("gone"), True),
        (httpx.ReadTimeout("late"), True),
        (httpx.RemoteProtocolError("half"), True),
        (httpx.TooManyRedirects("round"), False),
        (httpx.InvalidURL("what"), False),
        (TimeoutError(), True),
        (ConnectionRefusedError(), True),
        (ModelRateLimitError("slow"), True),
        (ModelAuthenticationError("who"), False),
        (ModelCallError("failed", "context is full"), False),
        (ValueError("odd"), False),
    ],
)
def test_what_is_worth_another_try(error: Exception, worth_it: bool) -> None:
    assert is_transient(error) is worth_it


def test_the_second_http_client_counts_as_the_first() -> None:
    httpx2 = pytest.importorskip("httpx2")  # comes with some SDKs' versions, not with all
    assert is_transient(httpx2.ConnectError("gone"))
    assert not is_transient(httpx2.TooManyRedirects("round"))


def test_the_status_is_found_behind_a_wrapper() -> None:
    assert is_transient(wrapped(Coded(code=429), hidden=False))
    assert not is_transient(wrapped(Coded(code=400), hidden=False))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("0.5", 0.5),
        ("61", 61.0),
        ("inf", math.inf),
        ("1e309", math.inf),
        ("-3", 0.0),
        ("nan", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Fri, 31 Dec 2999 23:59:59 -0000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_pause_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(answered(429, Retry_After=value)) == seconds


def test_a_date_in_between_is_counted_from_now() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    pause = retry_after(answered(503, Retry_After=date))
    assert pause is not None and 0 < pause <= 50


def test_a_date_far_away_is_longer_than_any_wait() -> None:
    pause = retry_after(answered(503, Retry_After="Fri, 31 Dec 2999 23:59:59 GMT"))
    assert pause is not None and pause > LONGEST_WAIT


@pytest.mark.parametrize("hidden", [True, False])
def test_the_header_is_found_behind_a_wrapper(hidden: bool) -> None:
    assert retry_after(wrapped(answered(429, retry_after="7"), hidden=hidden)) == 7.0


@pytest.mark.parametrize("error", [ValueError("odd"), Coded(response=None), answered(429)])
def test_without_the_header_there_is_no_pause(error: Exception) -> None:
    assert retry_after(error) is None


@pytest.mark.parametrize(
    ("error", "bug"),
    [
        (TypeError("a bug"), True),
        (KeyError("a bug"), True),
        (ModelFileError("no weights"), True),
        (CacheMissError("not recorded"), True),
        (ModelCallError("failed", "context is full"), False),
        (ValueError("odd"), False),
        (ConnectionError("gone"), False),
        (Coded(), False),
    ],
)
def test_a_bug_is_told_from_a_fault(error: Exception, bug: bool) -> None:
    try:
        raise error
    except Exception as raised:
        assert is_bug(raised) is bug


def test_a_fault_is_one_line() -> None:
    assert one_line(ValueError("two\n lines")) == "ValueError: two lines"
    assert one_line(ValueError()) == "ValueError"
    assert len(one_line(ValueError("long " * 500))) < 320


@pytest.mark.extra
@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize(("asked", "waited"), [("0", 0.0), ("7", 7.0), ("60", 60.0)])
def test_openai_is_given_the_pause_it_asks_for(
    asking: Callable[..., Any],
    provider: Any,
    waits: list[float],
    work: Any,
    status: int,
    asked: str,
    waited: float,
) -> None:
    spec = f"openai:some-model?base_url={provider.url}/v1"
    fault = (status, {"error": {"message": "later"}}, {"Retry-After": asked})
    refused = (400, {"error": {"message": "not like this"}}, {"Retry-After": asked})
    reply = asking(spec, fault, refused)
    assert reply.status == "failed" and "not like this" in reply.detail
    assert waits == [waited]


@pytest.mark.extra
@pytest.mark.parametrize("asked", ["61", "1e9", "1e309", "inf", "Fri, 31 Dec 2099 23:59:59 GMT"])
def test_a_pause_beyond_the_longest_is_a_failure_at_once(
    asking: Callable[..., Any], provider: Any, waits: list[float], asked: str
) -> None:
    fault = (429, {"error": {"message": "much later"}}, {"Retry-After": asked})
    reply = asking(f"openai:some-model?base_url={provider.url}/v1", fault)
    assert reply.status == "failed" and len(reply.calls) == 1 and waits == []
    assert "much later" in reply.detail and "asks for a pause" in reply.detail


@pytest.mark.extra
def test_after_the_last_try_nobody_is_held(
    asking: Callable[..., Any], provider: Any, waits: list[float]
) -> None:
    fault = (429, {"error": {"message": "later"}}, {"Retry-After": "50"})
    reply = asking(f"openai:some-model?base_url={provider.url}/v1", fault, fault, fault)
    assert reply.status == "failed" and sum(waits) == 100.0

"""Servers that send too slowly, too much, or elsewhere: the same for every provider."""

import base64
import gzip
import json
import re
import socket
import time
import zlib
from html import escape
from typing import Any
from urllib.parse import quote

import pytest

from deixis.errors import SettingsError
from deixis.llms import registry, structured
from deixis.llms.answers.reading import Text
from deixis.llms.servers import http
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt

from .protocols import ANSWERS, PROVIDERS
from .wire import reply, serving

pytestmark = [pytest.mark.slow, pytest.mark.extra]

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_PAUSES", ())


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asked(spec: str) -> Reply[Text]:
    return ask(registry.load(spec), PROMPT, Text, max_tokens=50)


def answer_of(provider: str) -> bytes:
    return json.dumps(ANSWERS[provider]).encode()


def drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte each twentieth of a second: far beyond the time given, but not for ever."""
    for byte in data[:200]:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize("packing", ["identity", "gzip", "deflate"])
def test_a_reply_is_read_packed_or_not(provider: str, packing: str) -> None:
    pack = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[packing]
    sent = reply(pack(answer_of(provider)), f"Content-Encoding: {packing}")
    with serving(lambda connection: connection.sendall(sent)) as wire:
        got = asked(wire.spec(provider))
    assert got.value == Text(text="blue")
    assert "accept-encoding: identity" in wire.heard[0].lower()


def test_what_a_server_says_on_the_way_is_no_reply(provider: str) -> None:
    early = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    sent = b"HTTP/1.1 100 Continue\r\n\r\n" + early + reply(answer_of(provider))
    with serving(lambda connection: connection.sendall(sent)) as wire:
        assert asked(wire.spec(provider)).value == Text(text="blue")


def test_why_nobody_answers_is_told(provider: str) -> None:
    with serving(lambda connection: connection.sendall(b"")) as wire:
        assert "without response" in asked(wire.spec(provider)).detail
    got = asked(wire.spec(provider))
    assert got.status == "failed" and "refused" in got.detail


@pytest.mark.parametrize("what", ["headers", "body"])
def test_dripping_ends_when_the_time_is_over(provider: str, what: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nX-Slow: "

    def send(connection: socket.socket) -> None:
        if what == "headers":
            drip(connection, head + b"x" * 200)
        else:
            connection.sendall(head + b"no\r\n\r\n")
            drip(connection, b" " * 200)

    with serving(send) as wire:
        got = asked(wire.spec(provider, "&timeout=0.3"))
    assert got.status == "failed" and "time" in got.detail.lower()
    assert len(wire.heard) == len(got.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    provider: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "the-key-of-google")
    with serving(lambda connection: connection.sendall(reply(answer_of(provider)))) as other:
        elsewhere = f"Location: http://127.0.0.1:{other.port}/v1?key=SECRET-KEY"
        sent = reply(b"", elsewhere, status=f"{status} Moved")
        with serving(lambda connection: connection.sendall(sent)) as wire:
            got = asked(wire.spec(provider))
    assert got.status == "failed" and len(wire.heard) == 1 and other.heard == []
    assert "redirects to" in got.detail and "set base_url" in got.detail
    assert "SECRET-KEY" not in got.detail


@pytest.mark.parametrize("packing", ["plain", "gzip", "br", "zstd", "endless"])
def test_a_reply_is_not_read_beyond_its_bound(
    provider: str, packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 100_000)
    large = b" " * 3_000_000

    def send(connection: socket.socket) -> None:
        if packing == "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(100):
                connection.sendall(large)
        elif packing == "plain":
            connection.sendall(reply(large))
        else:
            bomb = gzip.compress(large)
            connection.sendall(reply(bomb, f"Content-Encoding: {packing}"))

    with serving(send) as wire:
        got = asked(wire.spec(provider))
    assert got.status == "failed" and len(got.calls) == 1
    assert ("compresses" if packing in {"br", "zstd"} else "more than 100000 bytes") in got.detail


def test_credentials_of_the_url_are_used_and_not_told(provider: str) -> None:
    sent = reply(b'{"error": {"message": "no"}}', status="401 Unauthorized")
    with serving(lambda connection: connection.sendall(sent)) as wire:
        spec = wire.spec(provider, before="grace:pa%2Fss-word@", after="?key=SECRET-KEY")
        got = asked(spec)
    (heard,) = wire.heard
    assert "key=SECRET-KEY" in heard.partition("\r\n")[0]
    assert "authorization: basic z3jhy2u6cgevc3mtd29yza==" in heard.lower()
    assert got.status == "failed"
    assert not any(secret in got.detail for secret in ("SECRET-KEY", "ss-word"))


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("", "Incorrect API key provided: sk-proj-abcdefghijklmnop1234567890"),
        ("", "Bearer abcdefghijklmnop1234567890 is no token"),
        ("", "bad x-api-key: abcdefghijklmnop1234567890"),
        ("", 'headers {"Authorization": "abcdefghijklmnop1234567890"}'),
        ("", "key AIzaSyabcdefghijklmnop1234567890 is not valid"),
        ("OPENAI_API_KEY", "what is plain-abcdefghijklmnop1234567890-words"),
        ("OLLAMA_API_KEY", "what is plain-abcdefghijklmnop1234567890-words"),
    ],
)
def test_keys_that_a_server_echoes_are_taken_out(
    provider: str, variable: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, "plain-abcdefghijklmnop1234567890-words")
    body = json.dumps({"error": {"message": f"not allowed: {said}"}}).encode()
    sent = reply(body, status="401 Unauthorized")
    with serving(lambda connection: connection.sendall(sent)) as wire:
        got = asked(wire.spec(provider))
    assert got.status == "failed" and "not allowed" in got.detail and "***" in got.detail
    assert "abcdefghijklmnop" not in got.detail


KEY = "plain/12+34&56=78-words"


@pytest.mark.parametrize("status", ["401 Unauthorized", "200 OK"])
@pytest.mark.parametrize(
    "told",
    [
        quote(KEY, safe=""),
        quote(KEY),
        re.sub("%..", lambda found: found[0].lower(), quote(KEY, safe="")),
        KEY.replace("/", "\\/"),
        escape(KEY),
        base64.b64encode(KEY.encode()).decode(),
    ],
)
def test_a_key_is_taken_out_however_it_is_spelled(
    provider: str, status: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for body in (json.dumps({"error": {"message": f"not {told}"}}), f"<p>{50 * 'x'} {told}</p>"):
        sent = reply(body.encode(), status=status)
        with serving(lambda connection, sent=sent: connection.sendall(sent)) as wire:
            got = asked(wire.spec(provider))
        assert got.status == "failed" and told[:12] not in repr(got) and KEY[:6] not in repr(got)


@pytest.mark.parametrize(
    "body", ["<html>Sign in</html>", "", "null", "[]", "data: {}", '{"ok": true}']
)
def test_what_is_no_answer_of_a_model_is_said_so(provider: str, body: str) -> None:
    with serving(lambda connection: connection.sendall(reply(body.encode()))) as wire:
        got = asked(wire.spec(provider))
    begins = f"it begins with {body!r}" if body else "it is empty"
    assert got.status == "failed" and len(got.calls) == 1
    assert got.detail.startswith(f"the server's answer is no chat completion: {begins}")
    assert ("/v1)" in got.detail) == (provider == "openai")


@pytest.mark.parametrize("error", [{"code": 429, "message": "overloaded"}, "overloaded"])
def test_an_error_that_comes_with_success_is_one(
    provider: str, error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structured, "_PAUSES", (0.0,))
    sent = reply(json.dumps({"error": error}).encode())
    with serving(lambda connection: connection.sendall(sent)) as wire:
        got = asked(wire.spec(provider))
    assert got.status == "failed" and "overloaded" in got.detail
    assert len(got.calls) == (2 if isinstance(error, dict) else 1)


def test_a_key_is_taken_out_of_what_a_model_says(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "plain-1234567890-words")
    body = answer_of(provider).replace(b"blue", b"it is plain-1234567890-words")
    with serving(lambda connection: connection.sendall(reply(body))) as wire:
        got = asked(wire.spec(provider))
    assert got.value == Text(text="it is ***") and got.calls[0].text == "it is ***"


def test_certificates_that_are_not_there_are_told(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    with pytest.raises(SettingsError, match=r"SSL_CERT_FILE=/no/such/file\.pem"):
        registry.load(f"{provider}:some-model?base_url=http://127.0.0.1:9/certificates")

"""What strangers send: nothing of it is answered with a 500, opened, or logged."""

import gzip
import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis import testing
from deixis.errors import InputError, SettingsError
from deixis.serving.clients import for_clients
from deixis.serving.gold_file import GoldFile
from deixis.serving.http import logs
from deixis.serving.http.app import Access
from deixis.serving.http.running import check_access, is_loopback
from deixis.testing import scripted
from tests.serving.conftest import Running, Served

from .test_http import png

POST = {"text": "Grace Hopper of the US Navy"}
TOKEN = "a-token-of-some-length"


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    with scripted(lambda _: None):
        yield


@pytest.fixture
def server(served: Served) -> Running:
    running: Running = served()
    return running


PRIVATE = [
    *("127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "0", "0.0.0.0", "[::1]"),
    *("[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "[fe80::1]"),
]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_not_asked(server: Running, host: str) -> None:
    with testing.serving(lambda _: testing.Response(200, b"no")) as inner:
        port = inner.url.rpartition(":")[2]
        for field in ("image", "audio", "video"):
            more = {"graph": "muie"} if field != "image" else {}
            said = {**POST, field: f"http://u:SECRET@{host}:{port}/x?api_key=SECRET", **more}
            answer = server.client.post("/v1/extract", json=said)
            assert answer.status_code == 422
            detail = answer.json()["detail"]
            assert detail.endswith("not on the public internet; send its bytes"), detail
            assert "SECRET" not in answer.text
        assert not inner.requests


@pytest.mark.parametrize("several", [False, True])
def test_the_address_behind_a_name_is_not_told(
    server: Running, monkeypatch: pytest.MonkeyPatch, several: bool
) -> None:
    monkeypatch.setattr("deixis.base.connections.look_up", lambda *_: ["10.1.2.3"])
    url = "http://wiki.example/a.png"
    media = {"images": [url, url], "graph": "muie"} if several else {"image": url}
    answer = server.client.post("/v1/extract", json={**POST, **media})
    said = answer.json()["detail"]
    assert answer.status_code == 422 and "not on the public internet" in said
    assert "10.1.2.3" not in answer.text and "--urls" not in said and "path" not in said


@pytest.mark.parametrize("url", ["http://xn--/", "http://xn--a/a.png", "http://a b/"])
def test_a_url_that_is_none_is_told(server: Running, url: str) -> None:
    answer = server.client.post("/v1/extract", json={**POST, "image": url})
    assert answer.status_code == 422, answer.text


def test_half_characters_are_never_kept(served: Served, tmp_path: Path) -> None:
    server = served(gold=GoldFile(tmp_path / "gold.jsonl"))
    entity = {"id": "e", "text": "Ann", "start": 0, "end": 3, "type": "PER", "confidence": 1}
    right: dict[str, Any] = {"text": "Ann", "image": None, "entities": [entity]}
    for id_, made in (
        ("\ud800", right),
        ("1", {**right, "entities": [{**entity, "type": "\udfff"}]}),
        ("1", {**right, "caption": "\ud83d"}),
    ):
        body = json.dumps({"id": id_, "extraction": made})
        sent = {"content": body, "headers": {"Content-Type": "application/json"}}
        told = server.client.post("/v1/gold", **sent)
        assert told.status_code == 422 and "surrogate" in told.json()["detail"], told.text
        form = {"data": {"body": body}, "files": {"image": png()}}
        assert server.client.post("/v1/gold", **form).status_code == 422
    assert (tmp_path / "gold.jsonl").read_bytes() == b""
    whole = json.dumps({"id": "1", "extraction": {**right, "caption": "\U0001f600"}})
    sent = {"content": whole, "headers": {"Content-Type": "application/json"}}
    assert server.client.post("/v1/gold", **sent).status_code == 200


def test_a_million_faults_are_told_as_one(server: Running) -> None:
    many = 300_000
    for path, body in (
        ("/v1/gold", {"id": "1", "extraction": {**POST, "image": None, "entities": [{}] * many}}),
        ("/v1/extract", {**POST, "task": ["x"] * many}),
        ("/v1/extract", {**POST, "patches": [[]] * many}),
        ("/v1/extract", dict.fromkeys(map(str, range(many)), 1)),
        ("/v1/gold", {"id": "1", "extraction": dict.fromkeys(map(str, range(many)), 1)}),
    ):
        assert server.client.post(path, json=body).status_code == 422


def test_advice_is_for_those_who_run_the_server() -> None:
    for said, told in (
        ("a: the download takes too long; download the video and give its path", "takes too long;"),
        ("a: URLs are not opened; give a path, or allow them with --urls public (x)", "opened;"),
        ("a: failed (no) through the proxy that ALL_PROXY names; check that proxy, or download "
         "the sound and give its path", "failed (no);"),
        ("a: the proxy that ALL_PROXY names refuses (403); check", "the download failed;"),
    ):  # fmt: skip
        assert for_clients(InputError(said)).endswith(f"{told} send its bytes")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 200_000,
        b'{"text": "x", "text": "y"}',
        b'{"text": NaN}',
        b'{"text": "\xff"}',
        b'{"text": "a\\ud800b"}',
        b'{"text": "a\\u0000b"}',
        b'{"text": 1e999}',
        b'{"text": "x", "seconds": 1e999}',
        b'{"text": "x", "seconds": -1}',
        b'{"text": "x", "calls": 99999999999999999999999999}',
        b'{"text": "x", "tokens": 1.5}',
        b'{"text": "x", "surprise": 1}',
        b'{"text": "x", "image": {"sha256": "0", "source": "/etc/passwd"}}',
        b'{"text": "x", "image": {"base64": "%%%"}}',
        b'{"text": "x", "image": {"base64": "AAAA", "path": "/etc/passwd"}}',
        b'{"text": "x", "image": {"base64": ["AAAA"]}}',
        b'{"text": "x", "images": ["file:///etc/passwd"]}',
        b'{"text": "x", "image": "data:image/png;base64,AAAA"}',
        b'{"text": "x", "mentions": [{"text": "zzz", "type": "PER"}]}',
        b'{"text": "x", "patches": [[1, 2, 3]]}',
        b'{"text": "x", "patches": [[1, 2, 3, 4]]}',
        b'{"text": "x", "task": ["sing"]}',
        b'{"text": "x", "graph": "../../etc/passwd"}',
        b'{"text": "x", "schema": "/etc/passwd"}',
        b'{"text": "x", "stack": "openai:gpt?base_url=http://127.0.0.1"}',
        b'{"text": "x", "audio": {"base64": "AAAA"}}',
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(server: Running, body: bytes) -> None:
    for path in ("/v1/extract", "/v1/extract/stream", "/v1/picture", "/v1/gold"):
        sent = {"content": body, "headers": {"Content-Type": "application/json"}}
        answer = server.client.post(path, **sent)
        if path.endswith("stream") and answer.status_code == 200:
            assert "event: error" in answer.text and '"status": 422' in answer.text
            continue
        assert answer.status_code == 422, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        said = answer.json()
        assert said["detail"] and "\n" not in said["detail"] and len(said["detail"]) <= 510
        assert "root:" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"txt": "a"}, "there is no 'txt' (did you mean 'text'?)"),
        ({"image": {"base64": "aGVsbG8"}}, "image: not base64"),
        (
            {"image": {"bytes": "aGVsbG8="}},
            'image: give an http(s) URL, a data: URL in base64, or {"b',
        ),
        ({"audio": 7}, "audio: give an http(s) URL"),
        ({"images": [{"base64": 7}]}, "images.0: give an http(s) URL"),
    ],
)
def test_what_is_wrong_is_named(server: Running, said: dict[str, Any], told: str) -> None:
    answer = server.client.post("/v1/extract", json=POST | said)
    assert answer.status_code == 422 and answer.json()["detail"].startswith(told)


def test_what_is_no_json_is_named(server: Running) -> None:
    answer = server.client.post("/v1/extract", data={**POST, "mentions": "["}, files={"audio": b""})
    said = answer.json()["detail"]
    assert said == "mentions is not JSON: Expecting value at column 2", "no word of rows in files"


def test_forms_that_are_none(server: Running) -> None:
    form = "multipart/form-data"
    for kind, body in [
        (form, b"x"),
        (f"{form}; boundary=a", b"--a\r\nnonsense"),
        (f"{form}; boundary=" + "a" * 5000, b"--"),
        (f"{form}; boundary=a", b"--a\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a--\r\n"),
    ]:
        headers = {"Content-Type": kind}
        answer = server.client.post("/v1/extract", content=body, headers=headers)
        assert answer.status_code == 422, answer.text
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/xml"):
        headers = {"Content-Type": kind}
        answer = server.client.post("/v1/extract", content=b"a=b", headers=headers)
        assert answer.status_code == 415
    wrong: list[dict[str, Any]] = [
        {"files": {"picture": b"x"}},
        {"files": [("audio", b"x"), ("audio", b"y")], "data": POST},
        {"files": {"image": b"not a picture"}, "data": POST},
        {"files": {"image": b""}, "data": POST},
        {"data": {**POST, "mentions": "[{"}, "files": {"image": b"x"}},
    ]
    for each in wrong:
        assert server.client.post("/v1/extract", **each).status_code == 422


def test_bodies_are_bounded_as_they_come(served: Served) -> None:
    server = served(access=Access(max_body=10_000))
    client, kind = server.client, {"Content-Type": "application/json"}
    big = b'{"text": "' + b"x" * 20_000 + b'"}'
    answer = client.post("/v1/extract", content=big, headers=kind)
    assert answer.status_code == 413 and "10,000 bytes" in answer.json()["detail"]
    pieces = (b"x" * 1000 for _ in range(10_000))  # without a length
    assert client.post("/v1/extract", content=pieces, headers=kind).status_code == 413
    zipped = {**kind, "Content-Encoding": "gzip"}
    answer = client.post("/v1/extract", content=gzip.compress(big * 1000)[:9000], headers=zipped)
    assert answer.status_code == 422
    lying = {**kind, "Content-Length": "-5"}
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as raw:
        lines = [
            *(f"{name}: {value}" for name, value in lying.items()),
            "Host: 127.0.0.1",
            "",
            "{}",
        ]
        raw.sendall(b"POST /v1/extract HTTP/1.1\r\n" + "\r\n".join(lines).encode())
        assert b" 400 " in raw.recv(1000)


def test_a_body_that_does_not_come_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.serving.http.bodies._SECONDS", 0.1)
    server = served()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as raw:
        head = "POST /v1/extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        raw.sendall(f"{head}Content-Length: 50\r\n\r\n{{".encode())
        assert b" 408 " in raw.recv(1000)


def test_a_head_that_does_not_come_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.serving.http.patience.HEAD", 0.2)
    server = served()
    place = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    for before in (b"", request + b"\r\n"):  # the first of a connection, and the second
        with socket.create_connection(place, timeout=30) as raw:
            raw.sendall(before)
            if before:
                assert b" 200 " in raw.recv(10_000)
            raw.sendall(request)
            while raw.recv(10_000):
                pass  # what was asked before; then it is closed
    assert server.client.post("/v1/extract", json=POST).status_code == 200  # takes longer


def test_who_may_ask(served: Served) -> None:
    server = served(access=Access(TOKEN, None))
    client = server.client
    for path in ("/v1/graphs", "/v1/schema", "/metrics", "/v1/nothing"):
        answer = client.get(path)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        wrong = {"Authorization": f"Bearer {TOKEN}x"}
        assert client.get(path, headers=wrong).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/v1/graphs", headers=right).status_code == 200
    assert client.post("/v1/extract", json=POST, headers=right).status_code == 200
    for path in ("/", "/page/app.js", "/healthz", "/openapi.json"):
        assert client.get(path).status_code == 200
    for path in ("/page/../../../etc/passwd", "/page/%2e%2e/service.py", "/page//etc/passwd"):
        assert client.get(path).status_code in (401, 404)


def test_other_sites_may_not_ask(server: Running) -> None:
    client = server.client
    assert client.get("/v1/graphs", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"Host": "127.0.0.1.evil.example:80"}).status_code == 403
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert client.post("/v1/extract", json=POST, headers=headers).status_code == 403
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert client.post("/v1/extract", json=POST, headers=own).status_code == 200
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_logs_name_requests_and_nothing_that_was_sent(
    server: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logs.NAME)
    secret = "sk-abcdefghijklmnop"
    sent = {"X-Request-Id": "mine-1", "Authorization": f"Bearer {secret}"}
    said = {"text": f"Grace {secret}", "image": f"https://u:{secret}@127.0.0.1/{secret}"}
    answer = server.client.post("/v1/extract?key=" + secret, json=said, headers=sent)
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-1"
    forged = server.client.get("/healthz", headers={"X-Request-Id": 'a"\x7f{evil}'})
    assert "evil" not in forged.headers["x-request-id"]

    def broken(*_: object) -> None:
        raise RuntimeError(f"a bug with {secret}")

    monkeypatch.setattr(server.service, "start", broken)
    answer = server.client.post("/v1/extract", json=POST)
    assert answer.status_code == 500 and "bug" in answer.json()["detail"]
    for _ in range(1000):  # a request is logged when it has been answered
        if len([each for each in caplog.records if each.name == logs.NAME]) == 3:
            break
        threading.Event().wait(0.01)
    lines = [logs.JsonLines().format(record) for record in caplog.records]
    told = [json.loads(line) for line in lines if '"request"' in line]
    assert told[0]["request_id"] == "mine-1" and told[0]["status"] == 422
    assert told[-1]["error"] == "RuntimeError" and "broken" in told[-1]["at"][-1]
    assert secret not in "".join(lines) and "Grace" not in "".join(lines)


def test_clients_that_vanish_leave_nothing(served: Served) -> None:
    gate = threading.Event()
    with scripted(lambda _: gate.wait(20) and None):
        server = served()
        for _ in range(20):
            with server.client.stream("POST", "/v1/extract/stream", json=POST) as answer:
                next(answer.iter_lines())
        gate.set()
        for _ in range(3000):
            if not server.service._jobs:
                break
            threading.Event().wait(0.01)
        assert not server.service._jobs
        orders = [each.name for each in threading.enumerate() if each.name.startswith("order")]
        assert len(orders) <= server.service.limits.concurrency
        assert server.client.post("/v1/extract", json=POST).status_code == 200


def test_only_this_machine_asks_without_a_token() -> None:
    for host in ("0.0.0.0", "::", "192.168.0.7", "example.org", "[::]"):
        assert not is_loopback(host)
        with pytest.raises(SettingsError, match="--token"):
            check_access(host, None)
        check_access(host, TOKEN)
    for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9"):
        assert is_loopback(host)
        check_access(host, None)
    for short in ("short", "with blanks in it here", "ünicode-ünicode-ünicode"):
        with pytest.raises(SettingsError, match="16 characters"):
            check_access("127.0.0.1", short)


def test_gold_files_are_files(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    for wrong in (
        tmp_path / "folder.jsonl",
        Path("/dev/null"),
        Path("-"),
        Path("/proc/x.jsonl"),
        Path(),
    ):
        with pytest.raises(InputError):
            GoldFile(wrong)

"""Past OpenAI's SDK: the same requests, and the same words for whatever is no plain success."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deixis.llms import registry, structured
from deixis.llms.answers.reading import Text
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt

from .protocols import ANSWERS
from .wire import reply, serving

pytestmark = [pytest.mark.slow, pytest.mark.extra]

GOOD = json.dumps(ANSWERS["openai"]).encode()


def of_choices(*choices: object) -> bytes:
    return reply(json.dumps({**ANSWERS["openai"], "choices": choices}).encode())


ODD = {
    "key": reply(b'{"error": {"message": "Incorrect API key"}}', status="401 Unauthorized"),
    "full": reply(b'{"error": {"message": "slow down"}}', "Retry-After: 99", status="429 No"),
    "broken": reply(b"<html>oh</html>", status="500 Internal Server Error"),
    "page": reply(b"<html>Welcome</html>"),
    "error": reply(b'{"error": {"message": "overloaded", "code": 503}}'),
    "nothing": of_choices(),
    "refusal": of_choices(
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": None, "refusal": "I will not."},
        }
    ),
    "filtered": of_choices(
        {
            "index": 0,
            "finish_reason": "content_filter",
            "message": {"role": "assistant", "content": "bl"},
        }
    ),
    "cut": of_choices(
        {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "bl"}}
    ),
    "short": reply(GOOD)[:-20],
    "hung up": b"",
    "elsewhere": reply(b"", "Location: http://127.0.0.1:9/v1", status="307 Moved"),
    "no role": of_choices({"index": 0, "finish_reason": "stop", "message": {"content": "blue"}}),
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_PAUSES", ())


def asked(spec: str, question: str = "What colour is the sky?") -> Reply[Text]:
    prompt = Prompt("Be brief.", question, "colour", 1)
    return ask(registry.load(spec), prompt, Text, max_tokens=50)


def told(got: Reply[Text]) -> object:
    calls = [call._replace(seconds=0.0) for call in got.calls]
    return got._replace(calls=tuple(calls))


def test_what_is_sent_past_the_sdk_is_what_the_sdk_sends() -> None:
    with serving(lambda connection: connection.sendall(reply(GOOD))) as wire:
        spec = wire.spec("openai", "&temperature=0&limit_name=max_tokens")
        first, second = asked(spec, "Wie heißt das?"), asked(spec, "Wie heißt das?")
    assert told(first) == told(second) and first.status == "ok"
    (head, _, body), (head_after, _, body_after) = (
        heard.partition("\r\n\r\n") for heard in wire.heard
    )
    assert head == head_after and json.loads(body) == json.loads(body_after)


def test_the_second_question_does_not_pass_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    from openai.resources.chat import completions

    passed: list[int] = []
    create = completions.Completions.create

    def counted(*args: object, **options: object) -> object:
        passed.append(1)
        return create(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(completions.Completions, "create", counted)
    with serving(lambda connection: connection.sendall(reply(GOOD))) as wire:
        for _ in range(3):
            assert asked(wire.spec("openai")).status == "ok"
    assert len(wire.heard) == 3 and len(passed) == 1


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_plain_success_is_told_as_the_sdk_tells_it(odd: str) -> None:
    sent = [reply(GOOD)]
    with serving(lambda connection: connection.sendall(sent[-1])) as wire:
        known, new = wire.spec("openai", "&timeout=20"), wire.spec("openai", "&timeout=21")
        assert asked(known).status == "ok"
        sent.append(ODD[odd])
        after = asked(known)
        heard = len(wire.heard) - 1
        assert told(after) == told(asked(new))
        assert heard == len(after.calls) == len(wire.heard) - 1 - heard
        sent.append(reply(GOOD))
        assert asked(known).status == "ok"


def keeping(count: list[int], ended: threading.Event) -> ThreadingHTTPServer:
    """Return a server that keeps connections open, and counts them."""

    class Keeping(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            count.append(1)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (GOOD[:30], GOOD[30:], b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if len(count) == 2:  # the second one is ended when it is idle
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                ended.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Keeping)


def test_a_connection_is_kept_and_one_that_the_server_has_ended_is_made_anew() -> None:
    count: list[int] = []
    ended = threading.Event()
    server = keeping(count, ended)
    serving_thread = threading.Thread(target=server.serve_forever)
    serving_thread.start()
    spec = f"openai:some-model?base_url=http://127.0.0.1:{server.server_port}/v1"
    try:
        assert [asked(spec).status for _ in range(4)] == ["ok"] * 4
        assert len(count) == 1
        with_another = spec + "&timeout=9"  # a client, and so a connection, of its own
        assert asked(with_another).status == "ok" and ended.wait(10)
        assert [asked(with_another).status for _ in range(2)] == ["ok"] * 2
        assert len(count) == 3
    finally:
        server.shutdown()
        server.server_close()
        serving_thread.join()

"""A server on 127.0.0.1 that speaks OpenAI's protocol for writing speech down."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode

from deixis.testing.loopback import Request, Response, Server, serving
from deixis.testing.openai_protocol import fault


class Transcribed(NamedTuple):
    """What the server was asked: the fields of the form, the sound, and the headers."""

    fields: dict[str, str]
    sound: bytes
    headers: dict[str, str]


class TranscriptionProtocol:
    """Where the server is, and what it was asked."""

    def __init__(self, server: Server, asked: list[Transcribed]) -> None:
        self.base_url = f"{server.url}/v1"
        self.asked = asked

    def spec(self, model: str = "whisper-1", **options: Any) -> str:
        """Return the spec of a transcriber behind this server, for a role of a stack."""
        given = {"base_url": self.base_url, **options}
        return f"transcription-server:{model}?{urlencode(given, safe='/:')}"


@contextmanager
def transcription_server(*answers: Any) -> Iterator[TranscriptionProtocol]:
    """Serve ``/v1/audio/transcriptions`` on a free port within a block.

    Args:
        answers: in the order in which requests come, the last of them to all further ones: the
            JSON of an answer, such as `transcription` makes, or a `Response` (see `fault`).
    """
    asked: list[Transcribed] = []
    numbers = count()

    def answer(request: Request) -> Response:
        if request.path != "/v1/audio/transcriptions" or request.method != "POST":
            return fault(404, f"there is no {request.method} {request.path}")
        fields, sound = _form(request)
        if "model" not in fields or not sound.startswith(b"RIFF"):
            return fault(400, "the form needs a model and a file of sound")
        asked.append(Transcribed(fields, sound, request.headers))
        given = answers[min(next(numbers), len(answers) - 1)]
        return given if isinstance(given, Response) else Response(200, given)

    with serving(answer) as server:
        yield TranscriptionProtocol(server, asked)


def transcription(*words: tuple[str, float, float], language: str = "english") -> dict[str, Any]:
    """Return an answer with the times of words, as OpenAI's ``verbose_json`` has it."""
    return {
        "task": "transcribe",
        "language": language,
        "duration": max((end for _, _, end in words), default=0.0),
        "text": " ".join(word for word, _, _ in words),
        "words": [{"word": word, "start": start, "end": end} for word, start, end in words],
    }


def _form(request: Request) -> tuple[dict[str, str], bytes]:
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + request.content)
    fields, sound = {}, b""
    parts: list[Message] = form.get_payload() if form.is_multipart() else []  # type: ignore[assignment]
    for part in parts:
        name = str(part.get_param("name", "", "content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            sound = content
        else:
            fields[name] = content.decode()
    return fields, sound

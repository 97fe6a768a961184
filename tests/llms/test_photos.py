"""Pictures in requests: encoded once, sent as each provider takes them, part of the key."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel, ConfigDict

from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.photos import Photo, photo
from deixis.llms.structured import ask
from deixis.prompts import Prompt
from deixis.settings import Options
from deixis.testing import Response

from .servers.protocols import Protocol

PROMPT = Prompt("Look.", "What is in image 2?", "look", 1)
GOOD = '{"seen": "a cat"}'


class Seen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seen: str


def openai_parts(body: dict[str, Any]) -> list[Any]:
    parts = body["messages"][1]["content"]
    head = "data:image/jpeg;base64,"
    return [
        part["text"] if part["type"] == "text" else part["image_url"]["url"].removeprefix(head)
        for part in parts
    ]


def google_parts(body: dict[str, Any]) -> list[Any]:
    parts = body["contents"][0]["parts"]
    # Google reads a field by either spelling, and base64 in either alphabet.
    found = []
    for part in parts:
        inline = part.get("inlineData")
        if inline:
            assert inline.get("mimeType", inline.get("mime_type")) == "image/jpeg"
            found.append(inline["data"].replace("-", "+").replace("_", "/"))
        else:
            found.append(part["text"])
    return found


def anthropic_parts(body: dict[str, Any]) -> list[Any]:
    parts = body["messages"][0]["content"]
    assert {part["source"]["media_type"] for part in parts if part["type"] == "image"} == {
        "image/jpeg"
    }
    return [part["text"] if part["type"] == "text" else part["source"]["data"] for part in parts]


def ollama_parts(body: dict[str, Any]) -> list[Any]:
    message = body["messages"][1]
    texts = [line for line in message["content"].splitlines() if line]
    first, second = message["images"]
    return [texts[0], first, texts[1], second, *texts[2:]]


PARTS = {
    "openai": openai_parts,
    "google_genai": google_parts,
    "anthropic": anthropic_parts,
    "ollama": ollama_parts,
}


@pytest.fixture
def photos() -> tuple[Photo, Photo]:
    black, white = np.zeros((20, 30, 3), np.uint8), np.full((40, 10, 3), 255, np.uint8)
    return photo(black, 100), photo(white, 100)


@pytest.mark.extra
def test_pictures_are_numbered_and_stand_before_the_question(
    provider: Any, protocol: Protocol, photos: tuple[Photo, Photo]
) -> None:
    provider.replies[:] = [Response(200, protocol.says(GOOD))]
    backend = registry.load(protocol.spec(provider.url))
    got = ask(backend, PROMPT, Seen, max_tokens=50, images=photos)
    assert got.value == Seen(seen="a cat"), got
    (heard,) = provider.requests
    *rest, question = PARTS[protocol.name](heard.body)
    assert question == "What is in image 2?"
    encoded = [base64.b64encode(each.data).decode() for each in photos]
    assert rest == ["Image 1:", encoded[0], "Image 2:", encoded[1]]


@pytest.mark.parametrize(
    ("shape", "longest", "size"),
    [
        ((20, 30, 3), 100, (30, 20)),
        ((300, 400, 3), 100, (100, 75)),
        ((1000, 3, 3), 100, (1, 100)),
        ((64, 64, 3), 64, (64, 64)),
    ],
)
def test_a_photo_is_no_larger_than_asked(
    shape: tuple[int, ...], longest: int, size: tuple[int, int]
) -> None:
    made = photo(np.full(shape, 200, np.uint8), longest)
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.format == "JPEG" and image.size == size == (made.width, made.height)


def test_another_picture_is_another_question(
    scripted: Callable[..., None], tmp_path: Any, photos: tuple[Photo, Photo]
) -> None:
    asked: list[int] = []

    def script(_name: str, messages: list[Any], _options: Any) -> str:
        asked.append(len(messages[1].content))
        return GOOD

    scripted(script)
    asker = Asker(Options(), LlmCache(tmp_path / "cache"))
    for images in ((photos[0],), (photos[1],), photos, (photos[0],), (), photos[::-1]):
        assert asker.ask("scripted:a", PROMPT, Seen, images=images).value is not None
    assert asked == [3, 3, 5, len(PROMPT.user), 5], "the fourth is the first again"
    stored = [json.loads(each.model_dump_json())["images"] for each in asker.cache.entries()]
    assert sorted(map(len, stored)) == [0, 1, 1, 2, 2]


@pytest.mark.extra
def test_a_model_without_eyes_fails_and_says_so(photos: tuple[Photo, Photo]) -> None:
    reply = ask(registry.load("embedded:smollm2-135m"), PROMPT, Seen, max_tokens=50, images=photos)
    assert (reply.status, reply.value) == ("failed", None)
    assert "image" in reply.detail

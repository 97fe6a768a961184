"""A GGUF model with eyes: the embedded one, and a tiny projector with random weights."""

from pathlib import Path

import numpy as np
import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from deixis.errors import ModelFileError, SettingsError
from deixis.llms import registry
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.llms.photos import Photo, photo
from deixis.llms.structured import ask
from deixis.prompts import Prompt

from .gguf_file import PATCH, SIDE, write_projector

pytestmark = [pytest.mark.slow, pytest.mark.extra("starter")]

WEIGHTS = EMBEDDED["smollm2-135m"]
PICTURE_TOKENS = (SIDE // PATCH) ** 2
PROMPT = Prompt("You are brief.", "What is to be seen here?", "eyes", 1)


class Seen(BaseModel):
    what: str


@pytest.fixture
def eyes(projector: Path) -> str:
    return f"embedded:smollm2-135m?mmproj={projector}"


def plain(red: int, green: int, blue: int) -> Photo:
    return photo(np.full((48, 64, 3), (red, green, blue), np.uint8), 64)


def test_a_picture_is_looked_at(eyes: str) -> None:
    backend = registry.load(eyes)
    (unseen,) = ask(backend, PROMPT, Seen, max_tokens=30).calls
    (red,) = ask(backend, PROMPT, Seen, max_tokens=30, images=[plain(250, 0, 0)]).calls
    (blue,) = ask(backend, PROMPT, Seen, max_tokens=30, images=[plain(0, 0, 250)]).calls
    assert red.input_tokens == blue.input_tokens >= unseen.input_tokens + PICTURE_TOKENS
    assert len({unseen.text, red.text, blue.text}) == 3, "what is seen changes what is said"


def test_a_mark_in_a_text_is_no_picture(eyes: str) -> None:
    model = registry.load(eyes).model
    for text in ("a <__media__> b", "<image>"):
        assert model.invoke([HumanMessage(text)], max_tokens=2).text


def test_a_projector_gives_eyes(eyes: str) -> None:
    assert registry.sees(eyes) and not registry.sees("embedded:smollm2-135m")
    assert registry.sees("gguf:/m.gguf?mmproj=/eyes.gguf") and not registry.sees("gguf:/m.gguf")
    assert registry.provider_of(eyes).files(eyes) == [WEIGHTS, eyes.partition("mmproj=")[2]]
    whole = "gguf:/m.gguf?mmproj=hub:owner/repo"
    with pytest.raises(ModelFileError, match="hub:owner/repo is a whole repository"):
        registry.provider_of(whole).files(whole)


@pytest.mark.parametrize("wrong", ["text", "other"])
def test_a_file_that_is_no_projector_of_the_model_is_told(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "wrong.gguf"
    if wrong == "text":
        path.write_text("no projector")
    else:
        write_projector(path, 288)
    model = registry.load(f"embedded:smollm2-135m?mmproj={path}").model
    with pytest.raises(ModelFileError, match=r"with the mmproj .*wrong\.gguf, which has to be of"):
        model.invoke("Hi")


def test_a_projector_that_is_not_there_is_told(tmp_path: Path) -> None:
    model = registry.load(f"embedded:smollm2-135m?mmproj={tmp_path}/none.gguf").model
    with pytest.raises(ModelFileError, match=r"none\.gguf"):
        model.invoke("Hi")
    with pytest.raises(SettingsError, match=r"no option 'mmprojector' \(did you mean 'mmproj'"):
        registry.load("embedded:smollm2-135m?mmprojector=x")

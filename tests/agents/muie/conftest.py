"""Samples of every combination of media, opened, and a toolbox of the graph muie."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.agents.context.several import after
from deixis.agents.context.state import OVERWRITE
from deixis.agents.context.system import System
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.extract import extract
from deixis.agents.muie.options import MuieOptions
from deixis.agents.muie.point import point
from deixis.agents.open import open_sample
from deixis.agents.structure import structure
from deixis.schema import Extraction
from deixis.settings import Settings
from deixis.testing import Question, scripted

MUIE = System(
    name="test",
    about="what is tested here",
    needs=("vlm",),
    uses=("detector",),
    wire=lambda _wiring, _options: None,
    options=MuieOptions,
    takes=("images", "audio", "video", "task"),
)


def _toolbox(
    schema: str = "ace", model: str = "scripted:any", detector: str | None = None, **own: Any
) -> Toolbox:
    settings = {
        "name": "test",
        "graph": "test",
        "schema": schema,
        "roles": {"vlm": model, "detector": detector},
        "options": {"cache": "off"},
        "graph_options": own,
    }
    return Toolbox(Settings.model_validate(settings), MUIE)


@pytest.fixture
def asked(run: Any) -> Callable[..., tuple[Any, list[Question]]]:
    """Run an agent on a sample with a model that says what it is told; return what it found.

    ``asked(extract, reply, setup={"style": "paper", "schema": "ace"}, text="Ann", said="ann sings",
    watched=(0.0,))``: ``said`` are words that were heard, one every half second; ``spoken`` says
    that they are the text's; ``watched`` are the times of frames that questions show; ``more`` is
    put into the state.
    """

    def go(
        agent: Any,
        *replies: Any,
        setup: dict[str, Any] | None = None,
        prompts: Any = None,
        sees: bool = True,
        more: dict[str, Any] | None = None,
        **given: Any,
    ) -> tuple[Any, list[Question]]:
        with scripted(*replies, prompts=prompts, sees=sees) as questions:
            toolbox = _toolbox(**(setup or {}))
            state = _sample(toolbox, **given)
            return run(agent, {**state, **(more or {})}, toolbox), questions

    return go


@pytest.fixture
def picture() -> Callable[..., Any]:
    """Make a PNG file of one colour: ``picture(3, width=90, height=60)``."""

    def make(colour: int = 9, width: int = 90, height: int = 60) -> bytes:
        data = io.BytesIO()
        Image.fromarray(np.full((height, width, 3), colour, np.uint8)).save(data, "PNG")
        return data.getvalue()

    return make


@pytest.fixture
def extraction() -> Callable[..., tuple[Extraction, list[Question]]]:
    """Run `extract`, `point` and `structure` on a sample as `asked` has it."""

    def go(
        reply: Any, setup: dict[str, Any] | None = None, **given: Any
    ) -> tuple[Extraction, list[Question]]:
        with scripted(reply) as questions:
            toolbox = _toolbox(**(setup or {}))
            state: Any = _sample(toolbox, **given)
            for agent in (extract, point):
                state = after(state, agent(state, toolbox))
            return Extraction.model_validate(structure(state, toolbox)), questions

    return go


def _sample(
    toolbox: Toolbox,
    said: str | None = None,
    spoken: bool = False,
    watched: tuple[float, ...] = (),
    **given: Any,
) -> dict[str, Any]:
    sample: Any = {"task": "ner", **given}
    update = open_sample(sample, toolbox)
    state = {
        channel: value[OVERWRITE] if isinstance(value, dict) and OVERWRITE in value else value
        for channel, value in update.items()
    }
    if said is not None:
        words = [[word, n / 2, n / 2 + 0.4, 0.9] for n, word in enumerate(said.split())]
        state["heard"] = {"words": words, "source": "test", "language": "en", "spoken": spoken}
    frames = [{"index": n, "time": time} for n, time in enumerate(watched)]
    return {**sample, **state, "watched": frames}

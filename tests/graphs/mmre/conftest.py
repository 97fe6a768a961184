"""What the tests of M-MRE share: a scripted model that keeps what it was asked, and a run."""

import base64
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Extraction, Settings, build_graph

TEXT = "Grace Hopper of the US Navy taught at Harvard University"
ANSWER = (
    "Task 1 Answer: An officer before a flag.\n"
    "Task 2 Answer: NER: :PER; Grace Hopper:ORG; US Navy:ORG; Harvard University\n"
    "image-entity pair: {'a': 'Grace Hopper', 'b': 'US Navy', 'c': 'Grace Hopper'}"
)
PATCHES = [[10, 10, 60, 90], [70, 20.5, 99.5, 40], [0, 0, 5, 5], [20, 60, 90, 80]]


class Model:
    """Says what it is told to say, and keeps what it was asked.

    ``answer`` is one in which all is right for ``text`` and ``patches``.
    """

    text, answer, patches = TEXT, ANSWER, PATCHES

    def __init__(self) -> None:
        self.said: Any = ANSWER
        self.asked: list[Any] = []

    def __call__(self, _name: str, messages: Any, _options: Any) -> Any:
        self.asked.append(messages)
        return self.said

    def sizes(self) -> list[tuple[int, int]]:
        """Return width and height of the pictures of the last question."""
        blocks = [each for each in self.asked[-1][1].content if isinstance(each, dict)]
        return [_size(each) for each in blocks if each["type"] == "image"]

    def prompt(self) -> str:
        """Return the last question as one reads it: a picture is its width and height."""
        system, question = self.asked[-1]
        parts = [{"type": "text", "text": question.content}]
        parts = question.content if isinstance(question.content, list) else parts
        shown = [
            each["text"] if each["type"] == "text" else "[{} x {}]".format(*_size(each))
            for each in parts
        ]
        return f"# System\n{system.content}\n# User\n" + "\n".join(shown) + "\n"


def _size(block: dict[str, Any]) -> tuple[int, int]:
    return Image.open(BytesIO(base64.b64decode(block["base64"]))).size


@pytest.fixture
def model(scripted: Any) -> Model:
    made = Model()
    scripted(made)
    return made


@pytest.fixture
def stack() -> Callable[..., Settings]:
    """Settings for the graph: ``stack(schema, roles, **options of the graph)``."""

    def make(schema: str = "gmner", roles: Any = None, **graph_options: Any) -> Settings:
        return Settings.model_validate(
            {
                "name": "test",
                "schema": schema,
                "graph": "mmre",
                "graph_options": graph_options,
                "roles": {"vlm": "scripted:vlm", **(roles or {})},
                "options": {"cache": "off"},
            }
        )

    return make


@pytest.fixture
def picture() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    return Image.fromarray(noise)


@pytest.fixture
def run(model: Model, picture: Image.Image, stack: Callable[..., Settings]) -> Any:
    """Run the graph: ``run(answer, patches=..., image=..., text=..., **options of the graph)``."""

    def ask(
        answer: Any = ANSWER,
        *,
        patches: Any = PATCHES,
        image: Any = picture,
        text: str = TEXT,
        schema: str = "gmner",
        roles: Any = None,
        **options: Any,
    ) -> Extraction:
        model.said = answer
        graph = build_graph(stack(schema, roles, **options))
        given = {"image": image, "text": text}
        out = graph.invoke({**given, "patches": patches} if patches is not None else given)
        assert json.loads(json.dumps(out, allow_nan=False)) == out
        return Extraction.model_validate(out)

    return ask

"""What the tests of E2E-GMNER's graph share: a model that says what a test wants."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deixis import Extraction, Settings, build_graph

TEXT = "Grace Hopper of the US Navy at Harvard"
QWEN = "scripted:Qwen2.5-VL-7B-Instruct"
BLANK = np.zeros((280, 560, 3), np.uint8)  # multiples of 28: Qwen2.5-VL does not resize it


@pytest.fixture
def settings() -> Callable[..., Settings]:
    """Make settings: ``settings(model, schema="gmner", graph_options=None, **options)``."""

    def make(
        model: str = QWEN,
        schema: str = "gmner",
        graph_options: Any = None,
        segmenter: str | None = None,
        **more: Any,
    ) -> Settings:
        return Settings.model_validate(
            {
                "name": "test",
                "schema": schema,
                "graph": "e2e",
                "graph_options": graph_options or {},
                "roles": {"vlm": model, "segmenter": segmenter},
                "options": {"cache": "off", **more},
            }
        )

    return make


@pytest.fixture
def run(scripted: Any, settings: Callable[..., Settings]) -> Callable[..., Extraction]:
    """Run the graph: ``run(*answers, model=..., text=..., image=..., **options)``.

    The answers are given one after the other, the last of them to all further questions. Which
    of several passes gets which is a matter of chance.
    """

    def extract(
        *answers: Any, model: str = QWEN, text: str = TEXT, image: Any = BLANK, **more: Any
    ) -> Extraction:
        left = list(answers)
        scripted(lambda *_: left.pop(0) if len(left) > 1 else left[0])
        out = build_graph(settings(model, **more)).invoke({"text": text, "image": image})
        return Extraction.model_validate(out)

    return extract


@pytest.fixture
def plain() -> Callable[[Extraction], list[tuple[Any, ...]]]:
    """What was found: text, type, groundable, boxes."""
    return lambda extraction: [
        (each.text, each.type, each.groundable, [region.box for region in each.regions])
        for each in extraction.entities
    ]


@pytest.fixture
def said() -> Callable[[Extraction], str]:
    """The warnings as one text."""
    return lambda extraction: "\n".join(each.message for each in extraction.warnings)

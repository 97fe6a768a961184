"""RiVEG with models that say what a test wants, and tools that tell what they were asked."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from deixis import Extraction, Settings, build_graph
from deixis.errors import ToolError
from deixis.testing import tools
from deixis.tools.base import Detection

TEXT = "Grace Hopper of the US Navy"
BEGINNINGS = {
    "You find the named entities in posts": "explain",
    "You find named entities in": "recognize",
    "You say what the names": "expand",
    "You are shown a picture, the premise": "entail",
    "You point at things": "ground",
}
ENTITIES = [("Grace Hopper", "PER"), ("US Navy", "ORG")]


class Asked(NamedTuple):
    """One question, and to whom."""

    step: str
    model: str
    system: str
    user: str


class Eyes:
    """A detector of any phrase: finds what has "woman" or "person" in it, twice."""

    name = "eyes"
    labels = None

    def __init__(self) -> None:
        self.phrases: list[str] = []
        self.fails = False

    def detect(self, picture: Any, phrases: list[str]) -> list[Detection]:
        self.phrases.extend(phrases)
        if self.fails and "person" not in phrases:
            raise ToolError("eyes: out of memory")
        found = [each for each in phrases if "woman" in each or each == "person"]
        return [
            Detection(each, box, score)
            for score, box in ((0.9, (10.0, 20.0, 200.0, 300.0)), (0.4, (0.0, 0.0, 50.0, 60.0)))
            for each in found
        ]


class Fits:
    """An image-text model: what has "woman" in it fits."""

    name = "fits"

    def __init__(self) -> None:
        self.hypotheses: list[str] = []
        self.fails = False

    def entail(self, picture: Any, expressions: list[str]) -> list[float]:
        if self.fails:
            raise ToolError("fits: out of memory")
        self.hypotheses.extend(expressions)
        return [0.8 if "woman" in each else 0.1 for each in expressions]


def settings(
    graph_options: Any = None, schema: str = "gmner", roles: Any = None, **options: Any
) -> Settings:
    """Settings of the graph, all of whose models are scripted."""
    played = {
        "recognizer": "scripted:reader",
        "expander": "scripted:writer",
        "entailer": "scripted:judge",
        "vlm": "scripted:gemini-2.5-flash",
        **(roles or {}),
    }
    return Settings.model_validate(
        {
            "name": "test",
            "schema": schema,
            "graph": "riveg",
            "graph_options": graph_options or {},
            "roles": played,
            "options": {"cache": "off", **options},
        }
    )


class World:
    """What the models answer, and what they were asked.

    ``answers`` maps a step to an answer, or to a function of the model's name and the question;
    the others are sensible.
    """

    def __init__(self, scripted: Any) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, Any] = {}
        self.eyes, self.fits = Eyes(), Fits()
        self.settings, self.recognized = settings, recognized
        scripted(self.say)

    def run(self, image: Any, text: str = TEXT, **more: Any) -> Extraction:
        out = build_graph(settings(**more)).invoke({"image": image, "text": text})
        return Extraction.model_validate(json.loads(json.dumps(out)))

    def steps(self) -> list[str]:
        return [each.step for each in self.asked]

    def snapshot(self) -> str:
        return "\n".join(
            f"=== {each.step}, {each.model}\n# System\n{each.system}\n# User\n{each.user}\n"
            for each in sorted(self.asked, key=lambda one: (*self._order(one), one.user))
        )

    def _order(self, one: Asked) -> tuple[int, str]:
        return list(BEGINNINGS.values()).index(one.step), one.model

    def say(self, name: str, messages: list[Any], options: dict[str, Any]) -> Any:
        system, user = messages[0].text, messages[1].text
        step = next(step for begin, step in BEGINNINGS.items() if system.startswith(begin))
        self.asked.append(Asked(step, name, system, user))
        answer = self.answers.get(step)
        if callable(answer):
            answer = answer(name, user)
        if answer is not None:
            return answer
        schema = options["json_schema"]
        fields = list(schema["properties"]) if schema else []
        return {
            "explain": lambda: "Named entities: 1. Grace Hopper (person) 2. US Navy (organization)",
            "recognize": lambda: recognized(*ENTITIES),
            "expand": lambda: "A woman in a uniform" if "is Grace" in user else "An armed force",
            "entail": lambda: json.dumps(
                {each: "entailment" if each == "e1" else "contradiction" for each in fields}
            ),
            "ground": lambda: json.dumps({each: [100, 200, 900, 800] for each in fields}),
        }[step]()


def recognized(*entities: tuple[str, str]) -> str:
    """Return what a recognizer answers."""
    items = [{"text": text, "type": kind, "confidence": 0.9} for text, kind in entities]
    return json.dumps({"entities": items})


@pytest.fixture
def world(scripted: Any) -> Iterator[World]:
    world = World(scripted)
    with tools(eyes=world.eyes, fits=world.fits):
        yield world


@pytest.fixture
def said() -> Callable[[Extraction], str]:
    """All warnings of a result."""
    return lambda found: "\n".join(each.message for each in found.warnings)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of three annotated examples, made by `hashed`."""
    from deixis.agents.context.toolbox import Toolbox
    from deixis.agents.riveg.index import build, read_annotated

    rows = [
        {"id": "a1", "text": "Grace Hopper speaks", "annotation": "Grace Hopper (person): ..."},
        {"id": "a2", "text": "Nothing to see here", "annotation": "No entities: ..."},
        {"id": "a3", "text": TEXT, "annotation": "The same: US Navy (organization)"},
    ]
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    toolbox = Toolbox(settings(roles={"embedder": "hashed"}))
    assert build(read_annotated(source), tmp_path, tmp_path / "index", toolbox) == []
    return tmp_path / "index"


@pytest.fixture
def blank() -> Any:
    """A picture of 400 x 300 pixels."""
    return np.full((300, 400, 3), 90, np.uint8)

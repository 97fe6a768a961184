"""What the tests of VKEL share: scripted models for every role, and a run of the graph."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deixis import Extraction, Settings, build_graph

PICTURE = np.full((500, 1000, 3), 90, np.uint8)
TEXT = "Kevin Love and J. R. Smith celebrate"
SKETCH = "Kevin Love is a(an) person; J. R. Smith is a(an) person."
# The answer of Fig. 3, as section III-D.4 has it.
ANSWER = (
    "Kevin Love is a(an) person and a(an) athlete, whose bounding boxes are "
    "(0.448, 0.02, 0.913, 1.0); J. R. Smith is a(an) person and a(an) athlete, "
    "whose bounding boxes are (0.107, 0.268, 0.51, 1.0)"
)
SHAPES = {"m1": "oval", "m2": "oval", "m3": "long"}
SEEN = {"hull": "colour of the hull", "masts": "how many masts", "flag": "which flag it flies"}
Run = Callable[..., tuple[Extraction, "Models"]]


class Models:
    """All models of the graph, with what each was asked."""

    def __init__(self, **said: Any) -> None:
        self.said = {"sketch": SKETCH, "ground": ANSWER, "summarize": "Tall, with a beard.", **said}
        self.asked: list[tuple[str, str, str, Any]] = []

    def __call__(self, name: str, messages: list[Any], options: dict[str, Any]) -> Any:
        schema = options["json_schema"]
        prompt = messages[0].text
        if name == "voter":
            step = "vote" if schema else "summarize"
        elif name in {"m1", "m2", "m3"}:
            step = "consult"
        elif name == "templater":
            step = "template"
        else:
            step = "ground" if "whose bounding boxes are" in prompt else "sketch"
        self.asked.append((step, name, messages[-1].text, messages))
        said = self.said.get(f"{step} {name}", self.said.get(step))
        if said is not None:
            return said
        if step == "template":
            return json.dumps({"attributes": [{"name": n, "ask": a} for n, a in SEEN.items()]})
        return json.dumps(self.filled(schema, schema, name))

    def filled(self, node: dict[str, Any], schema: dict[str, Any], name: str, key: str = "") -> Any:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        if node.get("type") == "object":
            return {k: self.filled(v, schema, name, k) for k, v in node["properties"].items()}
        values = [str(each) for each in node.get("enum", [node.get("const", "a team jersey")])]
        wanted = SHAPES.get(name, "oval") if key == "facial_contour" else "athlete"
        return wanted if wanted in values else values[0]

    def steps(self) -> list[str]:
        return [step for step, *_ in self.asked]


@pytest.fixture
def settings() -> Callable[..., Settings]:
    """Return settings for the graph: ``settings(calls="paper", schema="fmnerg", ...)``."""

    def build(calls: str = "paper", schema: str = "fmnerg", **more: Any) -> Settings:
        named = ("vlm", "committee", "detector", "segmenter")
        asking = more.pop("asking", "all")
        own = {role: more.pop(role) for role in named if role in more}
        roles = {role: f"scripted:{role}" for role in ("vlm", "voter", "templater")}
        committee = [f"scripted:{member}" for member in SHAPES]
        return Settings.model_validate(
            {
                "name": "test",
                "schema": schema,
                "graph": "vkel",
                "graph_options": {"calls": calls},
                "roles": {"committee": committee, **roles, **own},
                "options": {"cache": "off", "committee": asking, **more},
            }
        )

    return build


@pytest.fixture
def models() -> type[Models]:
    """The scripted models, for a test that builds the graph itself."""
    return Models


@pytest.fixture
def run(settings: Any, scripted: Any) -> Run:
    """Run the graph: ``run(sketch=..., ground=..., text=..., image=..., calls=...)``."""

    def extract(
        text: str = TEXT, image: Any = PICTURE, said: Any = None, sees: bool = True, **more: Any
    ) -> tuple[Extraction, Models]:
        steps = ("sketch", "ground", "vote", "summarize", "consult")
        given = {step: more.pop(step) for step in steps if step in more}
        models = Models(**{**given, **(said or {})})
        scripted(models, sees=sees)
        out = build_graph(settings(**more)).invoke({"text": text, "image": image})
        return Extraction.model_validate(out), models

    return extract

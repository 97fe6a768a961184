"""Agents without a graph: a toolbox of scripted models, and a check of every update."""

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deixis.agents.context import pictures
from deixis.agents.context.state import OVERWRITE, State
from deixis.agents.context.toolbox import Toolbox
from deixis.prompts import knowledge_templates
from deixis.settings import Settings


@pytest.fixture
def toolbox_of(scripted: Any) -> Callable[..., Toolbox]:
    """Build a toolbox: ``toolbox_of(script, members=3, schema="gmner", recognizer="crf", ...)``.

    Its models are ``scripted:m1``, ``scripted:m2``, ... (the committee), ``scripted:voter``,
    ``scripted:expander`` and ``scripted:templater``; it has no tools unless named.
    """

    def build(
        script: Any = None, *, members: int = 3, schema: str = "gmner", **more: Any
    ) -> Toolbox:
        def silent(name: str, *_: Any) -> str:
            raise AssertionError(f"{name} was asked, though nothing was to be asked")

        scripted(script or silent)
        roles = {role: f"scripted:{role}" for role in ("voter", "expander", "templater")}
        roles["recognizer"] = more.pop("recognizer", "crf")
        tools = {
            key: more.pop(key)
            for key in ("corrector", "entailer", "second_entailer", "detector", "reader")
            if key in more
        }
        committee = [f"scripted:m{number + 1}" for number in range(members)]
        return Toolbox(
            Settings.model_validate(
                {
                    "name": "test",
                    "schema": schema,
                    "roles": {**roles, **tools, "committee": committee},
                    "options": {"cache": "off", **more},
                }
            )
        )

    return build


@pytest.fixture
def run() -> Callable[..., dict[str, Any]]:
    """Run an agent: its input stays as it was, its update is plain data on known channels."""

    def check(agent: Any, state: dict[str, Any], toolbox: Toolbox) -> dict[str, Any]:
        before = copy.deepcopy(state)
        update: dict[str, Any] = agent(state, toolbox)
        assert state == before
        assert set(update) <= set(State.__annotations__)
        assert json.loads(json.dumps(update, allow_nan=False)) == update
        return {
            key: each[OVERWRITE] if isinstance(each, dict) and OVERWRITE in each else each
            for key, each in update.items()
        }

    return check


@pytest.fixture
def mention() -> Callable[..., dict[str, Any]]:
    """Make the record of a mention that begins at `start`."""

    def make(text: str, start: int = 0, type: str = "PER", prior: float | None = 0.5) -> Any:
        end = start + len(text)
        return {
            "text": text,
            "start": start,
            "end": end,
            "type": type,
            "confidence": 0.9,
            "prior": prior,
            "fine_type": None,
        }

    return make


@pytest.fixture
def templates() -> Callable[..., dict[str, Any]]:
    """Return the templates that come with Deixis as they stand in the state."""

    def read(*names: str) -> dict[str, Any]:
        found = {name: knowledge_templates.find(name, None) for name in names}
        return {name: each.model_dump(mode="json") for name, each in found.items() if each}

    return read


@pytest.fixture
def opened() -> Callable[[int, int], dict[str, Any]]:
    """Take in a grey picture of so many pixels across and down; return its record."""

    def take_in(width: int, height: int) -> dict[str, Any]:
        picture = pictures.take_in(np.full((height, width, 3), 9, np.uint8), 1_000_000)
        return {"width": width, "height": height, "source": "array", "sha256": picture.sha256}

    return take_in


@pytest.fixture
def described(opened: Any, mention: Any, templates: Any) -> dict[str, Any]:
    """The state of a post whose two entities are described, before anything is looked for."""
    return {
        "text": "Ann met NASA",
        "picture": opened(400, 300),
        "mentions": {"e1": mention("Ann"), "e2": mention("NASA", 8, "ORG")},
        "templates": templates("person", "organization"),
        "expressions": {
            "e1": "Ann (PER) \N{EN DASH} a tall woman",
            "e2": "NASA (ORG) \N{EN DASH} a blue logo",
        },
        "observation": {"caption": None, "objects": [], "words": [], "looking": {}},
    }

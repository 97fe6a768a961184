"""Results to review, of three posts and a picture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Data = dict[str, Any]
TEXTS = ("Grace Hopper of the US Navy", "Eileen Collins of NASA", "Chelsea the cat")


def entity(id_: str, text: str, start: int, type_: str, **more: Any) -> Data:
    own = {"id": id_, "text": text, "start": start, "end": start + len(text), "type": type_}
    return {**own, "confidence": 0.9, "groundable": False, "regions": [], **more}


def region(*box: float) -> Data:
    return {"box": list(box), "score": 0.8, "source": "nanodet"}


def result(id_: str, text: str, entities: list[Data], **more: Any) -> Data:
    info = {"sha256": "ab" * 32, "width": 64, "height": 48, "source": "one.png"}
    own = {"id": id_, "text": text, "image": info, "entities": entities, "settings": "s1"}
    return {**own, "replies": [], "usage": [], "warnings": [], "types": ["PER", "ORG"], **more}


def results() -> list[Data]:
    grace, eileen, chelsea = TEXTS
    shown = {"groundable": True, "regions": [region(4, 4, 30, 40)]}
    doubt = {"step": "entail", "subject": "groundable", "outcome": "no", "confidence": 0.55}
    return [
        result(
            "r1",
            grace,
            [entity("e1", "Grace Hopper", 0, "PER", **shown), entity("e2", "US Navy", 20, "ORG")],
        ),
        result(
            "r2",
            eileen,
            [
                entity("e1", "Eileen Collins", 0, "PER", decisions=[doubt]),
                entity("e2", "NASA", 18, "PER"),
            ],
        ),
        result("r3", chelsea, [entity("e1", "Chelsea", 0, "ORG", confidence=0.7)]),
    ]


def write(path: Path, rows: list[Data]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def gold_of(path: Path) -> list[Data]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def retyped(row: Data, place: int, type_: str) -> Data:
    """Return the extraction of a row with another type."""
    fields = {name: value for name, value in row.items() if name not in ("id", "settings")}
    entities = [dict(each) for each in row["entities"]]
    entities[place]["type"] = type_
    return {**fields, "entities": entities}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 48), (200, 120, 40)).save(tmp_path / "one.png")
    return write(tmp_path / "results.jsonl", results())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command; returns what it prints. It ends with 0, or the test fails."""

    def run(*words: Any) -> str:
        from deixis.apps.cli import app

        capsys.readouterr()
        app([str(word) for word in words], standalone_mode=False)
        return capsys.readouterr().out

    return run

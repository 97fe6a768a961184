"""TopN-Prec of a detector, by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, SettingsError
from deixis.evaluation.topn import detector_of, top_hits
from deixis.settings import Settings
from deixis.testing.stand_ins import Given, tools
from deixis.tools.base import Detection

ONE, TWO, FAR = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 40.0, 40.0), (60.0, 40.0, 70.0, 50.0)


@pytest.fixture
def settings() -> Settings:
    return Settings.load("fast").with_roles({"detector": "given"})


def entity(text: str, *boxes: Any) -> dict[str, Any]:
    return {"text": text, "type": "PER", "regions": [{"box": box} for box in boxes]}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    Image.new("RGB", (80, 60), "red").save(folder / "a.png")
    path = folder / "gold.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def seen(*found: tuple[Any, float]) -> Given:
    return Given([Detection("person", box, score) for box, score in found])


def test_the_surest_boxes_count(settings: Settings, tmp_path: Path) -> None:
    gold = written(
        tmp_path,
        {
            "id": "a",
            "image": "a.png",
            "entities": [entity("Ada", FAR, ONE), entity("Bob", TWO), entity("Rome")],
        },
        {"id": "b", "entities": [entity("Rome")]},
        {"id": "c", "image": "a.png", "entities": [entity("Eve", (0, 0, 20, 10))]},
    )
    told: list[tuple[int, int]] = []
    with tools(given=seen((TWO, 0.3), (ONE, 0.9), ((50.0, 0.0, 60.0, 9.0), 0.5))):
        toolbox = detector_of(settings)
        found = top_hits(toolbox, gold, (1, 2, 3), tell=lambda *at: told.append(at))
        # Eve's box is twice that of ONE, an IoU of exactly 0.5.
        assert found.sheet.plain() == {"top1": 2 / 3, "top2": 2 / 3, "top3": 1.0}
        strict = top_hits(toolbox, gold, (3,), threshold=0.6)
    assert strict.sheet.plain() == {"top3": pytest.approx(2 / 3)}
    assert (found.mentions, found.pictures, found.objects, found.failed) == (3, 2, 6, ())
    assert told == [(1, 2), (2, 2)]
    document = found.document(50, 0)
    assert document == json.loads(json.dumps(document))
    assert document["measures"]["top3"] == {"value": 1.0, "interval": [1.0, 1.0]}


def test_rows_that_cannot_be_used_are_told_and_count(settings: Settings, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": name, "entities": [entity("Ada", ONE)], **more}
        for name, more in (
            ("a", {"image": "a.png"}),
            ("b", {"image": "none.png"}),
            ("c", {}),
            ("d", {"image": "a.png", "size": [10, 10]}),
        )
    ]
    gold = written(tmp_path, *rows)
    with tools(given=seen((ONE, 0.9))):
        found = top_hits(detector_of(settings), gold, (1,))
    assert found.sheet.plain() == {"top1": 1 / 4} and found.pictures == 1
    assert [problem.id for problem in found.failed] == ["b", "c", "d"]
    assert "no picture" in found.failed[1].error
    assert "its picture is 80 x 60" in found.failed[2].error


def test_what_cannot_be_asked(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nobody plays the role 'detector'"):
        detector_of(settings.with_roles({"detector": "none"}))
    unsaid = {"id": "a", "entities": [{"text": "Ada", "type": "PER"}]}
    with tools(given=seen()):
        toolbox = detector_of(settings)
        with pytest.raises(SettingsError, match="from 1"):
            top_hits(toolbox, written(tmp_path), (0,))
        with pytest.raises(SettingsError, match="above 0"):
            top_hits(toolbox, written(tmp_path), (1,), threshold=0)
        with pytest.raises(DataError, match="does not say whether it can be seen"):
            top_hits(toolbox, written(tmp_path, unsaid), (1,))

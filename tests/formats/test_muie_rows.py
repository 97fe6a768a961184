"""Lines of a batch run are read as the rows that they are predictions for."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from deixis.base.extraction_records import Entity
from deixis.base.media_records import AudioInfo, Event, Frame, Relation, Span, VideoInfo
from deixis.base.records import ImageInfo, Region
from deixis.formats.muie_rows import MuieRow
from deixis.rows import parse_row
from deixis.schema import Extraction


def picture(source: str) -> dict[str, Any]:
    return {"sha256": "0" * 64, "width": 20, "height": 10, "source": source}


LINE: dict[str, Any] = {
    "id": "7",
    "task": "ee",
    "dataset": "M2E2",
    "aligned": False,
    "text": "Ann spoke",
    "image": picture("a.jpg"),
    "images": [picture("a.jpg"), picture("b.jpg")],
    "audio": {"sha256": "1", "seconds": 3.0, "rate": 8000, "channels": 1, "source": "a.wav"},
    "video": {"sha256": "2", "seconds": 3.0, "frames": 75, "rate": 25.0, "source": "a.mp4"},
    "entities": [
        {
            "id": "e5",
            "text": "Ann",
            "start": 0,
            "end": 3,
            "type": "entity",
            "confidence": 1.0,
            "groundable": True,
            "regions": [{"box": [0, 0, 5, 5], "score": 1.0, "source": "x", "image": 1}],
            "spans": [{"start": 0.5, "end": 1.0, "score": 0.9, "source": "y"}],
            "track": [
                {"time": 0.2, "index": 5, "region": {"box": [0, 0, 5, 5], "score": 1.0}},
                {"time": 0.4, "index": 10, "region": {"box": [1, 0, 6, 5], "score": 1.0}},
            ],
        },
        {"id": "e2", "text": "a hall", "start": None, "end": None, "type": "entity"},
    ],
    "relations": [{"id": "r1", "subject": "e2", "type": "holds", "object": "e5"}],
    "events": [
        {
            "id": "v1",
            "type": "Speak",
            "trigger": {
                "text": "spoke",
                "start": 4,
                "end": 9,
                "spans": [{"start": 1.0, "end": 1.5, "score": 0.5, "source": "y"}],
            },
            "arguments": [{"role": "Agent", "entity": "e5", "confidence": 0.5}],
        }
    ],
}


def test_a_line_of_a_batch_run_is_a_row() -> None:
    row = parse_row(LINE, MuieRow)
    assert (row.dataset, row.aligned, row.task) == ("M2E2", False, "ee")
    assert (row.image, row.images, row.size) == ("a.jpg", ("a.jpg", "b.jpg"), (20, 10))
    assert (row.audio, row.video) == ("a.wav", "a.mp4")
    ann, hall = row.entities
    assert [region.image for region in ann.regions or ()] == [1]
    assert ann.spans == ((0.5, 1.0),)
    frames = [(frame.frame, [region.box for region in frame.regions]) for frame in ann.track or ()]
    assert frames == [(5, [(0, 0, 5, 5)]), (10, [(1, 0, 6, 5)])]
    assert (hall.start, hall.end, hall.spans, hall.track) == (None, None, None, None)
    assert [(r.subject, r.type, r.object) for r in row.relations] == [(1, "holds", 0)]
    event = row.events[0]
    assert event.trigger is not None and event.trigger.spans == ((1.0, 1.5),)
    assert [(a.role, a.entity) for a in event.arguments] == [("Agent", 0)]


def test_a_row_is_read_as_it_was_written() -> None:
    row = parse_row(LINE, MuieRow)
    written = row.model_dump(mode="json", exclude_none=True)
    assert parse_row(written, MuieRow) == row
    assert written["entities"][0]["regions"][0]["image"] == 1


def test_the_first_picture_goes_without_saying() -> None:
    entity = {"text": "Ann", "type": "x", "regions": [{"box": [0, 0, 5, 5], "image": 0}]}
    row = parse_row({"id": "1", "task": "ner", "entities": [entity]}, MuieRow)
    assert "image" not in row.model_dump()["entities"][0]["regions"][0]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"relations": [{"subject": "e9", "type": "x", "object": "e5"}]}, "relations"),
        ({"relations": [3]}, "relations"),
        ({"events": [{"type": "x", "arguments": [{"role": "x", "entity": "e9"}]}]}, "events"),
        ({"entities": [{"text": "Ann", "type": "x", "spans": [{"start": 1}]}]}, "entities"),
        ({"entities": [{"text": "Ann", "type": "x", "track": [{"index": 1}]}]}, "entities"),
        ({"audio": {"seconds": 3}}, "audio"),
        ({"video": 5}, "video"),
    ],
)
def test_what_is_no_such_line_is_refused_with_its_place(
    changed: dict[str, Any], place: str
) -> None:
    line = {**LINE, "relations": [], "events": [], **changed}
    with pytest.raises(ValidationError) as error:
        parse_row(line, MuieRow)
    assert error.value.errors()[0]["loc"][0] == place


def test_what_extractions_hold_is_read() -> None:
    ann = Entity(
        id="e1",
        text="Ann",
        start=0,
        end=3,
        type="PER",
        confidence=1.0,
        groundable=True,
        regions=[Region(box=(0, 0, 5, 5), score=1.0, source="x", image=1)],
        spans=[Span(start=0.5, end=1.0, score=1.0, source="x")],
        track=[Frame(time=0.2, index=5, region=Region(box=(0, 0, 5, 5), score=1.0, source="x"))],
    )
    pictures = [ImageInfo(sha256=name, width=20, height=10, source=name) for name in "ab"]
    whole = Extraction(
        text="Ann",
        image=pictures[0],
        images=pictures,
        audio=AudioInfo(sha256="1", seconds=3.0, rate=8000, channels=1, source="a.wav"),
        video=VideoInfo(
            sha256="2",
            seconds=3.0,
            width=20,
            height=10,
            frames=75,
            rate=25.0,
            sound=False,
            source="a.mp4",
        ),
        entities=[ann],
        relations=[Relation(id="r1", subject="e1", type="is", object="e1", confidence=1.0)],
        events=[Event(id="v1", type="Meet", confidence=1.0)],
    )
    line = {"id": "1", "task": "re", **json.loads(whole.model_dump_json())}
    row = parse_row(line, MuieRow)
    (entity,) = row.entities
    assert entity.regions is not None and entity.regions[0].image == 1
    assert (entity.spans, [frame.frame for frame in entity.track or ()]) == (((0.5, 1.0),), [5])
    assert (row.images, row.audio, row.video) == (("a", "b"), "a.wav", "a.mp4")
    assert [(each.subject, each.object) for each in row.relations] == [(0, 0)]
    assert row.events[0].trigger is None and row.events[0].arguments == ()

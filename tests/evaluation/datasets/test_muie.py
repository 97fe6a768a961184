import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.muie import QUIRKS
from deixis.formats.muie_rows import MuieRow
from deixis.schema import Mask

MASK = {"size": [2, 3], "counts": "24"}
NER = {
    "id": "n1",
    "task": "ner",
    "text": "Ada spoke",
    "image": "img/1.jpg",
    "audio": "https://example.org/1.wav",
    "size": [3, 2],
    "entities": [
        {
            "text": "Ada",
            "type": "person",
            "start": 0,
            "end": 3,
            "regions": [{"box": [0, 0, 2.5, 2], "mask": MASK}, {"box": [1, 1, 2, 2]}],
            "spans": [[0, 0.5], [1.25, 2]],
        },
        {"text": "podium", "type": "object", "regions": []},
    ],
}
RE = {
    "id": "r1",
    "task": "re",
    "text": "Ada of London",
    "entities": [
        {"text": "Ada", "type": "person", "start": 0, "end": 3},
        {"text": "London", "type": "location", "start": 7, "end": 13},
    ],
    "relations": [{"subject": 0, "type": "lives_in", "object": 1}],
}
EE = {
    "id": "e1",
    "task": "ee",
    "video": "/films/1.mp4",
    "audio": "1.wav",
    "entities": [
        {
            "text": "a driver",
            "type": "person",
            "track": [
                {"frame": 0, "regions": [{"box": [0, 0, 2, 2]}]},
                {"frame": 4, "regions": []},
            ],
        }
    ],
    "events": [
        {
            "type": "Transport",
            "trigger": {"text": "drives", "spans": [[0.5, 0.75]]},
            "arguments": [{"role": "Agent", "entity": 0}],
        },
        {"type": "Meet"},
    ],
}


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_all_tasks_and_media(release: Any, tmp_path: Path) -> None:
    folder = release({"test.jsonl": lines(NER, RE, EE)})
    rows, counts = convert("muie", folder, "test", beside=tmp_path)
    assert [counts[quirk] for quirk in QUIRKS] == [1, 1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 2, 1]
    ner, re, ee = (MuieRow.model_validate(row) for row in rows)
    assert (ner.image, ner.audio) == (str(folder / "img/1.jpg"), "https://example.org/1.wav")
    assert (ee.video, ee.audio) == ("/films/1.mp4", str(folder / "1.wav"))
    ada, podium = ner.entities
    assert ada.spans == ((0, 0.5), (1.25, 2)) and ada.track is None
    assert ada.regions is not None and ada.regions[0].mask == Mask(size=(2, 3), counts="24")
    assert (podium.start, podium.regions, podium.spans) == (None, (), None)
    assert (re.relations[0].subject, re.relations[0].type, re.relations[0].object) == (
        0,
        "lives_in",
        1,
    )
    assert [frame.frame for frame in ee.entities[0].track or ()] == [0, 4]
    assert ee.events[0].trigger is not None and ee.events[0].arguments[0].role == "Agent"
    for row in rows:
        assert MuieRow.model_validate_json(row.model_dump_json(exclude_none=True)) == row


def test_relative_paths_start_at_the_file_of_rows(
    release: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    release({"test.jsonl": lines(NER)})
    monkeypatch.chdir(tmp_path)
    rows, _ = convert("muie", Path("release"), "test", beside=Path("out"))
    assert rows[0].image == "../release/img/1.jpg"


def test_several_pictures_and_what_a_row_is_of(release: Any, tmp_path: Path) -> None:
    shown = [{"box": [0, 0, 2, 2], "image": 1}, {"box": [0, 0, 1, 1], "image": 0}]
    entity = {"text": "podium", "type": "object", "regions": shown}
    row = {**NER, "image": "img/1.jpg", "images": ["img/1.jpg", "/img/2.jpg"], "aligned": False}
    release({"test.jsonl": lines({**row, "dataset": "Twt17", "entities": [entity]})})
    rows, _ = convert("muie", tmp_path / "release", "test", beside=tmp_path)
    made = MuieRow.model_validate(rows[0])
    assert made.images == (str(tmp_path / "release" / "img/1.jpg"), "/img/2.jpg")
    assert (made.dataset, made.aligned) == ("Twt17", False)
    assert [region.image for region in made.entities[0].regions or ()] == [1, 0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"images": ["img/9.jpg", "img/1.jpg"]}, "image is not the first of images"),
        (
            {
                "entities": [
                    {"text": "a", "type": "x", "regions": [{"box": [0, 0, 1, 1], "image": 1}]}
                ]
            },
            "entities.0: there is no image 1",
        ),
        ({"entities": [{"text": "a", "type": "x", "regions": [{"bx": 1}]}]}, "box"),
        ({"aligned": "yes"}, "aligned"),
    ],
)
def test_what_gold_may_not_say_of_pictures(release: Any, changed: Any, said: str) -> None:
    folder = release({"test.jsonl": lines({**NER, **changed})})
    with pytest.raises(DataError, match=said):
        convert("muie", folder, "test")

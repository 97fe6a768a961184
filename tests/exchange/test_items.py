"""Lines to export, and the gold row that a corrected extraction is."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from deixis.exchange.gold import gold_row
from deixis.exchange.items import Item, items_of, relative_to
from deixis.formats.muie_rows import MuieContent
from deixis.rows import Problem, parse_row
from deixis.schema import Extraction, Mask

TEXT = "Grace Hopper of the US Navy spoke"
BOX = [10.0, 20.0, 110.5, 220.0]


def extraction() -> dict[str, Any]:
    inside = np.zeros((600, 512), bool)
    inside[20:220, 10:110] = True
    region = {"box": BOX, "score": 0.9, "source": "x", "mask": Mask.from_array(inside).model_dump()}
    span = {"start": 0.5, "end": 1.25, "score": 0.5, "source": "x"}
    entities = [
        {"id": "e1", "text": "Grace Hopper", "start": 0, "end": 12, "type": "PER"}
        | {"fine_type": "scientist", "confidence": 0.9, "groundable": True, "regions": [region]},
        {"id": "e2", "text": "US Navy", "start": 20, "end": 27, "type": "ORG"}
        | {"confidence": 0.5, "groundable": False},
        {"id": "e3", "text": "a ship", "start": None, "end": None, "type": "OTHER"}
        | {"confidence": 0.5, "groundable": None},
        {"id": "e4", "text": "a voice", "start": None, "end": None, "type": "OTHER"}
        | {"confidence": 0.5, "groundable": True, "spans": [span]},
    ]
    relation = {"id": "r1", "subject": "e1", "type": "member", "object": "e2", "confidence": 0.5}
    trigger = {"text": "spoke", "start": 28, "end": 33, "spans": [span]}
    event = {"id": "v1", "type": "Speak", "trigger": trigger, "confidence": 0.5}
    event["arguments"] = [{"role": "speaker", "entity": "e1", "confidence": 0.4}]
    sound = {"sha256": "1" * 64, "seconds": 3.0, "rate": 16000, "channels": 1, "source": "a.wav"}
    made = {
        "text": TEXT,
        "image": {"sha256": "0" * 64, "width": 512, "height": 600, "source": "hopper.jpg"},
        "audio": sound,
        "entities": entities,
        "relations": [relation],
        "events": [event],
        "replies": [],
        "usage": [],
        "warnings": [],
    }
    written: dict[str, Any] = Extraction.model_validate(made).model_dump(mode="json")
    return written


def test_a_gold_row_is_what_the_extraction_says() -> None:
    given = extraction()
    row = gold_row(Extraction.model_validate(given), "7", {"image": "media/0.jpg", "video": "no"})
    assert row["image"] == "media/0.jpg" and row["size"] == [512, 600] and "video" not in row
    assert [each["regions"] for each in row["entities"]][1:3] == [[], None]
    kept = {"id": "7", "image": "media/0.jpg", "size": (512, 600)}
    of_a_result = parse_row({**given, "id": "7"}, MuieContent).model_copy(update=kept)
    read = parse_row(row, MuieContent)
    assert json.loads(read.model_dump_json(exclude={"entities"})) == json.loads(
        of_a_result.model_dump_json(exclude={"entities"})
    )
    expected = [each.model_dump(exclude={"expression"}) for each in of_a_result.entities]
    expected[1]["spans"] = ()  # it is said to be in none of the media, and there is sound
    assert [each.model_dump(exclude={"expression"}) for each in read.entities] == [
        {**each, "track": None} for each in expected
    ]


def test_a_row_without_a_picture_says_so() -> None:
    bare = {"text": TEXT, "image": None, "entities": []}
    row = gold_row(Extraction.model_validate(bare), "a")
    assert row == {"id": "a", "text": TEXT, "image": None, "entities": []}


def test_results_and_gold_rows_are_read_and_what_is_wrong_is_told(tmp_path: Path) -> None:
    result = {"id": 1, "settings": "abc", **extraction()}
    gold = gold_row(Extraction.model_validate(extraction()), "2")
    broken = {**result, "id": "3", "text": "another text"}
    lines = [result, gold, broken, [1], {"id": "2", "text": ""}]
    written = "\n".join([*map(json.dumps, lines), "{", '{"id": "8", "text": NaN}']) + "\n"
    (tmp_path / "rows.jsonl").write_text(written)
    one, two, *problems = items_of(tmp_path / "rows.jsonl")
    assert isinstance(one, Item) and isinstance(two, Item)
    assert one.extraction is not None and one.row.relations == two.row.relations
    assert [each.regions for each in one.row.entities] == [
        each.regions for each in two.row.entities
    ]
    assert (one.id, one.line, two.extraction) == ("1", 1, None)
    assert one.opened("hopper.jpg") == str(tmp_path / "hopper.jpg")
    assert one.opened("https://host/x.jpg") == "https://host/x.jpg"
    assert all(isinstance(each, Problem) for each in problems)
    assert [(each.line, each.id) for each in problems] == [
        *((3, "3"), (4, None), (5, "2"), (6, None), (7, None))
    ]
    assert "not at its span" in problems[0].error  # type: ignore[union-attr]


def test_media_are_named_from_where_the_export_lies(tmp_path: Path) -> None:
    inner = tmp_path / "out"
    inner.mkdir()
    assert relative_to(inner, str(tmp_path / "a.jpg")) == "../a.jpg"
    assert relative_to(inner, "http://host/a.jpg") == "http://host/a.jpg"

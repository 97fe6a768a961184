"""VRD, imSitu, SWiG and VidSitu: rows whose only medium is a picture or a clip."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, InputError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.json_files import NOT_FOUND
from deixis.formats.muie_rows import MuieRow

PERSON, BIKE = {"category": 0, "bbox": [10, 50, 5, 25]}, {"category": 1, "bbox": [30, 60, 5, 40]}
FLAT = {"category": 1, "bbox": [30, 30, 5, 40]}
RIDES = {"predicate": 1, "subject": PERSON, "object": BIKE}
VRD = {
    "annotations_test.json": json.dumps(
        {
            "1.jpg": [RIDES, RIDES, {"predicate": 0, "subject": BIKE, "object": PERSON}],
            "2.png": [{"predicate": 0, "subject": PERSON, "object": FLAT}],
            "3.jpg": [],
        },
        indent=1,
    ),
    "objects.json": '["person", "bike"]',
    "predicates.json": '["under", "ride"]',
}
SPACE = {"nouns": {"n1": {"gloss": ["lion", "king"], "def": "cat"}, "n2": {"gloss": ["paw"]}}}
FRAMES = [
    {"agent": "n1", "clungto": "n2", "place": ""},
    {"agent": "n1", "clungto": "n1", "place": ""},
    {"agent": "n2", "clungto": "n1", "place": "n2"},
]
IMSITU = {"dev.json": json.dumps({"clinging_2.jpg": {"verb": "clinging", "frames": FRAMES}})}
IMSITU["imsitu_space.json"] = json.dumps(SPACE)


def event(clip: str, verb: str, **arguments: str) -> dict[str, Any]:
    return {"vid_seg_int": clip, "Verb": "x", "VerbID": verb, "Args": arguments, "EvRel": "Null"}


DRIVES = {"Arg0 (driver)": "a man", "ArgM (manner)": "fast", "Scene of the Event": " a road "}
STOPS = {"Arg1 (thing stopped)": "a man", "ArgM (direction)": ""}
CLIP = {
    "Ev1": event("v_x_seg_0_10", "drive.01", **DRIVES),
    "Ev2": {**event("v_x_seg_0_10", "stop.01", **STOPS), "EvRel": "Causes"},
}
VIDSITU = {
    "vseg_ann_files/vsann_valid_lb.json": json.dumps([CLIP, CLIP], indent=1),
    "split_files/vseg_split_valid_lb.json": '["v_y_seg_0_10", "v_x_seg_0_10"]',
}


def test_boxes_of_vrd_are_turned_and_distinct(release: Any, as_gold: Any) -> None:
    rows, counts = convert("vrd", release(VRD), "test")
    first, second, third = as_gold(rows)
    assert (first.id, first.task, first.dataset, first.text) == ("1", "re", "VRD", "")
    assert [(each.text, each.type) for each in first.entities] == [
        ("person", "person"),
        ("bike", "bike"),
    ]
    assert [each.regions[0].box for each in first.entities if each.regions] == [
        (5, 10, 25, 50),
        (5, 30, 40, 60),
    ]
    assert [(each.subject, each.type, each.object) for each in first.relations] == [
        (0, "ride", 1),
        (1, "under", 0),
    ]
    assert second.entities[1].regions is None and third.entities == ()
    assert list(counts.values()) == [1, 4, 1, 1, 3]


def test_pictures_of_vrd_lie_in_its_folder(release: Any) -> None:
    folder = release(VRD)
    (shots := folder / "sg_dataset" / "sg_test_images").mkdir(parents=True)
    Image.new("RGB", (9, 7)).save(shots / "1.jpg")
    rows, counts = convert("vrd", folder, "test")
    assert (rows[0].image, rows[0].size) == (str(shots / "1.jpg"), (9, 7))
    assert rows[1].image == str(shots / "2.png") and counts[NOT_FOUND] == 2


def test_what_most_annotators_of_imsitu_say_counts(release: Any, as_gold: Any) -> None:
    rows, counts = convert("imsitu", release(IMSITU), "dev")
    (row,) = as_gold(rows)
    assert (row.id, row.task, row.dataset) == ("clinging_2", "ee", "imSitu")
    (happened,) = row.events
    filled = {each.role: row.entities[each.entity].text for each in happened.arguments}
    assert happened.type == "clinging" and happened.trigger is None
    assert filled == {"agent": "lion", "clungto": "lion"}, "two things with one name"
    assert [each.regions for each in row.entities] == [None, None]
    assert list(counts.values()) == [3, 3, 1, 0, 1]


def test_swig_has_boxes_of_the_picture_s_own_size(release: Any) -> None:
    boxes = {"agent": [1, 2, 30, 40], "clungto": [-1, -1, -1, -1]}
    given = {"verb": "clinging", "frames": FRAMES, "bb": boxes, "width": 64, "height": 48}
    folder = release({f"SWiG_jsons/{name}": content for name, content in IMSITU.items()})
    (folder / "SWiG_jsons/dev.json").write_text(json.dumps({"clinging_2.jpg": given}))
    (folder / "images_512").mkdir()
    Image.new("RGB", (32, 24)).save(folder / "images_512" / "clinging_2.jpg")
    rows, counts = convert("imsitu", folder, "dev")
    agent, clungto = MuieRow.model_validate(rows[0]).entities
    assert agent.regions is not None and agent.regions[0].box == (1, 2, 30, 40)
    assert clungto.regions == () and rows[0].size == (64, 48)
    assert rows[0].image is not None and counts["things with a box (SWiG)"] == 1


def test_events_of_vidsitu_share_what_has_one_text(release: Any, as_gold: Any) -> None:
    folder = release({**VIDSITU, "videos/v_x_seg_0_10.mp4": b"no video is opened"})
    rows, counts = convert("vidsitu", folder, "valid")
    (row,) = as_gold(rows)
    assert (row.id, row.task, row.dataset) == ("v_x_seg_0_10", "ee", "VidSitu")
    assert row.video == str(folder / "videos/v_x_seg_0_10.mp4")
    assert [each.text for each in row.entities] == ["a man", "fast", "a road"]
    assert [(each.type, [(a.role, a.entity) for a in each.arguments]) for each in row.events] == [
        ("drive.01", [("Arg0", 0), ("AMnr", 1), ("AScn", 2)]),
        ("stop.01", [("Arg1", 0)]),
    ]
    assert list(counts.values()) == [1, 1, 2, 5, 1, 1, 0]


def test_without_a_file_of_the_split_all_clips_are_rows(release: Any) -> None:
    name = "vidsitu_annotations/vseg_ann_files/vsann_valid_lb.json"
    rows, counts = convert("vidsitu", release({name: json.dumps([CLIP])}), "valid")
    assert [row.id for row in rows] == ["v_x_seg_0_10"] and next(iter(counts.values())) == 0


@pytest.mark.parametrize(
    ("name", "split", "file", "given", "said"),
    [
        (
            "vrd",
            "test",
            "annotations_test.json",
            {"1": [{**RIDES, "predicate": 2}]},
            ":3: there is no number 2 in predicates.json, which has 2",
        ),
        (
            "vrd",
            "test",
            "annotations_test.json",
            {"1": [{**RIDES, "subject": {"category": -1, "bbox": [0, 1, 0, 1]}}]},
            "no number -1 in objects.json",
        ),
        (
            "vrd",
            "test",
            "annotations_test.json",
            {"1": [{"predicate": 1}]},
            ":3: 1.0.subject: Field required",
        ),
        (
            "vrd",
            "test",
            "annotations_test.json",
            {"1": [{**RIDES, "object": {"category": 1, "bbox": [1]}}]},
            ": 1.0.object.bbox",
        ),
        ("vrd", "test", "predicates.json", {}, ":1: Input should be a valid array"),
        (
            "imsitu",
            "dev",
            "dev.json",
            {"a.jpg": {"verb": "x", "frames": []}},
            ":2: a.jpg.frames: List should have at least 1",
        ),
        (
            "imsitu",
            "dev",
            "dev.json",
            {"a.jpg": {"verb": "x", "frames": [{"agent": "n9"}]}},
            ":2: 'n9' is no noun",
        ),
        (
            "vidsitu",
            "valid",
            "vseg_ann_files/vsann_valid_lb.json",
            [CLIP, {"Ev1": event("z", "a", who="x")}],
            "'who' is no name of an argument",
        ),
        (
            "vidsitu",
            "valid",
            "vseg_ann_files/vsann_valid_lb.json",
            [{}],
            ":2: there is none of Ev1",
        ),
        (
            "vidsitu",
            "valid",
            "vseg_ann_files/vsann_valid_lb.json",
            [{"Ev1": {}}],
            ":3: 0.Ev1.vid_seg_int: Field required",
        ),
    ],
)
def test_what_does_not_fit_is_told(
    release: Any, name: str, split: str, file: str, given: Any, said: str
) -> None:
    good = {"vrd": VRD, "imsitu": IMSITU, "vidsitu": VIDSITU}[name]
    folder = release({**good, file: json.dumps(given, indent=1)})
    with pytest.raises(DataError) as caught:
        convert(name, folder, split)
    assert said in str(caught.value) and f"{Path(file).name}:" in str(caught.value)


@pytest.mark.parametrize("file", ["imsitu_space.json", "dev.json"])
def test_no_json_and_no_file_are_told(release: Any, file: str) -> None:
    folder = release(IMSITU)
    (folder / file).write_text("{\n}}")
    with pytest.raises(DataError, match=rf"{file}:2: not JSON"):
        convert("imsitu", folder, "dev")
    (folder / file).unlink()
    with pytest.raises(InputError, match=f"there is no {file} in"):
        convert("imsitu", folder, "dev")

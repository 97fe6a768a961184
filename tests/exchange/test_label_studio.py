"""Label Studio: tasks and what comes back from people."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.base.records import Mask
from deixis.errors import DataError, SettingsError
from deixis.exchange import label_studio
from deixis.exchange.items import How
from deixis.exchange.label_studio_masks import decode_mask, encode_mask
from deixis.rows import Problem

from .made_rows import item_of, items_in, plain, rows

Result = dict[str, Any]
SAME = "same entity"
TEXT = "👩‍🚀 Ada met\r\nGrace Hopper"
MET: dict[str, Any] = {
    "id": "7",
    "text": TEXT,
    "image": "a.jpg",
    "size": [200, 100],
    "entities": [
        {"text": "Ada", "start": 4, "end": 7, "type": "PER", "regions": None},
        {
            "text": "Grace Hopper",
            "start": 13,
            "end": 25,
            "type": "PER",
            "regions": [
                {
                    "box": [20, 10, 120, 60],
                    "mask": Mask.from_array(np.eye(100, 200, dtype=np.bool_)).model_dump(),
                }
            ],
        },
    ],
    "relations": [{"subject": 0, "type": "knows", "object": 1}],
    "events": [
        {
            "type": "Meet",
            "trigger": {"text": "met", "start": 8, "end": 11},
            "arguments": [{"role": "Entity", "entity": 0}],
        }
    ],
}


def write(row: dict[str, Any], folder: Path, how: How | None = None) -> list[dict[str, Any]]:
    written = label_studio.write([item_of(row, folder)], folder, how or How())
    tasks = json.loads(written.files[0].read_text("utf-8"))
    assert isinstance(tasks, list)
    return tasks


def read(tasks: Any, folder: Path) -> list[Any]:
    path = folder / "export.json"
    path.write_text(json.dumps(tasks), "utf-8")
    return list(label_studio.read(path, How()))


def annotated(results: list[Any], tmp_path: Path, **data: Any) -> list[Any]:
    task = {"id": 3, "data": {"text": "Ada met Eve", "image": "a.jpg", **data}}
    return read([task | {"annotations": [{"result": results}]}], tmp_path)


def name(id_: str, start: int, end: int, text: str | None, label: str = "PER") -> Result:
    value = {"start": start, "end": end, "labels": [label]} | ({"text": text} if text else {})
    return {"id": id_, "from_name": "type", "to_name": "text", "type": "labels", "value": value}


def box(id_: str, label: str = "PER", **more: Any) -> Result:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": [label]}
    sides = {"original_width": 200, "original_height": 100, "image_rotation": 0}
    about = {"id": id_, "from_name": "box", "to_name": "image", "type": "rectanglelabels"}
    return about | sides | {"value": value} | more


def arrow(one: str, other: str, *labels: str, direction: str = "right") -> Result:
    ends = {"from_id": one, "to_id": other, "direction": direction}
    return {"type": "relation", **ends, "labels": list(labels)}


@given(rows())
def test_a_gold_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        [again] = read(write(row, Path(folder)), Path(folder))
    assert isinstance(again, dict), again
    assert plain(again) == plain(row)


def test_a_task_is_written_as_label_studio_has_it(tmp_path: Path) -> None:
    [task] = write(MET, tmp_path, How(pictures="/data/local-files/?d="))
    data = task["data"]
    assert (data["id"], data["text"]) == ("7", TEXT)
    assert data["image"] == "/data/local-files/?d=a.jpg"
    assert data["images"] == [data["image"]]
    [annotation] = task["annotations"]
    ada, seen, hopper, rectangle, brush, met, *arrows = annotation["result"]
    # Offsets are of characters, not of the units of JavaScript.
    assert ada["value"] == {"start": 4, "end": 7, "text": "Ada", "labels": ["PER"]}
    assert (seen["id"], seen["type"]) == (ada["id"], "choices")
    assert seen["value"]["choices"] == ["nobody has looked"]
    shape = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0}
    assert rectangle["value"] == shape | {"rectanglelabels": ["PER"]}
    assert (rectangle["original_width"], rectangle["original_height"]) == (200, 100)
    assert (brush["value"]["format"], brush["value"]["brushlabels"]) == ("rle", ["PER"])
    assert (met["from_name"], met["value"]["labels"]) == ("trigger", ["Meet"])
    pairs = {(each["from_id"], each["to_id"]): each["labels"] for each in arrows}
    assert pairs == {
        (hopper["id"], rectangle["id"]): [SAME],
        (rectangle["id"], brush["id"]): [SAME],
        (met["id"], ada["id"]): ["Entity"],
        (ada["id"], hopper["id"]): ["knows"],
    }


def test_every_label_of_the_tasks_is_in_the_configuration(tmp_path: Path) -> None:
    row = MET | {"entities": [MET["entities"][0] | {"type": "<&\x01>"}, MET["entities"][1]]}
    write(row, tmp_path)
    view = ElementTree.parse(tmp_path / "config.xml").getroot()
    arrows = [each.attrib["value"] for each in view.iterfind("Relations/Relation")]
    assert arrows == [SAME, "knows", "Entity"]
    for control in ("Labels[@name='type']", "RectangleLabels", "BrushLabels"):
        labels = [each.attrib["value"] for each in view.iterfind(f"{control}/Label")]
        assert labels == ["<&\ufffd>", "PER"]
    assert [each.attrib["value"] for each in view.iterfind("Labels[@name='trigger']/Label")] == [
        "Meet"
    ]
    assert view.find("Image").attrib == {"name": "image", "value": "$image"}  # type: ignore[union-attr]
    assert view.find("Audio") is None


def test_what_a_graph_has_found_is_one_prediction(tmp_path: Path) -> None:
    found = {
        "id": "9",
        "text": "Ada",
        "image": {
            "sha256": "a" * 64,
            "width": 10,
            "height": 10,
            "source": "https://example.org/a.jpg",
        },
        "entities": [
            {
                "id": "e1",
                "text": "Ada",
                "start": 0,
                "end": 3,
                "type": "PER",
                "groundable": True,
                "confidence": 0.75,
                "regions": [
                    {"box": [0, 0, 5, 5], "score": 0.5, "source": "nanodet"},
                    {"box": [5, 5, 9, 9], "score": 0.25, "source": "nanodet"},
                ],
            }
        ],
        "replies": [],
        "usage": [],
        "warnings": [],
        "types": ["PER", "LOC", "ORG", "OTHER"],
    }
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(found) + "\n", "utf-8")
    label_studio.write(items_in(path), tmp_path, How(model="main 1.0", pictures="media/"))
    [task] = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
    [prediction] = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("main 1.0", 0.75)
    assert [each.get("score") for each in prediction["result"][:3]] == [0.75, 0.5, 0.25]
    assert task["data"]["image"] == "https://example.org/a.jpg"
    view = ElementTree.parse(tmp_path / "config.xml").getroot()
    labels = [each.attrib["value"] for each in view.iterfind("RectangleLabels/Label")]
    assert labels == ["PER", "LOC", "ORG", "OTHER"]
    # Nobody has said yet that this is right.
    [problem] = read([task], tmp_path)
    assert problem.error == "nobody has annotated this task"
    [row] = read([task | {"annotations": [{"result": prediction["result"]}]}], tmp_path)
    assert len(row["entities"][0]["regions"]) == 2


def test_new_regions_and_deleted_ones_count(tmp_path: Path) -> None:
    [task] = write(MET, tmp_path)
    results = task["annotations"][0]["result"]
    gone = {"e1-r0", "e1-m0"}
    ends = {"from_id", "to_id"}
    kept = [each for each in results if each.get("id") not in gone]
    kept = [each for each in kept if not gone & {each.get(end) for end in ends}]
    kept += [box("new"), arrow("e0", "new"), box("alone", "LOC")]
    task["annotations"][0]["result"] = kept
    [row] = read([task], tmp_path)
    ada, hopper, alone = row["entities"]
    assert ada["regions"] == [{"box": [20.0, 20.0, 80.0, 60.0]}]
    assert hopper["regions"] == []
    assert (alone["text"], "start" in alone) == ("LOC", False)
    assert len(alone["regions"]) == 1
    assert row["relations"] == MET["relations"]


def test_a_region_may_be_of_two_names_and_chains_are_followed(tmp_path: Path) -> None:
    results = [
        *(name("a", 0, 3, "Ada"), name("b", 8, 11, "Eve"), box("r"), box("s")),
        *(arrow("a", "r", SAME), arrow("r", "b", SAME), arrow("s", "r", SAME, direction="left")),
    ]
    [row] = annotated(results, tmp_path)
    assert [len(each["regions"]) for each in row["entities"]] == [2, 2]


def test_a_drawn_mask_and_a_polygon_have_boxes_of_their_own(tmp_path: Path) -> None:
    dense = np.zeros((100, 200), np.bool_)
    dense[10:20, 30:50] = True
    drawn = box("m")
    drawn |= {"type": "brushlabels"}
    drawn["value"] = {"format": "rle", "rle": encode_mask(dense), "brushlabels": ["PER"]}
    polygon = box("p")
    points = [[0, 0], [50, 0], [50, 50]]
    polygon["value"] = {"points": points, "closed": True, "polygonlabels": ["LOC"]}
    [row] = annotated([drawn, polygon], tmp_path)
    [one], [other] = (each["regions"] for each in row["entities"])
    assert one["box"] == [30, 10, 50, 20]
    assert (Mask(**one["mask"]).to_array() == dense).all()
    assert other["box"] == [0, 0, 100, 50]
    assert Mask(**other["mask"]).to_array().sum() == pytest.approx(2500, rel=0.05)


def test_a_turned_box_is_held_by_an_upright_one(tmp_path: Path) -> None:
    turned = box("r")
    turned["value"] |= {"rotation": 90}
    [row] = annotated([turned], tmp_path)
    # 60 x 40 pixels about the corner (20, 20), a quarter turn clockwise.
    assert row["entities"][0]["regions"][0]["box"] == pytest.approx([-20, 20, 20, 80])


def test_offsets_of_old_versions_are_those_of_javascript(tmp_path: Path) -> None:
    units = name("a", 6, 9, "Ada")  # the astronaut is five units long, three characters
    [row] = annotated([units], tmp_path, text=TEXT)
    assert (row["entities"][0]["start"], row["entities"][0]["end"]) == (4, 7)
    problem, row = annotated([name("a", 5, 8, "Ada")], tmp_path, text=TEXT)
    assert "'Ada' does not stand at 5:8 in the text" in problem.error
    assert row["entities"] == []


def test_the_annotation_that_was_changed_last_counts(tmp_path: Path) -> None:
    def by(who: Any, when: str, end: int, **more: Any) -> dict[str, Any]:
        return {
            "completed_by": who,
            "updated_at": when,
            "result": [name("a", 0, end, None)],
            **more,
        }

    several = [
        by({"email": "ada@example.org"}, "2026-05-02T10:00:00Z", 3),
        by(2, "2026-05-01T10:00:00Z", 7),
        by(3, "2026-05-03T10:00:00Z", 11, was_cancelled=True),
    ]
    [row] = read([{"data": {"text": "Ada met Eve"}, "annotations": several}], tmp_path)
    assert (row["entities"][0]["text"], row["annotator"]) == ("Ada", "ada@example.org")
    assert row["entities"][0]["regions"] is None  # there is no picture
    [problem] = read([{"id": 5, "data": {}, "annotations": several[2:]}], tmp_path)
    assert problem == Problem(1, "5", "everybody skipped this task")


def test_json_min_is_read_where_nothing_has_to_be_linked(tmp_path: Path) -> None:
    span = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}
    task = {"id": 4, "text": "Ada met Eve", "type": [span], "annotator": 1, "lead_time": 2.5}
    [row] = read([task], tmp_path)
    assert (row["id"], row["entities"][0]["text"], row["annotator"]) == ("4", "Ada", "1")
    [problem] = read([task | {"box": [box("r")["value"]]}], tmp_path)
    assert "export as JSON" in problem.error


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (7, "result 2 is no object"),
        ({"id": "x", "type": "labels", "value": []}, "result 2 is no object"),
        ({"id": "x", "type": "rating", "value": {"rating": 3}}, "'rating' is not read"),
        (name("x", 0, 99, "Ada"), "does not stand at 0:99"),
        (name("x", 20, 30, None), "nothing stands at 20:30"),
        (name("x", -1, 3, None), "start is '-1', no whole number"),
        (name("x", True, 3, None), "start is 'True', no number"),
        ({"id": "x", "value": {"start": 0, "end": 3}}, "it has no label"),
        (box("x", original_width=None), "original_width is 'None'"),
        (box("x", original_width=0), "original_width is '0'"),
        (box("x", image_rotation=90), "its picture was turned"),
        (box("x") | {"value": {**box("x")["value"], "x": "1"}}, "x is '1', no number"),
        (box("x", item_index="2"), "item_index is '2'"),
        (box("x") | {"value": {"rle": [1, 2], "brushlabels": ["PER"]}}, "cut short"),
        (box("x") | {"value": {"rle": [999] * 99, "brushlabels": ["PER"]}}, "no list of bytes"),
        (box("x") | {"value": {"rle": "AAAA", "brushlabels": ["PER"]}}, "a mask is read as RLE"),
        (
            box("x", original_width=10**6, original_height=10**6)
            | {"value": {"rle": [0] * 99, "brushlabels": ["PER"]}},
            "of at most 64,000,000",
        ),
        (
            box("x") | {"value": {"points": [[1, 2]], "polygonlabels": ["PER"]}},
            "without three points",
        ),
        (box("x") | {"value": {"points": 3, "polygonlabels": ["PER"]}}, "a list of points"),
        ({"id": "x", "value": {"sequence": 3, "labels": ["PER"]}}, "a list of objects"),
        ({"id": "x", "value": {"sequence": [{"frame": 1}], "labels": ["PER"]}}, "without x, y"),
        (arrow("a", "gone", SAME), "an arrow from 'a' to 'gone'"),
    ],
)
def test_a_wrong_result_is_told_and_others_are_read(tmp_path: Path, result: Any, said: str) -> None:
    problem, row = annotated([name("a", 0, 3, "Ada"), result], tmp_path)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.id) == (1, "3")
    assert said in problem.error
    assert [each["text"] for each in row["entities"]] == ["Ada"]


def test_two_names_stay_two_entities(tmp_path: Path) -> None:
    names = [name("a", 0, 3, "Ada"), name("b", 8, 11, "Eve")]
    for tie in (arrow("a", "b", SAME), arrow("a", "b")):
        problem, row = annotated([*names, tie], tmp_path)
        assert "left out an arrow" in problem.error
        assert len(row["entities"]) == 2


@pytest.mark.parametrize(
    "task",
    [
        None,
        [],
        {"data": []},
        {"data": {"deixis": 3, "text": 4}},
        {"data": {}, "annotations": [3, None]},
        {"data": {}, "annotations": [{"result": {}}]},
        {"data": {"deixis": {"row": {"id": 3, "size": "large"}}}, "annotations": [{"result": []}]},
        {"data": {"deixis": {"entities": [[0, {"text": 3}]]}}, "annotations": [{"result": []}]},
        {
            "data": {"deixis": {"relations": [[{}, 1, []]]}, "id": True},
            "annotations": [{"result": 3}],
        },
    ],
)
def test_a_wrong_task_is_told(tmp_path: Path, task: Any) -> None:
    [problem] = read([task], tmp_path)
    assert isinstance(problem, Problem)
    assert problem.line == 1


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '[{"a": 1, "a": 2}]', "\ufeff[1"])
def test_what_is_no_export_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"wrong\.json"):
        list(label_studio.read(path, How()))


KEYS = [
    *("id", "type", "value", "result", "labels", "from_id", "to_id", "start", "end", "meta"),
    *("deixis", "place", "rle", "points", "sequence", "frame", "x", "y", "width", "height"),
    *("original_width", "original_height", "entities", "relations", "events", "row"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats()
    | st.sampled_from(["", "a", "rle"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), JSON)
def test_nothing_that_people_send_ends_it(results: list[Any], kept: Any) -> None:
    with TemporaryDirectory() as folder:
        data = {"text": "Ada", "deixis": kept}
        tasks = [{"data": data, "annotations": [{"result": results}]}, results, kept]
        path = Path(folder) / "export.json"
        path.write_text(json.dumps(tasks), "utf-8")
        assert all(isinstance(each, dict | Problem) for each in label_studio.read(path, How()))


@given(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_masks_come_back_from_their_bytes(width: int, height: int, chance: Any) -> None:
    dense = np.array([chance.random() < 0.5 for _ in range(width * height)]).reshape(height, width)
    assert (decode_mask(encode_mask(dense), width, height) == dense).all()


def test_bytes_are_those_of_label_studio() -> None:
    """What `label_studio_converter` 0.0.59 makes of a mask with one pixel in four."""
    dense = np.array([[True, False], [False, False]])
    # 16 values of 8 bits; lengths of 3, 4, 8 or 16; 4 times 255, then 12 times 0.
    bits = f"{16:032b}" + "00111" + "0010" + "0011" + "0111" + "1111"
    bits += "1" + "00" + "011" + "11111111" + "1" + "01" + "1011" + "00000000"
    bits += "0" * (-len(bits) % 8)
    assert encode_mask(dense) == [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


def test_values_that_are_not_repeated_are_read_as_well() -> None:
    """As Label Studio itself packs a soft edge: pixel by pixel, half transparent ones too."""
    bits = f"{8:032b}" + "00111" + "0010" + "0011" + "0111" + "1111"
    pixels = [0, 0, 0, 0, 9, 9, 9, 100]
    bits += "0" + "01" + "0111" + "".join(f"{value:08b}" for value in pixels)
    bits += "0" * (-len(bits) % 8)
    packed = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    assert decode_mask(packed, 2, 1).tolist() == [[False, True]]


def test_the_labels_are_those_of_the_schema_that_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "types: [{name: ship, fine_types: [tug]}, {name: PER}]\n"
        "relations: [{name: sails}]\nevents: [{name: Sink, roles: [Victim]}]\n"
    )
    write(MET, tmp_path, How(schema=str(own)))
    view = ElementTree.parse(tmp_path / "config.xml").getroot()
    labels = [each.attrib["value"] for each in view.iterfind("RectangleLabels/Label")]
    assert labels == ["ship", "PER"]
    arrows = [each.attrib["value"] for each in view.iterfind("Relations/Relation")]
    assert arrows == [SAME, "sails", "knows", "Victim", "Entity"]
    choices = view.iterfind("Taxonomy[@name='fine-text']/Choice/Choice")
    assert [each.attrib["value"] for each in choices] == ["tug"]
    with pytest.raises(SettingsError, match="there is no type schema 'gmnr'"):
        write(MET, tmp_path, How(schema="gmnr"))

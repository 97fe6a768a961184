"""CVAT: XML of pictures, and of each video."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import numpy as np
from hypothesis import given

from deixis.base.records import Mask
from deixis.exchange import cvat
from deixis.exchange.items import How, Written

from .made_rows import item_of, rows

DENSE = np.zeros((6, 8), np.bool_)
DENSE[1:3, 2:5] = True
DENSE[1, 2] = False
SEEN = {
    "id": "7",
    "text": "Ada & <Grace>",
    "image": "a&b.jpg",
    "images": ["a&b.jpg", "unknown.jpg"],
    "size": [8, 6],
    "video": "talk.mp4",
    "entities": [
        {
            "text": "Ada\x01",
            "type": 'PER"',
            "fine_type": "poet",
            "regions": [
                {"box": [1.25, 1, 4, 5], "mask": Mask.from_array(DENSE).model_dump()},
                {"box": [0, 0, 1, 1], "image": 1},
            ],
            "track": [
                {"frame": 2, "regions": [{"box": [1, 1, 2, 2]}]},
                {"frame": 4, "regions": []},
                {"frame": 9, "regions": [{"box": [1, 1, 3, 3]}]},
            ],
        }
    ],
}


def write(row: dict[str, Any], folder: Path) -> Written:
    return cvat.write([item_of(row, folder)], folder, How(pictures="media/"))


def unpacked(mask: "ElementTree.Element", width: int, height: int) -> Any:
    runs = [int(run) for run in mask.attrib["rle"].split(",")]
    left, top, wide, high = (int(mask.attrib[each]) for each in ("left", "top", "width", "height"))
    dense = np.zeros((height, width), np.bool_)
    inside = np.arange(len(runs)) % 2 == 1
    dense[top : top + high, left : left + wide] = np.repeat(inside, runs).reshape(high, wide)
    return dense


def test_pictures_have_boxes_masks_and_names(tmp_path: Path) -> None:
    done = write(SEEN, tmp_path)
    root = ElementTree.parse(tmp_path / "annotations.xml").getroot()
    assert [each.text for each in root.iterfind("meta/task/labels/label/name")] == ['PER"']
    [image] = root.iterfind("image")
    about = {"id": "0", "name": "media/a&b.jpg", "width": "8", "height": "6"}
    assert image.attrib == about
    box, mask = image
    assert [box.attrib[edge] for edge in ("xtl", "ytl", "xbr", "ybr")] == [
        "1.25",
        "1.00",
        "4.00",
        "5.00",
    ]
    assert (unpacked(mask, 8, 6) == DENSE).all()
    assert box.attrib["group_id"] == mask.attrib["group_id"]
    said = {each.attrib["name"]: each.text for each in box}
    assert said == {"name": "Ada\ufffd", "fine_type": "poet", "entity": "e0", "post": "7"}
    assert done.counts == {"images": 1, "boxes": 1, "masks": 1, "tracks": 1}
    assert done.left_out == ["pictures whose size is unknown (1 in all, first in '7')"]


def test_a_track_is_outside_where_it_is_gone(tmp_path: Path) -> None:
    done = write(SEEN, tmp_path)
    assert done.files[1:] == [tmp_path / "videos" / "0000001-7.xml"]
    [track] = ElementTree.parse(done.files[1]).getroot().iterfind("track")
    keys = [(int(box.attrib["frame"]), box.attrib["outside"]) for box in track]
    assert keys == [(2, "0"), (4, "1"), (9, "0"), (10, "1")]
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["0000001-7.xml"]


@given(rows())
def test_each_row_becomes_xml_with_its_masks(row: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        done = write(row, Path(folder))
        roots = [ElementTree.parse(path).getroot() for path in done.files]
    masks = [
        Mask(**region["mask"]).to_array()
        for place in range(9)
        for entity in row["entities"]
        for region in entity["regions"] or ()
        if "mask" in region and region.get("image", 0) == place
    ]
    drawn = [
        unpacked(mask, int(image.attrib["width"]), int(image.attrib["height"]))
        for image in roots[0].iterfind("image")
        for mask in image.iterfind("mask")
    ]
    seen = [mask for mask in masks if mask.any()]
    assert len(seen) == len(drawn)
    assert all((one == other).all() for one, other in zip(seen, drawn, strict=True))

"""FiftyOne: boxes are shares of the picture, masks the part inside the box; what it cannot show."""

import json
import zlib
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.base.records import Mask
from deixis.exchange.items import Written

from .conftest import AGAIN, ALL, EVIL, GOLD, HEARD, HOSTILE, SEEN, Write


def samples_of(written: Written) -> list[dict[str, Any]]:
    metadata, samples = written.files
    assert json.loads(metadata.read_text()) == {"media_type": "image", "info": {}}
    made: list[dict[str, Any]] = json.loads(samples.read_text())["samples"]
    return made


def test_a_sample_for_each_picture(write: Write) -> None:
    written = write("fiftyone", [SEEN])
    [sample] = samples_of(written)
    assert written.counts == {"samples": 1, "detections": 2, "mentions": 2}
    assert sample["filepath"] == "../../in/pictures/a b.jpg" and sample["post"] == "1"
    assert sample["metadata"] == {"_cls": "ImageMetadata", "width": 100, "height": 80}
    first, second = sample["predictions"]["detections"]
    assert first["bounding_box"] == pytest.approx([0.104, 5 / 80, 0.198, 55 / 80])
    assert (first["label"], first["text"], first["confidence"]) == ("person", "Grace Hopper", 0.8)
    assert "mask" not in second and second["confidence"] == 0.25
    labels = sample["mentions"]["classifications"]
    assert [(each["text"], each["groundable"]) for each in labels] == [
        ("Grace Hopper", True),
        ("US Navy", False),
    ]


def test_a_mask_is_the_part_inside_the_box(write: Write) -> None:
    [sample] = samples_of(write("fiftyone", [SEEN]))
    packed = b64decode(sample["predictions"]["detections"][0]["mask"])
    mask = np.load(BytesIO(zlib.decompress(packed)), allow_pickle=False)
    whole = Mask.model_validate(SEEN["entities"][0]["regions"][0]["mask"]).to_array()
    assert mask.dtype == np.bool_ and np.array_equal(mask, whole[5:60, 10:31])
    assert mask.sum() == whole.sum()


def test_gold_of_several_pictures(write: Write, tmp_path: Path) -> None:
    local = {**GOLD, "images": ["one.jpg", "two.jpg"]}
    one, two = samples_of(write("fiftyone", [local], pictures="/media/"))
    assert (one["filepath"], two["filepath"]) == ("/media/one.jpg", "/media/two.jpg")
    [region] = one["ground_truth"]["detections"]
    assert region["bounding_box"] == pytest.approx([0.1, 0.05, 0.4, 0.2])
    assert region["confidence"] is None and two["ground_truth"]["detections"] == []


def test_what_is_left_out_is_told(write: Write) -> None:
    unsized = {**GOLD, "id": "5", "images": None, "size": None}
    written = write("fiftyone", [AGAIN, HEARD, GOLD, unsized])
    assert len(samples_of(written)) == 2
    assert written.left_out == [
        "posts without a picture (2 in all, first in '2')",
        "sounds and videos: a sample is a picture (1 in all, first in '3')",
        "pictures that are no files, and what they show (1 in all, first in '4')",
        "regions in pictures that the post does not have (1 in all, first in '5')",
        "regions in pictures of unknown size (1 in all, first in '5')",
    ]


def test_hostile_rows(write: Write) -> None:
    samples = samples_of(write("fiftyone", [*HOSTILE, *ALL[:1]]))
    assert EVIL in {sample["text"] for sample in samples}
    for sample in samples:
        for region in sample.get("predictions", {"detections": []})["detections"]:
            x, y, width, height = region["bounding_box"]
            assert 0 <= x < x + width <= 1 and 0 <= y < y + height <= 1

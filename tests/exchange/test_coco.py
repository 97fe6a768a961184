"""COCO documents: ours, and those of others."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from deixis.base.records import Mask
from deixis.errors import DataError
from deixis.exchange import coco
from deixis.exchange.items import How
from deixis.rows import Problem

from .made_rows import item_of, plain, rows


def written(row: dict[str, Any], folder: Path, how: How | None = None) -> Path:
    coco.write([item_of(row, folder)], folder / "coco.json", how or How())
    return folder / "coco.json"


def read(path: Path) -> list[dict[str, Any] | Problem]:
    return list(coco.read(path, How()))


def document(tmp_path: Path, **lists: Any) -> Path:
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(lists), "utf-8")
    return path


@given(rows())
def test_a_gold_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        [again] = read(written(row, Path(folder)))
    assert isinstance(again, dict), again
    assert plain(again) == plain(row)


HOPPER = {
    "id": "7",
    "text": "Grace Hopper 👩‍🚀 met Ada",
    "image": "hopper.jpg",
    "size": [8, 6],
    "entities": [
        {
            "text": "Grace Hopper",
            "start": 0,
            "end": 12,
            "type": "PER",
            "regions": [
                {
                    "box": [1, 1, 4, 5],
                    "mask": Mask.from_array(np.eye(6, 8, dtype=np.bool_)).model_dump(),
                }
            ],
        },
        {"text": "Ada", "type": "PER", "regions": []},
        {"text": "Navy", "type": "ORG", "regions": None},
    ],
}


@pytest.mark.filterwarnings("ignore:__array__")  # pycocotools 2.0.11 with NumPy 2
def test_pycocotools_reads_our_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO

    api = COCO(str(written(HOPPER, tmp_path, How(pictures="images/"))))
    [image] = api.loadImgs(api.getImgIds())
    assert (image["file_name"], image["width"], image["height"]) == ("images/hopper.jpg", 8, 6)
    [person] = api.getCatIds(catNms=["PER"])
    [annotation] = api.loadAnns(api.getAnnIds(imgIds=[image["id"]], catIds=[person]))
    assert annotation["bbox"] == [1, 1, 3, 4]
    assert annotation["area"] == 6
    assert (api.annToMask(annotation) == np.eye(6, 8)).all()
    assert annotation["entity_text"] == "Grace Hopper"
    assert [each["name"] for each in api.loadCats(api.getCatIds())] == [
        "PER",
        "LOC",
        "ORG",
        "OTHER",
    ]


def test_what_people_have_changed_counts(tmp_path: Path) -> None:
    path = written(HOPPER, tmp_path)
    changed = json.loads(path.read_text("utf-8"))
    [annotation] = changed["annotations"]
    names = {each["name"]: each["id"] for each in changed["categories"]}
    annotation |= {"bbox": [0, 0, 2, 2], "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}
    annotation["category_id"] = names["ORG"]
    new = {"id": 9, "image_id": 1, "category_id": names["LOC"], "bbox": [3, 3, 1, 1]}
    changed["annotations"].append(new)
    path.write_text(json.dumps(changed), "utf-8")
    [row] = read(path)
    assert isinstance(row, dict)
    hopper, ada, navy, loc = row["entities"]
    assert (hopper["type"], hopper["regions"][0]["box"]) == ("ORG", [0, 0, 2, 2])
    assert Mask(**hopper["regions"][0]["mask"]).to_array()[:2, :2].all()
    assert (ada["regions"], navy["regions"]) == ([], None)
    assert loc == {"text": "LOC", "type": "LOC", "regions": [{"box": [3, 3, 4, 4]}]}
    changed["annotations"] = []
    path.write_text(json.dumps(changed), "utf-8")
    [row] = read(path)
    assert isinstance(row, dict)
    assert row["entities"][0]["regions"] == []


def test_each_annotation_of_another_document_is_an_entity_that_no_text_names(
    tmp_path: Path,
) -> None:
    path = document(
        tmp_path,
        images=[{"id": 4, "file_name": "a.jpg", "width": 4, "height": 3}, {"id": 5}],
        categories=[{"id": 18, "name": "dog"}],
        annotations=[
            {"id": 1, "image_id": 4, "category_id": 18, "bbox": [0, 0, 2, 2], "iscrowd": 1}
            | {"segmentation": {"size": [3, 4], "counts": [0, 2, 10]}},
            {"id": 2, "image_id": 4, "caption": "a dog runs"},
        ],
    )
    first, second = read(path)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["text"] == "a dog runs"
    [dog] = first["entities"]
    assert dog["text"] == "dog"
    assert Mask(**dog["regions"][0]["mask"]).to_array()[:, 0].tolist() == [True, True, False]
    assert second == {"id": "5", "text": "", "image": None, "entities": []}


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({"image_id": 3}, "there is no image 3"),
        ({"image_id": []}, "there is no image []"),
        ({"category_id": 2}, "there is no category 2"),
        ({"category_id": {}}, "there is no category {}"),
        ({"bbox": [1, 2, 3]}, "bbox is no list of four numbers"),
        ({"bbox": [1, 2, "3", 4]}, "an edge of bbox is '3', no number"),
        ({"bbox": None, "segmentation": None}, "bbox is no list of four numbers"),
        ({"segmentation": [[1, 2, 3]]}, "a polygon without three points"),
        ({"segmentation": [[1, 2, 3, 4, 5, 1e300]]}, "a polygon far outside the picture"),
        ({"segmentation": [{}]}, "segmentation is no list of polygons"),
        ({"segmentation": "RLE"}, "segmentation is neither polygons nor run lengths"),
        ({"segmentation": {"size": [9], "counts": "1"}}, "segmentation is neither polygons"),
        ({"segmentation": {"size": [2, 2], "counts": {}}}, "neither a list nor a text"),
        ({"segmentation": {"size": [2, 2], "counts": "ÿ"}}, "the run lengths do not fill"),
        ({"segmentation": {"size": [2, 2], "counts": [1, 9]}}, "the run lengths do not fill"),
        ({"segmentation": {"size": [10**6, 10**6], "counts": [10**12]}}, "do not fill a mask of"),
    ],
)
def test_a_wrong_annotation_is_told_and_others_are_read(
    tmp_path: Path, annotation: dict[str, Any], said: str
) -> None:
    right = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}
    path = document(
        tmp_path,
        images=[{"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}],
        categories=[{"id": 1, "name": "dog"}],
        annotations=[{"id": 1} | right, {"id": 2} | right | annotation],
    )
    problem, row = read(path)
    assert isinstance(problem, Problem)
    assert said in problem.error
    assert "annotation 2" in problem.error
    assert isinstance(row, dict)
    assert len(row["entities"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        "[]",
        '{"id": "1"}\n{"id": "2"}',
        '{"images": {}}',
        '{"images": [1]}',
        '{"images": [{"id": null}]}',
        '{"images": [{"id": 1}, {"id": 1}]}',
        '{"annotations": "none"}',
    ],
)
def test_what_is_no_document_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"wrong\.json") as told:
        read(path)
    assert "of its own" not in str(told.value), "what is said of JSON Lines"

"""Numbers of types are the same for all posts of a run."""

import json
from pathlib import Path

import numpy as np
import pytest

from deixis import Extraction
from deixis.errors import InputError
from deixis.schema import Mask
from deixis.show import detections

from .filmed import box, filmed

TEXT = "Ann and Rome and NASA"


def found(*types: str, order: tuple[str, ...] = (), source: str = "a.png") -> Extraction:
    names = dict(zip(("Ann", "Rome", "NASA"), types, strict=False))
    mask = Mask.from_array(np.ones((40, 60), np.bool_)).model_dump()
    regions = [{"box": (1, 2, 11, 22), "score": 0.5, "source": "x", "mask": mask}]
    entities = [
        {
            "id": f"e{number}",
            "text": text,
            "start": TEXT.index(text),
            "end": TEXT.index(text) + len(text),
            "type": kind,
            "confidence": 0.5,
            "groundable": True,
            "regions": regions,
        }
        for number, (text, kind) in enumerate(names.items(), start=1)
    ]
    image = {"sha256": "0" * 64, "width": 60, "height": 40, "source": source}
    return Extraction.model_validate(
        {"text": TEXT, "image": image, "entities": entities, "types": list(order)}
    )


BLIND = Extraction(text=TEXT, image=None, entities=[])


@pytest.mark.parametrize(
    ("extractions", "names"),
    [
        ([found("PER")], ["PER", "LOC", "ORG", "OTHER"]),
        ([found("LOC", "PER")], ["PER", "LOC", "ORG", "OTHER"]),
        ([found("product")], [*["person", "location", "building", "organization"], "other", "art"]),
        ([found("b", "a")], ["a", "b"]),
        ([found("b", "a", order=("c", "b", "a"))], ["c", "b", "a"]),
        ([found("a", order=("c", "a")), found("z"), found("b", order=("c", "b"))], list("cabz")),
        ([BLIND], []),
        ([], []),
    ],
)
def test_types_are_numbered_in_the_order_of_their_schema(
    extractions: list[Extraction], names: list[str]
) -> None:
    assert detections.class_names(extractions)[: len(names)] == names


@pytest.mark.extra
def test_merged_detections_have_one_number_a_type() -> None:
    supervision = pytest.importorskip("supervision")
    posts = [found("PER"), found("LOC", "PER"), found("ORG")]
    merged = supervision.Detections.merge([post.to_supervision() for post in posts])
    assert merged.class_id.tolist() == [0, 1, 0, 2]
    assert merged.data["class_name"].tolist() == ["PER", "LOC", "PER", "ORG"]
    own = ["x", "ORG", "LOC", "PER"]
    assert [post.to_supervision(own).class_id.tolist() for post in posts] == [[3], [2, 3], [1]]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in its decode
def test_a_data_set_is_one_document(tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    posts = [found("PER"), BLIND, found("LOC", "PER", source="b.png"), found("ORG")]
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(detections.to_coco(iter(posts))))
    coco = COCO(str(path))
    assert {each["id"]: each["file_name"] for each in coco.loadImgs(coco.getImgIds())} == {
        1: "a.png",
        3: "b.png",
        4: "a.png",
    }
    assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == [
        "PER",
        "LOC",
        "ORG",
        "OTHER",
    ]
    anns = coco.loadAnns(coco.getAnnIds())
    assert [(each["id"], each["image_id"], each["category_id"]) for each in anns] == [
        (1, 1, 1),
        (2, 3, 2),
        (3, 3, 1),
        (4, 4, 3),
    ]
    assert coco.annToMask(anns[0]).all()
    assert detections.to_coco([posts[0]]) == detections.to_coco(posts[0]) == posts[0].to_coco()
    assert detections.to_coco([])["images"] == []


def test_types_of_one_s_own_have_to_be_all() -> None:
    post = found("PER", "LOC")
    assert [each["name"] for each in post.to_coco(["LOC", "x", "PER"])["categories"]] == [
        "LOC",
        "x",
        "PER",
    ]
    with pytest.raises(InputError, match="types lacks PER; name every type"):
        post.to_coco(["LOC"])
    with pytest.raises(InputError, match="types has LOC twice"):
        detections.to_coco([post], types=["LOC", "PER", "LOC"])


def test_results_of_before_have_no_types_and_are_read() -> None:
    data = found("PER").model_dump(mode="json")
    assert data.pop("types") == []
    assert Extraction.model_validate(data).to_coco()["categories"][0]["name"] == "PER"


def of_two_pictures() -> Extraction:
    """Return one entity with a box in each of two pictures, and one in the second."""
    data = found("PER", "LOC").model_dump(mode="json")
    other = {"sha256": "1" * 64, "width": 30, "height": 90, "source": "b.png"}
    mask = Mask.from_array(np.eye(90, 30, dtype=np.bool_)).model_dump()
    there = {"box": (5, 6, 20, 80), "score": 0.25, "source": "x", "image": 1, "mask": mask}
    data["images"] = [data["image"], other]
    data["entities"][0]["regions"].append(there)
    data["entities"][1]["regions"] = [there]
    return Extraction.model_validate(data)


def test_each_picture_is_an_image_of_its_own() -> None:
    document = detections.to_coco([found("PER"), of_two_pictures(), found("LOC")])
    assert [(each["id"], each["file_name"], each["width"]) for each in document["images"]] == [
        *((1, "a.png", 60), (2, "a.png", 60), (4, "b.png", 30), (3, "a.png", 60))
    ]
    anns = [(each["image_id"], each["entity_text"]) for each in document["annotations"]]
    assert anns == [(1, "Ann"), (2, "Ann"), (4, "Ann"), (4, "Rome"), (3, "Ann")]
    assert document["annotations"][3]["segmentation"]["size"] == [90, 30]


@pytest.mark.extra
def test_detections_are_of_one_picture() -> None:
    pytest.importorskip("supervision")
    first, second = (of_two_pictures().to_supervision(picture=i) for i in (0, 1))
    assert first.data["entity_text"].tolist() == ["Ann"]
    assert second.data["entity_text"].tolist() == ["Ann", "Rome"]
    assert first.mask.shape == (1, 40, 60) and second.mask.shape == (2, 90, 30)
    with pytest.raises(InputError, match="no picture 2: the extraction looked at 2"):
        of_two_pictures().to_supervision(picture=2)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in its decode
def test_each_frame_of_a_track_is_an_image_and_keeps_what_is_followed_apart(
    tmp_path: Path,
) -> None:
    from pycocotools.coco import COCO

    seen = filmed()
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(detections.to_coco([found("PER"), seen, seen])))
    coco = COCO(str(path))
    images = coco.loadImgs(coco.getImgIds())
    assert len(images) == 1 + 20 + 20 and images[0]["file_name"] == "a.png"
    first = images[2]
    assert first["file_name"] == "array#frame-000002" and first["time"] == 0.2
    assert (first["width"], first["height"], first["id"]) == (320, 180, 5)
    anns = coco.loadAnns(coco.getAnnIds(imgIds=[5]))
    assert [(each["entity_text"], each["track_id"]) for each in anns] == [
        *(("the red <b>box", 1), ("the blue box", 2))
    ]
    x1, y1, x2, y2 = box(0, 2)
    assert anns[0]["bbox"] == pytest.approx([x1, y1, x2 - x1, y2 - y1])
    tracks = [each.get("track_id") for each in coco.loadAnns(coco.getAnnIds())]
    assert [tracks.count(number) for number in (None, 1, 2, 3, 4)] == [1, 20, 10, 20, 10]

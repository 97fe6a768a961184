import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageShow

from deixis.base.images import open_image
from deixis.errors import InputError, MissingExtraError
from deixis.schema import Extraction, ImageInfo, Mask, Region
from deixis.show.drawing import draw_marks
from deixis.show.panels import Mark, colour

from .drawn import BOX, DISC, entity

TEXT = "Ann and Bob of NASA met in Rome"


@pytest.fixture
def extraction(path: Path) -> Extraction:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Extraction(
        text=TEXT,
        image=ImageInfo(sha256=sha256, width=160, height=120, source=str(path)),
        entities=[
            entity(
                TEXT,
                "Ann",
                "person",
                groundable=True,
                regions=[Region(box=BOX, mask=Mask.from_array(DISC), score=0.5, source="yunet")],
            ),
            entity(TEXT, "Bob", "person", groundable=False),
            entity(
                TEXT,
                "NASA",
                "company",
                groundable=True,
                regions=[
                    Region(box=(0.0, 0.0, 160.0, 120.0), score=0.25, source="reader"),
                    Region(box=(100.0, 10.0, 150.0, 30.0), score=0.125, source="reader"),
                ],
            ),
            entity(TEXT, "Rome", "place"),
        ],
    )


def test_the_overlay_shows_boxes_mask_and_text(extraction: Extraction) -> None:
    shown = np.asarray(extraction.overlay())
    assert shown.shape[0] > 480  # the picture at 640 x 480, and the panel below it
    assert shown.shape[1] == 640
    assert (shown[:480] == colour(0)).all(axis=2).sum() > 500
    assert (shown[480:] == colour(3)).all(axis=2).sum() > 100
    assert shown[200, 120, 0] > shown[200, 120, 2] + 30  # an orange tint in Ann's mask
    assert shown[440, 600].tolist() == [128] * 3


def test_the_picture_can_be_given_in_any_form(extraction: Extraction, path: Path) -> None:
    truth = np.asarray(extraction.overlay())
    for form in (path, path.read_bytes(), Image.open(path), open_image(path).pixels):
        assert np.array_equal(np.asarray(extraction.overlay(form)), truth)


@pytest.mark.parametrize("source", ["bytes", "PIL image", "array"])
def test_a_picture_without_a_name_must_be_passed(extraction: Extraction, source: str) -> None:
    assert extraction.image is not None
    image = extraction.image.model_copy(update={"source": source})
    unnamed = extraction.model_copy(update={"image": image})
    for export in (unnamed.overlay, unnamed.marks, unnamed.show, unnamed.to_html):
        with pytest.raises(InputError, match=f"came as {source}; pass it again"):
            export()


def test_marks_are_numbered_boxes_alone(extraction: Extraction, path: Path) -> None:
    marked = extraction.marks()
    shown = np.asarray(marked)
    assert marked.size == (640, 480), "the picture without a panel"
    ann, nasa = ((shown == colour(i)).all(axis=2) for i in (0, 2))
    assert ann[80:360, 40:242].sum() > 500, "her box"
    assert nasa[40:120, 400:600].sum() > 500 and nasa[470:].sum() > 500, "both boxes of one entity"
    for i in (1, 3):
        assert not (shown == colour(i)).all(axis=2).any(), "what has no box has no mark"
    assert shown[200, 120].tolist() == [128] * 3, "no mask"
    boxes = [[region.box for region in each.regions] for each in extraction.entities]
    bare = [Mark("", colour(i), each) for i, each in enumerate(boxes)]
    assert np.array_equal(np.asarray(draw_marks(open_image(path).pixels, bare)), shown), "no names"
    assert np.array_equal(np.asarray(extraction.marks(path.read_bytes())), shown)


def test_another_picture_is_refused(extraction: Extraction, path: Path) -> None:
    with pytest.raises(InputError, match=r"is 120 x 160, .* one of 160 x 120 pixels"):
        extraction.overlay(Image.new("RGB", (120, 160)))
    Image.new("RGB", (160, 120), "red").save(path)
    for form in (None, path, path.read_bytes()):
        with pytest.raises(InputError, match="not the one that the extraction looked at, though"):
            extraction.overlay(form)
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        extraction.to_html()


@pytest.mark.parametrize("source", ["PIL image", "array"])
def test_another_picture_than_the_one_given_decoded_is_refused(
    extraction: Extraction, path: Path, source: str
) -> None:
    info = {"sha256": open_image(Image.open(path)).sha256, "source": source}
    assert extraction.image is not None
    image = extraction.image.model_copy(update=info)
    decoded = extraction.model_copy(update={"image": image})
    for form in (path, path.read_bytes(), Image.open(path), open_image(path).pixels):
        decoded.overlay(form)
    Image.new("RGB", (160, 120), "red").save(path)
    for form in (path, path.read_bytes(), Image.open(path), open_image(path).pixels):
        with pytest.raises(InputError, match="not the one that the extraction looked at"):
            decoded.overlay(form)


def test_a_record_opens_nothing_that_it_does_not_know(extraction: Extraction, path: Path) -> None:
    assert extraction.image is not None
    for changed in ({"sha256": ""}, {"sha256": "0" * 64}):
        image = extraction.image.model_copy(update=changed)
        with pytest.raises(InputError, match="not the one that the extraction looked at"):
            extraction.model_copy(update={"image": image}).to_html()
    for source, said in {
        "http://127.0.0.1:1/a.png": "not on the public internet",
        "http://***@host.example/a.png": "had credentials, which no result keeps; pass it again",
        "http://host.example/a.png?sig=***": "had credentials",
    }.items():
        image = extraction.image.model_copy(update={"source": source})
        with pytest.raises(InputError, match=said):
            extraction.model_copy(update={"image": image}).overlay()


def test_without_a_picture_there_is_text(extraction: Extraction) -> None:
    bare = [e.model_copy(update={"regions": [], "groundable": None}) for e in extraction.entities]
    blind = Extraction(text=TEXT, image=None, entities=bare)
    assert blind.overlay().width == 1000
    assert blind.to_coco()["images"] == []
    with pytest.raises(InputError, match="no picture to draw marks on"):
        blind.marks()
    with pytest.raises(InputError, match="looked at none"):
        blind.overlay(Image.new("RGB", (20, 20)))


class _Album(ImageShow.Viewer):
    """A viewer that keeps what it is shown, registered with Pillow as any viewer is."""

    def __init__(self) -> None:
        self.seen: list[Image.Image] = []

    def show(self, image: Image.Image, **options: object) -> int:
        self.seen.append(image)
        return 1


@pytest.fixture
def album() -> Iterator[_Album]:
    viewers = ImageShow._viewers[:]
    album = _Album()
    ImageShow.register(album, order=0)
    yield album
    ImageShow._viewers[:] = viewers


def test_show_uses_the_picture_viewer(extraction: Extraction, album: _Album) -> None:
    extraction.show()
    assert [image.size for image in album.seen] == [extraction.overlay().size]


@pytest.mark.extra
def test_show_is_inline_in_a_notebook(
    extraction: Extraction, album: _Album, capsys: pytest.CaptureFixture[str]
) -> None:
    shells = pytest.importorskip("IPython.core.interactiveshell")
    shell = shells.InteractiveShell.instance()
    try:
        extraction.show()
        assert len(album.seen) == 1  # a terminal has no kernel
        shell.kernel = object()
        extraction.show()
        assert len(album.seen) == 1
        assert "PIL.Image.Image" in capsys.readouterr().out
    finally:
        shell.history_manager.end_session()
        shells.InteractiveShell.clear_instance()


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")  # supervision's word on its own speed
def test_supervision_detections(extraction: Extraction) -> None:
    pytest.importorskip("supervision")
    found = extraction.to_supervision()
    assert found.xyxy.tolist() == [list(BOX), [0, 0, 160, 120], [100, 10, 150, 30]]
    assert found.confidence.tolist() == [0.5, 0.25, 0.125]
    assert found.class_id.tolist() == [1, 0, 0]
    assert found.data["class_name"].tolist() == ["person", "company", "company"]
    assert found.data["entity_id"].tolist() == ["ann", "nasa", "nasa"]
    assert found.data["entity_text"].tolist() == ["Ann", "NASA", "NASA"]
    assert np.array_equal(found.mask[0], DISC)
    assert not found.mask[1:].any()
    assert found[found.confidence > 0.3].data["entity_id"].tolist() == ["ann"]
    assert len(extraction.model_copy(update={"entities": []}).to_supervision()) == 0


def test_supervision_missing(extraction: Extraction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtraError, match=r"pip install .deixis\[supervision\]"):
        extraction.to_supervision()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in its decode
def test_coco_is_read_by_coco_tools(extraction: Extraction, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    document = extraction.to_coco()
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document))
    coco = COCO(str(path))
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ["company", "person", "place"]
    (image,) = coco.loadImgs(coco.getImgIds())
    assert (image["width"], image["height"]) == (160, 120)
    (ann,) = coco.loadAnns(coco.getAnnIds(catIds=[2]))
    assert ann["bbox"] == [10.0, 20.0, 50.5, 70.0]
    assert (ann["entity_text"], ann["score"]) == ("Ann", 0.5)
    assert ann["area"] == DISC.sum()
    assert np.array_equal(coco.annToMask(ann), DISC)
    _, small = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    assert (small["area"], small["segmentation"], small["id"]) == (1000.0, [], 3)

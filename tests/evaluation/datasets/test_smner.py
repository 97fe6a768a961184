import json
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.located import line_of
from deixis.evaluation.datasets.smner import QUIRKS

TEXT = "IMGID:7\nAda\tB-PER\nand\tO\nBabbage\tB-PER\n\nIMGID:8\nLondon\tB-LOC\n\n"


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def shape(label: str, points: list[list[float]], group: int | None = None) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": group, "shape_type": "polygon"}


def labelme(*shapes: dict[str, Any], path: str = "..\\img\\7.jpg") -> str:
    document = {
        "version": "5.4.1",
        "shapes": shapes,
        "imagePath": path,
        "imageHeight": 20,
        "imageWidth": 30,
    }
    return json.dumps(document, indent=2)


def test_polygons_become_masks_and_boxes(release: Any) -> None:
    folder = release(
        {
            "dev.txt": TEXT,
            "labelme/7.json": labelme(
                shape("Ada", square(2, 3, 4)),
                shape("Ada", square(10, 3, 2), group=1),
                shape("Ada", square(14, 3, 2), group=1),
                shape("ada", square(1, 1, 1)),
                shape("Babbage", [[25, 15], [40, 15], [25, 15.1]]),
            ),
            "labelme/8.json": labelme(path="7.jpg"),
            "labelme/9.json": "never read",
        }
    )
    rows, counts = convert("smner", folder, "dev")
    assert [counts[quirk] for quirk in QUIRKS] == [1, 1, 1, 5, 1, 1, 1, 1, 1, 1]
    assert rows[0].size == (30, 20)
    ada, babbage = rows[0].entities
    alone, joined = ada.regions or ()
    assert (alone.box, joined.box) == ((2, 3, 6, 7), (10, 3, 16, 5))
    expected = np.zeros((20, 30), dtype=bool)
    expected[3:7, 2:6] = True
    assert alone.mask is not None and joined.mask is not None
    assert (alone.mask.to_array() == expected).all()
    expected[:] = False
    expected[3:5, 10:12] = expected[3:5, 14:16] = True
    assert (joined.mask.to_array() == expected).all()
    (clipped,) = babbage.regions or ()
    assert clipped.box == (25, 15, 30, 15.1)
    assert clipped.mask is not None and not clipped.mask.to_array().any()
    assert rows[1].entities[0].regions == ()


def test_a_tweet_without_a_file_shows_nothing(release: Any) -> None:
    folder = release({"dev.txt": TEXT, "labelme/other.json": "{}"})
    rows, _ = convert("smner", folder, "dev")
    assert [(row.size, [e.regions for e in row.entities]) for row in rows] == [
        (None, [(), ()]),
        (None, [()]),
    ]
    with pytest.raises(InputError, match=r"no folder .*labelme"):
        convert("smner", release({"sub/dev.txt": TEXT}) / "sub", "dev")


def test_other_folders_of_masks(release: Any) -> None:
    shown = labelme(shape("Ada", square(2, 3, 4)))
    folder = release({"dev.txt": TEXT, "json/7.json": shown, "masks/dev/8.json": shown})
    assert convert("smner", folder, "dev").rows[0].entities[0].regions
    elsewhere = convert("smner", folder, "dev", boxes=folder / "masks/dev")
    assert elsewhere.rows[0].entities[0].regions == ()
    with pytest.raises(InputError, match=r"masks/x of labelme files; say with --boxes"):
        convert("smner", folder, "dev", boxes=folder / "masks/x")


@pytest.mark.parametrize(
    ("place", "line"),
    [((), 1), (("b",), 1), (("b", 1), 4), (("b", 1, "c", "d"), 6), (("b", 9, "c"), 1)],
)
def test_line_of(place: tuple[int | str, ...], line: int) -> None:
    text = '{"a": "\\n",\n "b": [\n  1,\n  {\n   "c":\n    {"d": 2}\n  }\n ]}'
    assert line_of(text, place) == line

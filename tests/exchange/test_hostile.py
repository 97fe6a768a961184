"""What people send back may be anything: it is a row or a problem, never an end of the program."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import DeixisError
from deixis.exchange import brat, coco
from deixis.exchange.items import How
from deixis.rows import Problem

KEYS = [
    *("id", "image_id", "category_id", "bbox", "segmentation", "size", "counts", "name", "text"),
    *("post_id", "entity_id", "frame", "frames", "picture", "entities", "relations", "events"),
    *("looked", "regions", "track", "file_name", "width", "height", "caption"),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.floats()
    | st.sampled_from(["", "a", "e0", "1", "04"])
)
ANY = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), ANY, max_size=8)
IMAGES = st.builds(lambda given, id_: given | {"id": id_}, OBJECTS, st.integers(1, 3))
ANNOTATIONS = st.builds(
    lambda given, image, category: given | {"image_id": image, "category_id": category},
    OBJECTS,
    st.integers(1, 3),
    st.integers(1, 2),
)
CATEGORIES = [{"id": 1, "name": "a"}, {"id": 2, "name": 3}]
DOCUMENTS = st.fixed_dictionaries(
    {
        "images": st.lists(IMAGES, max_size=3, unique_by=lambda image: image["id"]) | ANY,
        "annotations": st.lists(ANNOTATIONS, max_size=4) | ANY,
        "categories": st.just(CATEGORIES) | ANY,
        "deixis": st.fixed_dictionaries({"posts": st.lists(OBJECTS, max_size=3)}) | ANY,
    }
)
PIECES = st.sampled_from(
    [
        *("T1", "T2", "E1", "R1", "A1", "#1", "*", "\t", " ", "\n", "PER", "0 3", "1 2;2 3", ":"),
        *("FineType", "NotInThePictures", "Arg1:T1", "Arg2:T2", "Meet:T1", "Who:T2", "Ada", "1"),
        *("AnnotatorNotes", '{"place": 0}', '{"regions": [1]}', '{"start": 0, "end": 5}'),
        *('{"place": NaN}', '{"arguments": [["a", 0]]}'),
    ]
)


@given(DOCUMENTS)
def test_any_document_of_coco(document: Any) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "coco.json"
        path.write_text(json.dumps(document), "utf-8")
        try:
            made = list(coco.read(path, How()))
        except DeixisError as error:
            assert str(path) in str(error)
            return
    assert all(isinstance(each, dict | Problem) for each in made)


@given(st.lists(PIECES, max_size=30).map("".join), OBJECTS | ANY)
def test_any_lines_of_brat(lines: str, beside: Any) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.txt").write_text("Ada met", "utf-8")
        (folder / "one.ann").write_text(lines, "utf-8")
        (folder / "one.json").write_text(json.dumps(beside), "utf-8")
        made = list(brat.read(folder, How()))
    assert all(isinstance(each, dict | Problem) for each in made)

"""Synthetic pairs: the picture that fits a text best, by the cosine of a CLIP's own features."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.base.images import open_image
from deixis.errors import DataError
from deixis.evaluation.construction.samples import write_samples
from deixis.rows import read_rows
from deixis.tools.base import Picture
from deixis.training.pairs import Rules, in_folder, make_pairs, of_row, types_in

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "dark": (30, 20, 10)}
Write = Callable[..., Path]


class Redness:
    """Fits a picture to any text by how red it is: 255 is a cosine of 1."""

    name = "redness"

    def similarities(self, picture: Picture, texts: Sequence[str]) -> list[float]:
        return [float(picture[..., 0].mean() / 255)] * len(texts)


def pixels(path: str) -> Picture:
    return open_image(path).pixels


def row(name: str, text: str = "Ann paints", **more: Any) -> dict[str, Any]:
    ann = {"text": "Ann", "start": 0, "end": 3, "type": "/person/artist", "regions": []}
    return {"id": name, "text": text, "entities": [ann], **more}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows, and a folder of candidates for each: ``write(row, ...)``."""

    def make(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(each) + "\n" for each in rows))
        for each in rows:
            own = tmp_path / "candidates" / each["id"]
            own.mkdir(parents=True, exist_ok=True)
            for name, colour in COLOURS.items():
                Image.new("RGB", (40, 30), colour).save(own / f"{name}.png")
        return path

    return make


def made(rows: Path, **rules: Any) -> Any:
    found = partial(in_folder, rows.parent / "candidates")
    return make_pairs(rows, found, pixels, Redness(), Rules(**rules))


def test_the_best_candidate_of_a_text_is_its_picture(write: Write, tmp_path: Path) -> None:
    pairs = made(write(row("a", note="kept", size=[1, 1])), types={"/person": "person"})
    assert pairs.counts == {"rows": 1, "pairs": 1}
    out = tmp_path / "new" / "pairs.jsonl"
    write_samples(out, pairs.samples)
    (pair,) = read_rows(out)
    image = out.parent / str(pair.image)
    assert image.name == "red.png" and image.is_file()
    (ann,) = pair.entities
    assert (ann.text, ann.type, ann.fine_type, ann.regions) == ("Ann", "person", None, None)
    data = json.loads(out.read_text())
    assert (data["similarity"], data["note"], "size" in data) == (1.0, "kept", False)


def test_what_is_left_out_is_counted(write: Write) -> None:
    long, at_most = " ".join(["Ann"] * 27), " ".join(["Ann"] * 26)
    rows = write(row("long", long), row("b", at_most), row("c"), row("../d"), row("e"))
    for path in (rows.parent / "candidates" / "c").iterdir():
        path.unlink()
    own = rows.parent / "candidates" / "e"
    (own / "red.png").write_bytes(b"no picture")
    (own / "green.png").unlink()
    pairs = made(rows)
    assert [each.row.id for each in pairs.samples] == ["b"]
    assert pairs.counts == {
        "rows": 5,
        "left out: more than 26 words": 1,
        "left out: no candidate picture": 2,
        "candidate pictures that could not be used": 1,
        "left out: cosine below 0.3": 1,
        "pairs": 1,
    }


def test_the_threshold_itself_is_enough(write: Write) -> None:
    rows = write(row("a"))
    Image.new("RGB", (40, 30), (51, 0, 0)).save(rows.parent / "candidates" / "a" / "red.png")
    assert made(rows, least=0.2).counts["pairs"] == 1
    with pytest.raises(DataError, match="no text has a picture that fits"):
        made(rows, least=0.2001)


def test_labels_are_looked_up_from_the_finest_to_the_coarsest(write: Write) -> None:
    labels = ["/person/artist", "person-actor", "/time", "/art/film", "/art"]
    types = {"/person": "person", "person-actor": "star", "/time": None, "/art/film": "art"}
    rows = [row(str(number)) for number in range(len(labels))]
    for each, label in zip(rows, labels, strict=True):
        each["entities"][0]["type"] = label
    pairs = made(write(*rows), types=types)
    kept = [[entity["type"] for entity in each.data["entities"]] for each in pairs.samples]
    assert kept == [["person"], ["star"], [], ["art"]]
    assert pairs.counts["left out: the label '/art' has no type"] == 1
    with pytest.raises(DataError, match="'x' is to be the name of a type, or null; got 3"):
        types_in({"x": 3}, Path("types.yaml"))


def test_candidates_may_be_named_by_the_rows(write: Write) -> None:
    named = ["candidates/a/dark.png", "candidates/a/red.png"]
    rows = write(row("a", images=named))
    pairs = make_pairs(rows, partial(of_row, rows.parent), pixels, Redness(), Rules())
    (pair,) = pairs.samples
    assert Path(pair.data["image"]).name == "red.png" and "images" not in pair.data

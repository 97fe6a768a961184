import json
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from deixis.errors import InputError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.pictures import QUIRKS as PICTURE_QUIRKS
from deixis.evaluation.datasets.tweets import FINE_QUIRKS
from deixis.rows import Row

TEXT = (
    "IMGID:1\nAda\tB-PER\nLovelace\tI-PER\nmet\tO\nAda\tB-PER\n\ufe0f\tO\nin\tO\nLondon\tB-LOC\n"
    "and\tO\nAda\tB-PER\nLovelace\tI-PER\n\n"
    "IMGID:O_2\nR\tO\n&amp\tO\n;\tO\nD\tO\n\n"
    "IMGID:3\nThe\tI-OTHER\nSecond\tI-OTHER\nWave\tI-PER\n\n"
)


def box(name: str, *sides: int) -> str:
    names = ("xmin", "ymin", "xmax", "ymax")
    inside = "".join(f"<{n}>{side}</{n}>" for n, side in zip(names, sides, strict=True))
    return f"<object><name>{name}</name><bndbox>{inside}</bndbox></object>\n"


def voc(*objects: str, filename: str, size: str = "100 80 3") -> str:
    width, height, depth = size.split()
    sides = f"<width>{width}</width><height>{height}</height><depth>{depth}</depth>"
    head = f"<annotation>\n<filename>{filename}</filename>\n<size>{sides}</size>\n"
    return f"{head}{''.join(objects)}</annotation>"


ODD = {
    "dev.txt": TEXT,
    "xml/1.xml": voc(
        box("Ada Lovelace", 1, 1, 50, 80),
        box("Ada Lovelace", 60, 1, 100, 80),
        box("Ada", 1, 1, 50, 80),
        box("ada", 1, 1, 5, 5),
        box("London", 7, 7, 7, 9),
        box("London ", 7, 7, 101, 9),
        filename="1_region.jpg",
        size="100 80 1",
    ),
    "xml/3.xml": voc(filename="3.jpg", size="0 0 3"),
    "xml/99.xml": voc(box("Nobody", 1, 1, 2, 2), filename="99.jpg"),
}


def test_every_quirk_is_kept_and_counted(release: Any) -> None:
    rows, counts = convert("gmner", release(ODD), "dev")
    assert counts == {
        "orphan I- tags that open an entity": 2,
        "tokens of invisible characters only": 1,
        "tokens left over from HTML": 1,
        "mentions that repeat a text and type of their row": 1,
        "box files of other samples": 1,
        "box files that name another picture": 1,
        "box files of a depth other than 3": 1,
        "box files without the size of the picture": 1,
        "box files without a box": 1,
        "boxes in box files": 6,
        "names that match no entity": 2,
        "boxes of names that match no entity": 2,
        "names with several boxes": 1,
        "boxes shared by several names": 1,
        "boxes with corners that were the wrong way round (put right)": 0,
        "boxes without area": 1,
        "boxes beyond the picture": 1,
    }
    first, second, third = rows
    assert first.text == "Ada Lovelace met Ada \ufe0f in London and Ada Lovelace"
    assert (first.id, first.size, first.image) == ("1", (100, 80), None)
    found = [(e.text, e.start, e.end, e.type, len(e.regions or ())) for e in first.entities]
    assert found == [
        ("Ada Lovelace", 0, 12, "PER", 2),
        ("Ada", 17, 20, "PER", 1),
        ("London", 26, 32, "LOC", 1),
        ("Ada Lovelace", 37, 49, "PER", 2),
    ]
    assert [region.box for region in first.entities[0].regions or ()] == [
        (1, 1, 50, 80),
        (60, 1, 100, 80),
    ]
    assert (second.text, second.size, second.entities) == ("R &amp ; D", None, ())
    assert [(e.text, e.type, e.regions) for e in third.entities] == [
        ("The Second", "OTHER", ()),
        ("Wave", "PER", ()),
    ]
    for row in rows:
        assert all(row.text[e.start : e.end] == e.text for e in row.entities)


def test_both_layouts_of_the_release_and_boxes_elsewhere(release: Any, tmp_path: Path) -> None:
    folder = release(ODD)
    plain = convert("gmner", folder, "dev")
    (folder / "txt").mkdir()
    (folder / "dev.txt").rename(folder / "txt" / "dev.txt")
    assert convert("gmner", folder, "dev") == plain
    (folder / "xml").rename(tmp_path / "boxes")
    assert convert("gmner", folder, "dev", boxes=tmp_path / "boxes") == plain
    with pytest.raises(InputError, match="--boxes"):
        convert("gmner", folder, "dev")
    with pytest.raises(InputError, match=r"there is no .*nowhere"):
        convert("gmner", folder, "dev", boxes=tmp_path / "nowhere")


def test_pictures_are_found_by_id_measured_and_named_from_the_rows(
    release: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release({**ODD, "pictures/O_2.txt": "", "pictures/4.png": "no picture"})
    with (folder / "dev.txt").open("a") as file:
        file.write("IMGID:4\nGood\tO\n\nIMGID:5\nbye\tO\n")
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (100, 90)).save(folder / "pictures" / "1.jpg")
    Image.new("RGB", (20, 10)).save(folder / "pictures" / "3.JPG", exif=turned)
    monkeypatch.chdir(tmp_path)
    images = Path("release/pictures")
    rows, counts = convert("gmner", folder, "dev", images=images, beside=Path("out/gold"))
    assert [(row.image, row.size) for row in rows] == [
        ("../../release/pictures/1.jpg", (100, 80)),
        (None, None),
        ("../../release/pictures/3.JPG", (10, 20)),
        ("../../release/pictures/4.png", None),
        (None, None),
    ]
    assert [counts[quirk] for quirk in PICTURE_QUIRKS] == [2, 1, 1]
    rows, _ = convert("gmner", folder, "dev", images=images.absolute(), beside=Path("out/gold"))
    assert rows[0].image == str(images.absolute() / "1.jpg")


def test_what_is_not_there_is_said(release: Any) -> None:
    folder = release({"dev.txt": TEXT, "txt/test.txt": TEXT})
    with pytest.raises(InputError, match=r"no valid.txt in .*there: dev, test"):
        convert("gmner", folder, "valid")
    with pytest.raises(InputError, match=r"no dev.txt in .*no file there ends in .txt"):
        convert("gmner", folder / "nowhere", "dev")
    with pytest.raises(InputError, match=r"no data set 'gmnr'.*did you mean 'gmner'"):
        convert("gmnr", folder, "dev")
    with pytest.raises(InputError, match="twitter2017 has no box files"):
        convert("twitter2017", folder, "dev", boxes=folder)
    with pytest.raises(InputError, match="muie names its own pictures"):
        convert("muie", folder, "dev", images=folder)
    with pytest.raises(InputError, match=r"cannot read .*pictures"):
        convert("twitter2015", folder, "dev", images=folder / "pictures")


FINE = (
    "IMGID:1\nAda\tB-person\tB-author\nLovelace\tI-person\tI-author\nin\tO\tO\n"
    "London\tB-location\tB-city\n\n"
)


def test_fmnerg_has_fine_types(release: Any) -> None:
    files = {"txt_fine/dev.txt": FINE, "xml/1.xml": voc(box("London", 1, 2, 3, 4), filename="1.")}
    rows, counts = convert("fmnerg", release(files), "dev")
    assert [(e.text, e.type, e.fine_type, len(e.regions or ())) for e in rows[0].entities] == [
        ("Ada Lovelace", "person", "author", 0),
        ("London", "location", "city", 1),
    ]
    assert [counts[quirk] for quirk in FINE_QUIRKS] == [0, 0]


def test_fine_types_at_odds_are_counted_and_the_first_is_kept(release: Any) -> None:
    odd = FINE.replace("I-author", "I-actor").replace("B-city", "B-band")
    files = {"dev.txt": odd, "xml/1.xml": voc(filename="1.jpg")}
    rows, counts = convert("fmnerg", release(files), "dev")
    assert [each.fine_type for each in rows[0].entities] == ["author", "band"]
    assert [counts[quirk] for quirk in FINE_QUIRKS] == [1, 1]


@pytest.mark.parametrize("name", ["twitter2015", "twitter2017"])
def test_mner_has_one_name_for_the_fourth_type_and_no_regions(release: Any, name: str) -> None:
    text = "IMGID:1\nThe\tI-OTHER\nSecond\tI-OTHER\nto\tO\nAda\tB-PER\nFair\tB-MISC\n"
    rows, counts = convert(name, release({"valid.txt": text}), "valid")
    assert [(e.text, e.type, e.regions) for e in rows[0].entities] == [
        ("The Second", "OTHER", None),
        ("Ada", "PER", None),
        ("Fair", "OTHER", None),
    ]
    assert counts["orphan I- tags that open an entity"] == 1
    assert counts["entities of the type MISC, called OTHER"] == 1
    assert "regions" not in json.loads(rows[0].model_dump_json(exclude_none=True))["entities"][0]
    assert Row.model_validate_json(rows[0].model_dump_json(exclude_none=True)) == rows[0]

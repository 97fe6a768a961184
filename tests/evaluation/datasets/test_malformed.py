"""Files that do not parse: every reader names the file, the line and what is wrong."""

import io
import json
import tarfile
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.datasets import convert

TEXT = "IMGID:1\nAda\tB-PER\nwaits\tO\n\n"
FINE = "IMGID:1\nAda\tB-person\tB-author\nwaits\tO\tO\n\n"
XML = """<annotation>
<filename>1.jpg</filename>
<size>
<width>10</width><height>10</height><depth>3</depth>
</size>
<object>
<name>Ada</name>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>
</object>
</annotation>
"""
LABELME = """{
"imageHeight": 20, "imageWidth": 30, "imagePath": "1.jpg",
"shapes": [
{"label": "Ada", "points": [[1, 1], [9, 1], [9, 9]],
 "shape_type": "polygon"},
{"label": "Ada", "points": [[2, 2], [8, 2], [8, 8]],
 "shape_type": "polygon"}
]}
"""
SUMMARY = '{"id": "1", "summary": "A portrait."}\n'
GOOD = {
    "gmner": {"dev.txt": TEXT, "xml/1.xml": XML},
    "fmnerg": {"dev.txt": FINE, "xml/1.xml": XML},
    "twitter2015": {"dev.txt": TEXT},
    "smner": {"dev.txt": TEXT, "labelme/1.json": LABELME},
    "mmre": {"dev.txt": TEXT, "xml/1.xml": XML, "dev.summaries.jsonl": SUMMARY},
    "muie": {"dev.jsonl": '{"id": "0", "task": "ner", "text": "Ada"}\n'},
}


@pytest.mark.parametrize("name", GOOD)
def test_what_the_cases_below_spoil_is_good(release: Any, name: str) -> None:
    assert len(convert(name, release(GOOD[name]), "dev").rows) == 1


def patch(**changes: Any) -> str:
    given = {"letter": "a", "box": [1, 1, 2, 2], "entity": "Ada", **changes}
    return json.dumps({"id": "1", "summary": "x", "patches": [given]})


def ner(**changes: Any) -> str:
    """The second line of a MUIE file; the first is good."""
    given = {"id": "1", "task": "ner", "text": "Ada", "image": "1.jpg", "size": [3, 2], **changes}
    return GOOD["muie"]["dev.jsonl"] + json.dumps(given)


def entity(**changes: Any) -> str:
    return ner(entities=[{"text": "Ada", "type": "person", "start": 0, "end": 3, **changes}])


def event(**changes: Any) -> str:
    return ner(task="ee", events=[{"type": "Meet", **changes}])


SMALL = {"box": [0, 0, 1, 1]}
CASES = [
    # CoNLL text
    ("gmner", "dev.txt", "Ada\tB-PER\n", 1, "expected 'IMGID:'"),
    ("gmner", "dev.txt", "IMGID:\nAda\tO\n", 1, "expected 'IMGID:'"),
    ("gmner", "dev.txt", TEXT + "IMGID:2\n\n", 6, "has no token"),
    ("gmner", "dev.txt", TEXT + "IMGID:2", 6, "has no token"),
    ("gmner", "dev.txt", TEXT + TEXT, 5, "'1' stands twice"),
    ("gmner", "dev.txt", "IMGID:1\nAda O\n", 2, "expected token, tab, tag"),
    ("gmner", "dev.txt", "IMGID:1\nAda\tO\n\tO\n", 3, "expected token, tab, tag"),
    ("gmner", "dev.txt", "IMGID:1\nAda\tB-MISC\n", 2, "unknown tag 'B-MISC'"),
    ("gmner", "dev.txt", "IMGID:1\nAda\tPER\n", 2, "unknown tag 'PER'"),
    ("gmner", "dev.txt", b"IMGID:1\nAda\tO\n\xe9\tO\n", 3, "not UTF-8"),
    ("gmner", "dev.txt", TEXT + "\x00" * 9, 5, "expected 'IMGID:'"),
    ("gmner", "dev.txt", FINE, 2, "unknown tag 'B-author'"),
    ("twitter2015", "dev.txt", "IMGID:1\nAda\tB-person\n", 2, "unknown tag"),
    ("fmnerg", "dev.txt", TEXT, 2, "expected token, tab, tag, tab, fine tag"),
    ("fmnerg", "dev.txt", FINE.replace("\tO\tO", "\tO\tB-actor"), 3, "do not go together"),
    ("fmnerg", "dev.txt", FINE.replace("B-author", "I-author"), 2, "do not go together"),
    ("fmnerg", "dev.txt", FINE.replace("B-author", "B-poet"), 2, "unknown tag 'B-poet'"),
    ("fmnerg", "dev.txt", FINE.replace("B-person", "B-PER"), 2, "unknown tag 'B-PER'"),
    # box files
    ("gmner", "xml/1.xml", XML.replace("</object>", ""), 10, "not well-formed XML"),
    ("gmner", "xml/1.xml", "", 1, "not well-formed XML"),
    ("gmner", "xml/1.xml", "\n<!DOCTYPE a>" + XML, 2, "declares a DTD"),
    ("gmner", "xml/1.xml", '<?xml version="1.0" encoding="klingon"?>' + XML, 1, "XML"),
    ("gmner", "xml/1.xml", XML.replace("annotation", "note"), 1, "found <note>"),
    ("gmner", "xml/1.xml", XML.replace("<name>Ada</name>", ""), 6, "without a name"),
    ("gmner", "xml/1.xml", XML.replace("<xmin>1<", "<xmin>one<"), 6, "<xmin> is 'one'"),
    ("gmner", "xml/1.xml", XML.replace("<xmin>1</xmin>", ""), 6, "<xmin> is ''"),
    ("gmner", "xml/1.xml", XML.replace("<xmin>1<", "<xmin>1,5<"), 6, "<xmin> is '1,5'"),
    ("gmner", "xml/1.xml", XML.replace("bndbox", "polygon"), 6, "0 boxes in place of one"),
    ("gmner", "xml/1.xml", XML.replace("<width>10<", "<width>wide<"), 3, "in whole numbers"),
    ("gmner", "xml/1.xml", XML.replace("<depth>3<", "<depth>RGB<"), 3, "in whole numbers"),
    # labelme
    ("smner", "labelme/1.json", LABELME.replace('"imageHeight"', "imageHeight"), 2, "not JSON"),
    ("smner", "labelme/1.json", b"{\n\xff", 2, "not UTF-8"),
    ("smner", "labelme/1.json", "[" * 100_000, 1, "not JSON"),
    ("smner", "labelme/1.json", "[1, 2]", 1, "object"),
    ("smner", "labelme/1.json", LABELME.replace("shapes", "shape"), 1, "shapes: Field required"),
    ("smner", "labelme/1.json", LABELME.replace("20", "0"), 1, "imageHeight"),
    ("smner", "labelme/1.json", LABELME.replace("20", '"20"'), 1, "imageHeight"),
    ("smner", "labelme/1.json", LABELME.replace("[8, 8]", "8"), 6, "shapes.1.points.2"),
    ("smner", "labelme/1.json", LABELME.replace(", [8, 8]", ""), 6, "at least 3 items"),
    ("smner", "labelme/1.json", LABELME.replace("[9, 9]", "[9]"), 4, "shapes.0.points.2.1"),
    ("smner", "labelme/1.json", LABELME.replace("[8, 8]", "[NaN, 8]"), 6, "finite number"),
    ("smner", "labelme/1.json", LABELME.replace("[8, 8]", "[1e300, 8]"), 6, "far outside"),
    ("smner", "labelme/1.json", LABELME.replace('"polygon"}\n', '"circle"}\n'), 6, "polygon"),
    ("smner", "labelme/1.json", LABELME.replace('"Ada"', '""', 1), 4, "shapes.0.label"),
    # summaries and patches
    ("mmre", "dev.summaries.jsonl", SUMMARY + "{", 2, "not JSON"),
    ("mmre", "dev.summaries.jsonl", SUMMARY + "\n[1]", 3, "object"),
    ("mmre", "dev.summaries.jsonl", SUMMARY + '{"id": "1"}', 2, "summary: Field required"),
    ("mmre", "dev.summaries.jsonl", SUMMARY.replace("A portrait.", ""), 1, "summary"),
    ("mmre", "dev.summaries.jsonl", SUMMARY.replace('"1"', "1.5"), 1, "id: Input should be"),
    ("mmre", "dev.summaries.jsonl", SUMMARY + SUMMARY, 2, "'1' stands twice"),
    ("mmre", "dev.summaries.jsonl", SUMMARY.replace("1", "9"), 1, "no tweet '9'"),
    ("mmre", "dev.summaries.jsonl", patch(letter="A"), 1, "patches.0.letter"),
    ("mmre", "dev.summaries.jsonl", patch(box=[1, 2, 3]), 1, "patches.0.box"),
    ("mmre", "dev.summaries.jsonl", patch(box=[2, 1, 2, 2]), 1, "a box needs x1 < x2"),
    ("mmre", "dev.summaries.jsonl", patch(entity="ada"), 1, "no entity 'ada'"),
    ("mmre", "dev.summaries.jsonl", patch(name="Ada"), 1, "no key patches.0.name"),
    ("mmre", "dev.summaries.jsonl", b'{"id": "\xff"}', 1, "not UTF-8"),
    # MUIE
    ("muie", "dev.jsonl", ner(id="0"), 2, "'0' stands twice"),
    ("muie", "dev.jsonl", ner(task="qa"), 2, "task"),
    ("muie", "dev.jsonl", ner(text="", image=None), 2, "neither text nor image"),
    ("muie", "dev.jsonl", ner(picture="1.jpg"), 2, "no key picture"),
    ("muie", "dev.jsonl", ner(relations=[{"subject": 0, "type": "of", "object": 0}]), 2, "task"),
    ("muie", "dev.jsonl", ner(events=[{"type": "Meet"}]), 2, "events in a row of the task ner"),
    ("muie", "dev.jsonl", entity(type=None), 2, "entities.0.type"),
    ("muie", "dev.jsonl", entity(end=2), 2, "text[0:2] is not 'Ada'"),
    ("muie", "dev.jsonl", entity(end=None), 2, "start without end"),
    ("muie", "dev.jsonl", entity(regions=[{"box": [2, 0, 1, 1]}]), 2, "a box needs x1 < x2"),
    ("muie", "dev.jsonl", entity(regions=[{**SMALL, "bbox": []}]), 2, "no key entities.0.regions"),
    (
        "muie",
        "dev.jsonl",
        entity(regions=[{**SMALL, "mask": {"size": [3, 2], "counts": "24"}}]),
        2,
        "[height, width]",
    ),
    (
        "muie",
        "dev.jsonl",
        entity(regions=[{**SMALL, "mask": {"size": [2, 3], "counts": "23"}}]),
        2,
        "do not fill",
    ),
    ("muie", "dev.jsonl", entity(spans=[[0, 1]]), 2, "without an audio"),
    ("muie", "dev.jsonl", entity(track=[{"frame": 0, "regions": [SMALL]}]), 2, "such a medium"),
    ("muie", "dev.jsonl", event(arguments=[{"role": "Agent", "entity": 0}]), 2, "no entity 0"),
    ("muie", "dev.jsonl", event(trigger={"text": "met", "start": 0, "end": 3}), 2, "not 'met'"),
    ("muie", "dev.jsonl", event(trigger={"text": "met", "spans": [[1, 1]]}), 2, "without an audio"),
]


@pytest.mark.parametrize(("name", "file", "content", "line", "reason"), CASES)
def test_errors_name_file_and_line(
    release: Any, name: str, file: str, content: str | bytes, line: int, reason: str
) -> None:
    folder = release({**GOOD[name], file: content})
    with pytest.raises(DataError) as caught:
        convert(name, folder, "dev")
    assert str(caught.value).startswith(f"{folder / file}:{line}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spans": [[2, 1]]}, "a span needs start < end"),
        ({"spans": [[-1, 1]]}, "entities.0.spans.0.0"),
        ({"track": [{"frame": 3, "regions": []}] * 2}, "a frame stands twice"),
        ({"track": [{"frame": -1, "regions": []}]}, "entities.0.track.0.frame"),
        ({"track": [{"frame": 1, "regions": [{"box": [1, 1, 1, 2]}]}]}, "a box needs x1 < x2"),
    ],
)
def test_what_does_not_fit_its_medium(release: Any, changes: Any, reason: str) -> None:
    line = json.loads(entity(**changes).splitlines()[1])
    folder = release({"dev.jsonl": json.dumps({**line, "audio": "1.wav", "video": "1.mp4"})})
    with pytest.raises(DataError, match=r"dev\.jsonl:1: ") as caught:
        convert("muie", folder, "dev")
    assert reason in str(caught.value)


def test_errors_inside_an_archive_name_the_member(release: Any) -> None:
    folder = release({"dev.txt": TEXT})
    with tarfile.open(folder / "xml.tar.gz", "w:gz") as tar:
        for name, content in (("a/1.xml", XML), ("b/1.xml", XML)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    with pytest.raises(DataError, match=r"xml\.tar\.gz:b/1\.xml: .*'1' has .*a/1\.xml too"):
        convert("gmner", folder, "dev")

"""M3D, Re-TACRED, ACE, Twt17 and PASCAL: texts, some of which the benchmark has spoken."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, InputError
from deixis.evaluation.datasets import convert
from deixis.type_schema import TypeSchema


def mention(kind: str, start: int, end: int, text: str) -> dict[str, Any]:
    return {"type": kind, "start": start, "end": end, "text": text, "sent_time": "0-4"}


M3D = {
    "doc": "Ada lived in London . She met Babbage there .",
    "time_sent_pair": {"0-4": "Ada lived in London ."},
    "relation": [
        {"link1": "L1", "link2": "L0", "type": "PER-LOC_residence"},
        {"link1": "L0", "link2": "L2", "type": "PER-PER_peer"},
        {"link1": "L0", "link2": "L1", "type": "PER-LOC_residence"},
    ],
    "entityLink": {
        "L0": {"type": "PER", "link": [mention("PER", 5, 6, "She"), mention("PER", 0, 1, "Ada")]},
        "L1": {"type": "LOC", "link": [mention("LOC", 3, 4, "london")]},
        "L2": {"type": "PER", "link": [mention("PER", 7, 8, "Babbage")]},
    },
    "image": [],
    "video_id": "video_1_2",
    "lang": "en",
}
TACRED = {
    "id": "t1",
    "token": ["Ada", "Byron", "of", "Acme"],
    "relation": "per:employee_of",
    "subj_start": 0,
    "subj_end": 1,
    "subj_type": "PERSON",
    "obj_start": 3,
    "obj_end": 3,
    "obj_type": "ORGANIZATION",
    "stanford_pos": ["NNP"],
}
ACE = {
    "doc_id": "d",
    "sent_id": "d-0",
    "tokens": ["Ada", "of", "Acme", "died", "."],
    "sentence": "Ada of Acme died.",
    "entity_mentions": [
        {
            "id": "E1",
            "text": "Ada",
            "entity_type": "PER",
            "mention_type": "NAM",
            "start": 0,
            "end": 1,
        },
        {
            "id": "E2",
            "text": "Acme",
            "entity_type": "ORG",
            "mention_type": "NAM",
            "start": 2,
            "end": 3,
        },
    ],
    "relation_mentions": [
        {
            "relation_type": "ORG-AFF",
            "relation_subtype": "ORG-AFF:Employment",
            "arguments": [
                {"entity_id": "E2", "text": "Acme", "role": "Arg-2"},
                {"entity_id": "E1", "text": "Ada", "role": "Arg-1"},
            ],
        }
    ],
    "event_mentions": [
        {
            "event_type": "Life:Die",
            "trigger": {"text": "died", "start": 3, "end": 4},
            "arguments": [{"entity_id": "E1", "text": "Ada", "role": "Victim"}],
        }
    ],
}


def test_m3d_has_chains_whose_first_mention_counts(release: Any, as_gold: Any) -> None:
    folder = release({"data/en/dev_en.json": json.dumps([M3D])})
    rows, counts = convert("m3d", folder, "dev_en")
    (row,) = as_gold(rows)
    assert (row.id, row.task, row.dataset, row.image) == ("video_1_2", "re", "M3D", None)
    assert [(each.text, each.start, each.spans) for each in row.entities] == [
        ("Ada", 0, None),
        ("London", 13, None),
        ("Babbage", 30, None),
    ]
    assert [(each.subject, each.type, each.object) for each in row.relations] == [
        (0, "PER-LOC_residence", 1),
        (0, "PER-PER_peer", 2),
    ]
    assert list(counts.values()) == [3, 1, 1, 3, 1, 1, 0]


def test_m3d_of_chinese_counts_characters_and_has_frames(release: Any, as_gold: Any) -> None:
    chains = {"L0": {"type": "PER", "link": [mention("PER", 1, 3, "李白")]}}
    given = {**M3D, "lang": "zh", "doc": "说李白来", "relation": [], "entityLink": chains}
    folder = release({"dev_zh.json": json.dumps([given, given])})
    (frames := folder / "img" / "video_1_2").mkdir(parents=True)
    for name in ("2.jpg", "1.jpg"):
        Image.new("RGB", (6, 4)).save(frames / name)
    (frames / "1.txt").write_text("PER 0.1 0.2 0.3 0.4")
    rows, counts = convert("m3d", folder, "dev_zh")
    first, second = as_gold(rows)
    assert (first.entities[0].text, first.entities[0].start, second.id) == (
        "李白",
        1,
        "video_1_2#2",
    )
    assert first.images == (str(frames / "1.jpg"), str(frames / "2.jpg"))
    assert first.size == (6, 4)
    assert counts["rows with frames"] == 2


def test_m3d_of_a_text_alone_is_numbered(release: Any, as_gold: Any) -> None:
    folder = release({"a.json": json.dumps([{**M3D, "video_id": None}])})
    (row,) = as_gold(convert("m3d", folder, "a").rows)
    assert row.id == "a-0" and row.images is None


def test_retacred_has_last_tokens_that_count(release: Any, as_gold: Any) -> None:
    none = {**TACRED, "id": "t2", "relation": "no_relation"}
    rows, counts = convert("retacred", release({"test.json": json.dumps([TACRED, none])}), "test")
    first, second = as_gold(rows)
    assert [(each.text, each.type) for each in first.entities] == [
        ("Ada Byron", "PERSON"),
        ("Acme", "ORGANIZATION"),
    ]
    assert [each.type for each in first.relations] == ["per:employee_of"]
    assert (second.relations, second.dataset) == ((), "ReTACRED")
    assert list(counts.values()) == [1, 1]


@pytest.mark.parametrize(
    ("name", "task", "dataset", "counted"),
    [
        ("ace", "ner", "ACE05-Aud", [2, 2, 0, 0, 0, 0]),
        ("ace-re", "re", "ACE05", [2, 2, 1, 0, 0, 0]),
        ("ace-ee", "ee", "ACE05", [2, 2, 0, 1, 1, 0]),
    ],
)
def test_ace_is_read_for_each_task(
    release: Any, as_gold: Any, name: str, task: str, dataset: str, counted: list[int]
) -> None:
    rows, counts = convert(name, release({"dev.oneie.json": json.dumps(ACE) + "\n"}), "dev")
    (row,) = as_gold(rows)
    assert (row.task, row.dataset, row.text) == (task, dataset, "Ada of Acme died.")
    assert [each.text for each in row.entities] == ["Ada", "Acme"]
    assert list(counts.values()) == counted
    schema = TypeSchema.load("ace")
    for relation in row.relations:
        known = schema.relation(relation.type)
        ends = [row.entities[place].type for place in (relation.subject, relation.object)]
        assert known and ends[0] in known.subject and ends[1] in known.object
    for event in row.events:
        assert event.trigger is not None and event.trigger.text == "died"
        assert all(schema.role(event.type, each.role) for each in event.arguments)


def test_a_subtype_without_its_type_is_joined_with_it(release: Any, as_gold: Any) -> None:
    (relation,) = ACE["relation_mentions"]
    given = {**ACE, "relation_mentions": [{**relation, "relation_subtype": "Employment"}]}
    rows, _ = convert("ace-re", release({"dev.oneie.json": json.dumps(given)}), "dev")
    (row,) = as_gold(rows)
    assert row.relations[0].type == "ORG-AFF:Employment"


def test_twt17_has_rows_of_muie(release: Any, as_gold: Any) -> None:
    folder = release({"test.txt": "IMGID:1\nAda\tB-PER\nof\tO\nEarth\tB-MISC\n\n"})
    (row,) = as_gold(convert("twt17", folder, "test").rows)
    assert (row.task, row.dataset, [each.type for each in row.entities]) == (
        "ner",
        "Twt17",
        ["PER", "OTHER"],
    )


def test_pascal_has_things_with_boxes(release: Any, as_gold: Any) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
    size = "<size><width>9</width><height>8</height><depth>3</depth></size>"
    xml = f"<annotation>{size}<object><name>dog</name>{box}</object></annotation>"
    folder = release({"Annotations/2008_1.xml": xml, "ImageSets/Main/val.txt": "2008_1\n2008_2\n"})
    rows, counts = convert("pascal", folder, "val")
    (row,) = as_gold(rows)
    assert (row.dataset, row.size, row.entities[0].text) == ("PASCAL-C", (9, 8), "dog")
    assert row.entities[0].regions is not None and row.entities[0].regions[0].box == (1, 2, 3, 4)
    assert list(counts.values()) == [1, 1, 1]
    (folder / "ImageSets/Main/val.txt").write_text("2008_1\n2008_1\n")
    with pytest.raises(DataError, match=r"val\.txt:2: the id '2008_1' stands twice"):
        convert("pascal", folder, "val")


@pytest.mark.parametrize(
    ("name", "file", "given", "said"),
    [
        (
            "m3d",
            "a.json",
            [{**M3D, "relation": [{"link1": "L9", "link2": "L0", "type": "x"}]}],
            "a.json:2: relation: there is no link 'L9'",
        ),
        ("m3d", "a.json", [{**M3D, "doc": "Ada"}], "a.json:2: there are no words 3 to 4"),
        (
            "m3d",
            "a.json",
            [{**M3D, "entityLink": {"L0": {"type": "PER", "link": []}}}],
            "0.entityLink.L0.link: List should have at least 1",
        ),
        ("retacred", "a.json", [TACRED, TACRED], "the id 't1' stands twice"),
        ("retacred", "a.json", [{**TACRED, "obj_end": 4}], "a.json:2: there are no words 3 to 5"),
        ("ace", "a.oneie.json", {**ACE, "tokens": []}, "oneie.json:1: there are no words 0 to 1"),
        ("ace", "a.oneie.json", {"tokens": []}, "oneie.json:1: sent_id: Field required"),
        ("ace-re", "a.oneie.json", {**ACE, "entity_mentions": []}, "there is no entity 'E1'"),
        (
            "ace-re",
            "a.oneie.json",
            {**ACE, "relation_mentions": [{"relation_type": "x", "arguments": []}]},
            "not Arg-1 and Arg-2",
        ),
    ],
)
def test_what_does_not_fit_is_told(
    release: Any, name: str, file: str, given: Any, said: str
) -> None:
    indent = None if name.startswith("ace") else 1
    with pytest.raises(DataError) as caught:
        convert(name, release({file: json.dumps(given, indent=indent)}), "a")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["retacred", "ace"])
def test_texts_alone_have_no_pictures(release: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="leave out --images"):
        convert(name, release({}), "test", images=tmp_path)

"""Events of M2E2, in sentences, in pictures, and in both."""

import json
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, InputError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.json_files import NOT_FOUND
from deixis.type_schema import TypeSchema

SENTENCE = {
    "sentence_id": "VOA_1_0",
    "sentence": "Rebels shelled  the town , he said.",
    "words": ["Rebels", "shelled", "the", "town", ",", "he", "said", "."],
    "pos-tags": ["NNS"],
    "golden-entity-mentions": [
        {"entity-type": "PER", "text": "Rebels", "start": 0, "end": 1},
        {"entity-type": "GPE", "text": "the town", "start": 2, "end": 4},
    ],
    "golden-event-mentions": [
        {
            "event_type": "Conflict:Attack",
            "trigger": {"text": "shelled", "start": 1, "end": 2},
            "arguments": [
                {"role": "Attacker", "text": "Rebels", "start": 0, "end": 1},
                {"role": "Target", "text": "Rebels", "start": 2, "end": 4},
                {"role": "Attacker", "text": "he", "start": 5, "end": 6},
            ],
        }
    ],
    "image": ["VOA_1_2.jpg"],
}
PICTURES = {
    "VOA_1_2": {
        "event_type": "Conflict:Attack",
        "role": {"Instrument": [["1", 4, 5, 60, 70], ["2", 9, 9, 9, 20]]},
    },
    "VOA_1_3": {"event_type": "Life:Die", "role": {"Victim": [["1", 0, 0, 8, 8]]}},
}
COREF = (
    "VOA_1_0\tVOA_1_2.jpg\tConflict:Attack\n"
    "VOA_1_0\tVOA_1_3.jpg\tConflict:Attack\n"
    "VOA_1_0\tVOA_1_3.jpg\tLife:Die\n"
    "VOA_9_0\tVOA_1_2.jpg\tConflict:Attack\n"
)
FILES = {
    "m2e2_annotations/text_multimedia_event.json": json.dumps([SENTENCE], indent=1),
    "m2e2_annotations/image_multimedia_event.json": json.dumps(PICTURES, indent=1),
    "m2e2_annotations/crossmedia_coref.txt": COREF,
}
NAMES = {
    "text_only_event.json": json.dumps([SENTENCE]),
    "image_only_event.json": json.dumps(PICTURES),
}


def test_a_sentence_and_a_picture_tell_of_one_event(release: Any, as_gold: Any) -> None:
    folder = release(FILES)
    (folder / "image").mkdir()
    Image.new("RGB", (80, 80)).save(folder / "image" / "VOA_1_2.jpg")
    rows, counts = convert("m2e2", folder, "multimedia")
    (row,) = as_gold(rows)
    assert (row.id, row.task, row.dataset, row.aligned) == ("VOA_1_0+VOA_1_2", "ee", "M2E2", True)
    assert row.text == "Rebels shelled  the town , he said."
    assert (row.image, row.size) == (str(folder / "image/VOA_1_2.jpg"), (80, 80))
    (event,) = row.events
    assert (
        event.trigger is not None and row.text[event.trigger.start : event.trigger.end] == "shelled"
    )
    filled = [(each.role, row.entities[each.entity].text) for each in event.arguments]
    assert filled == [
        ("Attacker", "Rebels"),
        ("Target", "the town"),
        ("Attacker", "he"),
        ("Instrument", "instrument"),
        ("Instrument", "instrument"),
    ]
    he, tank, flat = row.entities[2:]
    assert he.type == "entity" and he.start == 27 and he.regions is None
    assert tank.start is None and tank.regions is not None and tank.regions[0].box == (4, 5, 60, 70)
    assert flat.regions is None
    schema = TypeSchema.load("ace")
    assert schema.event(event.type) and schema.role(event.type, "Instrument")
    assert list(counts.values()) == [1, 5, 2, 1, 1, 1, 3, 0]


def test_sentences_alone_and_pictures_alone(release: Any, as_gold: Any) -> None:
    folder = release(NAMES)
    (row,) = as_gold(convert("m2e2", folder, "text_only").rows)
    assert (row.id, row.aligned, row.image, len(row.entities)) == ("VOA_1_0", False, None, 3)
    rows, counts = convert("m2e2", folder, "image_only")
    first, second = as_gold(rows)
    assert (first.id, first.text, first.aligned) == ("VOA_1_2", "", False)
    assert [each.type for each in second.events] == ["Life:Die"] and not second.events[0].trigger
    assert second.entities[0].regions is not None
    assert first.image == str(folder / "image/image/VOA_1_2.jpg"), "named all the same"
    assert first.size is None and counts[NOT_FOUND] == 2


def test_words_that_are_not_in_the_sentence_are_joined(release: Any) -> None:
    given = {**SENTENCE, "sentence": "Rebels shelled -LRB-"}
    folder = release({"text_only_event.json": json.dumps([given])})
    assert convert("m2e2", folder, "text_only").rows[0].text == " ".join(SENTENCE["words"])


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (
            "text_only_event.json",
            json.dumps([SENTENCE, SENTENCE], indent=1),
            r"json:\d+: the sentence 'VOA_1_0' stands twice",
        ),
        (
            "text_only_event.json",
            json.dumps([{**SENTENCE, "words": ["Rebels"]}], indent=1),
            "json:2: there are no words 2 to 4; the text has 1",
        ),
        (
            "text_only_event.json",
            json.dumps([{"words": []}], indent=1),
            "json:2: 0.sentence_id: Field required",
        ),
    ],
)
def test_what_does_not_fit_is_told(release: Any, file: str, content: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        convert("m2e2", release({file: content}), "text_only")


def test_a_line_without_three_parts_is_told(release: Any) -> None:
    folder = release({**FILES, "m2e2_annotations/crossmedia_coref.txt": COREF + "VOA_1_0 x\n"})
    with pytest.raises(DataError, match=r"coref\.txt:5: not sentence, picture and type"):
        convert("m2e2", folder, "multimedia")


def test_the_split_is_one_of_three(release: Any) -> None:
    with pytest.raises(InputError, match="no split 'test'; there: multimedia, text_only, image_"):
        convert("m2e2", release(NAMES), "test")

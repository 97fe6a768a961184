"""Sketches of VKEL as models that were not trained on them write them, and what is read."""

import pytest

from deixis.agents.reading.mention import locate
from deixis.agents.reading.plain import readings
from deixis.agents.vkel.read import read
from deixis.rows import RowEntity
from deixis.type_schema import TypeSchema

TEXT = "Kevin Love and J. R. Smith celebrate"
TYPES = TypeSchema.load("fmnerg")
BOTH = ["Kevin Love/person", "J. R. Smith/person"]
ATHLETES = ["Kevin Love/person/athlete", "J. R. Smith/person/athlete"]
LOVE = ["Kevin Love/person/athlete @ 0.1 0.2 0.5 1.0"]
BOXES = "whose bounding boxes are"
SAID = f"Kevin Love is a(an) person and a(an) athlete, {BOXES}"
SMITH = f"J. R. Smith is a(an) person and a(an) athlete, {BOXES}"
BOX = "(0.1, 0.2, 0.5, 1.0)"
TWO = ["Kevin Love/person/athlete @ 0.1 0.2 0.5 1.0", "J. R. Smith/person/athlete @ None"]

SKETCHES = {
    "Kevin Love is a(an) person; J. R. Smith is a(an) person.": BOTH,
    "Kevin Love is a person; J. R. Smith is a person": BOTH,
    "Kevin Love is a person. J. R. Smith is a person.": BOTH,
    "Kevin Love is a person, J. R. Smith is a person.": BOTH,
    "Kevin Love is a person and J. R. Smith is a person.": BOTH,
    "**Kevin Love** is a(an) person; **J. R. Smith** is a(an) person.": BOTH,
    "**Kevin Love** is a(an) **person**; *J. R. Smith* is a(an) *person*": BOTH,
    '"Kevin Love" is a(an) person; "J. R. Smith" is a(an) person.': BOTH,
    "“Kevin Love” is a(an) person; 'J. R. Smith' is a(an) 'person'.": BOTH,
    "1. Kevin Love is a(an) person\n2. J. R. Smith is a(an) person": BOTH,
    "1) Kevin Love is a(an) person;\n2) J. R. Smith is a(an) person.": BOTH,
    "- Kevin Love is a person\n- J. R. Smith is a person": BOTH,
    "* **Kevin Love** is a person.\n* **J. R. Smith** is a person.": BOTH,
    "• Kevin Love is a(an) Person\n• J. R. Smith is a(an) PERSON": BOTH,
    "```\nKevin Love is a(an) person; J. R. Smith is a(an) person.\n```": BOTH,
    "```text\nKevin Love is a person\nJ. R. Smith is a person\n```": BOTH,
    "Sure! Here is the answer:\n\nKevin Love is a(an) person; J. R. Smith is a(an) person.": BOTH,
    "Certainly! Here are the named entities in the post:\nKevin Love is a person;\n"
    "J. R. Smith is a person.\n\nLet me know if you need anything else!": BOTH,
    "Answer: Kevin Love is a(an) person; J. R. Smith is a(an) person.": BOTH,
    "Kevin Love: person\nJ. R. Smith: person": BOTH,
    "- **Kevin Love**: person\n- **J. R. Smith**: person": BOTH,
    "Kevin Love (person); J. R. Smith (person)": BOTH,
    "Kevin Love (person), J. R. Smith (person)": BOTH,
    "Kevin Love - person\nJ. R. Smith - person": BOTH,
    "Kevin Love → person; J. R. Smith → person": BOTH,
    "| Kevin Love | person |\n| J. R. Smith | person |": BOTH,
    "Kevin Love is a/an person; J. R. Smith is a(n) person": BOTH,
    "Kevin Love is an athlete; J. R. Smith is an athlete": ATHLETES,
    '[{"name": "Kevin Love", "type": "person"}, {"name": "J. R. Smith", "type": "person"}]': BOTH,
    '```json\n{"entities": [{"text": "Kevin Love", "type": "person"}, '
    '{"text": "J. R. Smith", "type": "person"}]}\n```': BOTH,
    "no entity found.": [],
    "No entity found": [],
    "None": [],
    '{"entities": []}': [],
}

ANSWERS = {
    f"{SAID} (0.1, 0.2, 0.5, 1.0)": LOVE,
    f"{SAID}: (0.1, 0.2, 0.5, 1.0)": LOVE,
    f"{SAID} ((0.1, 0.2, 0.5, 1.0))": LOVE,
    f"{SAID} [(0.1, 0.2, 0.5, 1.0)]": LOVE,
    f"{SAID} [[0.1, 0.2, 0.5, 1.0]]": LOVE,
    f"{SAID} 0.1, 0.2, 0.5, 1.0": LOVE,
    f"{SAID} (0.1 0.2 0.5 1.0)": LOVE,
    f"{SAID} (x1=0.1, y1=0.2, x2=0.5, y2=1.0)": LOVE,
    f"{SAID} (0.1, 0.2), (0.5, 1.0)": LOVE,
    f"{SAID} <box>(0.1, 0.2, 0.5, 1.0)</box>": LOVE,
    f"{SAID} <|box_start|>(0.1,0.2),(0.5,1.0)<|box_end|>": LOVE,
    f"{SAID} (10%, 20%, 50%, 100%)": LOVE,
    f"{SAID} `(0.1, 0.2, 0.5, 1.0)`": LOVE,
    f"{SAID} (0.1, 0.2, 0.5, 1.0). {SMITH} None.": TWO,
    f"{SAID} (0.1, 0.2, 0.5, 1.0), J. R. Smith is a person and an athlete, {BOXES} none": TWO,
    f"{SAID} (0.1, 0.2, 0.5, 1.0);\n{SMITH} not visible": TWO,
    f"{SAID} (0.1, 0.2, 0.5, 1.0)\n{SMITH} N/A": TWO,
    f"{SAID} (0.1, 0.2, 0.5, 1.0); {SMITH} []": TWO,
    f"{SAID} (0.1, 0.2, 0.5, 1.0); (0.5, 0.2, 0.9, 1.0)": [
        "Kevin Love/person/athlete @ 0.1 0.2 0.5 1.0 @ 0.5 0.2 0.9 1.0"
    ],
    f"1. **Kevin Love** is a(an) **person** and a(an) **athlete**, {BOXES} **{BOX}**": LOVE,
    "Kevin Love is a person and an athlete, whose bounding box is (0.1, 0.2, 0.5, 1.0)": LOVE,
    f"Kevin Love is a person and an athlete, whose bounding box is located at {BOX}.": LOVE,
    "Kevin Love is a person and an athlete with bounding box (0.1, 0.2, 0.5, 1.0)": LOVE,
    "Kevin Love is a person and an athlete. Bounding boxes: (0.1, 0.2, 0.5, 1.0)": LOVE,
    f"Kevin Love is a person, specifically an athlete, {BOXES} (0.1, 0.2, 0.5, 1.0)": LOVE,
    f"Kevin Love is a person (athlete), {BOXES} (0.1, 0.2, 0.5, 1.0)": LOVE,
    f"Kevin Love is a(an) person and a(an) athlete,\n{BOXES} (0.1, 0.2, 0.5, 1.0)": LOVE,
    "Kevin Love (person, athlete): (0.1, 0.2, 0.5, 1.0)": LOVE,
    "Kevin Love (person/athlete) [0.1, 0.2, 0.5, 1.0]": LOVE,
    f"Kevin Love is an athlete, {BOXES} (0.1, 0.2, 0.5, 1.0)": LOVE,
    '[{"name": "Kevin Love", "type": "person", "fine_type": "athlete", '
    '"bounding_boxes": [[0.1, 0.2, 0.5, 1.0]]}]': LOVE,
    '```json\n[{"entity": "Kevin Love", "type": "person", "fine_type": "athlete", '
    '"box": "(0.1, 0.2, 0.5, 1.0)"}, {"entity": "J. R. Smith", "type": "person", '
    '"fine_type": "athlete", "box": null}]\n```': TWO,
    '[{"bbox_2d": [56, 28, 280, 280], "label": "Kevin Love"}]': [
        "Kevin Love/unknown @ 56.0 28.0 280.0 280.0"
    ],
}


def told(entity: RowEntity) -> str:
    """Write an entity in a line, by the name that stands in the text."""
    name = next(name for name in readings(entity.text) if locate(TEXT, name, ()))
    line = "/".join(filter(None, (name, entity.type.casefold(), entity.fine_type)))
    if entity.regions is None:
        return line
    boxes = [" ".join(map(str, region.box)) for region in entity.regions]
    return " @ ".join([line, *(boxes or ["None"])])


@pytest.mark.parametrize(("reply", "expected"), SKETCHES.items(), ids=range(len(SKETCHES)))
def test_a_sketch_is_read(reply: str, expected: list[str]) -> None:
    entities, problems = read(reply, TYPES)
    assert [told(each) for each in entities] == expected
    assert problems == ()


@pytest.mark.parametrize(("reply", "expected"), ANSWERS.items(), ids=range(len(ANSWERS)))
def test_an_answer_with_boxes_is_read(reply: str, expected: list[str]) -> None:
    entities, problems = read(reply, TYPES)
    assert [told(each) for each in entities] == expected
    assert problems == ()

"""Records of E2E-GMNER as models that were not trained on them write them, and what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.e2e.read import read
from deixis.agents.reading.mention import locate
from deixis.agents.reading.plain import readings
from deixis.formats import e2e
from deixis.rows import RowEntity

TEXT = "Grace Hopper of the US Navy"
BOTH = ["Grace Hopper|PER|0 0 280 280", "US Navy|ORG|None"]
REPLIES = {
    "Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|None": BOTH,
    "<think>Hm.</think><answer>Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|None</answer>": BOTH,
    "```\nGrace Hopper|PER|[0,0,280,280]\nUS Navy|ORG|None\n```": BOTH,
    "<think>Hm.</think>\n```\nGrace Hopper|PER|[0,0,280,280]; US Navy|ORG|None\n```": BOTH,
    "- Grace Hopper|PER|[0,0,280,280]\n- US Navy|ORG|None": BOTH,
    "1. Grace Hopper | PER | [0, 0, 280, 280]\n2. US Navy | ORG | None": BOTH,
    "**Grace Hopper**|PER|[0,0,280,280]; **US Navy**|ORG|None": BOTH,
    '"Grace Hopper"|"PER"|[0,0,280,280]; "US Navy"|"ORG"|"None"': BOTH,
    "Sure! Here are the records:\nGrace Hopper|PER|[0,0,280,280]; US Navy|ORG|None": BOTH,
    "Answer: Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|None": BOTH,
    "| mention | type | box |\n|---|---|---|\n| Grace Hopper | PER | [0, 0, 280, 280] |\n"
    "| US Navy | ORG | None |": BOTH,
    "mention: Grace Hopper | type: PER | box: [0, 0, 280, 280]\n"
    "mention: US Navy | type: ORG | box: None": BOTH,
    "Grace Hopper|PER|(0,0),(280,280); US Navy|ORG|null": BOTH,
    "Grace Hopper|PER|<|box_start|>(0,0),(280,280)<|box_end|>; US Navy|ORG|N/A": BOTH,
    "Grace Hopper|PER|[0,0,280,280], US Navy|ORG|None": BOTH,
    "US Navy|ORG|None, Grace Hopper|PER|[0,0,280,280]": BOTH[::-1],
    "Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|None.": BOTH,
    "Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|not shown": BOTH,
    "Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|[]": BOTH,
    '[{"text": "Grace Hopper", "type": "PER", "box": [0, 0, 280, 280]}, '
    '{"text": "US Navy", "type": "ORG", "box": null}]': BOTH,
    '<think>Hm.</think><answer>```json\n{"entities": [{"mention": "Grace Hopper", "type": "PER", '
    '"bbox_2d": [0, 0, 280, 280]}, {"mention": "US Navy", "type": "ORG", "bbox_2d": "None"}]}\n'
    "```</answer>": BOTH,
    "<answer>None</answer>": [],
    "There are no named entities in the post.": [],
}
PIECES = [
    "Ann",
    "|",
    "PER",
    "None",
    "[1,2,3,4]",
    ";",
    "\n",
    "**",
    "```",
    "- ",
    "<answer>",
    "{",
    '"',
]


def told(entity: RowEntity) -> str:
    name = next(name for name in readings(entity.text) if locate(TEXT, name, ()))
    boxes = [" ".join(f"{edge:g}" for edge in region.box) for region in entity.regions or ()]
    return f"{name}|{entity.type}|{' '.join(boxes) or 'None'}"


@pytest.mark.parametrize(("reply", "expected"), REPLIES.items(), ids=range(len(REPLIES)))
def test_records_are_read(reply: str, expected: list[str]) -> None:
    entities, problems = read(reply)
    assert [told(each) for each in entities] == expected
    assert problems == ()


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_what_the_released_evaluator_reads_whole_is_read_so(answer: str) -> None:
    strict = e2e.parse(answer)
    loose = read(answer)
    assert len(loose.problems) <= len(strict.problems)
    if strict.entities and not strict.problems:
        assert loose == strict

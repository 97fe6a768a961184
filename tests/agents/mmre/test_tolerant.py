"""Answers in the Prompt Format Adapter as models write them, and what is read."""

import pytest

from deixis.agents.mmre.read import read_marked

PAIRS = [("Grace Hopper", "PER"), ("US Navy", "ORG")]
SUMMARY, PATCHES = "An officer at a desk.", {"a": "Grace Hopper"}
NAMED = ":PER; Grace Hopper:ORG; US Navy"
FIRST, LAST = f"Task 1 Answer: {SUMMARY}\n", "\nimage-entity pair: {'a': 'Grace Hopper'}"
PAIR = "image-entity pair:"
REPLIES = {
    "as asked": f"{FIRST}Task 2 Answer: NER: {NAMED}{LAST}",
    "fenced": f"```\n{FIRST}Task 2 Answer: NER: {NAMED}{LAST}\n```",
    "courtesy": f"Sure! Here are the answers:\n\n{FIRST}Task 2 Answer: NER: {NAMED}{LAST}",
    "bold markers": f"**Task 1 Answer:** {SUMMARY}\n\n**Task 2 Answer:** NER: {NAMED}\n\n"
    "**image-entity pair:** {'a': 'Grace Hopper'}",
    "headings": f"### Task 1 Answer\n{SUMMARY}\n### Task 2 Answer\nNER: {NAMED}{LAST}".replace(
        "Answer\n", "Answer:\n"
    ),
    "other markers": f"Task 1: {SUMMARY}\nTask 2: Named entities: {NAMED}\n"
    "Image-entity pairs: {'a': 'Grace Hopper'}",
    "a line each": f"{FIRST}Task 2 Answer: NER:\n- PER: Grace Hopper\n- ORG: US Navy{LAST}",
    "no first colon": f"{FIRST}Task 2 Answer: NER: PER; Grace Hopper\nORG; US Navy{LAST}",
    "labels behind": f"{FIRST}Task 2 Answer: NER:\n1. Grace Hopper (PER)\n2. US Navy (ORG){LAST}",
    "double quotes": f'{FIRST}Task 2 Answer: NER: {NAMED}\n{PAIR} {{"a": "Grace Hopper"}}',
    "no quotes": f"{FIRST}Task 2 Answer: NER: {NAMED}\n{PAIR} {{a: Grace Hopper}}",
    "patch": f"{FIRST}Task 2 Answer: NER: {NAMED}\n{PAIR} {{'patch a': 'Grace Hopper'}}",
    "lines of patches": f"{FIRST}Task 2 Answer: NER: {NAMED}\n{PAIR}\n- a: Grace Hopper",
    "a list": f"{FIRST}Task 2 Answer: NER: {NAMED}\n{PAIR} {{'a': ['Grace Hopper']}}",
    "JSON": '{"summary": "An officer at a desk.", "entities": [{"entity": "Grace Hopper", '
    '"label": "PER"}, {"entity": "US Navy", "label": "ORG"}], "image-entity pair": '
    '{"a": "Grace Hopper"}}'.replace("image-entity pair", "image_entity_pairs"),
    "fenced JSON by label": '```json\n{"Task 1": "An officer at a desk.", "NER": {"PER": '
    '["Grace Hopper"], "ORG": ["US Navy"]}, "patches": {"a": "Grace Hopper"}}\n```',
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_all_parts_are_read(reply: str) -> None:
    told = read_marked(reply)
    assert list(told.pairs or ()) == PAIRS
    assert (told.summary, told.patches, told.matched) == (SUMMARY, PATCHES, True)
    assert told.problems == ()


def test_a_quote_in_a_name_of_json_stays() -> None:
    told = read_marked('{"NER": {"PER": ["O\'Neil"]}, "patches": {"patch b": "O\'Neil \\\\ Co"}}')
    assert (told.pairs, told.patches) == ((("O'Neil", "PER"),), {"b": "O'Neil \\ Co"})

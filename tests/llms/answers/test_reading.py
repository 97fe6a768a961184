"""What of a reply is the answer: thoughts, drafts and prose around it are none of it."""

import gc
import json
import weakref
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from deixis.llms.answers.reading import Parts, Text, last_object, parts, read, schema_of


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: str


def said(color: str) -> str:
    return json.dumps({"color": color})


DRAFT, FINAL = said("draft"), said("final")
FENCED = f"```json\n{FINAL}\n```"
AROUND = [
    ("<think>", "</think>"),
    ("<Think>\n", "\n</Think>\n\n"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<analysis>", "</analysis>"),
    ('<think budget="3">', "</think >"),
    ("< think >", "</ think>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    (
        "<|channel|>commentary to=all<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    ("analysis", "assistantfinal"),  # the same from servers that drop the marks
    ("", "</think>"),  # the chat template has begun them
    ("<think>\n</think>\nFirst ", "</think>"),
    ("<think>I think <think> ends with </thinking> ", "</think>"),
]
ANSWERS = [FINAL, FENCED, f"Here is {{the}} JSON: {FINAL} (with {{braces}})."]


@pytest.mark.parametrize("opens, closes", AROUND)
@pytest.mark.parametrize("thought", ["Hm.", DRAFT, f"Try:\n```json\n{DRAFT}\n```", '{"color": "d'])
def test_what_is_thought_is_never_the_answer(opens: str, closes: str, thought: str) -> None:
    for answer in ANSWERS:
        assert read(f"{opens}{thought}{closes}{answer}", Colour) == Colour(color="final")
        assert parts(f"{opens}{thought}{closes}{answer}").answer == answer
    found = read(f"{opens}{thought}{closes} A blue sky. ", Text)
    assert found.text == "A blue sky." and thought.strip() in found.thoughts
    with pytest.raises(ValidationError):
        read(f"{opens}{thought}{closes} I do not know.", Colour)


@pytest.mark.parametrize("opens, closes", [each for each in AROUND if "think" in each[0]])
def test_marks_within_strings_are_text(opens: str, closes: str) -> None:
    color = f'a "{opens}" b {{ ```json {closes} c'
    assert read(said(color), Colour) == Colour(color=color)
    assert read(f"{opens}{DRAFT}{closes}{said(color)}", Colour) == Colour(color=color)


@pytest.mark.parametrize(
    "begun", ["<think>", "[THINK]", "<|channel|>analysis<|message|>", "\n<think>"]
)
def test_thoughts_without_end_are_no_answer(begun: str) -> None:
    assert parts(f"{begun} so {DRAFT}") == Parts(f"so {DRAFT}", "", True)
    assert parts(f"{FINAL} {begun} so {DRAFT}") == Parts(f"so {DRAFT}", FINAL, True)
    assert read(f"{FINAL} {begun} so {DRAFT}", Colour) == Colour(color="final")
    with pytest.raises(ValidationError):
        read(f"{begun} so {DRAFT}", Colour)


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        (f"{FINAL}<think>Right?</think>", "Right?", FINAL),
        (
            "<think>A <b>. <answer>Grace|PER|None</answer>",
            "A <b>.",
            "<answer>Grace|PER|None</answer>",
        ),
        ("<think>One.</think><think>Two.</think>Three.", "One.\nTwo.", "Three."),
        (f"Sure. <think>{DRAFT}</think>Blue.", DRAFT, "Sure. Blue."),
        ("<think></think>\n\nYes.", "", "Yes."),
        ("Yes, of course.<|return|>", "", "Yes, of course."),
        ("Is 1 < 2 > 0 </b>?", "", "Is 1 < 2 > 0 </b>?"),
        ("analysis of a picture", "", "analysis of a picture"),
        ("", "", ""),
    ],
)
def test_thoughts_and_answer(text: str, thoughts: str, answer: str) -> None:
    assert parts(text) == Parts(thoughts, answer)


@pytest.mark.parametrize(
    "text",
    [
        f"{DRAFT}\n{FINAL}",
        f"```json\n{DRAFT}\n```\nBetter:\n{FENCED}",
        f'In the form {{"color": ...}}: {FINAL}',
        f'{{Braces}} { {1} } {FINAL} {{}} {{"colour": 1}} {{',
        f"[{DRAFT}, {FINAL}]",
        f'{FINAL} {{"color": 7}}',
        f"{FINAL} <think >{DRAFT}</ think>",
    ],
)
def test_of_several_objects_the_last_that_fits_is_meant(text: str) -> None:
    assert read(text, Colour) == Colour(color="final")


@pytest.mark.parametrize(
    "text",
    [
        f'{DRAFT} So: {{"color": "fin',
        f'{DRAFT} So: {{"color": "final"',
        f'{DRAFT} So: {{"color',
        f'{{"answer": {DRAFT}, "sure": tru',
        f'{{"answer": {DRAFT}',
        f'{{"answer": {DRAFT}}}',
        f'{DRAFT} {{"color": final}}',
        f'{DRAFT} {{"color": "final",}}',
        f"{DRAFT} {{'color': 'final'}}",
        f"{DRAFT} {{\u201ccolor\u201d: \u201cfinal\u201d}}",
    ],
)
def test_a_draft_before_a_cut_and_a_part_of_a_whole_are_no_answer(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, Colour)


def test_the_object_that_answers_is_found_where_it_stands() -> None:
    assert last_object(f"<think>{DRAFT}</think> So: {FINAL}.") == FINAL
    assert last_object("none") == ""


@pytest.mark.parametrize(
    "piece",
    ['{"a": ', "<think>", '{"', '{"a": "\\"', '{"color": "</think>"}', "<|channel|>final", "{ "],
)
def test_no_text_takes_long_to_read(piece: str) -> None:
    """Time that grew with the square of the length would be hours here."""
    parts(piece * (2_000_000 // len(piece)))
    with pytest.raises(ValidationError):
        read(f"<think>{piece * 20_000}", Colour)


def test_a_schema_is_kept_as_long_as_its_answer_and_no_longer() -> None:
    """Or a service would grow with each dispute, of which each has an answer of its own."""
    answer: Any = create_model("Ruling", colour=(str, ...))
    assert schema_of(answer) is schema_of(answer)
    kept = weakref.ref(answer)
    del answer
    gc.collect()
    assert kept() is None

"""The graph of M-MRE where something is missing or wrong: nothing is lost in silence."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from deixis import Extraction, Settings, build_graph


def warnings(result: Extraction) -> list[str]:
    return [each.message for each in result.warnings]


NER = "Task 1 Answer: A.\nNER: :PER; Grace Hopper:ORG; US Navy\n"


@pytest.mark.parametrize(
    ("mapping", "navy", "said"),
    [
        ("image-entity pair: {}", False, []),
        ("image-entity pair: {'a': 'None', 'b': 'none'}", False, []),
        ("", None, ["the answer has no pairs of patch and entity"]),
        ("image-entity pair: {'a': 'Nobody'}", False, ["'Nobody', which is no entity found"]),
        ("image-entity pair: {'z': 'US Navy'}", None, ["'US Navy' was paired with 'z', which"]),
        ("image-entity pair: {'a': 'the Navy'}", False, ["'the Navy', which is no entity found"]),
        ("image-entity pair: {'a': 'Navy'}", None, ["'Navy', which is no entity found"]),
        ("image-entity pair: {'a': 'Ann, US Navy'}", None, ["US Navy', which is no entity"]),
        ("image-entity pair: {'a': ' '}", False, ["' ', which is no entity found"]),
        ("image-entity pair: {'z': 'Nobody'}", False, ["'Nobody' was paired with 'z', which is"]),
        ("image-entity pair: {'a': 'US Navy', 'a': 'Grace Hopper'}", None, ["stands twice"]),
        ("image-entity pair: {'a': 'Grace Hopper', b}", None, ["it is not {'patch': 'entity'}"]),
    ],
)
def test_no_pair_is_lost_in_silence(
    run: Any, mapping: str, navy: bool | None, said: list[str]
) -> None:
    result = run(NER + mapping)
    assert result.entities[1].groundable is navy
    assert len(result.warnings) == len(said)
    for warning, part in zip(warnings(result), said, strict=True):
        assert part in warning


def test_a_name_that_stands_twice_has_its_patch_twice(run: Any) -> None:
    text = "Washington of Washington met Ada and Ada"
    answer = (
        "Task 1 Answer: A.\nNER: :PER; Washington:LOC; Washington:PER; Ada:PER; Ada:PER; Ada\n"
        "image-entity pair: {'a': 'Washington', 'b': 'Ada'}"
    )
    result = run(answer, text=text)
    assert [len(each.regions) for each in result.entities] == [1, 1, 1, 1]
    assert warnings(result) == [
        "the model named 'Ada', not in the text (any more)",
        "patch a was paired with 'Washington', which is LOC and PER",
    ]


def test_a_letter_in_either_case_is_one_patch(run: Any) -> None:
    result = run(NER + "image-entity pair: {'a': 'US Navy', 'A': 'US Navy'}")
    assert len(result.entities[1].regions) == 1


def test_a_name_is_looked_for_as_it_is_written_first(run: Any) -> None:
    answer = "Task 1 Answer: A.\nNER: :ORG; US:PER; us\nimage-entity pair: {'a': 'us', 'b': 'Us'}"
    result = run(answer, text="US and us")
    assert [[region.box[0] for region in each.regions] for each in result.entities] == [
        [70],
        [10, 70],
    ]
    assert warnings(result) == ["patch b was paired with 'Us', which is ORG and PER"]


def test_entities_that_cannot_be_kept_are_told(run: Any) -> None:
    answer = (
        "A desk. Task 1 Answer: A.\nNER: :person; Grace Hopper:SHIP; US Navy:ORG; NASA\n"
        "image-entity pair: {'b': 'NASA'}"
    )
    result = run(answer)
    assert [(each.text, each.type) for each in result.entities] == [("Grace Hopper", "PER")]
    assert warnings(result) == [
        "'A desk.' of the answer was not read: it follows no marker",
        "the model gave 'US Navy' the type 'SHIP', which is none",
        "the model named 'NASA', not in the text (any more)",
        "patch b was paired with 'NASA', which is no entity found",
    ]


def test_a_text_without_entities(run: Any) -> None:
    result = run("Task 1 Answer: A.\nTask 2 Answer: NER: None\nimage-entity pair: {}")
    assert (result.entities, result.warnings, result.caption) == ([], [], "A.")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (AIMessage("", additional_kwargs={"refusal": "no"}), "refused"),
        (AIMessage("Task 1", response_metadata={"finish_reason": "length"}), "truncated"),
        (" ", "empty"),
        (ValueError("broken"), "failed"),
    ],
)
@pytest.mark.parametrize("tasks", ["joint", "summary", "mner"])
def test_a_model_that_gives_no_answer(run: Any, answer: Any, status: str, tasks: str) -> None:
    result = run(answer, tasks=tasks)
    assert (result.entities, result.caption) == ([], None)
    (said,) = warnings(result)
    assert f"vlm scripted:vlm gave no answer ({status})" in said


def test_an_answer_of_no_form_is_told_whole(run: Any) -> None:
    result = run("I see an officer.")
    assert (result.entities, result.caption) == ([], None)
    assert warnings(result) == [
        "the answer has no summary and no label-entity pairs and no pairs of patch and entity",
        "'I see an officer.' of the answer was not read: it follows no marker",
    ]


def test_without_a_picture_entities_are_named_and_stay_undecided(run: Any, model: Any) -> None:
    result = run(model.answer.partition("\n")[2], image=None, patches=[])
    assert [each.groundable for each in result.entities] == [None] * 3
    assert result.entities[0].why() == ["there is no picture"]
    assert "Summarise" not in model.prompt() and "patch" not in model.prompt()
    assert "nothing was summarised: the model was shown no picture" in warnings(result)
    assert run(image=None, patches=[]).caption is None, "a summary of nothing"
    asked = len(model.asked)
    assert run(tasks="summary", image=None, patches=None).caption is None
    assert len(model.asked) == asked, "there is nothing to ask"


@pytest.mark.parametrize("patches", [None, []])
def test_without_patches_nothing_is_matched(run: Any, model: Any, patches: Any) -> None:
    result = run(
        model.answer.replace(model.answer[model.answer.index("image-") :], ""), patches=patches
    )
    assert [each.groundable for each in result.entities] == [None] * 3
    assert result.entities[0].why() == ["the model was shown no patches"]
    assert result.warnings == [] and "patch" not in model.prompt()


def test_a_model_without_eyes_is_asked_about_the_text(run: Any, model: Any, scripted: Any) -> None:
    scripted(model, sees=False)
    result = run(model.answer.partition("\n")[2])
    assert [each.groundable for each in result.entities] == [None] * 3
    assert "[" not in model.prompt() and "takes no pictures" in warnings(result)[0]


@pytest.mark.extra
@pytest.mark.slow
def test_the_starter_s_language_model_goes_through_it(model: Any, hopper: Path) -> None:
    """A real model, which is blind and too small for the form: nothing is made up."""
    stack = Settings.load().with_graph("mmre").with_roles({"vlm": "embedded:smollm2-135m"})
    out = build_graph(stack).invoke(
        {"image": str(hopper), "text": model.text, "patches": model.patches}
    )
    result = Extraction.model_validate(out)
    assert all(each.groundable is None for each in result.entities)
    assert result.warnings and {each.role for each in result.usage} == {"vlm"}


PIECES = ["Task 1 Answer:", "Task 2 Answer:", "NER:", "image-entity pair:", ":PER;", ":SHIP;"]
PIECES += [
    "US Navy",
    "us navy",
    "Nobody",
    "{'a': 'US Navy'}",
    "{'zz': 'x', 'b'",
    "\n",
    "\0",
    "None",
]


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(PIECES)).map(" ".join) | st.text(), st.booleans())
def test_whatever_is_answered_ends_in_a_result(run: Any, answer: str, pfa: bool) -> None:
    result = run(answer, pfa=pfa)
    assert result.caption or result.entities or result.warnings
    for each in result.entities:
        assert each.type == "PER" and each.text.casefold() == "us navy"
        assert len(each.decisions) >= 2

"""What is refused before the first step, in one line that names the row."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from deixis.errors import DataError, SettingsError
from deixis.training.fine_tuning.learner import Learner, read_learner
from deixis.training.lessons.records import Lessons, Slot
from deixis.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
RECIPE = Recipe.model_validate(
    {"lora": {"rank": 4, "alpha": 8}, "learning_rate": 1e-3, "epochs": 1}
)
Check = Callable[..., None]


@pytest.fixture(scope="module")
def learner(lessons_of: Callable[[str], Lessons]) -> Learner:
    return read_learner(lessons_of("qwen2.5-vl").manifest.base, RECIPE)


@pytest.fixture
def check(lessons_of: Callable[[str], Lessons], learner: Learner) -> Check:
    """Check the lessons of the posts, the fourth of which is changed."""
    from deixis.training.fine_tuning.checks import check_lessons

    def check(recipe: Recipe = RECIPE, **changes: Any) -> None:
        lessons = lessons_of("qwen2.5-vl")
        lessons.lessons[3] = lessons.lessons[3].model_copy(update=changes)
        check_lessons(learner, lessons, recipe)

    return check


def test_good_lessons_pass(check: Check) -> None:
    check()


def test_a_box_outside_its_picture_is_refused(check: Check) -> None:
    with pytest.raises(DataError, match=r"^row 'r3': the box .* outside .* 112 x 84 pixels"):
        check(answer=(Slot(box=(0, 0, 113, 20)),))
    check(answer=(Slot(box=(0, 0, 112, 84)),))


def test_a_box_in_a_picture_that_is_not_shown_is_refused(check: Check) -> None:
    with pytest.raises(DataError, match=r"^row 'r3': there is a box in a picture"):
        check(answer=(Slot(box=(0, 0, 9, 9), image=1),))


def test_a_row_that_is_too_long_is_named_and_not_cut(check: Check, learner: Learner) -> None:
    said = " ".join(["Lisbon"] * 3000)
    with pytest.raises(
        SettingsError, match=r"^row 'r3': .* the model's context is 2048: it is cut"
    ):
        check(user=said)
    short = RECIPE.model_copy(update={"max_tokens": 300})
    with pytest.raises(SettingsError, match=r"max_tokens is 300: it is cut, as of \d lessons"):
        check(short)


def test_tokens_of_pictures_that_would_be_cut_are_told(check: Check) -> None:
    short = RECIPE.model_copy(update={"max_tokens": 32})
    with pytest.raises(SettingsError, match="32: tokens of its pictures would be cut, as of 8"):
        check(short)


@pytest.mark.parametrize("kind", ["qwen2.5-vl", "qwen3-vl", "llava"])
def test_tokens_are_counted_as_they_come_out(
    lessons_of: Callable[[str], Lessons], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from deixis.training.fine_tuning import checks, inputs

    lessons, measured = lessons_of(kind), []
    own = read_learner(lessons.manifest.base, RECIPE)
    batches = inputs.Batches(own, lessons, lambda epoch, lesson: None)
    exact = [batches.example(each).tokens["labels"].shape[1] for each in lessons.lessons]

    def question(learner: Learner, lessons: Lessons, lesson: Any) -> Any:
        measured.append(lesson.id)
        return inputs.question(learner, lessons, lesson)

    monkeypatch.setattr(checks, "question", question)
    assert list(checks._lengths(own, lessons, RECIPE)) == exact
    assert len(measured) == 1, "more pictures were decoded than those of the longest lesson"


class Yes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    yes: bool


def test_an_answer_that_its_schema_forbids_is_refused(check: Check) -> None:
    schema = Yes.model_json_schema()
    check(answer=('{"yes":true}',), answer_schema=schema)
    for wrong in ('{"yes": true}', '{"no":true}', '{"yes":tr'):
        with pytest.raises(DataError, match=r"^row 'r3': the schema .* does not allow"):
            check(answer=(wrong,), answer_schema=schema)

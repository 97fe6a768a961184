"""Recipes: those that come with Deixis, and what is said of a wrong one."""

from pathlib import Path

import pytest

from deixis.errors import SettingsError
from deixis.training.recipes import Rates, Recipe, recipe_names

GOOD = "lora: {rank: 4, alpha: 8}\nlearning_rate: 1.0e-4\nepochs: 2\n"


@pytest.mark.parametrize("name", recipe_names())
def test_a_shipped_recipe_says_where_its_numbers_come_from(name: str) -> None:
    recipe = Recipe.load(name)
    assert recipe.description and recipe.sources


def test_a_number_is_the_rate_of_the_language_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert Recipe.load(path).learning_rate == Rates(language=1e-4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + "epoch: 2\n", "there is no 'epoch' (did you mean 'epochs'?)"),
        (
            GOOD.replace("rank", "rnk"),
            "there is no 'lora.rnk' (did you mean 'rank'?); known: rank, alpha, dropout",
        ),
        (GOOD + "steps: 10\n", "write either epochs or steps"),
        (GOOD + "full: true\n", "write either lora"),
        (GOOD + "batch_size: 0\n", "batch_size: Input should be greater than or equal to 1"),
        (GOOD.replace("1.0e-4", "0"), "nothing would be learned"),
        (GOOD.replace("1.0e-4", "5"), "learning_rate.language: Input should be less than or"),
        (GOOD + "batch_size: 99999999999999999999\n", "batch_size: Input should be less than"),
        (GOOD.replace("rank: 4", "rank: 999999999"), "lora.rank: Input should be less than"),
        ("from: e2e\nepochs: 2\nsteps: 10\n", "write either epochs or steps"),
        (
            GOOD.replace("1.0e-4", "{language: 1.0e-4, vision: 1.0e-5}"),
            "vision and projector have no effect",
        ),
        (
            GOOD + "batch_size: 8\ngrpo: {rewards: {gmnr: 1}}\n",
            "there is no reward 'gmnr' (did you mean 'gmner'?)",
        ),
        (GOOD + "grpo: {rewards: {iou: 1}}\n", "a step has 1 answers"),
        (
            GOOD + "batch_size: 8\nboxes: {}\ngrpo: {rewards: {iou: 1}}\n",
            "boxes has no effect with grpo",
        ),
        (
            GOOD.replace("lora: {rank: 4, alpha: 8}", "full: true")
            + "batch_size: 8\ngrpo: {rewards: {iou: 1}}\n",
            "grpo trains an adapter",
        ),
        (GOOD + "evaluate: {task: gmer}\n", "there is no task 'gmer' (did you mean 'gmner'?)"),
    ],
)
def test_a_wrong_recipe_is_told_in_one_line_with_its_place(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        Recipe.load(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and told in message and "\n" not in message


def test_a_recipe_may_change_another(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("from: e2e\nboxes: null\nseed: 3\n")
    ours, theirs = Recipe.load(path), Recipe.load("e2e")
    assert theirs.boxes and ours.boxes is None and ours.seed == 3
    same = {"boxes": None, "seed": 3, "sources": ours.sources}
    assert ours == theirs.model_copy(update=same)
    assert ours.sources == f"{theirs.sources.strip()} Set otherwise: boxes, seed."
    path.write_text("from: e2e\nboxes: {beta: 0.05}\n")
    boxes = Recipe.load(path).boxes
    assert boxes and (boxes.beta, boxes.gamma) == (0.05, 0.03)
    path.write_text("from: e2e\nsteps: 20\n")
    assert (Recipe.load(path).steps, Recipe.load(path).epochs) == (20, None)
    path.write_text("from: e2\n")
    with pytest.raises(SettingsError, match=r"from: there is no recipe 'e2' \(did you mean 'e2e'"):
        Recipe.load(path)


def test_a_name_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"no recipe 'e2'.*known: e2e"):
        Recipe.load("e2")


def test_every_course_has_a_command_a_stack_and_a_recipe() -> None:
    from deixis.apps.train_cli import SYSTEMS
    from deixis.settings import stack_names
    from deixis.training.courses import COURSES

    assert set(SYSTEMS) == COURSES.keys() <= set(recipe_names())
    assert {course.graph for course in COURSES.values()} <= set(stack_names())

"""A whole run: lessons are made of rows, a model learns them, and a folder says all of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from deixis.errors import SettingsError
from deixis.settings import Settings
from deixis.training.fine_tuning.card import card, use
from deixis.training.fine_tuning.evaluating import scorer
from deixis.training.fine_tuning.fit import Fitted, check_installed, fit, silent
from deixis.training.fine_tuning.holding import held
from deixis.training.fine_tuning.learner import check_base
from deixis.training.fine_tuning.processes import await_file, is_main, sharded
from deixis.training.fine_tuning.progress import Entry, Told
from deixis.training.fine_tuning.run_folder import STACK, began, write_card, write_stack
from deixis.training.lessons.course import Course
from deixis.training.lessons.files import MANIFEST, read_lessons
from deixis.training.lessons.records import Lessons
from deixis.training.lessons.rehearsal import rehearse
from deixis.training.recipes import Recipe

LESSONS, DEV = "lessons", "dev"


class Plan(NamedTuple):
    """What a run is made of.

    Attributes:
        course: what is taught.
        rows: gold to learn.
        dev: gold to be scored on after every epoch; None for no scores.
        settings: the stack; the graph and the role are set by the course.
        base: the model that learns, a spec without its provider.
        recipe: every number.
    """

    course: Course
    rows: Path
    dev: Path | None
    settings: Settings
    base: str
    recipe: Recipe


class Watcher(NamedTuple):
    """Who is told how far a run is: of rows in rehearsal, of lessons once, of every step."""

    rows: Callable[[int, int], None] = lambda done, of: None
    lessons: Callable[[Lessons], None] = lambda lessons: None
    steps: Callable[[Entry, int], None] = lambda entry, steps: None


class Trained(NamedTuple):
    """What came of a run.

    Attributes:
        fitted: its figures.
        stack: in which the weights play their role.
        uses: the commands that run and score them; none from other processes than the main one.
    """

    fitted: Fitted
    stack: Path
    uses: list[str]


def train(
    plan: Plan, out: Path, *, resume: bool = False, watcher: Watcher | None = None
) -> Trained:
    """Train a model on rows.

    Args:
        plan: what of.
        out: folder of the run.
        resume: go on with the run that was stopped there.
        watcher: is told how far it is.

    Raises:
        InputError, DataError: the rows or the folder cannot be used.
        SettingsError, ModelFileError, MissingExtraError: the model cannot be trained so. All of
            these are found before the first step.
    """
    check_installed()
    watcher = watcher or Watcher()
    files = {name: path for name, path in (("rows", plan.rows), ("dev", plan.dev)) if path}
    if plan.dev and sharded():
        raise SettingsError(
            "under FSDP no process has the whole model, so nothing is scored in training: leave "
            "out --dev, and score afterwards by the line that is told at the end"
        )
    check_base(f"transformers:{plan.base}")
    if not is_main():
        await_file(out / LESSONS / MANIFEST)
        return Trained(_fitted(plan, read_lessons(out / LESSONS), out, resume), out / STACK, [])
    with held(out):
        began(out, plan.recipe, plan.course.name, plan.base, files, resume=resume)
        lessons = _lessons(plan, out / LESSONS, watcher)
        watcher.lessons(lessons)
        fitted = _fitted(plan, lessons, out, resume, watcher.steps)
        settings = _as_used(plan, lessons)
        stack = write_stack(out, settings, plan.course.role, lessons.manifest.base, fitted.weights)
        uses = use(stack, settings["roles"], plan.recipe)
        write_card(out, card(lessons, plan.recipe, plan.dev, fitted, uses))
    return Trained(fitted, stack, uses)


def _fitted(plan: Plan, lessons: Lessons, out: Path, resume: bool, told: Told = silent) -> Fitted:
    how = plan.recipe.evaluate
    score = scorer(lessons.manifest, plan.dev, how, out / DEV) if plan.dev else None
    return fit(lessons, plan.recipe, out, score=score, resume=resume, told=told)


def _as_used(plan: Plan, lessons: Lessons) -> dict[str, Any]:
    """Return the settings of the lessons, with the roles that a rehearsal leaves empty."""
    settings = lessons.manifest.settings
    roles = plan.settings.roles.model_dump(mode="json")
    left_empty = {role: roles[role] for role in plan.course.without}
    return {**settings, "roles": {**settings["roles"], **left_empty}}


def _lessons(plan: Plan, folder: Path, watcher: Watcher) -> Lessons:
    """Return the lessons; those of a run that goes on are there already."""
    if (folder / MANIFEST).is_file():  # it is written last
        return read_lessons(folder)
    return rehearse(plan.course, plan.rows, plan.settings, plan.base, folder, watcher.rows)

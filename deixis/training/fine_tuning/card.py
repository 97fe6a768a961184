"""The model card of a run: what was learned by whom, from what, how well, and how to use it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.evaluation.metrics.tasks import TASKS
from deixis.training.courses import course_named
from deixis.training.fine_tuning.fit import Fitted
from deixis.training.lessons.records import Lessons
from deixis.training.recipes import Recipe


def card(
    lessons: Lessons, recipe: Recipe, dev: Path | None, fitted: Fitted, uses: Sequence[str]
) -> list[str]:
    """Return the lines of ``README.md``, in Markdown.

    Args:
        lessons: what was learned.
        recipe: every number.
        dev: rows that were scored; None if none were.
        fitted: what came of it.
        uses: what `use` says.
    """
    manifest = lessons.manifest
    course = course_named(manifest.course)
    left_out = [f"- {count} left out: {_plain(why)}" for why, count in manifest.left_out.items()]
    return [
        f"# {manifest.course}: weights trained with Deixis {manifest.deixis}",
        "",
        course.description + ".",
        "",
        f"- Base model: `{manifest.base}`, whose licence and limits these weights share",
        f"- Weights: `{fitted.weights.name}/`, for the role `{course.role}` of the graph "
        f"`{course.graph}`",
        "",
        "## Data",
        "",
        f"`{manifest.rows['file']}` (sha256 `{manifest.rows['sha256']}`): {manifest.rows['rows']} "
        f"rows, {manifest.lessons} lessons",
        "",
        *left_out,
        "",
        "## Training",
        "",
        f"{fitted.steps} steps; the last one came to: {fitted.figure}. All numbers are in "
        "`recipe.yaml`, all packages in `versions.json`, all steps in `metrics.jsonl`.",
        "",
        *([_plain(recipe.sources), ""] if recipe.sources else []),
        *_scores(recipe, dev, fitted),
        "## Use",
        "",
        "```bash",
        *uses,
        "```",
    ]


def use(stack: Path, roles: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """Return the commands that run the trained weights over rows and score them.

    Args:
        stack: in which they play their role.
        roles: of the stack. Who makes masks is left out where these do not count.
        recipe: says what counts.
    """
    results, task = stack.parent / "results.jsonl", TASKS[recipe.evaluate.task]
    given = " --gold-mentions" if task.kind == "given" else ""
    if roles.get("segmenter") and task.region != "mask":
        given += " --role segmenter=none"
    return [
        f"deixis batch test.jsonl --stack {stack}{given} --out {results} && "
        f"deixis eval test.jsonl {results} --task {task.name}"
    ]


def _scores(recipe: Recipe, dev: Path | None, fitted: Fitted) -> list[str]:
    if fitted.best is None:
        return ["No rows were scored in training: these are the weights after the last step.", ""]
    table = [f"| {each.step} | {100 * each.score:.2f} |" for each in fitted.scores]
    how = recipe.evaluate
    return [
        f"These are the weights after step {fitted.best.step}, the best by {how.measure} of "
        f"{how.task} on `{dev}`:",
        "",
        f"| step | {how.measure} |",
        "|-|-|",
        *table,
        "",
    ]


def _plain(text: str) -> str:
    return " ".join(text.split())

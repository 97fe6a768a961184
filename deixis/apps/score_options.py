"""How to score, from options; one that has no effect on the task is refused."""

from typing import TYPE_CHECKING, Annotated

import typer

from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.evaluation.metrics.scoring import How

MENTIONS = "gmner, fmnerg, smner, mner, eeg, ees, fmner, visible"
GIVEN = "entailment, grounding (both of runs on gold mentions)"

TaskOption = Annotated[
    str, typer.Option("--task", help=f"{MENTIONS}, {GIVEN}, mmre or muie; see docs/evaluation.md.")
]
IouOption = Annotated[
    float | None,
    typer.Option("--iou", help="The IoU that a region must reach.", show_default="0.5"),
]
ConventionOption = Annotated[
    str | None,
    typer.Option(
        "--convention",
        help="Count as deixis, e2e, riveg, hindex, vkel or sake does.",
        show_default="deixis",
    ),
]
CoarseOption = Annotated[bool, typer.Option("--coarse", help="Compare coarse types, not fine.")]
WordingOption = Annotated[
    str | None,
    typer.Option(
        "--wording",
        help="Of mmre: plain, stemmed, sentences or characters.",
        show_default="plain",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the draws.")]


def how_of(
    task: str,
    *,
    iou: float | None = None,
    convention: str | None = None,
    coarse: bool = False,
    wording: str | None = None,
    rounds: int,
    seed: int,
    regions: bool = False,
) -> "How":
    """Return how to score.

    Args:
        task: its name.
        iou: None where it is not given, as of the next three.
        convention: its name.
        coarse: whether coarse types are compared.
        wording: of summaries.
        rounds: of the draws.
        seed: of the draws.
        regions: whether regions are compared even if the task has no threshold for them.

    Raises:
        InputError: an option has no effect on the task.
        SettingsError: there is no such task, convention or wording, or a number is out of range.
    """
    from deixis.evaluation.metrics.mmre import check_wording
    from deixis.evaluation.metrics.scoring import How

    given = {"threshold": iou, "wording": wording}
    rest = {name: value for name, value in given.items() if value is not None}
    how = How.named(task, convention or "deixis", coarse, rounds=rounds, seed=seed, **rest)
    papers = how.task.kind in ("mmre", "muie")
    if iou is not None and not (how.task.located and (regions or not papers)):
        why = "averages IoU or compares no places" if papers else "does not score where regions are"
        raise InputError(f"--iou has no effect: {task} {why}; leave it out")
    if convention is not None and how.task.kind != "mentions" and not (papers and regions):
        raise InputError(f"--convention has no effect: {task} is counted in one way; leave it out")
    if wording is not None:
        if how.task.kind != "mmre":
            raise InputError(f"--wording has no effect: {task} scores no summaries; leave it out")
        check_wording(wording)
    return how

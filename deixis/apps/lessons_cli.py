"""The command ``deixis dataset export``: what a graph asks of rows, for other trainers.

Exit codes: 0 done, 1 some rows were left out, 2 unusable input or settings.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.apps import options, terminal
from deixis.apps.construct_cli import ProgressOption, RowsArgument
from deixis.apps.prompts_cli import PromptsOption

if TYPE_CHECKING:
    from deixis.settings import Settings
    from deixis.training.lessons.course import Course

BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="MODEL",
        help="Who is to learn: OWNER/REPO of the hub or a folder, and maybe "
        "?family=qwen2.5-vl&max_pixels=802816; as in the stack, if that names one.",
    ),
]
OthersOption = Annotated[
    str | None,
    typer.Option(
        "--stack", metavar="NAME|FILE", help="Who plays the other roles; as for the graph."
    ),
]


def settings_for(
    course: "Course",
    stack: str | None,
    prompts: Path | None,
    roles: list[str] | None,
    urls: str | None,
    schema: str | None,
) -> "Settings":
    """Return the stack in which a course is taught: that of its graph, if none is named.

    Raises:
        InputError, SettingsError: as `options.settings_of`.
    """
    return options.settings_of(stack or course.graph, prompts, roles, course.graph, urls, schema)


def base_of(course: "Course", settings: "Settings", base: str | None) -> str:
    """Return who is to learn, as it was named or as the stack names it.

    Raises:
        SettingsError: neither names a model that can be trained.
    """
    from deixis.errors import SettingsError

    played: str | None = getattr(settings.roles, course.role)
    provider, _, name = (played or "").partition(":")
    if base is not None:
        return base.removeprefix("transformers:")
    if provider != "transformers":
        raise SettingsError(
            f"say who is to learn: --base Qwen/Qwen2.5-VL-7B-Instruct; the stack {settings.name!r} "
            f"has {played or 'nobody'} as {course.role}, which is no model of transformers"
        )
    return name


def export(
    rows: RowsArgument,
    system: Annotated[str, typer.Option("--system", metavar="SYSTEM", help="What is taught.")],
    trainer: Annotated[str, typer.Option("--for", metavar="TRAINER", help="Who reads the files.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the files.")],
    base: BaseOption = None,
    stack: OthersOption = None,
    role: options.RoleOption = None,
    schema: options.SchemaOption = None,
    prompts: PromptsOption = None,
    urls: options.UrlsOption = None,
    progress: ProgressOption = True,
    as_json: options.JsonOption = False,
) -> None:
    """Turn gold rows into training data of another trainer.

    SYSTEM is e2e, vkel, vkel-sketch, riveg-ve, riveg-vg, riveg-ner, mmre or muie; TRAINER is trl,
    swift, llamafactory, qwen or ofa. The graph of the system runs over the rows; the prompts are
    those that it sends, the answers those from which it makes the gold again. Rows of which it does
    not are in FOLDER/left_out.jsonl with the reason. Boxes are written as the model to be trained
    writes them. FOLDER has the lessons as well (lessons.jsonl) and what is shown (media).
    """
    from deixis.apps.console import counting
    from deixis.base.text_files import keep_streams
    from deixis.training.courses import course_named
    from deixis.training.exports.registry import export as export_lessons
    from deixis.training.exports.registry import trainer_for
    from deixis.training.lessons.rehearsal import LEFT_OUT, rehearse

    keep_streams(rows)
    course = course_named(system)
    trainer_for(trainer, course.name)
    settings = settings_for(course, stack, prompts, role, urls, schema)
    model = base_of(course, settings, base)
    with counting("rows", shown=progress) as told:
        lessons = rehearse(course, rows, settings, model, out, told)
    exported = export_lessons(lessons, trainer, out)
    left_out = sum(lessons.manifest.left_out.values())
    if as_json:
        terminal.print_json(
            {
                "file": str(exported.file),
                "lessons": exported.lines,
                "rows_left_out": lessons.manifest.left_out,
                "lessons_left_out": dict(exported.left_out),
                "notes": exported.told,
            }
        )
    else:
        for reason, count in (*lessons.manifest.left_out.items(), *exported.left_out.items()):
            typer.echo(f"{count:8}  left out: {reason}", err=True)
        for note in exported.told:
            typer.echo(note, err=True)
        typer.echo(f"wrote {exported.lines} lessons to {exported.file}")
        if left_out:
            typer.echo(f"rows without a lesson are in {out / LEFT_OUT}", err=True)
    if left_out or exported.left_out:
        raise typer.Exit(1)

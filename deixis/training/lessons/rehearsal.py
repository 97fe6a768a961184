"""Rehearsal: a graph runs over gold rows, and the model that is to learn is told its answers.

So a prompt is what the graph sends, whatever it is made of, and an answer is one from which the
graph makes the gold again: a row of which it does not is left out, with the reason. Whoever else
plays a role, a committee or a detector, is asked for real.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

import deixis
from deixis.agents.context.state import Update
from deixis.agents.context.toolbox import Answer, Toolbox
from deixis.base.at_once import at_once
from deixis.base.images import open_image
from deixis.base.text_files import Line, folder_of, open_data, raw_lines, write_lines
from deixis.batch.row import BadRow, Reading, task_of
from deixis.errors import DataError, DeixisError, InputError, SettingsError
from deixis.graphs.build import graph_of
from deixis.graphs.registry import find
from deixis.llms.answers.reading import read, schema_of
from deixis.llms.asking import Joint
from deixis.llms.box_conventions import THOUSANDTHS, BoxConvention, convention_of, why_unknown
from deixis.llms.media import Medium
from deixis.llms.structured import Call, Reply
from deixis.prompts import Prompt
from deixis.rows import parse_row, read_rows
from deixis.schema import Extraction
from deixis.settings import Settings
from deixis.training.lessons.compare import near
from deixis.training.lessons.course import Course, Question, UntaughtError
from deixis.training.lessons.files import keep_medium, write_lessons
from deixis.training.lessons.records import Frame, Lesson, Lessons, Manifest, in_words

LEFT_OUT = "left_out.jsonl"
AT_ONCE = 4
"""Rows that are rehearsed at the same time: others that are asked may be servers."""

Told = Callable[[int, int], None]
"""Is told of how many rows how many are done."""


class _Row(NamedTuple):
    """A row in rehearsal: the gold, and the sizes of its pictures.

    ``lessons`` are those that it gave, each with the name of its prompt and its seat.
    """

    row: Any
    pictures: list[tuple[int, int]]
    lessons: list[tuple[str, int, Lesson]]


_Run = tuple[list[Lesson], dict[str, str] | None]
"""The lessons of a row; and why it has none."""
_now: ContextVar[_Row] = ContextVar("row in rehearsal")


class _Prompter(Toolbox):
    """A toolbox that answers for one role what the gold says, and writes down the question."""

    def __init__(self, settings: Settings, course: Course, frame: BoxConvention, out: Path) -> None:
        super().__init__(settings, find(settings.graph))
        self._course, self._frame, self._out = course, frame, out

    def ask(
        self,
        step: str,
        role: str,
        spec: str,
        prompt: Prompt,
        answer: type[Answer],
        seat: int = 0,
        sample: int = 0,
        joint: Joint | None = None,
        images: Sequence[Medium] = (),
    ) -> tuple[Reply[Answer], Update]:
        """See `Toolbox.ask`."""
        if role != self._course.role and prompt.name not in self._course.stands_in:
            return super().ask(step, role, spec, prompt, answer, seat, sample, joint, images)
        now = _now.get()
        written = self._course.teach(
            Question(
                now.row, prompt, answer, images, now.pictures, self._frame, self.settings, seat
            )
        )
        media = tuple(keep_medium(self._out, medium) for medium in images)
        lesson = Lesson(
            id=now.row.id,
            row=now.row.id,
            prompt=f"{prompt.name} {prompt.version}",
            system=prompt.system,
            user=prompt.user,
            media=media,
            answer=written,
            answer_schema=schema_of(answer),
        )
        text = in_words(written, self._frame, lesson.sizes)
        try:
            value = read(text, answer)
        except ValidationError:
            raise UntaughtError("the answer cannot be read as the object asked for") from None
        if prompt.name in self._course.prompts:
            now.lessons.append((prompt.name, seat, lesson))
        reply = Reply(value, "ok", "", (Call("ok", finish_reason="stop", text=text),))
        return reply, self.accounted(step, role, spec, prompt, reply, seat)


def rehearse(
    course: Course, rows: Path, settings: Settings, base: str, out: Path, told: Told | None = None
) -> Lessons:
    """Make the lessons of a file of rows.

    Args:
        course: what is taught.
        rows: gold, as `Course.row` has it.
        settings: the stack; the graph and the role are set here.
        base: the model that is to learn, a spec without its provider:
            ``Qwen/Qwen2.5-VL-7B-Instruct``, ``/my/weights?family=qwen2.5-vl``.
        out: folder for lessons and media; what is there is written over.
        told: is told of how many rows how many are done.

    Raises:
        DataError: the rows cannot be read, or none gave a lesson.
        InputError: a file cannot be read or written.
        SettingsError: the stack does not fit, or it is not known how the model writes boxes.
        MissingExtraError: transformers is not installed.
    """
    gold = read_rows(rows, course.row)
    prepared, frame = _prepared(course, gold, settings, base)
    folder = Path(folder_of(rows)).absolute()
    toolboxes = [_Prompter(each, course, frame, out) for each in course.versions(prepared)]
    versions = [_version(course, toolbox, frame, folder) for toolbox in toolboxes]
    out.mkdir(parents=True, exist_ok=True)
    lines = [line for line in _lines(rows) if line.data.strip()]
    jobs = [partial(version, line) for version in versions for line in lines]
    lessons: list[Lesson] = []
    left_out: list[dict[str, str]] = []
    for number, (found, trouble) in enumerate(at_once(jobs, AT_ONCE)):
        version = number // len(lines)
        lessons += [_named(lesson, version) for lesson in found]
        left_out += [trouble] if trouble else []
        if told:
            told(number + 1, len(jobs))
    counts = dict(Counter(each["reason"] for each in left_out).most_common())
    write_lines(out / LEFT_OUT, (json.dumps(each, ensure_ascii=False) for each in left_out))
    if not lessons:
        why = "; ".join(f"{reason} ({count})" for reason, count in list(counts.items())[:3])
        raise DataError(f"{rows}: none of {len(gold)} rows gave a lesson: {why or 'it is empty'}")
    manifest = Manifest(
        course=course.name,
        base=getattr(prepared.roles, course.role),
        frame=Frame.of(frame),
        rows={"file": str(rows), "sha256": _digest(lines), "rows": len(gold)},
        lessons=len(lessons),
        left_out=counts,
        deixis=deixis.__version__,
        settings=toolboxes[0].settings.model_dump(mode="json", by_alias=True, exclude_unset=True),
    )
    write_lessons(out, lessons, manifest)
    return Lessons(out, manifest, lessons)


def _prepared(
    course: Course, gold: Sequence[Any], settings: Settings, base: str
) -> tuple[Settings, BoxConvention]:
    """Return the settings of the graph that asks, and how its model writes boxes."""
    spec = f"transformers:{base}"
    given = settings.graph_options if settings.graph == course.graph else {}
    options = {**given, **course.options(gold, given)}
    options = {name: value for name, value in options.items() if value is not None}
    settings = settings.with_graph(course.graph, **options)
    empty = dict.fromkeys((*course.replaces, *course.without))
    settings = settings.with_roles({course.role: spec, **empty})
    frame = convention_of(spec, settings.graph_options.get("family")) or course.frame
    if frame is None and course.points:
        raise SettingsError(why_unknown(spec))
    return settings, frame or THOUSANDTHS


def _lines(rows: Path) -> Iterator[Line]:
    with open_data(rows) as file:
        yield from raw_lines(file)


def _digest(lines: Sequence[Line]) -> str:
    whole = sha256()
    for line in lines:
        whole.update(line.data + b"\n")
    return whole.hexdigest()


def _version(
    course: Course, toolbox: _Prompter, frame: BoxConvention, folder: Path
) -> Callable[[Line], _Run]:
    """Return what rehearses a line with a graph of some settings."""
    toolbox.check()
    return partial(
        _rehearsed,
        course=course,
        toolbox=toolbox,
        graph=graph_of(toolbox),
        frame=frame,
        reading=Reading(folder, toolbox.settings.options.max_text, takes=toolbox.takes),
    )


def _named(lesson: Lesson, version: int) -> Lesson:
    """Return a lesson with an id that no other version of its row has."""
    return lesson.model_copy(update={"id": f"{lesson.id}~{version + 1}"}) if version else lesson


def _rehearsed(
    line: Line,
    *,
    course: Course,
    toolbox: Toolbox,
    graph: Any,
    frame: BoxConvention,
    reading: Reading,
) -> _Run:
    """Return the lessons of a row; or none, and why."""
    row = parse_row(json.loads(line.data), course.row)
    now = _Row(row, [], [])

    def without(reason: str, detail: str = "") -> tuple[list[Lesson], dict[str, str]]:
        return [], {"id": row.id, "reason": reason, **({"detail": detail} if detail else {})}

    try:
        task = task_of(line.number, line.data, reading)
        given = _opened({**task.given, **course.given(row)}, toolbox.settings, now.pictures)
        _now.set(now)
        result = Extraction.model_validate(graph.invoke(given))
        ordered = [lesson for *_, lesson in sorted(now.lessons, key=lambda each: each[:2])]
        differs = course.same(row, result, near(frame, now.pictures, ordered))
    except UntaughtError as error:
        return without(str(error))
    except (BadRow, InputError) as error:
        return without("the row cannot be read as an input of the graph", str(error))
    except SettingsError:
        raise
    except DeixisError as error:
        return without("the graph failed", str(error))
    if differs:
        return without(differs)
    return [
        each.model_copy(update={"id": f"{row.id}/{number}"}) if number > 1 else each
        for number, each in enumerate(ordered, start=1)
    ], None


def _opened(
    given: dict[str, Any], settings: Settings, sizes: list[tuple[int, int]]
) -> dict[str, Any]:
    """Return an input with its pictures decoded, and note their sizes."""
    options = settings.options
    named = given.get("images") or ([given["image"]] if given.get("image") else [])
    pictures = [
        open_image(each, max_pixels=options.max_pixels, urls=options.urls).pixels for each in named
    ]
    sizes += [(pixels.shape[1], pixels.shape[0]) for pixels in pictures]
    if given.get("images"):
        return {**given, "images": pictures}
    return {**given, "image": pictures[0]} if pictures else given

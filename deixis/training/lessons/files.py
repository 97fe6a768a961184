"""A folder of lessons: ``lessons.jsonl``, ``lessons.json`` and the pictures, sound and video."""

from collections.abc import Iterable
from pathlib import Path

from langchain_core.messages import BaseMessage
from pydantic import ValidationError

from deixis.base.atomic import whole_file
from deixis.base.json_lines import parsed
from deixis.base.problems import problem_line
from deixis.base.text_files import lines_of, read_text, write_lines
from deixis.errors import DataError, InputError
from deixis.llms.local.control_marks import KNOWN
from deixis.llms.media import Clip, Medium, Recording
from deixis.llms.photos import Photo
from deixis.llms.structured import messages_of
from deixis.training.lessons.records import (
    Lesson,
    LessonMedium,
    Lessons,
    Manifest,
    Move,
    in_words,
)

LESSONS, MANIFEST, MEDIA = "lessons.jsonl", "lessons.json", "media"
_ENDINGS = {"image": "jpg", "audio": "wav", "video": "mp4"}


def keep_medium(folder: Path, medium: Medium) -> LessonMedium:
    """Write what a question shows into the folder, once for all questions; return its record.

    Raises:
        InputError: it cannot be written.
    """
    file = f"{MEDIA}/{medium.sha256}.{_ENDINGS[medium.kind]}"
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with whole_file(path) as out:
            out.write(medium.data)
    record = LessonMedium(kind=medium.kind, file=file, sha256=medium.sha256)
    if isinstance(medium, Photo):
        return record.model_copy(update={"width": medium.width, "height": medium.height})
    return record.model_copy(update={"seconds": medium.seconds})


def write_lessons(folder: Path, lessons: Iterable[Lesson], manifest: Manifest) -> None:
    """Write the lessons and what they were made of; the media are there (`keep_medium`).

    Raises:
        InputError: a file cannot be written.
    """
    lines = (lesson.model_dump_json(exclude_defaults=True) for lesson in lessons)
    write_lines(folder / LESSONS, lines)
    with whole_file(folder / MANIFEST) as out:
        out.write(f"{manifest.model_dump_json(indent=2)}\n".encode())


def read_lessons(folder: Path) -> Lessons:
    """Read a folder of lessons.

    Raises:
        DataError: a file does not hold what `write_lessons` writes.
        InputError: a file cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(read_text(path))
    except ValidationError as error:
        raise DataError(f"{path}: {problem_line(error)}") from None
    lessons = []
    for number, line in lines_of(folder / LESSONS):
        try:
            lessons.append(Lesson.model_validate(parsed(line)))
        except (ValidationError, ValueError) as error:
            why = problem_line(error) if isinstance(error, ValidationError) else str(error)
            raise DataError(f"{folder / LESSONS}:{number}: {why}") from None
    return Lessons(folder, manifest, lessons)


def open_media(folder: Path, lesson: Lesson) -> list[Medium]:
    """Return what a lesson shows, as models are sent it.

    Raises:
        InputError: a file cannot be read.
    """
    return [_open(folder, medium) for medium in lesson.media]


def _open(folder: Path, medium: LessonMedium) -> Medium:
    try:
        data = (folder / medium.file).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {folder / medium.file}: {error.strerror}") from None
    if medium.kind == "image":
        return Photo(data, medium.sha256, medium.width, medium.height)
    kind = Recording if medium.kind == "audio" else Clip
    return kind(data, medium.sha256, medium.seconds)


def messages_for(folder: Path, lesson: Lesson) -> list[BaseMessage]:
    """Return the messages of a lesson, as the graph sends them: the system's and the user's.

    Raises:
        InputError: as `open_media`.
    """
    return messages_of(lesson.system, lesson.user, open_media(folder, lesson))


def answer_text(lessons: Lessons, lesson: Lesson, move: Move | None = None) -> str:
    """Return what a model shall write: marks that steer it are made plain, as in what it reads.

    What it writes is put back by `deixis.llms.structured`.

    Args:
        lessons: among which it is.
        lesson: whose answer.
        move: moves each box first; None leaves them.
    """
    frame = lessons.manifest.frame.convention
    return KNOWN.plain(in_words(lesson.answer, frame, lesson.sizes, move), thoughts=True)

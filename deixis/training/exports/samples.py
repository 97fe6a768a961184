"""A lesson as trainers take it, and what a trainer is to this room."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, get_args

from deixis.llms.box_conventions import BoxConvention
from deixis.training.lessons.files import answer_text, messages_for
from deixis.training.lessons.records import Lesson, LessonMedium, Lessons, Manifest

KINDS: tuple[str, ...] = get_args(LessonMedium.model_fields["kind"].annotation)


class LeftOutError(Exception):
    """A trainer's file cannot hold a lesson; the message says why, alike for all such lessons."""


class Sample(NamedTuple):
    """A lesson, as a graph asks it and a model answers it.

    Attributes:
        folder: of the lessons.
        lesson: that it was made of.
        system: the message of the system.
        question: the message of the user: text, and media between, in order.
        answer: what the model shall write, with boxes in its own frame.
        frame: how it writes them.
    """

    folder: Path
    lesson: Lesson
    system: str
    question: tuple[str | LessonMedium, ...]
    answer: str
    frame: BoxConvention

    def asked(self, tags: dict[str, str]) -> str:
        """Return the user's message with a tag where a medium of some kind is shown."""
        return "".join(part if isinstance(part, str) else tags[part.kind] for part in self.question)

    def files(self, kind: str) -> list[str]:
        """Return the files of one kind, in order, relative to the folder of the lessons."""
        return [medium.file for medium in self.lesson.media if medium.kind == kind]


class Trainer(NamedTuple):
    """A trainer, and how its file of lessons is written.

    Attributes:
        description: in one line.
        file: its name.
        lines: writes the lines of a sample; what is shown in any lesson comes as names of kinds.
            Raises `LeftOutError`.
        shows: kinds of media that it takes.
        placeholders: what it takes for a picture, a box and the like, wherever it stands.
        beside: contents of further files, by name.
        told: what it has to be told, so that it trains what was written.
        courses: those it is for; None is all.
        whole: the file has what is shown in it, and needs no other.
    """

    description: str
    file: str
    lines: Callable[[Sample, frozenset[str]], Iterable[str]]
    shows: frozenset[str]
    placeholders: tuple[str, ...] = ()
    beside: Callable[[Manifest, frozenset[str]], dict[str, str]] = lambda manifest, kinds: {}
    told: Callable[[Manifest], list[str]] = lambda manifest: []
    courses: tuple[str, ...] | None = None
    whole: bool = False


def sample_of(lessons: Lessons, lesson: Lesson) -> Sample:
    """Return a lesson as the graph sends it; marks by which models are steered are plain text.

    Raises:
        InputError: a picture, sound or video cannot be read.
    """
    system, question = messages_for(lessons.folder, lesson)
    media = iter(lesson.media)
    blocks: list[Any] = (
        [{"type": "text", "text": question.content}]
        if isinstance(question.content, str)
        else question.content
    )
    parts = tuple(block["text"] if block["type"] == "text" else next(media) for block in blocks)
    frame = lessons.manifest.frame.convention
    return Sample(lessons.folder, lesson, system.text, parts, answer_text(lessons, lesson), frame)


def check(sample: Sample, trainer: Trainer) -> None:
    """Raise `LeftOutError` for what a trainer does not take, or takes for something else."""
    for medium in sample.lesson.media:
        if medium.kind not in trainer.shows:
            raise LeftOutError(f"it shows {medium.kind}, which this trainer does not take")
    texts = [sample.system, *(part for part in sample.question if isinstance(part, str))]
    for mark in trainer.placeholders:
        if any(mark in text for text in [*texts, sample.answer]):
            raise LeftOutError(f"its text has {mark}, which this trainer takes for a placeholder")


def limits(manifest: Manifest) -> tuple[int, int] | None:
    """Return the least and the most pixels of a picture, if boxes count pixels of the resized."""
    resize = manifest.frame.resize
    return resize and (resize[1], resize[2])

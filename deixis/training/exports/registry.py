"""The trainers by name, and writing their files."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from deixis.base.atomic import whole_file
from deixis.base.problems import nearest
from deixis.base.text_files import write_lines
from deixis.errors import DataError, InputError, SettingsError
from deixis.training.exports.llamafactory import LLAMAFACTORY
from deixis.training.exports.ofa import OFA
from deixis.training.exports.qwen import QWEN
from deixis.training.exports.samples import LeftOutError, Trainer, check, sample_of
from deixis.training.exports.swift import SWIFT
from deixis.training.exports.trl import TRL
from deixis.training.lessons.records import Lessons

TRAINERS: dict[str, Trainer] = {
    "trl": TRL,
    "swift": SWIFT,
    "llamafactory": LLAMAFACTORY,
    "qwen": QWEN,
    "ofa": OFA,
}
"""Who reads files of lessons, by the name that the command line has for it."""


class Exported(NamedTuple):
    """What was written.

    Attributes:
        file: of the lessons.
        lines: how many it has.
        left_out: lessons that it cannot hold, counted by reason.
        told: what the trainer has to be told, so that it trains what was written.
    """

    file: Path
    lines: int
    left_out: Counter[str]
    told: list[str]


def trainer_for(name: str, course: str) -> Trainer:
    """Return a trainer by its name.

    Raises:
        SettingsError: there is none (with the nearest right name), or it is not for the course.
    """
    if name not in TRAINERS:
        raise SettingsError(
            f"there is no trainer {name!r}{nearest(name, TRAINERS)}; known: {', '.join(TRAINERS)}"
        )
    trainer = TRAINERS[name]
    if trainer.courses is not None and course not in trainer.courses:
        raise SettingsError(f"{name} is for {' and '.join(trainer.courses)} alone, not {course}")
    return trainer


def export(lessons: Lessons, name: str, out: Path) -> Exported:
    """Write lessons as the file of a trainer, ``OUT/trl.jsonl`` and so on.

    What is shown is in ``OUT/media``, to which the file's paths lead, relative to ``OUT``. So
    lessons are best made in ``OUT`` itself; from any other folder their media are copied.

    Args:
        lessons: as `deixis.training.lessons.rehearsal` makes them.
        name: one of `TRAINERS`.
        out: a folder.

    Raises:
        SettingsError: as `trainer_for`.
        DataError: the file can hold none of the lessons.
        InputError: a file cannot be read or written.
    """
    trainer = trainer_for(name, lessons.manifest.course)
    kinds = frozenset(medium.kind for lesson in lessons.lessons for medium in lesson.media)
    left_out: Counter[str] = Counter()
    lines = _lines(lessons, trainer, kinds & trainer.shows, left_out)
    first = next(lines, None)
    if first is None:
        why = "; ".join(f"{reason} ({count})" for reason, count in left_out.most_common(3))
        raise DataError(f"{lessons.folder}: {name} can hold no lesson: {why or 'there are none'}")
    if not trainer.whole:
        _copy_media(lessons, out)
    written = write_lines(out / trainer.file, chain([first], lines))
    for file, text in trainer.beside(lessons.manifest, kinds & trainer.shows).items():
        write_lines(out / file, [text])
    return Exported(out / trainer.file, written, left_out, trainer.told(lessons.manifest))


def _lines(
    lessons: Lessons, trainer: Trainer, kinds: frozenset[str], left_out: Counter[str]
) -> Iterator[str]:
    for lesson in lessons.lessons:
        try:
            sample = sample_of(lessons, lesson)
            check(sample, trainer)
            lines = list(trainer.lines(sample, kinds))
        except LeftOutError as error:
            left_out[str(error)] += 1
            continue
        yield from lines


def _copy_media(lessons: Lessons, out: Path) -> None:
    """Copy what is shown, unless it is there."""
    files = dict.fromkeys(medium.file for lesson in lessons.lessons for medium in lesson.media)
    for file in files:
        if not (out / file).exists():
            try:
                data = (lessons.folder / file).read_bytes()
                with whole_file(out / file) as copy:
                    copy.write(data)
            except OSError as error:
                raise InputError(f"cannot copy {lessons.folder / file}: {error.strerror}") from None

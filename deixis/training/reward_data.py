"""Data for a trainer that rewards: what lessons ask, and what the rewards are worked out of."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deixis.errors import DataError, MissingExtraError
from deixis.training.lessons.files import messages_for
from deixis.training.lessons.records import Lessons, in_words

if TYPE_CHECKING:
    from datasets import Dataset


def columns(lessons: Lessons) -> dict[str, list[Any]]:
    """Return the columns that the rewards take, a value for each lesson.

    Raises:
        DataError: the lessons are of another system than e2e.
    """
    if lessons.manifest.course != "e2e":
        raise DataError(
            f"{lessons.folder}: the lessons are of {lessons.manifest.course}; the rewards read "
            "answers of e2e"
        )
    frame = lessons.manifest.frame
    return {
        "answer": [in_words(each.answer, frame.convention, each.sizes) for each in lessons.lessons],
        "size": [next(iter(each.sizes), None) for each in lessons.lessons],
        "frame": [frame.model_dump_json()] * len(lessons.lessons),
    }


def dataset(lessons: Lessons) -> "Dataset":
    """Return lessons as TRL's own `GRPOTrainer` takes them, with ``prompt`` and ``images``.

    The processor has to bring pictures to the size that the lessons are made for: the options
    ``min_pixels`` and ``max_pixels`` of their model, if it has them.

    Raises:
        DataError: as `columns`.
        InputError: a picture cannot be read.
        MissingExtraError: datasets is not installed.
    """
    try:
        from datasets import Dataset, Image, List
    except ImportError as error:
        raise MissingExtraError("datasets", "train") from error
    prompts = [
        [
            {"role": role, "content": [*map(_block, message.content_blocks)]}
            for role, message in zip(
                ("system", "user"), messages_for(lessons.folder, each), strict=True
            )
        ]
        for each in lessons.lessons
    ]
    pictures = [
        [str(lessons.folder / medium.file) for medium in each.media] for each in lessons.lessons
    ]
    rows = Dataset.from_dict({"prompt": prompts, "images": pictures, **columns(lessons)})
    return rows.cast_column("images", List(Image()))


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block of text, or the place of a picture."""
    text = block.get("text")
    return {"type": "image"} if text is None else {"type": "text", "text": text}

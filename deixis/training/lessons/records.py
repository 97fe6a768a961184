"""Lessons: one question as a graph sends it, and the answer that it should get.

An answer is a text with places for boxes, which stand apart until it is known how the model
writes them, and whether they are moved a little first (`deixis.training.perturbation`).
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from deixis.base.boxes import Box
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.picture_frames import Resize, Size


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Slot(_Record):
    """A box in an answer.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels of the picture as the model is sent it.
        image: which of the lesson's pictures, from 0.
        brackets: what stands around the numbers.
        between: what stands between two of them.
    """

    box: Box
    image: int = Field(default=0, ge=0)
    brackets: Literal["[]", "()"] = "[]"
    between: Literal[",", ", "] = ","


Written = tuple[str | Slot, ...]
"""An answer: its text in pieces, and the boxes between them."""

Move = Callable[[Box, Size], Box]
"""Moves a box a little: in pixels of a picture of some width and height, before and after."""


class LessonMedium(_Record):
    """A picture (JPEG), sound (WAV) or video (MP4) of a question, as the model is sent it.

    ``file`` is relative to the folder of the lessons. ``width`` and ``height`` are those of a
    picture, ``seconds`` those of sound and video.
    """

    kind: Literal["image", "audio", "video"]
    file: str = Field(pattern=r"^media/\w+\.\w+$")
    sha256: str
    width: int = 0
    height: int = 0
    seconds: float = 0.0


class Lesson(_Record):
    """One question and its answer.

    Attributes:
        id: of the lesson; unique in its file.
        row: id of the row it was made of.
        prompt: name and version of the prompt, such as ``e2e/extract 3``.
        system, user: the prompt as it was rendered.
        media: what is shown before the user's text, in order.
        answer: what the model shall write.
        answer_schema: the JSON schema that holds the reply; None if any text will do.
    """

    id: str
    row: str
    prompt: str
    system: str
    user: str
    media: tuple[LessonMedium, ...] = ()
    answer: Written
    answer_schema: dict[str, Any] | None = None

    @property
    def sizes(self) -> list[Size]:
        """Width and height of each picture, in order."""
        return [(each.width, each.height) for each in self.media if each.kind == "image"]


class Frame(_Record):
    """How a model writes boxes: the fields of `deixis.llms.box_conventions.BoxConvention`."""

    order: Literal["xyxy", "yxyx"] = "xyxy"
    resize: Annotated[tuple[int, int, int] | None, Field(description="`Resize`, in order")] = None
    reference: int = 1000
    decimals: int = 0
    last: int | None = None
    within: float = 0.0
    padded: bool = False

    @classmethod
    def of(cls, convention: BoxConvention) -> "Frame":
        """Return the record of a convention that counts thousandths or pixels of a resize.

        Raises:
            TypeError: it is of a resize that no model has that can be trained.
        """
        fields = convention._asdict()
        if convention.resize is not None and not isinstance(convention.resize, Resize):
            raise TypeError(f"no model of this resize can be trained: {convention.resize}")
        return cls(**{**fields, "resize": convention.resize and tuple(convention.resize)})

    @property
    def convention(self) -> BoxConvention:
        """What it is the record of."""
        fields = self.model_dump()
        return BoxConvention(**{**fields, "resize": self.resize and Resize(*self.resize)})


def in_words(
    answer: Written, frame: BoxConvention, sizes: Sequence[Size], move: Move | None = None
) -> str:
    """Write an answer as the model shall: with its boxes in its own frame.

    Args:
        answer: text and boxes.
        frame: how the model writes boxes.
        sizes: width and height of each picture.
        move: moves each box first; None leaves them.
    """
    return "".join(
        piece if isinstance(piece, str) else _box(piece, frame, sizes[piece.image], move)
        for piece in answer
    )


def _box(slot: Slot, frame: BoxConvention, size: Size, move: Move | None) -> str:
    box = move(slot.box, size) if move else slot.box
    numbers = slot.between.join(json.dumps(number) for number in frame.to_model(box, size))
    return f"{slot.brackets[0]}{numbers}{slot.brackets[1]}"


class Manifest(_Record):
    """What a folder of lessons was made of.

    Attributes:
        course: what is taught (`deixis.training.courses`).
        base: spec of the model that is to learn, such as
            ``transformers:Qwen/Qwen2.5-VL-7B-Instruct``.
        frame: how it writes boxes.
        rows: file of rows, its sha256, and how many rows there were.
        lessons: how many were made.
        left_out: rows without a lesson, counted by reason.
        deixis: version that made them.
        settings: the stack and options of the graph that asked; of several, the first.
    """

    format: Literal[1] = 1
    course: str
    base: str
    frame: Frame
    rows: dict[str, Any]
    lessons: int
    left_out: dict[str, int]
    deixis: str
    settings: dict[str, Any]


class Lessons(NamedTuple):
    """Lessons, and the folder that holds their media."""

    folder: Path
    manifest: Manifest
    lessons: list[Lesson]

"""What comes out of a graph, as plain pydantic models: each is data with its checks.

Boxes are ``(x1, y1, x2, y2)`` in absolute pixels of the EXIF-upright picture. Offsets are
half-open, in characters of the text as given. Scores, confidences and agreements run 0..1.
"""

from typing import Annotated, Final, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, model_validator

from deixis.base import masks
from deixis.base.boxes import Box
from deixis.base.reading import writable
from deixis.base.urls import without_credentials

T = TypeVar("T")
Many = Annotated[list[T], FailFast()]
"""A list that is refused at its first wrong item: a stranger may send a million."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Status = Literal["ok", "failed", "refused", "truncated", "empty", "invalid"]
"""What came of one request to a language model."""
NoticeKind = Literal["degraded", "budget"]
"""What a notice is about: ``budget`` for a question that the budget did not allow."""


def empty(value: object) -> bool:
    """Whether a value is none: what results of one picture and one text have no use for.

    Such fields are left out of JSON, so results that need none are written as ever.
    """
    return not value


class Record(BaseModel):
    """Base of all records: unknown keys are errors, NaN and infinity are not numbers."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Mask(Record):
    """A mask as COCO RLE: ``size`` is ``(height, width)`` of the whole picture."""

    size: tuple[int, int]
    counts: str

    @classmethod
    def from_array(cls, array: NDArray[np.bool_]) -> Self:
        """Encode a boolean array of shape ``(H, W)``."""
        return cls.model_validate(masks.encode(array))

    def to_array(self) -> NDArray[np.bool_]:
        """Decode into a boolean array of shape ``(H, W)``."""
        return masks.decode(self)


class Region(Record):
    """Where an entity is: a box, perhaps a mask, how sure, and which tool pointed.

    ``image`` says in which picture, of several: its place, from 0. In a video it is 0. ``page`` is
    the page, from 1, that the picture of a document stands on.
    """

    box: Box
    mask: Mask | None = None
    score: Share
    source: str
    image: Annotated[int, Field(ge=0, exclude_if=empty)] = 0
    page: Annotated[int | None, Field(ge=1, exclude_if=empty)] = None

    @model_validator(mode="after")
    def _check_box(self) -> Self:
        x1, y1, x2, y2 = self.box
        if not (0 <= x1 < x2 and 0 <= y1 < y2):
            raise ValueError(f"a box needs 0 <= x1 < x2 and 0 <= y1 < y2; got {self.box}")
        return self


class Attribute(Record):
    """One voted fact of visual knowledge.

    ``votes`` is the number of committee members who gave this value, ``agreement`` their
    share among those who answered at all.
    """

    name: str
    value: str
    votes: int = Field(ge=0)
    agreement: Share


class Knowledge(Record):
    """How an entity looks, as the committee knows it (VKEL, section III-D)."""

    attributes: Many[Attribute] = []
    summary: str | None = None


class Decision(Record):
    """Who decided what, with which model, on what evidence.

    ``step`` is the node that decided and ``subject`` what about: ``type``, ``fine_type``,
    an attribute, ``expression``, ``groundable``, ``box`` or ``mask``. ``outcome`` is None
    when the step could not decide; ``evidence`` then says why. ``replies`` are the ids of the
    replies of language models that it rests on, in `Extraction.replies`.
    """

    step: str
    subject: str
    outcome: str | None
    model: str | None = None
    confidence: Share | None = None
    evidence: Many[str] = []
    replies: Many[str] = []


class ImageInfo(Record):
    """The picture that was looked at.

    ``sha256`` is that of the file as given, or of the RGB pixels when an array or a PIL
    image was given; ``width`` and ``height`` are those of the EXIF-upright picture;
    ``source`` is the path (as far as it is UTF-8), the URL without credentials, ``bytes``,
    ``PIL image`` or ``array``.
    """

    sha256: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    source: Annotated[str, AfterValidator(writable), AfterValidator(without_credentials)]


class ModelReply(Record):
    """What a language model said to one request, word for word.

    ``id`` is ``step/seat/number``: the request's number among those that one answer took.
    ``prompt`` is the name and version of what it was asked. ``finish_reason`` is the
    provider's, ``shared`` for a share of what was said to several samples at once.
    """

    id: str
    role: str
    model: str
    prompt: str
    status: Status
    finish_reason: str
    text: str


TOKENS: Final = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens")
"""What of a request is counted in tokens, in the order in which `Price.of` takes it."""


class Usage(Record):
    """What one role asked of one model.

    ``calls`` were made, of which ``failed`` brought nothing usable and ``retries`` came after
    another for the same answer. ``cached`` answers were neither asked nor paid for. ``shared``
    ones came in a call with those of other samples, which one of them is charged with.
    Of ``input_tokens``, the provider's own cache of prompts had ``cached_input_tokens``, and
    ``cache_write_tokens`` were put there. ``cost`` is None without a price.
    """

    role: str
    model: str
    calls: int = 0
    failed: int = 0
    retries: int = 0
    cached: int = 0
    shared: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None


class Notice(Record):
    """Something that degraded: at which step, and why; results of old have no ``kind``."""

    step: str
    message: str
    kind: NoticeKind = "degraded"

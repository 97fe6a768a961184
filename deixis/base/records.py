"""What comes out of a graph, as plain pydantic models: each is data with its checks.

Boxes are ``(x1, y1, x2, y2)`` in absolute pixels of the EXIF-upright picture. Offsets are
half-open, in characters of the text as given. Scores, confidences and agreements run 0..1.
"""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from deixis.base import masks
from deixis.base.boxes import Box
from deixis.base.reading import writable
from deixis.base.urls import without_credentials

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Status = Literal["ok", "failed", "refused", "truncated", "empty", "invalid"]
"""What came of one request to a language model."""
NoticeKind = Literal["degraded", "budget"]
"""What a notice is about: ``budget`` for a question that the budget did not allow."""


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
    """Where an entity is: a box, perhaps a mask, how sure, and which tool pointed."""

    box: Box
    mask: Mask | None = None
    score: Share
    source: str

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

    attributes: list[Attribute] = []
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
    evidence: list[str] = []
    replies: list[str] = []


class Entity(Record):
    """One mention of the text with everything that was found out about it.

    ``groundable`` is True (``regions`` is not empty), False (an answer: it cannot be seen)
    or None (undecided: there was no picture, or a tool failed); a decision says why.
    """

    id: str
    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    type: str
    fine_type: str | None = None
    expression: str | None = None
    knowledge: Knowledge = Knowledge()
    groundable: bool | None = None
    confidence: Share
    regions: list[Region] = []
    decisions: list[Decision] = []

    def why(self) -> list[str]:
        """Return the evidence on whether it can be seen, and where; the last word first."""
        where = {"groundable", "box"}
        decided = (made for made in reversed(self.decisions) if made.subject in where)
        lines = (line for decision in decided for line in decision.evidence)
        return list(dict.fromkeys(lines))  # a verdict and a box may rest on the same

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end - self.start != len(self.text) or not self.text:
            raise ValueError(f"span {self.start}:{self.end} does not fit the text {self.text!r}")
        if (self.groundable is True) != bool(self.regions):
            raise ValueError("an entity has regions if, and only if, it is groundable")
        return self


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


class Usage(Record):
    """What one role asked of one model.

    ``calls`` were made, of which ``failed`` brought nothing usable and ``retries`` came after
    another for the same answer. ``cached`` answers were neither asked nor paid for. ``shared``
    ones came in a call with those of other samples, which one of them is charged with.
    ``cost`` is None without a price.
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
    seconds: float = 0.0
    cost: float | None = None


class Notice(Record):
    """Something that degraded: at which step, and why; results of old have no ``kind``."""

    step: str
    message: str
    kind: NoticeKind = "degraded"


class ExtractionRecord(Record):
    """The result of a graph for one picture and one text: `deixis.schema.Extraction` as data alone.

    ``types`` are all types that were looked for, in the order of the type schema; results
    written before it was kept have none.
    """

    text: str
    image: ImageInfo | None
    entities: list[Entity]
    caption: str | None = None
    replies: list[ModelReply] = []
    usage: list[Usage] = []
    warnings: list[Notice] = []
    types: list[str] = []

    @model_validator(mode="after")
    def _check(self) -> Self:
        for entity in self.entities:
            if self.text[entity.start : entity.end] != entity.text:
                raise ValueError(f"entity {entity.id} is not at its span in the text")
            for region in entity.regions:
                _check_inside(region, self.image, entity.id)
        return self


def _check_inside(region: Region, image: ImageInfo | None, entity: str) -> None:
    if image is None:
        raise ValueError(f"entity {entity} has a region, but there is no picture")
    if region.box[2] > image.width or region.box[3] > image.height:
        raise ValueError(
            f"the box {region.box} of entity {entity} leaves the picture "
            f"({image.width} x {image.height})"
        )
    if region.mask is not None and region.mask.size != (image.height, image.width):
        raise ValueError(
            f"the mask of entity {entity} has size {region.mask.size}, "
            f"the picture {(image.height, image.width)} (height, width)"
        )

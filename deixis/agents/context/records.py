"""What flows between agents: plain data, and one type for each kind of it.

Boxes are ``[x1, y1, x2, y2]`` in pixels of the upright picture, scores and confidences run
0..1, and spans are half-open characters of the text.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from deixis.llms.answers.chances import Chances
from deixis.llms.structured import ReplyStatus

Looking = Literal["looked", "off", "failed"]
"""How it went to look for people, or for writing: ``off`` without a tool for it."""


class PictureRecord(TypedDict):
    """The picture of the sample, as `deixis.schema.ImageInfo` has it."""

    sha256: str
    width: int
    height: int
    source: str


class Mention(TypedDict):
    """A mention.

    ``prior`` is how likely such a one is shown, None where that is not known. ``fine_type`` is
    what the recognizer takes it for among the fine types of the type schema ``fmnerg``, whichever
    schema is used; None where it cannot tell.
    """

    text: str
    start: int
    end: int
    type: str
    confidence: float
    prior: float | None
    fine_type: str | None


class SeenObject(TypedDict):
    """An object that a detector found."""

    id: str
    label: str
    box: list[float]
    score: float


class SeenWord(TypedDict):
    """A line of writing that a reader found."""

    id: str
    text: str
    box: list[float]
    score: float


class Observation(TypedDict):
    """What was seen before anything was looked for; a graph that looks for less has less.

    ``faint`` is what a second look showed, of what the text names; ``asked`` has the labels of all
    that was looked for by then.
    """

    caption: str | None
    objects: NotRequired[list[SeenObject]]
    faint: NotRequired[list[SeenObject]]
    asked: NotRequired[list[str]]
    words: NotRequired[list[SeenWord]]
    looking: NotRequired[dict[str, Looking]]


class Testimony(TypedDict):
    """What one committee member said of all entities in one call, by entity and attribute."""

    model: str
    status: str
    detail: str
    answers: dict[str, dict[str, str]]
    replies: list[str]


class SingleTestimony(TypedDict):
    """What one committee member said of each entity in a call of its own."""

    model: str
    answers: dict[str, dict[str, str]]
    abstained: dict[str, str]
    replies: dict[str, list[str]]


class CallRecord(TypedDict):
    """One request to a model, or what came in place of one (`deixis.llms.structured.Call`)."""

    role: str
    model: str
    prompt: str
    retry: bool
    status: ReplyStatus
    input_tokens: int
    output_tokens: int
    seconds: float
    finish_reason: str
    text: str
    chances: Chances
    batched: bool
    cached_input_tokens: int
    cache_write_tokens: int


class Kind(TypedDict):
    """The type that was recognised or voted for, None for that of the mention; the fine type."""

    type: str | None
    fine_type: str | None


class Candidate(TypedDict):
    """A box that may be given to an entity.

    ``key`` is the same for all boxes of one thing; ``what`` says in words what is there;
    ``role`` is who pointed at it. ``order`` counts people from the left, from 0.
    """

    key: str
    box: list[float]
    strength: float
    what: str
    role: Literal["detector", "reader", "entailer"]
    order: NotRequired[int]


class Verdict(TypedDict):
    """Whether an entity can be seen (None: undecided), how likely, and where it may be."""

    groundable: bool | None
    probability: float
    candidates: list[Candidate]


class PlacedRegion(TypedDict):
    """Where an entity is, as `deixis.schema.Region` has it; ``image`` is left out for the first."""

    box: list[float]
    mask: dict[str, Any] | None
    score: float
    source: str
    image: NotRequired[int]


class DecisionRecord(TypedDict):
    """A `deixis.schema.Decision`."""

    step: str
    subject: str
    outcome: str | None
    model: str | None
    confidence: float | None
    evidence: list[str]
    replies: list[str]


class MemberTask(TypedDict):
    """What one committee member is sent; ``caption`` is "" without a description.

    ``places`` has the number of each entity of the sample, from 0, asked about or not.
    """

    member: int
    places: dict[str, int]
    text: str
    caption: str
    mentions: dict[str, Mention]
    templates: dict[str, dict[str, Any]]

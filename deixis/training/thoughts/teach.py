"""teach: a strong model is told the records of a post, and writes the thought that leads to them.

E2E-GMNER, section 4.6: a model is trained on thoughts that a teacher writes. What a teacher writes
is kept only if the records below it are those it was told, and the thought is one that a student
could have, who was told nothing.
"""

import re
from collections.abc import Sequence

from pydantic import Field

from deixis.agents.context.records import PictureRecord
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.system import GraphOptions, System
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.e2e.extract import asked_types
from deixis.agents.e2e.read import read
from deixis.agents.open import open_sample
from deixis.agents.reading.given import given_mentions
from deixis.agents.structure import structure
from deixis.base.boxes import Box
from deixis.base.folding import without_entities
from deixis.errors import DataError, InputError, ModelCallError
from deixis.formats.e2e import write
from deixis.graphs.build import Wiring
from deixis.llms.answers.reading import Text
from deixis.llms.box_conventions import THOUSANDTHS, BoxConvention, convention_of
from deixis.llms.local.control_marks import KNOWN
from deixis.llms.photos import Photo
from deixis.rows import RowEntity, RowRegion

STEP = "teach"
NOT_KEPT = "no thought is kept: "
"""How the notice begins that says why a post has none."""
NO_ANSWER = "the teacher gave no answer"
NO_THOUGHT = "there is no thought between <why> tags"
OTHER_RECORDS = "its records are not those that it was told"
COORDINATES = "the thought has coordinates"
MARKS = "the thought has marks of answers or of chat templates"
TELLS = "the thought tells that the records were given"

_WHY = re.compile(r"<why>(.*?)</why>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?\s?(?:why|think|answer)\b", re.IGNORECASE)
_NUMBER = r"\s*-?\d+(?:\.\d+)?\s*"
_FOUR = re.compile(rf"{_NUMBER}(?:,{_NUMBER}){{3}}")
_GOLD = r"(?:records?|answers?|annotations?|labels?|solutions?)\b"
_TOLD = re.compile(
    rf"\b(?:given|provided|supplied|stated|listed)\s+(?:\w+\s+)?(?:{_GOLD}|box(?:es)?\b)"
    rf"|\b(?:right|correct|expected|known|reference|gold)\s+{_GOLD}"
    rf"|\b{_GOLD}\s+(?:(?:is|are|was|were|that|which)\s+)*(?:given|provided|supplied|told|known)\b"
    r"|\b(?:the|these|those|our|its)\s+records?\s+(?:\w+\s+)?"
    r"(?:say|show|list|tell|name|state|confirm|indicate|specif|give|mark|label|identif|have|has)"
    rf"|\baccording to the\s+(?:\w+\s+)?(?:{_GOLD}|box(?:es)?\b)"
    r"|\bground[- ]truth\b|\bgold[- ]standard\b|\bannotat(?:ions?|ors?|ed)\b"
    r"|\bas (?:given|provided|told|supplied)\b",
    re.IGNORECASE,
)
"""What tells that the teacher was told: words about records, answers, labels and boxes given."""


class TeachOptions(GraphOptions):
    """What the graph can be told.

    ``tries``: how often the teacher is asked of a post at most, until a thought can be kept.
    """

    tries: int = Field(default=1, ge=1, le=20)


def teach(state: State, toolbox: Toolbox) -> Update:
    """Ask the teacher, until what it writes can be kept.

    The thought is the last of the replies. If none can be kept, a notice that begins with
    `NOT_KEPT` says why.

    Raises:
        InputError: the gold cannot be written as records, or its boxes are not in the picture.
        ModelCallError: the teacher could not be reached; it may be later.
    """
    spec = toolbox.model("vlm")
    images, noted = toolbox.shown(state, STEP, spec)
    photo = images[0] if images else None
    gold = _in_frame(state, photo, convention_of(spec) or THOUSANDTHS)
    try:
        records = write(gold)
    except DataError as error:
        raise InputError(str(error)) from None
    prompt = toolbox.render(
        "e2e/teach", types=asked_types(toolbox.types), records=records, text=state["text"]
    )
    parts: list[Update] = [{"notices": noted}]
    why = ""
    for number in range(toolbox.graph_options(TeachOptions).tries):
        reply, update = toolbox.ask(STEP, "vlm", spec, prompt, Text, number, number, images=images)
        parts.append(update)
        if reply.status == "budget":
            return joined(*parts)
        if reply.status == "failed":
            raise ModelCallError("failed", f"{NO_ANSWER}: {reply.detail}")
        why = NO_ANSWER if reply.value is None else unfit(reply.value.text, gold)
        if not why:
            return joined(*parts)
    return joined(*parts, {"notices": notice(STEP, f"{NOT_KEPT}{why}")})


def _in_frame(state: State, photo: Photo | None, frame: BoxConvention) -> list[RowEntity]:
    """Return the gold as records have it: types as they are asked for, boxes in the frame."""
    picture = state.get("picture")
    return [
        RowEntity(
            text=given.entity.text,
            type=given.entity.fine_type or given.type,
            regions=_regions(given.entity, picture, photo, frame),
        )
        for given in given_mentions(state) or []
    ]


def _regions(
    entity: RowEntity, picture: PictureRecord | None, photo: Photo | None, frame: BoxConvention
) -> tuple[RowRegion, ...]:
    name = entity.text[:80]
    if entity.regions is None:
        raise InputError(f"nobody said whether {name!r} can be seen; regions has to be a list")
    if not entity.regions:
        return ()
    if picture is None or photo is None or any(region.image for region in entity.regions):
        raise InputError(f"{name!r} has a box in a picture that the teacher is not shown")
    wide, high = photo.width / picture["width"], photo.height / picture["height"]
    boxes = []
    for x1, y1, x2, y2 in (region.box for region in entity.regions):
        if not (0 <= x1 < x2 <= picture["width"] and 0 <= y1 < y2 <= picture["height"]):
            raise InputError(f"a box of {name!r} lies outside its picture, or is empty")
        sent = (x1 * wide, y1 * high, x2 * wide, y2 * high)
        a, b, c, d = frame.to_model(sent, (photo.width, photo.height))
        boxes.append((a, b, c, d))
    return tuple(RowRegion(box=box) for box in boxes)


def thought_in(answer: str) -> str:
    """Return the thought of an answer; "" if there is none, or more than one."""
    found = _WHY.findall(answer)
    return str(found[0]).strip() if len(found) == 1 else ""


def unfit(answer: str, gold: Sequence[RowEntity]) -> str:
    """Say why an answer of a teacher cannot be kept; "" if it can.

    Args:
        answer: as it was written: a thought, then the records.
        gold: the records that the teacher was told, with boxes as they were written there.
    """
    answer = without_entities(answer)  # as the graph reads it
    thought = thought_in(answer)
    if not thought:
        return NO_THOUGHT
    written, problems = read(answer)
    if problems or _counted(written) != _counted(gold):
        return OTHER_RECORDS
    if _TAG.search(thought) or KNOWN.plain(thought) != thought:
        return MARKS
    if _FOUR.search(thought):
        return COORDINATES
    return TELLS if _TOLD.search(thought) else ""


def _counted(entities: Sequence[RowEntity]) -> list[tuple[str, str, list[Box]]]:
    """Return records as they are compared: in whatever order."""
    return sorted(
        (each.text, each.type, sorted(region.box for region in each.regions or ()))
        for each in entities
    )


def wire(wiring: Wiring, options: TeachOptions) -> None:
    """Wire the graph: open, teach, structure."""
    wiring.chain(open_sample, teach, structure)


SYSTEM = System(
    "teach",
    "a teacher that knows the records writes the thought that leads to them (E2E-GMNER, 4.6)",
    needs=("vlm",),
    uses=(),
    wire=wire,
    options=TeachOptions,
    eyes=("vlm",),
    takes=("regions",),
)
"""Run by ``deixis dataset thoughts`` alone: it has to be told the gold."""
GRAPH = f"{__name__}:SYSTEM"

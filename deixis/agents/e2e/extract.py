"""extract: one model with eyes thinks, then writes a record an entity (E2E-GMNER, section 3)."""

import re
from collections import Counter
from typing import Any, Literal

from langchain_core.runnables.config import ContextThreadPoolExecutor
from pydantic import Field

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.system import GraphOptions
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.e2e.boxes import UNREADABLE, convention, to_picture, told
from deixis.agents.reading.answers import LONGEST, Found, joined, located, unread
from deixis.base.folding import key, without_entities
from deixis.formats import e2e
from deixis.llms.answers.reading import Text
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.photos import Photo
from deixis.llms.structured import Reply
from deixis.rows import RowEntity
from deixis.type_schema import TypeSchema

PAPERS_FORM = "[x1, y1, x2, y2]"
_ANSWER = re.compile(r"<answer>", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


class E2eOptions(GraphOptions):
    """What the graph e2e can be told.

    ``passes``: how often the model is asked, for self-consistency. With ``temperature=0`` all
    passes are alike.
    ``family``: whose way of writing boxes the model follows (`deixis.llms.box_conventions`),
    if its name does not tell.
    """

    passes: int = Field(default=1, ge=1, le=20)
    family: Literal["qwen2vl", "qwen25vl", "qwen3vl", "gemini"] | None = None


def extract(state: State, toolbox: Toolbox) -> Update:
    """Ask the model in each pass and read what it wrote.

    A pass without an answer, or with one of which nothing can be read, is a notice and no
    vote. The note ``passes`` has the others: what each named, and where.
    """
    options = toolbox.graph_options(E2eOptions)
    spec = toolbox.model("vlm")
    images, noted = toolbox.shown(state, "extract", spec)
    written = convention(spec, options.family)
    prompt = toolbox.render(
        "e2e/extract",
        types=asked_types(toolbox.types),
        form=written.form if written else PAPERS_FORM,
        shown=bool(images),
        text=state["text"],
    )

    def ask(number: int) -> tuple[Reply[Text], Update]:
        return toolbox.ask("extract", "vlm", spec, prompt, Text, number, number, images=images)

    with ContextThreadPoolExecutor(options.passes) as pool:
        asked = list(pool.map(ask, range(options.passes)))
    sight = _Sight(state, images[0] if images else None, written)
    read = [
        _read(reply.value, list(update["calls"])[-1], state["text"], sight, toolbox)
        for reply, update in asked
        if reply.value is not None
    ]
    passes = [found for found, _ in read if found is not None]
    parts = [{"notices": noted}, *(update for _, update in asked)]
    parts += [{"notices": notices} for _, notices in read]
    return {
        **joined(*parts, {"notices": sight.notices(spec)}),
        "notes": {"passes": passes},
    }


def asked_types(schema: TypeSchema) -> list[dict[str, Any]]:
    """Return what may stand as the type of a record: fine types where there are any.

    So it is on Twitter-FMNERG (section 4.1): a fine type says which coarse one is meant.
    """
    return [
        {"names": each.fine_types or [each.name], "description": each.description}
        for each in schema.types
    ]


class _Sight:
    """Brings boxes to the picture and counts those that cannot be."""

    def __init__(self, state: State, photo: Photo | None, written: BoxConvention | None) -> None:
        self._picture, self._photo, self._written = state.get("picture"), photo, written
        self._given = self._unknown = 0
        self._dropped: Counter[str] = Counter()

    def boxes(self, entity: RowEntity) -> list[list[float]] | None:
        """Return boxes in pixels of the picture; none for ``None``, None for nothing usable."""
        if self._photo is None:
            return None  # it has seen nothing, whatever it says
        if entity.regions is None:
            self._given += 1
            self._dropped[UNREADABLE] += 1
            return None
        if not entity.regions:
            return []
        self._given += len(entity.regions)
        if self._written is None:
            self._unknown += len(entity.regions)
            return None
        assert self._picture is not None, "a photo is made of a picture"
        found = []
        for region in entity.regions:
            box = to_picture(region.box, self._written, self._photo, self._picture)
            if isinstance(box, str):
                self._dropped[box] += 1
            else:
                found.append(list(box))
        return found or None

    def notices(self, spec: str) -> Update:
        """Say what became of the boxes that are not used."""
        said: Update = {}
        if self._dropped:
            said |= notice("extract", told(self._dropped, self._given))
        if self._unknown:
            said |= notice(
                "extract",
                f"{self._unknown} boxes were not used: it is not known what the numbers of {spec} "
                "count; name the family of the model under graph_options: family",
            )
        return said


def _read(
    said: Text, reply: str, text: str, sight: _Sight, toolbox: Toolbox
) -> tuple[dict[str, Any] | None, Update]:
    """Return what one answer names, or None if nothing can be read; and notices."""
    # The semicolon of "AT&amp;T" would end a record.
    answer = without_entities(said.text)
    entities, problems = e2e.parse(answer)
    *aloud, last = _ANSWER.split(answer)
    said_none = not problems and "none" in last.casefold()
    thoughts = "\n".join([said.thoughts, *aloud])
    if not entities and not said_none:
        begins = (problems[0].piece if problems else answer)[:LONGEST]
        why = f"no record was found in the answer that begins with {begins!r}"
        return None, notice("extract", why)
    typed = [_typed(each, toolbox.types) for each in entities]
    found, lost = located(text, typed, "extract", toolbox)
    named = [
        {
            "start": each.start,
            "end": each.end,
            "type": each.type,
            "fine_type": each.entity.fine_type,
            "boxes": sight.boxes(each.entity),
            "thought": _thought(thoughts, each),
        }
        for each in found
    ]
    return {"reply": reply, "named": named}, unread(problems, "extract") | lost


def _typed(entity: RowEntity, schema: TypeSchema) -> RowEntity:
    """Return an entity whose type is one of the schema, if its type was a fine one."""
    key = entity.type.casefold()
    fine = [(each, name) for each in schema.types for name in each.fine_types]
    found = next(((each, name) for each, name in fine if name.casefold() == key), None)
    if found is None:
        return entity
    return entity.model_copy(update={"type": found[0].name, "fine_type": found[1]})


def _thought(thoughts: str, found: Found) -> str:
    """Return the last sentence of the thoughts that names an entity, or nothing."""
    name = key(found.entity.text)
    sentences = reversed(_SENTENCES.split(thoughts))
    return next((each for each in sentences if name in key(each)), "").strip()[: 3 * LONGEST]

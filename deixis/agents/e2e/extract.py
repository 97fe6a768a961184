"""extract: one model with eyes thinks, then writes one record per entity (E2E-GMNER, section 3)."""

import re
from collections import Counter
from typing import Any

from pydantic import Field, field_validator

from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.system import GraphOptions
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.e2e.boxes import UNREADABLE, dropped_boxes, to_picture
from deixis.agents.e2e.read import read, says_none
from deixis.agents.reading.answers import LONGEST, Located, located, unread
from deixis.agents.reading.given import given_mentions, listed, taken_up
from deixis.base.folding import key, without_entities
from deixis.errors import SettingsError
from deixis.llms.answers.reading import Text
from deixis.llms.box_conventions import (
    BoxConvention,
    convention_of,
    family_named,
    why_unknown,
)
from deixis.llms.photos import Photo
from deixis.llms.structured import Reply
from deixis.rows import RowEntity
from deixis.type_schema import TypeSchema

PAPERS_FORM, PAPERS_SAMPLE = "[x1, y1, x2, y2]", "[56, 140, 280, 532]"
_ANSWER = re.compile(r"<answer>", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


class E2eOptions(GraphOptions):
    """What the graph e2e can be told.

    ``passes``: how often the model is asked, for self-consistency. With ``temperature=0`` all
    passes are alike.
    ``think``: whether a thought comes before the records; without is an ablation (table 2).
    ``family``: whose way of writing boxes the model follows (`deixis.llms.box_conventions`),
    if neither its name nor its spec (``?family=``) tells.
    """

    passes: int = Field(default=1, ge=1, le=20)
    think: bool = True
    family: str | None = None

    @field_validator("family")
    @classmethod
    def _known(cls, given: str | None) -> str | None:
        try:
            return None if given is None else family_named(given).name
        except SettingsError as error:
            raise ValueError(str(error)) from None


def extract(state: State, toolbox: Toolbox) -> Update:
    """Ask the model in each pass and read what it wrote.

    A pass without an answer, or with one of which nothing can be read, is a notice and no
    vote. The note ``passes`` has the others: what each named, and where.
    """
    options = toolbox.graph_options(E2eOptions)
    spec = toolbox.model("vlm")
    images, noted = toolbox.shown(state, "extract", spec)
    written = convention_of(spec, options.family)
    prompt = toolbox.render(
        "e2e/extract",
        types=asked_types(toolbox.types),
        form=written.form if written else PAPERS_FORM,
        sample=_sample(written, images[0] if images else None),
        shown=bool(images),
        think=options.think,
        mentions=listed(given_mentions(state)),
        text=state["text"],
    )

    def ask(number: int) -> tuple[Reply[Text], Update]:
        return toolbox.ask("extract", "vlm", spec, prompt, Text, number, number, images=images)

    asked = side_by_side(ask, range(options.passes), most=options.passes)
    sight = _Sight(state, images[0] if images else None, written)
    read = [
        _read(reply.value, list(update["calls"])[-1], state, sight, toolbox)
        for reply, update in asked
        if reply.value is not None
    ]
    passes = [named for named, _ in read if named is not None]
    parts = [{"notices": noted}, *(update for _, update in asked)]
    parts += [{"notices": notices} for _, notices in read]
    return {
        **joined(*parts, {"notices": sight.notices(spec, options.family)}),
        "notes": {"passes": passes},
    }


def _sample(written: BoxConvention | None, photo: Photo | None) -> str:
    """Return a box as the model writes it, for the example of the prompt."""
    if written is None or photo is None:
        return PAPERS_SAMPLE
    width, height = photo.width, photo.height
    return str(
        written.to_model((0.1 * width, 0.25 * height, 0.5 * width, 0.95 * height), (width, height))
    )


def asked_types(schema: TypeSchema) -> list[dict[str, Any]]:
    """Return what may stand as the type of a record: fine types where there are any.

    So it is on Twitter-FMNERG (section 4.1): a fine type says which coarse one is meant.
    """
    return [
        {"names": kind.fine_types or [kind.name], "description": kind.description}
        for kind in schema.types
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
        boxes = []
        for region in entity.regions:
            box = to_picture(region.box, self._written, self._photo, self._picture)
            if isinstance(box, str):
                self._dropped[box] += 1
            else:
                boxes.append(list(box))
        return boxes or None

    def notices(self, spec: str, family: str | None) -> Update:
        """Say what became of the boxes that are not used."""
        notices: Update = {}
        if self._dropped:
            notices |= notice("extract", dropped_boxes(self._dropped, self._given))
        if self._unknown:
            why = why_unknown(spec, family)
            notices |= notice("extract", f"{self._unknown} boxes were not used: {why}")
        return notices


def _read(
    written: Text, reply: str, state: State, sight: _Sight, toolbox: Toolbox
) -> tuple[dict[str, Any] | None, Update]:
    """Return what one answer names, or None if nothing can be read; and notices."""
    # The semicolon of "AT&amp;T" would end a record.
    answer = without_entities(written.text)
    found = read(answer)
    entities, problems = found
    thoughts = "\n".join([written.thoughts, *_ANSWER.split(answer)[:-1]])
    if not entities and not says_none(answer, found):
        begins = (problems[0].piece if problems else answer)[:LONGEST]
        why = f"no record was found in the answer that begins with {begins!r}"
        return None, notice("extract", why)
    typed = [_typed(entity, toolbox.types) for entity in entities]
    given = given_mentions(state)
    if given is None:
        there, lost = located(state["text"], typed, "extract", toolbox)
    else:
        records, lost = taken_up(given, typed, "extract")
        there = [
            mention._replace(entity=record)
            for mention, record in zip(given, records, strict=True)
            if record is not None
        ]
    named = [
        {
            "start": known.start,
            "end": known.end,
            "type": known.type,
            "fine_type": known.entity.fine_type,
            "boxes": sight.boxes(known.entity),
            "thought": _thought(thoughts, known),
        }
        for known in there
    ]
    return {"reply": reply, "named": named}, unread(problems, "extract") | lost


def _typed(entity: RowEntity, schema: TypeSchema) -> RowEntity:
    """Return an entity whose type is one of the schema, if its type was a fine one."""
    owner, fine = schema.of_fine_type(entity.type) or (None, None)
    return entity.model_copy(update={"type": owner.name, "fine_type": fine}) if owner else entity


def _thought(thoughts: str, known: Located) -> str:
    """Return the last sentence of the thoughts that names an entity, or nothing."""
    name = key(known.entity.text)
    sentences = reversed(_SENTENCES.split(thoughts))
    return next((own for own in sentences if name in key(own)), "").strip()[: 3 * LONGEST]

"""Boxes by a chat model that points: one question for each picture, asked at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from deixis.agents.context.records import PlacedRegion
from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import State, Update, joined
from deixis.agents.context.toolbox import Toolbox, no_answer
from deixis.agents.muie.pointing import STEP, Pointed, region_of, sum_up
from deixis.agents.reading.box_form import BoxForm, boxes_asked
from deixis.agents.reading.places import where
from deixis.base.boxes import Box
from deixis.llms import registry as llms
from deixis.llms.box_conventions import BoxConvention, convention_of, why_unknown
from deixis.llms.photos import Photo, photo
from deixis.llms.structured import Reply
from deixis.tools.base import Picture


def cannot_point(toolbox: Toolbox) -> str:
    """Say why no chat model can be asked where something is; "" if one can."""
    spec = toolbox.settings.roles.vlm
    if spec is None:
        return "nobody plays the vlm"
    if not llms.sees(spec):
        return f"{spec} takes no pictures"
    return "" if convention_of(spec) else why_unknown(spec)


def by_model(
    state: State, phrases: Mapping[str, str], pictures: Sequence[Picture], toolbox: Toolbox
) -> tuple[dict[str, Pointed], Update]:
    """Ask where things are, of a model that can point.

    Returns:
        What came of it for each entity, and the update that accounts for the questions.
    """
    spec, side = toolbox.model("vlm"), toolbox.settings.options.image_side
    convention = convention_of(spec)
    assert convention is not None, "asked of a model of which it is not known how it points"
    photos = [photo(pixels, side) for pixels in pictures]

    def ask(number: int) -> tuple[Reply[Any], Update]:
        sought = [{"id": entity, "text": phrase} for entity, phrase in phrases.items()]
        prompt = toolbox.render("muie/point", sought=sought, form=convention.form)
        answer = boxes_asked(tuple(phrases), convention.number)
        return toolbox.ask(STEP, "vlm", spec, prompt, answer, number, images=[photos[number]])

    asked = side_by_side(ask, range(len(photos)), most=len(photos))
    found = {}
    for entity, phrase in phrases.items():
        regions: list[PlacedRegion] = []
        failures: list[str] = []
        for number, (reply, _) in enumerate(asked):
            form = _form(state, number, photos[number], convention)
            said = None if reply.value is None else getattr(reply.value, entity)
            box = None if reply.value is None else _box(said, form)
            if reply.value is None:
                failures.append(f"picture {number + 1}: {spec} {no_answer(reply.status)}")
            elif isinstance(box, str):
                failures.append(f"picture {number + 1}: {box}")
            elif box is not None:
                regions.append(region_of(box, form.picture, number, 1.0, spec))
        replies = [call for _, update in asked for call in update["calls"]]
        found[entity] = sum_up(regions, failures, phrase, spec, replies=replies)
    return found, joined(*(update for _, update in asked))


def _form(state: State, number: int, shown: Photo, convention: BoxConvention) -> BoxForm:
    return BoxForm(state["pictures"][number], shown, convention)


def _box(said: Any, form: BoxForm) -> Box | str | None:
    """Return the first box of what a model wrote, None for nowhere, or what is wrong with it."""
    written = where(said)
    if written == []:
        return None
    box = next((box for own in written or () if (box := form.read(own))), None)
    return box or f"{repr(said)[:60]} is no box in it"

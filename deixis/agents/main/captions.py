"""What a description of the picture says of each mention: how likely it is shown."""

from deixis.agents.context.state import State, Update, description_of, notice, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.errors import ToolError
from deixis.tools.base import CaptionMention


def reads_caption(state: State, toolbox: Toolbox) -> bool:
    """Whether an entailer that reads descriptions has one."""
    return bool(description_of(state)) and toolbox.caption_entailer is not None


def shown_by_caption(state: State, toolbox: Toolbox) -> tuple[dict[str, float], Update]:
    """Ask an entailer that reads descriptions; nothing without it or without a description.

    Returns:
        Mention to the probability that it is shown, and a notice if the tool failed.
    """
    tool, caption = toolbox.caption_entailer, description_of(state)
    if tool is None or not caption or not state["mentions"]:
        return {}, {}
    ordered = sorted(state["mentions"].items(), key=lambda pair: (pair[1]["start"], pair[1]["end"]))
    asked = []
    for entity, mention in ordered:
        kind = toolbox.types.get(type_of(state, entity))
        voted = state.get("kinds", {}).get(entity)
        fine_type = (voted and voted["fine_type"]) or mention["fine_type"]
        span = mention["start"], mention["end"]
        asked.append(CaptionMention(*span, kind.crf or kind.name, fine_type, mention["prior"]))
    try:
        probabilities = tool.shown(state["text"], caption, asked)
    except ToolError as error:
        return {}, {"notices": notice("entail", f"the description was not judged: {error}")}
    return dict(zip((entity for entity, _ in ordered), probabilities, strict=True)), {}

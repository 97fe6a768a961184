"""Matching descriptions with the whole picture: what an image-text model adds to the evidence.

RiVEG (section IV-C) decides by visual entailment whether an entity can be seen; here its
description is the hypothesis, without the name: what fits is asked, not who somebody is.
"""

from typing import TYPE_CHECKING

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue
from deixis.agents.reading.phrases import described
from deixis.errors import ToolError

if TYPE_CHECKING:
    from deixis.agents.main.look import Sought


def match(
    state: State, toolbox: Toolbox, expressions: dict[str, str], sought: dict[str, "Sought"]
) -> Update:
    """Add to `sought` how well each of `expressions` fits, by a tool that tells.

    Returns:
        The update that accounts for it: no calls, and a notice when the tool failed.
    """
    tool, pixels = toolbox.entailer, toolbox.pixels(state)
    assert tool is not None and pixels is not None, "asked without a tool or a picture"
    phrases = described(expressions)
    different = list(dict.fromkeys(phrases.values()))
    try:
        fits = dict(zip(different, tool.entail(pixels, different), strict=True))
    except ToolError as error:
        for entity in expressions:
            sought[entity].undecided.append("descriptions could not be matched with the picture")
        return {"calls": {}, "notices": notice("entail", f"descriptions were not matched: {error}")}
    for entity, phrase in phrases.items():
        words = f"{tool.name} says that {phrase!r} fits the picture with {fits[phrase]:.2f}"
        sought[entity].cues.append(Cue(_ratio(fits[phrase]), words))
    return {"calls": {}, "notices": {}}


def _ratio(probability: float) -> float:
    """Return the likelihood ratio of a fit: its odds, within what one number may tell."""
    most = weights.BEST_FIT / (1.0 + weights.BEST_FIT)
    kept = min(max(probability, 1.0 - most), most)
    return kept / (1.0 - kept)

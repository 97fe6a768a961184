"""Matching descriptions with the whole picture: what an image-text model adds to the evidence.

RiVEG (section IV-C) decides by visual entailment whether an entity can be seen; here its
description is the hypothesis, without the name: what fits is asked, not who somebody is.
"""

from collections.abc import Mapping

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main import evidence as weights
from deixis.agents.main.evidence import Cue, Evidence
from deixis.agents.reading.phrases import described
from deixis.errors import ToolError
from deixis.tools.base import Entailer


def match(
    tool: Entailer, state: State, toolbox: Toolbox, expressions: Mapping[str, str]
) -> tuple[dict[str, Evidence], Update]:
    """Say how well each expression fits, by a tool that tells.

    Returns:
        Entity to evidence, and the update that accounts for it: a notice when the tool failed.
    """
    pixels = toolbox.pixels(state)
    assert pixels is not None, "asked without a picture"
    phrases = described(expressions)
    different = list(dict.fromkeys(phrases.values()))
    try:
        fits = dict(zip(different, tool.entail(pixels, different), strict=True))
    except ToolError as error:
        reason = "descriptions could not be matched with the picture"
        return dict.fromkeys(expressions, Evidence(undecided=(reason,))), {
            "notices": notice("entail", f"descriptions were not matched: {error}")
        }
    return {
        entity: Evidence((_cue(tool.name, phrase, fits[phrase]),))
        for entity, phrase in phrases.items()
    }, {}


def _cue(tool: str, phrase: str, fit: float) -> Cue:
    """Return what a fit tells: its odds, within what one number may tell."""
    most = weights.BEST_FIT / (1.0 + weights.BEST_FIT)
    kept = min(max(fit, 1.0 - most), most)
    return Cue(kept / (1.0 - kept), f"{tool} says that {phrase!r} fits the picture with {fit:.2f}")

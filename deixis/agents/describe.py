"""describe: the description of the picture, which the user has or the captioner writes."""

from deixis.agents.context.state import DESCRIPTION, State, Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.given import CAPTION
from deixis.base.printable import one_line
from deixis.llms.answers.reading import Text

LONGEST = 2000
"""Characters of a description that are kept."""


def describe(state: State, toolbox: Toolbox) -> Update:
    """Hand the given description on, or ask for one; neither, and nothing is described.

    The captioner sees the picture alone, so that one picture under many texts is described once.
    """
    given = state["notes"].get(CAPTION)
    if given is not None:
        return {"notes": {DESCRIPTION: given}}
    spec, image = toolbox.settings.roles.captioner, toolbox.photo(state)
    if spec is None or image is None:
        return {}
    prompt = toolbox.render("describe")
    reply, update = toolbox.ask("describe", "captioner", spec, prompt, Text, images=[image])
    description = one_line(reply.value.text if reply.value else "", LONGEST).strip()
    return joined(update, {"notes": {DESCRIPTION: description} if description else {}})


def describes(state: State, toolbox: Toolbox) -> bool:
    """Whether `describe` has anything to do."""
    given = CAPTION in state["notes"]
    return given or (toolbox.settings.roles.captioner is not None and bool(state["picture"]))

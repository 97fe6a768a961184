"""describe: the description of the picture, which the user has or the captioner writes."""

from deixis.agents.context.state import DESCRIPTION, State, Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.given import CAPTION
from deixis.base.printable import one_line
from deixis.llms.answers.reading import Text
from deixis.llms.photos import Photo

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
    description, update = ask(spec, image, toolbox)
    return joined(update, {"notes": {DESCRIPTION: description} if description else {}})


def ask(captioner: str, image: Photo, toolbox: Toolbox) -> tuple[str, Update]:
    """Have a picture described in one line; "" without an answer, which the update tells."""
    prompt = toolbox.render("describe")
    reply, update = toolbox.ask("describe", "captioner", captioner, prompt, Text, images=[image])
    return one_line(reply.value.text if reply.value else "", LONGEST).strip(), update


def describes(state: State, toolbox: Toolbox) -> bool:
    """Whether `describe` has anything to do."""
    given = CAPTION in state["notes"]
    return given or (toolbox.settings.roles.captioner is not None and bool(state["picture"]))

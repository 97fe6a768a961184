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
    spec, images = toolbox.settings.roles.captioner, toolbox.photos(state)
    if spec is None or not images:
        return {}
    asked = [ask(spec, image, toolbox, seat) for seat, image in enumerate(images)]
    said = {number: words for number, (words, _) in enumerate(asked, start=1) if words}
    if len(images) > 1:
        said = {number: f"picture {number}: {words}" for number, words in said.items()}
    description = " ".join(said.values())
    notes: Update = {"notes": {DESCRIPTION: description} if description else {}}
    return joined(*(update for _, update in asked), notes)


def ask(captioner: str, image: Photo, toolbox: Toolbox, seat: int = 0) -> tuple[str, Update]:
    """Have a picture described in one line; "" without an answer, which the update tells."""
    prompt = toolbox.render("describe")
    reply, update = toolbox.ask(
        "describe", "captioner", captioner, prompt, Text, seat, images=[image]
    )
    return one_line(reply.value.text if reply.value else "", LONGEST).strip(), update


def describes(state: State, toolbox: Toolbox) -> bool:
    """Whether `describe` has anything to do."""
    given = CAPTION in state["notes"]
    return given or (toolbox.settings.roles.captioner is not None and bool(state["picture"]))

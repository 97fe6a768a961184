"""similar: find the annotated examples that are most like the sample (RiVEG, section IV-B.1b)."""

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.riveg import examples
from deixis.agents.riveg.options import RivegOptions
from deixis.errors import ToolError


def similar(state: State, toolbox: Toolbox) -> Update:
    """Put the examples into the note ``examples``, the most similar first.

    Raises:
        SettingsError: there are examples and no embedder, or their index cannot be used.
    """
    options, folder = toolbox.graph_options(RivegOptions), toolbox.settings.options.examples
    if not options.knowledge or not options.shots:
        return {}
    if folder is None:
        message = "no annotated examples (options.examples): the knowledge is written without any"
        return {"notices": notice("similar", message)}
    index = examples.read(folder, toolbox.model("embedder"))
    embedder, picture = toolbox.embedder, state.get("picture")
    assert embedder is not None, "its spec is known"
    try:
        vector = embedder.embed(toolbox.pixels(state), state["text"])
    except ToolError as error:
        return {"notices": notice("similar", f"no examples were looked for: {error}")}
    nearest = index.nearest(
        vector, options.shots, state["text"], picture["sha256"] if picture else None
    )
    shown = [{**example._asdict(), "cosine": cosine} for example, cosine in nearest]
    return {"notes": {"examples": shown}}

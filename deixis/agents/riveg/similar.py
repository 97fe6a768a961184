"""similar: choose the annotated examples that a sample is shown (RiVEG, section IV-B.1b)."""

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.riveg import examples
from deixis.agents.riveg.options import RivegOptions, explains
from deixis.errors import ToolError


def similar(state: State, toolbox: Toolbox) -> Update:
    """Put the examples into the note ``examples``, the most similar first, or at random.

    Raises:
        SettingsError: similar ones are wanted, and there is no embedder; or the index of the
            examples cannot be used.
    """
    options, folder = toolbox.graph_options(RivegOptions), toolbox.settings.options.examples
    if not options.examples or not explains(state, toolbox):
        return {}
    if folder is None:
        message = "no annotated examples (options.examples): the knowledge is written without any"
        return {"notices": notice("similar", message)}
    picture = state.get("picture")
    if options.samples == "random":
        fixed = examples.read(folder).chosen(
            options.seed, options.examples, state["text"], picture["sha256"] if picture else None
        )
        return {"notes": {"examples": [example._asdict() for example in fixed]}}
    index = examples.read(folder, toolbox.model("embedder"))
    embedder = toolbox.embedder
    assert embedder is not None, "its spec is known"
    try:
        vector = embedder.embed(toolbox.pixels(state), state["text"])
    except ToolError as error:
        return {"notices": notice("similar", f"no examples were looked for: {error}")}
    nearest = index.nearest(
        vector, options.examples, state["text"], picture["sha256"] if picture else None
    )
    shown = [{**example._asdict(), "cosine": cosine} for example, cosine in nearest]
    return {"notes": {"examples": shown}}

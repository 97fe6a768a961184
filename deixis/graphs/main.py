"""The main graph.

            ┌─► describe ─► recognize ─► consult (one per member) ─► vote ─► expand ─┐
START ─► open                                                                        ├─► entail ...
            └─► observe (objects, words in the picture) ─────────────────────────────┘

... ─► ground ─► segment ─► structure ─► END

With ``ask_about: shown`` the committee and the expander come when it is known what is shown:

            ┌─► ... recognize ─┐                     ┌─► segment ───────────────────┐
START ─► open                  ├─► entail ─► ground ─┤                              ├─► structure
            └─► observe ───────┘                     └─► consult ─► vote ─► expand ─┘

With ``committee: until_agreed`` vote leads back to consult as long as members do not agree.
Nodes that would have nothing to do are left out: observe without a picture; describe without a
captioner and a caption that was given; ground and segment
where nothing of the text can be seen. Of several pictures, observe, entail and ground look at each.
"""

from typing import Literal

from langgraph.graph import END, START
from langgraph.runtime import Runtime
from langgraph.types import Send

from deixis.agents.context.several import each_picture
from deixis.agents.context.state import Context, State
from deixis.agents.context.system import GraphOptions, System
from deixis.agents.describe import describe, describes
from deixis.agents.main.asked import asked_about
from deixis.agents.main.consult import consult
from deixis.agents.main.entail import entail
from deixis.agents.main.expand import expand
from deixis.agents.main.ground_pictures import ground
from deixis.agents.main.look import describes_first
from deixis.agents.main.recognize import recognize
from deixis.agents.main.vote import vote
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


class MainOptions(GraphOptions):
    """What this graph alone can be told.

    ``ask_about``: which entities the committee and the expander are asked about: ``all``, or
    those that are ``shown``. Then they are asked last; all are asked about nevertheless if there
    is no picture, or an entailer or a detector of phrases that looks for descriptions.
    """

    ask_about: Literal["all", "shown"] = "all"


def wire(wiring: Wiring, options: MainOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.add(open_sample, recognize, each_picture(observe), describe, consult, vote, expand)
    wiring.add(each_picture(entail), ground, segment, structure)
    graph, ask = wiring.graph, wiring.committee("consult", "vote", "expand", asked_about)

    def looking(state: State, runtime: Runtime[Context]) -> list[str]:
        first = "describe" if describes(state, wiring.toolbox(runtime)) else "recognize"
        return [first] if state["picture"] is None else [first, "observe"]

    def asks_last(state: State, runtime: Runtime[Context]) -> bool:
        shown = options.ask_about == "shown" and state["picture"] is not None
        return shown and not describes_first(wiring.toolbox(runtime))

    def after_recognize(state: State, runtime: Runtime[Context]) -> list[Send] | str:
        return "entail" if asks_last(state, runtime) else ask(state, runtime)

    def after_entail(state: State, runtime: Runtime[Context]) -> list[Send] | str:
        if any(verdict["groundable"] for verdict in state["verdicts"].values()):
            return "ground"
        return ask(state, runtime) if asks_last(state, runtime) else "structure"

    def after_ground(state: State, runtime: Runtime[Context]) -> list[Send | str]:
        asked = ask(state, runtime) if asks_last(state, runtime) else []
        return ["segment", *([asked] if isinstance(asked, str) else asked)]

    def after_segment(state: State, runtime: Runtime[Context]) -> str:
        return END if asks_last(state, runtime) else "structure"

    def after_expand(state: State, runtime: Runtime[Context]) -> str:
        return "structure" if asks_last(state, runtime) else "entail"

    # Nodes that start together end before the next ones start, so the shorter branches need no
    # edge to where they meet. A deferred node would not wait for the members of a committee.
    graph.add_edge(START, "open")
    wiring.lead("open", looking, ["describe", "recognize", "observe"])
    graph.add_edge("describe", "recognize")
    wiring.lead("recognize", after_recognize, ["consult", "vote", "entail"])
    wiring.lead("expand", after_expand, ["entail", "structure"])
    wiring.lead("entail", after_entail, ["ground", "consult", "vote", "structure"])
    wiring.lead("ground", after_ground, ["segment", "consult", "vote"])
    wiring.lead("segment", after_segment, ["structure", END])
    graph.add_edge("structure", END)


SYSTEM = System(
    "main",
    "names, asks a committee how each entity looks, and points at what can be seen",
    needs=("recognizer",),
    uses=(
        *("captioner", "corrector", "committee", "voter", "templater", "expander"),
        *("entailer", "second_entailer", "detector", "reader", "segmenter"),
    ),
    wire=wire,
    options=MainOptions,
    eyes=("captioner", "entailer", "second_entailer"),
    takes=("images",),
)

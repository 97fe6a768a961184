"""The main graph.

            ┌─► recognize ─► consult (one per committee member) ─► vote ─► expand ─┐
START ─► open                                                                      ├─► entail ─► ...
            └─► observe (caption, objects, words in the picture) ──────────────────┘

... ─► ground ─► segment ─► structure ─► END

Nodes that would have nothing to do are left out: observe without a picture; ground and segment
where nothing of the text can be seen.
"""

from langgraph.graph import END, START

from deixis.agents.context.state import State
from deixis.agents.context.system import GraphOptions, System
from deixis.agents.main.consult import consult
from deixis.agents.main.entail import entail
from deixis.agents.main.expand import expand
from deixis.agents.main.ground import ground
from deixis.agents.main.recognize import recognize
from deixis.agents.main.vote import vote
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, options: GraphOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.add(open_sample, recognize, observe, consult, vote)
    wiring.add(entail, defer=True)  # until both branches have come to their ends
    wiring.add(expand, ground, segment, structure)
    graph = wiring.graph
    graph.add_edge(START, "open")
    graph.add_conditional_edges("open", _looking, ["recognize", "observe"])
    graph.add_conditional_edges("recognize", wiring.members("consult", "vote"), ["consult", "vote"])
    graph.add_edge("consult", "vote")
    graph.add_edge("vote", "expand")
    graph.add_edge("expand", "entail")
    graph.add_edge("observe", "entail")
    graph.add_conditional_edges("entail", _pointing, ["ground", "structure"])
    graph.add_edge("ground", "segment")
    graph.add_edge("segment", "structure")
    graph.add_edge("structure", END)


def _looking(state: State) -> list[str]:
    return ["recognize"] if state["picture"] is None else ["recognize", "observe"]


def _pointing(state: State) -> str:
    seen = any(verdict["groundable"] for verdict in state["verdicts"].values())
    return "ground" if seen else "structure"


SYSTEM = System(
    "main",
    "names, asks a committee how each entity looks, and points at what can be seen",
    needs=("recognizer",),
    uses=(
        *("corrector", "committee", "voter", "templater", "expander"),
        *("entailer", "detector", "reader", "segmenter"),
    ),
    wire=wire,
    eyes=("entailer",),
)

"""The main graph.

            ┌─► recognize ─► consult (one per committee member) ─► vote ─► expand ─┐
START ─► open                                                                      ├─► entail ─► ...
            └─► observe (caption, objects, words in the picture) ──────────────────┘

... ─► ground ─► segment ─► structure ─► END
"""

from langgraph.graph import END, START

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
    wiring.add(expand, entail, ground, segment, structure)
    graph = wiring.graph
    graph.add_edge(START, "open")
    graph.add_edge("open", "recognize")
    graph.add_edge("open", "observe")
    graph.add_conditional_edges("recognize", wiring.members("consult", "vote"), ["consult", "vote"])
    graph.add_edge("consult", "vote")
    graph.add_edge("vote", "expand")
    graph.add_edge(["expand", "observe"], "entail")
    graph.add_edge("entail", "ground")
    graph.add_edge("ground", "segment")
    graph.add_edge("segment", "structure")
    graph.add_edge("structure", END)


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

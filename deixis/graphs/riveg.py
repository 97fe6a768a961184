"""RiVEG (Li et al., 2024): knowledge before names, entailment before grounding.

            ┌─► observe (objects, words) ─┐
START ─► open                             ├─► similar (examples) ─► explain (knowledge) ─► ...
            └─► describe (the caption) ───┘

... ─► recognize ─► expand (expressions) ─► ...

... ─► entail (what can be seen?) ─► ground (only that) ─► segment ─► structure ─► END
"""

from langgraph.graph import START

from deixis.agents.context.system import System
from deixis.agents.describe import describe
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.riveg.entail import entail, entail_all
from deixis.agents.riveg.expand import expand
from deixis.agents.riveg.explain import explain
from deixis.agents.riveg.ground import ground
from deixis.agents.riveg.options import RivegOptions, left_out
from deixis.agents.riveg.recognize import recognize
from deixis.agents.riveg.similar import similar
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, options: RivegOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.add(open_sample, observe, describe)
    graph = wiring.graph
    graph.add_edge(START, "open")
    graph.add_edge("open", "observe")
    graph.add_edge("open", "describe")
    entails = entail if options.entailment else entail_all
    agents = (similar, explain, recognize, expand, entails, ground, segment, structure)
    wiring.chain(*agents, after=["observe", "describe"])


SYSTEM = System(
    "riveg",
    "RiVEG: knowledge after similar examples, expressions, visual entailment, then grounding",
    needs=("recognizer", "expander"),
    uses=(
        *("captioner", "committee", "embedder", "entailer", "second_entailer", "vlm"),
        *("detector", "reader", "segmenter"),
    ),
    wire=wire,
    eyes=("captioner", "entailer", "second_entailer"),
    options=RivegOptions,
    leaves_out=left_out,
)

"""RiVEG (Li et al., 2024): knowledge before names, entailment before grounding.

START ─► open ─► observe ─► similar (examples) ─► explain (knowledge) ─► recognize ─► expand ─► ...

... ─► entail (what can be seen?) ─► ground (only that) ─► segment ─► structure ─► END
"""

from deixis.agents.context.system import System
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.riveg.entail import entail
from deixis.agents.riveg.expand import expand
from deixis.agents.riveg.explain import explain
from deixis.agents.riveg.ground import ground
from deixis.agents.riveg.options import RivegOptions
from deixis.agents.riveg.recognize import recognize
from deixis.agents.riveg.similar import similar
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, options: RivegOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.chain(
        open_sample,
        observe,
        similar,
        explain,
        recognize,
        expand,
        entail,
        ground,
        segment,
        structure,
    )


SYSTEM = System(
    "riveg",
    "RiVEG: knowledge after similar examples, expressions, visual entailment, then grounding",
    needs=("recognizer", "expander"),
    uses=(
        *("committee", "embedder", "entailer", "second_entailer", "vlm"),
        *("detector", "reader", "segmenter"),
    ),
    wire=wire,
    eyes=("entailer", "second_entailer"),
    options=RivegOptions,
)

"""M-MRE (Gan et al., 2025): one vision-language model summarises, names and matches.

START ─► open ─► observe (patches: given, or a detector's) ─► answer ─► segment ─► structure ─► END
"""

from deixis.agents.context.system import System
from deixis.agents.mmre.answer import answer
from deixis.agents.mmre.observe import observe
from deixis.agents.mmre.options import MmreOptions
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, options: MmreOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.chain(open_sample, observe, answer, segment, structure)


SYSTEM = System(
    "mmre",
    "one model summarises the picture, names entities and matches lettered patches to them",
    needs=("vlm",),
    uses=("detector", "segmenter"),
    wire=wire,
    options=MmreOptions,
)

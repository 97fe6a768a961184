"""E2E-GMNER (Findings of ACL 2026): one model with eyes, one pass.

START ─► open ─► extract (thought, then records; k passes at once) ─► fuse ─► segment ─► ...

... ─► structure ─► END
"""

from deixis.agents.context.system import System
from deixis.agents.e2e.extract import E2eOptions, extract
from deixis.agents.e2e.fuse import fuse
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, options: E2eOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.chain(open_sample, extract, fuse, segment, structure)


SYSTEM = System(
    "e2e",
    "E2E-GMNER: one model with eyes thinks, then writes entities, types and boxes in one pass",
    needs=("vlm",),
    uses=("segmenter",),
    wire=wire,
    options=E2eOptions,
)

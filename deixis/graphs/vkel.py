"""VKEL: two stages of one vision-language model, with visual knowledge between them.

            ┌─► sketch ─► consult_each (one per committee member) ─► vote_each ─► summarize ─┐
START ─► open                                                                                ├─► ...
            └─► observe (objects) ───────────────────────────────────────────────────────────┘

... ─► ground ─► segment ─► structure ─► END

With ``calls: joint``, consult and vote of the main graph stand for the three in the middle. What
the options leave out is left out of the graph; with ``ground: false`` there is the sketch alone.
Yuan et al., "Visual Knowledge-Enhanced LLaVA for Fine-Grained Multimodal Named Entity
Recognition and Grounding", IEEE/ACM TASLP 2026, section III.
"""

from langgraph.graph import START

from deixis.agents.context.system import System
from deixis.agents.main.consult import consult
from deixis.agents.main.vote import vote
from deixis.agents.observe import observe
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.agents.vkel.consult_each import consult_each
from deixis.agents.vkel.ground import ground
from deixis.agents.vkel.options import VkelOptions, left_out
from deixis.agents.vkel.sketch import sketch
from deixis.agents.vkel.summarize import summarize
from deixis.agents.vkel.vote_each import vote_each
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, options: VkelOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.add(open_sample, sketch)
    graph = wiring.graph
    graph.add_edge(START, "open")
    graph.add_edge("open", "sketch")
    last = ["sketch"]
    if options.knows and options.calls == "paper":
        wiring.add(consult_each, vote_each, summarize)
        _ask(wiring, "consult_each", "vote_each", "summarize")
        last = ["summarize"]
    elif options.knows:
        wiring.add(consult, vote)
        _ask(wiring, "consult", "vote", "ground")
        last = []  # the vote leads to the second stage itself
    if options.sees:
        wiring.add(observe)
        graph.add_edge("open", "observe")
        # It starts with the sketch, so where a vote comes between it ends before that.
        last += ["observe"] if last else []
    second = (ground, segment) if options.ground else ()
    wiring.chain(*second, structure, after=last)


def _ask(wiring: Wiring, member: str, vote: str, after: str) -> None:
    route = wiring.committee(member, vote, after)
    wiring.lead("sketch", route, [member, vote])


SYSTEM = System(
    "vkel",
    "VKEL: a coarse sketch, visual knowledge of several models, then fine types and boxes",
    needs=("vlm", "committee", "templater"),
    uses=("sketcher", "voter", "detector", "reader", "segmenter"),
    wire=wire,
    options=VkelOptions,
    leaves_out=left_out,
)

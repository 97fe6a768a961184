"""MUIE (Zhang et al., 2024): entities, relations and events in text, pictures, sound and video.

            ┌─► listen (what is said) ─┐
START ─► open                          ├─► extract ─► point (pictures) ∥ track (video) ∥ hear ...
            └─► watch (frames to show) ┘

... ─► segment ─► structure ─► END

Without a ``vlm`` a recognizer names what text and speech name, and names are placed in pictures as
in the main graph:

            ... listen, watch ─► names ─► place (pictures) ∥ track (video) ∥ hear (sound) ─► ...
"""

from langgraph.graph import START
from langgraph.runtime import Runtime

from deixis.agents.context.state import Context, State
from deixis.agents.context.system import System
from deixis.agents.muie.extract import extract
from deixis.agents.muie.hear import hear
from deixis.agents.muie.listen import listen
from deixis.agents.muie.names import names
from deixis.agents.muie.options import MuieOptions
from deixis.agents.muie.place import place
from deixis.agents.muie.point import point
from deixis.agents.muie.track import track
from deixis.agents.muie.watch import watch
from deixis.agents.open import open_sample
from deixis.agents.segment import segment
from deixis.agents.structure import structure
from deixis.graphs.build import Wiring


def wire(wiring: Wiring, _: MuieOptions) -> None:
    """Wire the graph as drawn above."""
    wiring.add(open_sample, listen, watch, extract, names, point, place, track, hear)
    graph = wiring.graph

    def namer(_: State, runtime: Runtime[Context]) -> str:
        return "extract" if wiring.toolbox(runtime).settings.roles.vlm else "names"

    # Nodes that start together end before the next ones start: one edge onward is enough.
    graph.add_edge(START, "open")
    graph.add_edge("open", "listen")
    graph.add_edge("open", "watch")
    wiring.lead("listen", namer, ["extract", "names"])
    for first, looking in (("extract", "point"), ("names", "place")):
        for look in (looking, "track", "hear"):
            graph.add_edge(first, look)
    wiring.chain(segment, structure, after=["hear"])


SYSTEM = System(
    "muie",
    "MUIE: entities, relations and events in text, pictures, sound and video, each with its places",
    needs=(),
    uses=(
        *("vlm", "recognizer", "corrector", "transcriber", "speech_segmenter", "tracker"),
        *("entailer", "detector", "reader", "segmenter"),
    ),
    wire=wire,
    options=MuieOptions,
    takes=("images", "audio", "video", "task"),
)

"""observe: the patches that are offered, those given or those a detector makes."""

from deixis.agents.context.patches import letter
from deixis.agents.context.state import State, Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.mmre.options import MmreOptions
from deixis.agents.observe import look
from deixis.base.boxes import clipped

GIVEN = "given"
"""Who pointed at a region that is a patch of the user's."""


def observe(state: State, toolbox: Toolbox) -> Update:
    """Hand on the patches with their letters, boxes, sources and scores.

    Without given ones they are the ``top_k`` surest objects of the detector, the surest first.
    There are none without a picture, or where none are to be matched.
    """
    pixels = toolbox.pixels(state)
    given = state["notes"].get("given_patches")
    picture = state["picture"]
    if picture is None or pixels is None or not toolbox.graph_options(MmreOptions).names:
        return {"notes": {"patches": []}}
    if given is not None:
        boxes = [(patch["letter"], patch["box"], 1.0, GIVEN) for patch in given]
        notices: Update = {}
    else:
        sight = look(pixels, toolbox)
        objects = sorted(sight.objects, key=lambda detection: -detection.score)
        spec = toolbox.settings.roles.detector or ""
        boxes = [
            (letter(number), seen.box, seen.score, spec)
            for number, seen in enumerate(objects[: toolbox.settings.options.top_k])
        ]
        notices = sight.notices
    patches = [
        {
            "letter": name,
            "box": clipped(box, picture["width"], picture["height"]),
            "score": score,
            "source": source,
        }
        for name, box, score, source in boxes
    ]
    return {"notes": {"patches": patches}, "notices": notices}

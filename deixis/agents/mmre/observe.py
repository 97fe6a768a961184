"""observe: the patches that are offered, those given or those a detector makes."""

from deixis.agents.ground import clipped
from deixis.agents.mmre.options import options_of
from deixis.agents.observe import look
from deixis.agents.patches import letter
from deixis.agents.state import State, Update
from deixis.agents.toolbox import Toolbox

GIVEN = "given"
"""Who pointed at a region that is a patch of the user's."""


def observe(state: State, toolbox: Toolbox) -> Update:
    """Hand on the patches with their letters, boxes, sources and scores.

    Without given ones they are the ``top_k`` surest objects of the detector, the surest first.
    There are none without a picture, or where none are to be matched.
    """
    pixels = toolbox.pixels(state)
    given = state["notes"].get("given_patches")
    if pixels is None or not options_of(toolbox).names:
        return {"notes": {"patches": []}}
    if given is not None:
        boxes = [(each["letter"], each["box"], 1.0, GIVEN) for each in given]
        notices: Update = {}
    else:
        sight = look(pixels, toolbox)
        objects = sorted(sight.objects, key=lambda each: -each.score)
        spec = toolbox.settings.roles.detector or ""
        boxes = [
            (letter(number), each.box, each.score, spec)
            for number, each in enumerate(objects[: toolbox.settings.options.top_k])
        ]
        notices = sight.notices
    patches = [
        {
            "letter": name,
            "box": clipped(list(box), state["picture"]),
            "score": score,
            "source": source,
        }
        for name, box, score, source in boxes
    ]
    return {"notes": {"patches": patches}, "notices": notices}

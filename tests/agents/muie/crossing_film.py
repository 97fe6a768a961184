"""Videos of discs that move, and a detector that sees them by their colour."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.agents.context.media import opened_video
from deixis.agents.context.system import System
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.errors import ToolError
from deixis.settings import Options, Settings
from deixis.testing import media
from deixis.tools.base import Detection, Picture

COLOURS = {"red ball": (220, 40, 40), "green ball": (40, 190, 60), "blue ball": (50, 70, 220)}
_ROLES = ("detector", "tracker")
RADIUS = 14
SIZE = (160, 96)

Places = Sequence[tuple[str, int, int] | None]
"""Of one frame: colours and centres, those behind first."""


def frames_of(scene: Sequence[Places]) -> NDArray[np.uint8]:
    """Draw frames: discs with a texture of their own, on a grey ground with one."""
    noise = np.random.default_rng(0).integers(-25, 26, (SIZE[1] // 8, SIZE[0] // 8, 1))
    ground = np.repeat(np.repeat(120 + noise, 8, axis=0), 8, axis=1).repeat(3, axis=2)
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    frames = []
    for places in scene:
        frame = ground.copy()
        for place in places:
            if place is not None:
                name, x, y = place
                inside = (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2
                grain = np.random.default_rng(len(name)).integers(-35, 36, (8, 8))
                own = grain[(rows - y + 16) % 32 // 4, (columns - x + 16) % 32 // 4]
                frame[inside] = np.array(COLOURS[name]) + own[inside][:, None]
        frames.append(frame.clip(0, 255).astype(np.uint8))
    return np.array(frames)


def film_of(scene: Sequence[Places], rate: int = 10) -> bytes:
    """Return a scene as an MP4 file."""
    return media.film(frames_of(scene), rate, preset="ultrafast", crf="5")


def box_at(x: int, y: int) -> tuple[float, float, float, float]:
    return (x - RADIUS, y - RADIUS, x + RADIUS + 1.0, y + RADIUS + 1.0)


class ColourDetector:
    """Finds balls by their colour; `aliases` are phrases that mean a colour as well.

    With `labels` it knows these alone, and calls every ball by the first of them.
    """

    name = "colours"

    def __init__(
        self, aliases: dict[str, str] | None = None, labels: tuple[str, ...] | None = None
    ) -> None:
        self.labels = labels
        self.fails = False
        self.asked: list[list[str]] = []
        self._aliases = {name: name for name in COLOURS} | (aliases or {})

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        self.asked.append(list(phrases))
        if self.fails:
            raise ToolError("colours failed: the lamp is out")
        if self.labels is not None:
            wanted = [(self.labels[0], colour) for colour in COLOURS if self.labels[0] in phrases]
        else:
            wanted = [(own, self._aliases[own]) for own in phrases if own in self._aliases]
        found = []
        for phrase, colour in wanted:
            close = np.abs(picture.astype(int) - COLOURS[colour]).max(axis=2) < 75
            rows, columns = np.nonzero(close)
            if len(rows) > 120:
                (x1, x2), (y1, y2) = np.percentile(columns, (2, 98)), np.percentile(rows, (2, 98))
                found.append(Detection(phrase, (x1, y1, x2 + 1, y2 + 1), min(1.0, len(rows) / 650)))
        return found


def movie(video: object) -> dict[str, Any]:
    """Return the state of a sample with a video, as `open` leaves it."""
    state: Any = {"video": video}
    record, _ = opened_video(state, Options())
    return {"video": video, "film": record, "text": "", "pictures": []}


def toolbox_of_muie(**more: Any) -> Toolbox:
    """Build a toolbox: ``toolbox_of_muie(detector="eyes", frames=4, image_side=80)``."""
    roles = {role: more.pop(role) for role in _ROLES if role in more}
    own = {name: more.pop(name) for name in MuieOptions.model_fields if name in more}
    given = {
        "name": "test",
        "schema": "gmner",
        "roles": roles,
        "options": {"cache": "off", **more},
        "graph_options": own,
    }
    system = System("muie", "for tests", (), _ROLES, lambda *_: None, MuieOptions)
    return Toolbox(Settings.model_validate(given), system)

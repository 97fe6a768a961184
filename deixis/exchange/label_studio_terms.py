"""What the parts of a task of Label Studio are called, and how a result is put together."""

from collections.abc import Mapping
from typing import Any

from deixis.exchange.sizes import Size
from deixis.rows import RowRegion

SAME = "same entity"
"""The label of an arrow between parts of one entity: its name, its boxes, when it is heard."""
NOBODY, UNSEEN = "nobody has looked", "not in the pictures"
UNHEARD, UNFILMED = "not in the sound", "not in the video"
KEY = "deixis"
"""Under which our own things stand, in the data of a task and in ``meta``."""

Result = dict[str, Any]


def plain(region: RowRegion) -> dict[str, Any]:
    """Return a region as it stands in a row."""
    return region.model_dump(mode="json", exclude_none=True)


def percent(region: RowRegion, size: Size | None) -> dict[str, float] | None:
    """Return a box in hundredths of its picture; None where that is not to be told or drawn."""
    x1, y1, x2, y2 = region.box
    if size is None or not (x1 < x2 and y1 < y2):
        return None
    across, down = 100 / size[0], 100 / size[1]
    shape = {"x": x1 * across, "y": y1 * down}
    return {**shape, "width": (x2 - x1) * across, "height": (y2 - y1) * down, "rotation": 0}


def result_of(
    name: str, control: str, shown: str, value: Mapping[str, Any], kind: str, form: str = "labels"
) -> Result:
    """Return a result: a region, its id, of which control and medium, and its label."""
    return {
        "id": name,
        "from_name": control,
        "to_name": shown,
        "type": form,
        "value": {**value, form: [kind]},
    }


def said_of(first: Result, control: str, form: str, key: str, said: Any) -> Result:
    """Return what is said of a region: a result that has its id and its shape."""
    shape = {name: each for name, each in first["value"].items() if name != first["type"]}
    about = {name: each for name, each in first.items() if name not in {"score", "value"}}
    control = f"{control}-{first['to_name']}"
    return about | {"from_name": control, "type": form, "value": shape | {key: said}}

"""observe: look at the picture itself: objects, words, a caption."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.agents.context.records import Looking
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.given import SEEN
from deixis.errors import ToolError
from deixis.tools.base import Detection, Picture, Word

PERSON = "person"
_FACE = "face"  # no thing of its own beside the person whose it is; the settings may name it
_PLURALS = {PERSON: "people", "knife": "knives", "mouse": "mice"}
_PLURALS |= {label: label for label in ("broccoli", "scissors", "sheep", "skis")}


class Sight(NamedTuple):
    """What was seen, and how each kind of looking went: looked, off or failed."""

    objects: list[Detection]
    words: list[Word]
    looking: dict[str, Looking]
    notices: Update


def observe(state: State, toolbox: Toolbox) -> Update:
    """Detect people and objects and read writing; nothing is done without a picture."""
    pixels = toolbox.pixels(state)
    if pixels is None:
        return {}
    sight = look(pixels, toolbox)
    observation = {
        "caption": caption(sight, toolbox.settings.options.top_k),
        "objects": _numbered("o", sight.objects),
        "words": _numbered("w", sight.words),
        "looking": sight.looking,
    }
    return {"observation": observation, "notices": sight.notices}


def look(pixels: Picture, toolbox: Toolbox) -> Sight:
    """Use the detector and the reader; a tool that fails leaves a notice, not a hole."""
    sight = Sight([], [], {"people": "off", "words": "off"}, {})
    detector, reader = toolbox.detector, toolbox.reader
    if detector is not None:
        try:
            seen = detector.detect(pixels, looked_for(toolbox))
            sight.objects.extend(sorted(seen, key=lambda thing: thing.label != PERSON))
            sight.looking["people"] = "looked"
        except ToolError as error:
            sight.looking["people"] = "failed"
            sight.notices.update(notice("observe", f"people were not looked for: {error}"))
    if reader is not None:
        try:
            sight.words.extend(reader.read(pixels))
            sight.looking["words"] = "looked"
        except ToolError as error:
            sight.looking["words"] = "failed"
            sight.notices.update(notice("observe", f"writing was not read: {error}"))
    return sight


def looked_for(toolbox: Toolbox) -> list[str]:
    """Return what the detector is asked for in every picture: people, and all else it knows.

    One that takes any phrase is asked for people and for the objects of the settings.
    """
    detector = toolbox.detector
    if detector is None:
        return []
    known, named = detector.labels, [PERSON, *toolbox.settings.options.objects]
    named += [label for label in known or () if label != _FACE]
    return [name for name in dict.fromkeys(named) if known is None or name in known]


def caption(sight: Sight, top_k: int) -> str | None:
    """Say what was seen in a sentence; None when no tool looked."""
    if "looked" not in sight.looking.values():
        return None
    count = Counter(seen.label for seen in sight.objects[:top_k])
    things = [f"{n} {label if n == 1 else _plural(label)}" for label, n in count.items()]
    more = len(sight.objects) - top_k
    if more > 0:
        things.append(f"{more} more")
    parts = [", ".join(things)] if things else []
    read = [repr(word.text) for word in sight.words[:top_k]]
    if read:
        parts.append(f"writing that says {', '.join(read)}")
    if parts:
        return SEEN + "; ".join(parts)
    missing = {"people": "no people", "words": "no writing"}
    return SEEN + ", ".join(missing[kind] for kind, how in sight.looking.items() if how == "looked")


def _plural(label: str) -> str:
    if label in _PLURALS:
        return _PLURALS[label]
    if label.endswith("y") and label[-2:-1] not in "aeiou":
        return f"{label[:-1]}ies"
    return f"{label}es" if label.endswith(("s", "x", "z", "ch", "sh")) else f"{label}s"


def _numbered(letter: str, records: Sequence[Detection | Word]) -> list[dict[str, Any]]:
    return [
        {"id": f"{letter}{number}", **record._asdict(), "box": list(record.box)}
        for number, record in enumerate(records, start=1)
    ]

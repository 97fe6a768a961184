"""open: take the sample in, once, and refuse what cannot be used."""

import re
from collections.abc import Mapping
from typing import Any

from deixis.agents.context.given import MEDIA, idle_roles, released
from deixis.agents.context.media import opened_pictures, opened_sound, opened_video
from deixis.agents.context.patches import checked_patches, overhanging
from deixis.agents.context.records import Observation, PictureRecord
from deixis.agents.context.state import MERGED, OVERWRITE, State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.given import (
    CAPTION,
    MENTIONS,
    checked_caption,
    checked_mentions,
    of_schema,
)
from deixis.agents.reading.tasks import TASKS, checked_tasks
from deixis.errors import InputError

_UNTEXTUAL = re.compile("[\\0\ud800-\udfff]")
"""Characters that no text has: NUL, and halves of surrogate pairs."""
_NOTHING = object()


def open_sample(state: State, toolbox: Toolbox) -> Update:
    """Check what was given, and the settings; put the records of the media into the state.

    What an earlier sample left on the same thread is emptied. For the record of a picture, a sound
    or a video, as an earlier result has it, that is opened again; if it is gone, a notice says so.
    Patches, mentions, the caption and the tasks are handed on in the notes ``given_patches``,
    ``given_mentions``, ``given_caption`` and ``tasks``.

    Raises:
        InputError: the text, a medium, the caption, a mention, a patch or the task cannot be used,
            or the graph does not take it.
        SettingsError, MissingExtraError, MissingKeyError: a role cannot be filled.
    """
    options = toolbox.settings.options
    text = text_given(state, toolbox)
    patches = checked_patches(state.get("patches"))
    caption = checked_caption(state.get("caption"), options.max_text)
    given_mentions: Any = state.get("mentions")
    if given_mentions == {}:  # so the channel is where nothing was ever given
        given_mentions = None
    mentions = checked_mentions(given_mentions, text, regions="regions" in toolbox.takes)
    tasks = checked_tasks(state.get("task")) if "task" in toolbox.takes else None
    toolbox.check(without=idle_roles(state))
    pictures, seen = opened_pictures(state, options)
    sound, heard = opened_sound(state, options)
    film, watched = opened_video(state, options)
    told = [notice("open", note) for note in (*seen, *heard, *watched)]
    if patches:
        told.append(_overhang(patches, pictures))
    notices = {key: value for each in told for key, value in each.items()}
    typed = None if mentions is None else of_schema(mentions, toolbox.types)
    notes = {"given_patches": patches, MENTIONS: typed, CAPTION: caption, TASKS: tasks}
    notes = {name: note for name, note in notes.items() if note is not None}
    anew = {**{key: {} for key in MERGED}, "notices": notices, "notes": notes}
    unseen = Observation(caption=None, objects=[], words=[], looking={})
    opened = {"picture": pictures[0] if pictures else None, "pictures": pictures}
    media: Update = {}
    if "audio" in toolbox.takes:
        media = {"sound": sound, "film": film, "heard": None, "watched": []}
    # LangGraph carries what is written through every step, so what is empty already is left so.
    emptied = {
        channel: {OVERWRITE: value}
        for channel, value in anew.items()
        if value or state.get(channel, _NOTHING) != {}
    }
    return {**emptied, "text": text, **opened, **media, "observation": unseen}


def text_given(given: Mapping[str, Any], toolbox: Toolbox) -> str:
    """Return the text of an input; "" without one, where another medium is enough.

    Args:
        given: what `Input` holds.
        toolbox: of the graph.

    Raises:
        InputError: the text cannot be used, nothing is given, or something that the graph does
            not take.
    """
    _check_taken(given, toolbox)
    others = any(given.get(name) is not None for name in MEDIA)
    text = given.get("text")
    if "audio" in toolbox.takes and (text is None or (isinstance(text, str) and not text.strip())):
        if not others:
            raise InputError("nothing is given; give a text, an image, an audio or a video")
        return ""
    return checked_text(text, toolbox.settings.options.max_text)


def _check_taken(given: Mapping[str, Any], toolbox: Toolbox) -> None:
    for name in ("images", "audio", "video", "task"):
        if name not in toolbox.takes and given.get(name) is not None:
            raise InputError(
                f"{name} is given, and the graph {toolbox.settings.graph!r} takes none; leave it "
                "out, or use the graph muie (--graph muie)"
            )
    several: Any = given.get("images")
    both = isinstance(several, list | tuple) and given.get("image") is not None
    if both and not (several and _same(several[0], given["image"])):
        raise InputError("image and images are given; put all pictures into images")


def _same(one: object, other: object) -> bool:
    """Whether two pictures are given as the same: results have their first one twice."""
    one, other = released(one), released(other)
    return one is other or (isinstance(one, str | dict) and one == other)


def _overhang(patches: list[dict[str, Any]], pictures: list[PictureRecord]) -> Update:
    if not pictures:
        raise InputError("patches are given, but no picture that they could be cut from")
    over = overhanging(patches, pictures[0]["width"], pictures[0]["height"])
    return notice("open", f"cut to the picture: patch {', '.join(over)}") if over else {}


def checked_text(text: object, most: int) -> str:
    """Return the text if a graph can use it.

    Raises:
        InputError: it is no string, empty, too long, or has characters no text has.
    """
    if not isinstance(text, str):
        raise InputError(f"text must be a string; got {type(text).__name__}")
    if not text.strip():
        raise InputError("the text is empty; give the words that go with the picture")
    if len(text) > most:
        raise InputError(
            f"the text has {len(text):,} characters; at most {most:,} are taken "
            "(options.max_text in the stack): split it"
        )
    if bad := _UNTEXTUAL.search(text):
        kind = "a NUL character" if bad[0] == "\0" else "half a surrogate pair"
        raise InputError(f"the text has {kind} at position {bad.start()}; remove it")
    return text

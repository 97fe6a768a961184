"""open: take the sample in, once, and refuse what cannot be used."""

import re
from typing import Any

from pydantic import ValidationError

from deixis.agents.context.patches import checked_patches, overhanging
from deixis.agents.context.pictures import take_again, take_in
from deixis.agents.context.records import Observation
from deixis.agents.context.state import MERGED, OVERWRITE, State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.given import (
    CAPTION,
    MENTIONS,
    checked_caption,
    checked_mentions,
    of_schema,
)
from deixis.base.problems import first_problem
from deixis.base.records import ImageInfo
from deixis.errors import InputError

_UNTEXTUAL = re.compile("[\\0\ud800-\udfff]")
"""Characters that no text has: NUL, and halves of surrogate pairs."""


def open_sample(state: State, toolbox: Toolbox) -> Update:
    """Check what was given, and the settings; put the picture's record into the state.

    What an earlier sample left on the same thread is emptied. For the record of a picture, as
    an earlier result has it, that picture is opened again; if it is gone, a notice says so.
    Patches, mentions and the caption are handed on in the notes ``given_patches``,
    ``given_mentions`` and ``given_caption``.

    Raises:
        InputError: the text, the picture, the caption, a mention or a patch cannot be used.
        SettingsError, MissingExtraError, MissingKeyError: a role cannot be filled.
    """
    options = toolbox.settings.options
    text = checked_text(state.get("text"), options.max_text)
    patches = checked_patches(state.get("patches"))
    caption = checked_caption(state.get("caption"), options.max_text)
    given_mentions: Any = state.get("mentions")
    # The channel is an empty mapping where nothing was ever given.
    mentions = None if given_mentions == {} else checked_mentions(given_mentions, text)
    toolbox.check()
    notices: Update = {}
    picture = None
    given, opened = state.get("image"), None
    if isinstance(given, dict | ImageInfo):
        record = _record(given)
        try:
            opened = take_again(record, options.max_pixels, options.urls)
        except InputError as error:
            notices |= notice("open", f"the text was read alone: {error}")
    elif given is not None:
        opened = take_in(given, options.max_pixels, options.urls)
    if opened is not None:
        height, width = opened.pixels.shape[:2]
        picture = {
            "sha256": opened.sha256,
            "width": width,
            "height": height,
            "source": opened.source,
        }
        for note in opened.notes:
            notices |= notice("open", note)
        if over := overhanging(patches or [], width, height):
            notices |= notice("open", f"cut to the picture: patch {', '.join(over)}")
    elif patches:
        raise InputError("patches are given, but no picture that they could be cut from")
    typed = None if mentions is None else of_schema(mentions, toolbox.types)
    notes = {"given_patches": patches, MENTIONS: typed, CAPTION: caption}
    notes = {name: note for name, note in notes.items() if note is not None}
    anew = {**{key: {} for key in MERGED}, "notices": notices, "notes": notes}
    emptied = {channel: {OVERWRITE: value} for channel, value in anew.items()}
    unseen = Observation(caption=None, objects=[], words=[], looking={})
    return {**emptied, "text": text, "picture": picture, "observation": unseen}


def _record(given: object) -> ImageInfo:
    try:
        return ImageInfo.model_validate(given)
    except ValidationError as error:
        raise InputError(
            "image is a dict; give a path, a URL, bytes, a PIL image, an array, None or the whole "
            f"record of a picture that a result has ({': '.join(first_problem(error))})"
        ) from None


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

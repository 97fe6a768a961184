"""open: take the sample in, once, and refuse what cannot be used."""

from langgraph.types import Overwrite

from deixis.agents.patches import checked_patches, overhanging
from deixis.agents.pictures import take_in
from deixis.agents.state import MERGED, State, Update, notice
from deixis.agents.toolbox import Toolbox
from deixis.errors import InputError


def open_sample(state: State, toolbox: Toolbox) -> Update:
    """Check text, picture, patches and settings; put the picture's record into the state.

    What an earlier sample left on the same thread is emptied. Patches are handed on in the
    notes as ``given_patches``.

    Raises:
        InputError: the text, the picture or the patches cannot be used.
        SettingsError, MissingExtraError, MissingKeyError: a role cannot be filled.
    """
    options = toolbox.settings.options
    text = checked_text(state.get("text"), options.max_text)
    patches = checked_patches(state.get("patches"))
    toolbox.check()
    notices: Update = {}
    picture = None
    given = state.get("image")
    if isinstance(given, dict) and given == state.get("picture"):
        given = None  # nothing was given: it is what this thread's last sample has left
    if given is not None:
        if isinstance(given, dict):
            raise InputError(
                "image is a dict; give a path, a URL, bytes, a PIL image, an array or None"
            )
        opened = take_in(given, options.max_pixels, options.urls)
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
    emptied = {channel: Overwrite({}) for channel in MERGED}
    update = {**emptied, "notices": Overwrite(notices), "text": text, "picture": picture}
    if patches is not None:
        update["notes"] = Overwrite({"given_patches": patches})
    return update


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
    for position, character in enumerate(text):
        if character == "\0" or 0xD800 <= ord(character) <= 0xDFFF:
            kind = "a NUL character" if character == "\0" else "half a surrogate pair"
            raise InputError(f"the text has {kind} at position {position}; remove it")
    return text

"""What of a sample a chat model is shown, and what it is told instead."""

from typing import NamedTuple

from deixis.agents.context.media_records import Medium
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.errors import DeixisError
from deixis.llms import registry as llms
from deixis.llms.media import Clip, Recording
from deixis.llms.media import Medium as Sent
from deixis.llms.photos import Photo, photo

STEP = "extract"


class Shown(NamedTuple):
    """A sample as a chat model has it.

    Attributes:
        media: those given, in which things can be pointed at.
        photos: the pictures, then frames of the video.
        times: of each photo, in seconds of the video; None for a picture.
        clip: the video, if the model watches it.
        recording: the sound, if the model hears it.
        transcript: what is said, if it does not; "" where nothing is, or where the text is it.
        unseen: whether there are pictures or a video, and the model is shown none.
        notices: of what could not be shown.
    """

    media: tuple[Medium, ...]
    photos: list[Photo]
    times: list[float | None]
    clip: Clip | None
    recording: Recording | None
    transcript: str
    unseen: bool
    notices: Update

    @property
    def sent(self) -> list[Sent]:
        """All that goes with the question."""
        beside = (medium for medium in (self.clip, self.recording) if medium is not None)
        return [*self.photos, *beside]


def media_given(state: State) -> tuple[Medium, ...]:
    """Return the media of a sample beside its text."""
    film = state.get("film")
    there: dict[Medium, bool] = {
        "image": bool(state.get("pictures")),
        "video": film is not None,
        "audio": state.get("sound") is not None or bool(film and film["sound"]),
    }
    return tuple(medium for medium, given in there.items() if given)


def shown_to(spec: str, state: State, toolbox: Toolbox) -> Shown:
    """Return what a model is shown: what it has no sense for is told in words, or not at all.

    A medium that cannot be read any more is a notice, and the model is asked about the rest.
    """
    media = media_given(state)
    options = toolbox.graph_options(MuieOptions)
    clip, watched = toolbox.clip(state, STEP, spec) if options.watches else (None, {})
    photos, times, seen = _photos(spec, state, toolbox, frames=clip is None)
    recording, heard = toolbox.recording(state, STEP, spec) if options.hears else (None, {})
    said = state.get("heard")
    told = said is not None and not said["spoken"] and recording is None
    transcript = " ".join(word[0] for word in said["words"]) if said and told else ""
    unseen = not photos and clip is None and ("image" in media or "video" in media)
    notices = {**watched, **seen, **heard}
    return Shown(media, photos, times, clip, recording, transcript, unseen, notices)


def _photos(
    spec: str, state: State, toolbox: Toolbox, frames: bool
) -> tuple[list[Photo], list[float | None], Update]:
    pictures, watched = state.get("pictures", []), state.get("watched", []) if frames else []
    if not pictures and not watched:
        return [], [], {}
    if not llms.sees(spec):
        return [], [], notice(STEP, f"{spec} takes no pictures; it was asked without them")
    side = toolbox.settings.options.image_side
    photos: list[Photo] = []
    times: list[float | None] = []
    notices: Update = {}
    try:
        photos += [photo(pixels, side) for pixels in toolbox.pictures(state)]
        times += [None] * len(photos)
    except DeixisError as error:
        notices |= notice(STEP, f"the pictures were not shown: {error}")
    try:
        video = toolbox.video(state) if watched else None
        for frame in video.each([shown["time"] for shown in watched]) if video else ():
            photos.append(photo(frame.pixels, side))
            times.append(frame.time)
    except DeixisError as error:
        notices |= notice(STEP, f"the video was not shown: {error}")
    return photos, times, notices

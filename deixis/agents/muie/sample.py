"""What of a sample a chat model is shown, and what it is told instead."""

from typing import NamedTuple

from deixis.agents.context.media_records import Medium
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.options import MuieOptions
from deixis.base.clips import clip_bytes
from deixis.base.sound import RATE, wav_bytes
from deixis.errors import DeixisError
from deixis.llms import media as llm_media
from deixis.llms import registry as llms
from deixis.llms.photos import Photo, photo

STEP = "extract"
CLIP_RATE, CLIP_SIDE, CLIP_SECONDS = 2.0, 768, 300.0
"""Frames a second, pixels of the longer side, and seconds that a model that watches is sent."""


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
    clip: llm_media.Clip | None
    recording: llm_media.Recording | None
    transcript: str
    unseen: bool
    notices: Update

    @property
    def sent(self) -> list[llm_media.Medium]:
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
    clip, watched = _clip(state, toolbox) if options.watches and llms.watches(spec) else (None, {})
    photos, times, seen = _photos(spec, state, toolbox, frames=clip is None)
    hears = options.hears and llms.hears(spec)
    recording, heard = _recording(state, toolbox) if hears else (None, {})
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
        seen = video.at([frame["time"] for frame in watched]) if video else []
        photos += [photo(frame.pixels, side) for frame in seen]
        times += [frame.time for frame in seen]
    except DeixisError as error:
        notices |= notice(STEP, f"the video was not shown: {error}")
    return photos, times, notices


def _clip(state: State, toolbox: Toolbox) -> tuple[llm_media.Clip | None, Update]:
    try:
        video = toolbox.video(state)
        if video is None:
            return None, {}
        data = clip_bytes(
            video,
            rate=CLIP_RATE,
            longest_side=CLIP_SIDE,
            most_seconds=CLIP_SECONDS,
            sound=False,
        )
    except DeixisError as error:
        return None, notice(STEP, f"frames were shown in place of the video: {error}")
    cut = f"the model was shown the first {CLIP_SECONDS:g} seconds of the video"
    notices = notice(STEP, cut) if video.seconds > CLIP_SECONDS else {}
    return llm_media.clip(data, min(video.seconds, CLIP_SECONDS)), notices


def _recording(state: State, toolbox: Toolbox) -> tuple[llm_media.Recording | None, Update]:
    try:
        samples = toolbox.samples(state)
    except DeixisError as error:
        return None, notice(STEP, f"the sound was not sent: {error}")
    if samples is None:
        return None, {}
    return llm_media.recording(wav_bytes(samples), len(samples) / RATE), {}

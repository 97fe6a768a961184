"""The media of a sample: opened once, known to the state by their records."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deixis.agents.context import pictures
from deixis.agents.context.kept import Shelf
from deixis.agents.context.media_records import FilmRecord, SoundRecord
from deixis.agents.context.records import PictureRecord
from deixis.agents.context.state import State
from deixis.base.images import OpenedImage
from deixis.base.problems import first_problem
from deixis.base.records import ImageInfo
from deixis.base.sound import OpenedSound, open_sound
from deixis.base.video import OpenedVideo, open_video
from deixis.errors import InputError
from deixis.settings import Options
from deixis.tools.base import Picture, Samples

MOST_PICTURES = 16
KEEP_BYTES = 256_000_000
SOUNDS = Shelf[OpenedSound]("sound", lambda opened: opened.samples.nbytes, KEEP_BYTES)
VIDEOS = Shelf[OpenedVideo]("video", lambda _: KEEP_BYTES // 4, KEEP_BYTES)


class _Record(BaseModel):
    """What the record of a sound or a video must have to be opened again."""

    model_config = ConfigDict(extra="allow")
    sha256: str
    source: str = Field(min_length=1)


def opened_pictures(state: State, options: Options) -> tuple[list[PictureRecord], list[str]]:
    """Open all pictures of a sample.

    Returns:
        Their records, and what the user should know.

    Raises:
        InputError: one cannot be used.
    """
    records: list[PictureRecord] = []
    notes: list[str] = []
    given = _given_pictures(state)
    for number, image in enumerate(given, start=1):
        where = f"picture {number}: " if len(given) > 1 else ""
        try:
            opened, said = _opened_picture(image, options)
        except InputError as error:
            raise InputError(f"{where}{error}") from None
        notes += [f"{where}{note}" for note in said]
        if opened is not None:
            height, width = opened.pixels.shape[:2]
            record = PictureRecord(
                sha256=opened.sha256, width=width, height=height, source=opened.source
            )
            records.append(record)
    return records, notes


def _given_pictures(state: State) -> list[Any]:
    several: Any = state.get("images")
    if several is None:
        one = state.get("image")
        return [] if one is None else [one]
    if not isinstance(several, list | tuple) or any(each is None for each in several):
        raise InputError("images must be a list of pictures; of none, leave it out")
    if len(several) > MOST_PICTURES:
        raise InputError(f"{len(several)} pictures are given; at most {MOST_PICTURES} are taken")
    return list(several)


def _opened_picture(given: Any, options: Options) -> tuple[OpenedImage | None, list[str]]:
    if not isinstance(given, dict | ImageInfo):
        opened = pictures.take_in(given, options.max_pixels, options.urls)
        return opened, opened.notes
    try:
        record = ImageInfo.model_validate(given)
    except ValidationError as error:
        raise InputError(
            "image is a dict; give a path, a URL, bytes, a PIL image, an array, None or the whole "
            f"record of a picture that a result has ({': '.join(first_problem(error))})"
        ) from None
    try:
        return pictures.take_again(record, options.max_pixels, options.urls), []
    except InputError as error:
        return None, [f"the text was read alone: {error}"]


def opened_sound(state: State, options: Options) -> tuple[SoundRecord | None, list[str]]:
    """Open the sound of a sample; else as `opened_pictures`."""
    opened, notes = _opened(state.get("audio"), SOUNDS, _sounds(options), "audio")
    return opened and cast("SoundRecord", _told(opened, SoundRecord)), notes


def opened_video(state: State, options: Options) -> tuple[FilmRecord | None, list[str]]:
    """Open the video of a sample; else as `opened_pictures`."""
    opened, notes = _opened(state.get("video"), VIDEOS, _videos(options), "video")
    return opened and cast("FilmRecord", _told(opened, FilmRecord)), notes


def _told(opened: object, kind: type) -> dict[str, Any]:
    """Return what a kind of record tells of something that was opened."""
    return {name: getattr(opened, name) for name in kind.__annotations__}


def _opened(
    given: Any, shelf: Shelf[Any], open_: Callable[[Any], Any], what: str
) -> tuple[Any, list[str]]:
    if given is None:
        return None, []
    if not isinstance(given, Mapping | BaseModel):
        opened = shelf.take_in(given, open_)
        return opened, opened.notes
    try:
        record = _Record.model_validate(given, from_attributes=True)
    except ValidationError as error:
        raise InputError(
            f"{what} is a dict; give a path, a URL, bytes, an array with its rate, or the whole "
            f"record that a result has ({': '.join(first_problem(error))})"
        ) from None
    try:
        return shelf.take_again(record.model_dump(), open_), []
    except InputError as error:
        return None, [f"the {what} was left out: {error}"]


def first_given(state: State) -> Any:
    """Return the first picture as it was given; None without any."""
    given = _given_pictures(state)
    return given[0] if given else None


def pictures_of(state: State, options: Options) -> list[Picture]:
    """Return the pixels of all pictures of a sample that was opened.

    Raises:
        InputError: one cannot be opened again, or has changed since.
    """
    given = _given_pictures(state)
    one = state.get("picture")
    records = state.get("pictures") or ([] if one is None else [one])
    if len(given) != len(records):  # one was a record of what is gone by now
        given = [None] * len(records)
    return [
        pictures.pixels_of(record, one, options.max_pixels, options.urls)
        for record, one in zip(records, given, strict=True)
    ]


def sound_of(state: State, options: Options) -> OpenedSound | None:
    """Return the sound of a sample that was opened, None where it is that of its video, or none.

    Raises:
        InputError: it cannot be opened again, or has changed since.
    """
    record = state.get("sound")
    return None if record is None else SOUNDS.of(record, state.get("audio"), _sounds(options))


def samples_of(state: State, options: Options) -> Samples | None:
    """Return the sound of a sample, or that of its video; None where neither has any.

    Raises:
        InputError: it cannot be opened again, or has changed since.
    """
    if (sound := sound_of(state, options)) is not None:
        return sound.samples
    film = state.get("film")
    if film is None or not film["sound"]:
        return None
    video = video_of(state, options)
    assert video is not None
    key = _sound_key(film)
    kept = SOUNDS.find(key) or SOUNDS.take_in(video, partial(_sound_of, options=options, key=key))
    return kept.samples


def late_notes(state: State) -> list[str]:
    """Return what reading the video and its sound has told, which `open` did not know yet."""
    film = state.get("film")
    if film is None:
        return []
    opened = (VIDEOS.find(film["sha256"]), SOUNDS.find(_sound_key(film)))
    return [note for each in opened if each is not None for note in each.notes]


def _sound_key(film: FilmRecord) -> str:
    return f"{film['sha256']} sound"


def _sound_of(video: OpenedVideo, *, options: Options, key: str) -> OpenedSound:
    sound = video.sound_samples(options.max_seconds)
    if sound is None:
        raise InputError(f"the sound of the video {video.source} cannot be read")
    return sound._replace(sha256=key)


def video_of(state: State, options: Options) -> OpenedVideo | None:
    """Return the video of a sample; else as `samples_of`."""
    record = state.get("film")
    if record is None:
        return None
    return VIDEOS.of(record, state.get("video"), _videos(options))


def _sounds(options: Options) -> Callable[[Any], OpenedSound]:
    seconds, size = options.max_seconds, options.max_media_bytes
    return partial(open_sound, max_seconds=seconds, max_bytes=size, urls=options.urls)


def _videos(options: Options) -> Callable[[Any], OpenedVideo]:
    return partial(
        open_video,
        max_seconds=options.max_seconds,
        max_bytes=options.max_media_bytes,
        max_pixels=options.max_pixels,
        urls=options.urls,
    )

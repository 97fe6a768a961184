"""What was looked at and heard, opened again to be shown: only what a result has seen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deixis.base.images import DECODED, UNNAMED, OpenedImage, open_image, pixel_hash
from deixis.base.sound import OpenedSound, open_sound
from deixis.base.urls import HIDDEN
from deixis.base.video import OpenedVideo, open_video
from deixis.errors import InputError

if TYPE_CHECKING:
    from deixis.base.extraction_records import ExtractionRecord
    from deixis.base.media_records import AudioInfo, VideoInfo
    from deixis.base.records import ImageInfo
    from deixis.show.film import Clip

_MOST_SECONDS = 3600.0  # of sound and video, or as many as the extraction has seen
_MOST_BYTES = 4_000_000_000  # of their files
_MOST_PIXELS = 64_000_000  # of a picture or a frame, or as many as the extraction has seen


class Media(NamedTuple):
    """What a sample came with, each in any form that the graph takes, or opened already.

    None, and a picture that is not in ``images``, stand for what can be opened again by its
    source. ``clip`` is that of the video with boxes, where it is made already.
    """

    images: Sequence[object] = ()
    audio: object = None
    video: object = None
    clip: "Clip | None" = None

    @classmethod
    def of(cls, given: object) -> "Media":
        """Return media as they are; anything else is the first picture."""
        return given if isinstance(given, Media) else cls((given,))

    def image(self, number: int) -> object:
        """Return a picture, from 0; None where it is not given."""
        return self.images[number] if number < len(self.images) else None


def picture_of(
    extraction: "ExtractionRecord", image: object = None, number: int = 0
) -> NDArray[np.uint8] | None:
    """Open one of the pictures, or check the one given: RGB, uint8, of shape ``(H, W, 3)``.

    Returns:
        None if the extraction looked at no picture.

    Raises:
        InputError: there is no picture of this number, it cannot be opened, or is not the one
            looked at.
    """
    pictures = extraction.pictures
    if not pictures and not number:
        if image is None:
            return None
        raise InputError("a picture was given, but the extraction looked at none; leave it out")
    if not 0 <= number < len(pictures):
        raise InputError(
            f"there is no picture {number}: the extraction looked at {len(pictures)}, which are "
            "numbered from 0"
        )
    info = pictures[number]
    again = image is None
    if again:
        image = source_of(info, "picture", "image")
    # The graph may have been given other limits; what it has opened can be opened again.
    limit = max(_MOST_PIXELS, info.width * info.height)
    opened = open_image(image, max_pixels=limit, min_side=1)
    pixels = opened.pixels
    if pixels.shape[:2] != (info.height, info.width):
        raise InputError(
            f"the picture is {pixels.shape[1]} x {pixels.shape[0]}, but the extraction looked at "
            f"one of {info.width} x {info.height} pixels; pass that one as `image`"
        )
    # A record may be anybody's: what it says is to be opened has to be what it has seen.
    if (again or info.sha256) and not _seen_before(opened, info):
        raise InputError(
            "the picture is not the one that the extraction looked at, though as large; pass that "
            "one as `image`"
        )
    return pixels


def check_media(extraction: "ExtractionRecord", media: Media) -> None:
    """Check that there is no sound and no video but where the extraction had one.

    Raises:
        InputError: there is.
    """
    if media.audio is not None and extraction.audio is None:
        raise InputError("a sound was given, but the extraction heard none; leave it out")
    if media.video is not None and extraction.video is None:
        raise InputError("a video was given, but the extraction looked at none; leave it out")


def sound_of(extraction: "ExtractionRecord", media: Media) -> OpenedSound | None:
    """Open what was heard, the sound or else that of the video, or check what is given.

    Returns:
        None if there was no sound.

    Raises:
        InputError: it cannot be opened, or is not what the extraction has heard.
        MissingExtraError: it takes PyAV to decode it, which is not installed.
    """
    info = extraction.audio
    if info is None:
        video = extraction.video
        if video is None or not video.sound:
            return None
        opened_video = video_of(extraction, media.video)
        return opened_video.sound_samples(max(_MOST_SECONDS, video.seconds + 1))
    opened = media.audio
    if not isinstance(opened, OpenedSound):
        opened = open_sound(
            source_of(info, "sound", "audio") if opened is None else opened,
            max_seconds=max(_MOST_SECONDS, info.seconds + 1),
            max_bytes=_MOST_BYTES,
        )
    alike = opened.sha256 == info.sha256
    if opened.source == "array" != info.source and media.audio is not None:
        alike = abs(opened.seconds - info.seconds) < 0.1
    if not alike:
        raise InputError(
            "the sound is not the one that the extraction has heard; pass that one as `audio`"
        )
    return opened


def video_of(extraction: "ExtractionRecord", given: object = None) -> OpenedVideo:
    """Open the video again, or check the one given.

    Raises:
        InputError: the extraction looked at none; it cannot be opened, or is not the one.
        MissingExtraError: PyAV is not installed, which decodes it.
    """
    info = extraction.video
    if info is None:
        raise InputError("there is no video: the extraction looked at none")
    opened = given
    if not isinstance(opened, OpenedVideo):
        opened = open_video(
            source_of(info, "video", "video") if opened is None else opened,
            max_seconds=max(_MOST_SECONDS, info.seconds + 1),
            max_bytes=_MOST_BYTES,
            max_pixels=max(_MOST_PIXELS, info.width * info.height),
        )
    alike = opened.sha256 == info.sha256
    if opened.source == "array" != info.source and given is not None:
        size = opened.width, opened.height, opened.frames
        alike = size == (info.width, info.height, info.frames)
    if not alike:
        raise InputError(
            "the video is not the one that the extraction looked at; pass that one as `video`"
        )
    return opened


def source_of(info: "ImageInfo | AudioInfo | VideoInfo", what: str, argument: str) -> str:
    """Return the path or the URL by which something can be opened again.

    Raises:
        InputError: it came without a name, or its URL with credentials.
    """
    if info.source in UNNAMED:
        raise InputError(f"the {what} came as {info.source}; pass it again as `{argument}`")
    if "://" in info.source and HIDDEN in info.source:
        raise InputError(
            f"the URL of the {what}, {info.source}, had credentials, which no result keeps; "
            f"pass it again as `{argument}`"
        )
    return info.source


def _seen_before(opened: OpenedImage, info: "ImageInfo") -> bool:
    if info.source in DECODED:
        return pixel_hash(opened.pixels) == info.sha256
    return opened.source in DECODED or opened.sha256 == info.sha256

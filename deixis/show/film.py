"""A video as pages and files show it: frames with the boxes of tracks, and a clip with them."""

import base64
import io
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from deixis.base.boxes import Box
from deixis.base.video import OpenedVideo, VideoFrame
from deixis.errors import DeixisError, InputError
from deixis.show.drawing import draw_marks
from deixis.show.entity_marks import kind_of
from deixis.show.media import Media, video_of
from deixis.show.panels import Mark, colour, font, panel
from deixis.show.templates import data_uri
from deixis.show.timing import clock

if TYPE_CHECKING:
    from deixis.base.extraction_records import ExtractionRecord
    from deixis.base.media_records import Frame

STILLS, MOST_STILLS = 8, 12  # frames of a strip: spread over the tracks, and with all entities
CLIP_SECONDS = 30.0  # the longest part of a video that a page holds: 2.5 MB at most
_STILL_SIDE, _PAGE_SIDE, _CLIP_SIDE = 480, 320, 640  # pixels of the longer side
_RATE = 8.0  # frames a second of a clip
_BITS = 500_000  # a second of it
_SLOW_RATE, _SLOW_SECONDS = 4.0, 15.0  # of an animated picture, which is larger
_HOLD = 1.0  # seconds between two frames of a track over which its box moves evenly
_ACROSS = 4  # frames side by side in the picture of a strip


class Still(NamedTuple):
    """A frame with boxes; ``seen`` are the entities in it, numbered from 0."""

    time: float
    picture: Image.Image
    seen: list[int]

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return data_uri(self.picture, max(self.picture.size), quality=80)


class Clip(NamedTuple):
    """A part of a video with boxes drawn, without sound.

    ``data`` is a file of the ``kind`` "webm" (VP8), or "webp" (an animated picture), which takes
    no PyAV to make; ``start`` and ``end`` are seconds of the video.
    """

    data: bytes
    kind: str
    start: float
    end: float

    @property
    def uri(self) -> str:
        """The file as a data URI."""
        medium = "video" if self.kind == "webm" else "image"
        return f"data:{medium}/{self.kind};base64,{base64.b64encode(self.data).decode('ascii')}"


class Film(NamedTuple):
    """A video on a page; ``problem`` says why there is no clip."""

    seconds: float
    stills: list[Still]
    clip: Clip | None
    problem: str

    @property
    def plays(self) -> bool:
        """Whether there is a clip that is played."""
        return self.clip is not None and self.clip.kind == "webm"


def film(extraction: "ExtractionRecord", media: Media) -> Film | None:
    """Prepare the video of an extraction; None where it looked at none.

    What was not given and cannot be opened again is told by ``problem``.

    Raises:
        InputError: what was given is not what the extraction has looked at.
    """
    if extraction.video is None:
        return None
    found: list[Still] = []
    try:
        video = video_of(extraction, media.video)
        found = stills(extraction, video, _PAGE_SIDE)
        return Film(video.seconds, found, media.clip or clip(extraction, video), "")
    except DeixisError as error:
        if media.video is not None:
            raise
        return Film(extraction.video.seconds, found, None, str(error))


def stills(extraction: "ExtractionRecord", video: OpenedVideo, side: int) -> list[Still]:
    """Return frames with boxes and masks: spread over the tracks, or else over the video.

    Args:
        extraction: whose tracks are drawn.
        video: what they are of.
        side: pixels of the longer side of each frame.
    """
    shown, tracks = [], _tracks(extraction)
    for frame in _unique(video.at(key_times(extraction))):
        marks = _marks(tracks, frame, exact=True)
        seen = [i for i, mark in enumerate(marks) if mark.boxes]
        picture = draw_marks(frame.pixels, marks, sides=(side, side))
        shown.append(Still(frame.time, picture, seen))
    return shown


def _unique(frames: Iterable[VideoFrame]) -> list[VideoFrame]:
    return list({frame.index: frame for frame in frames}.values())


def key_times(extraction: "ExtractionRecord") -> list[float]:
    """Return the times of a few frames: as many different ones as can be, all entities in them."""
    assert extraction.video is not None
    tracks = [entity.track for entity in extraction.entities if entity.track]
    times = sorted({frame.time for track in tracks for frame in track})
    if not times:
        return [(i + 0.5) / STILLS * extraction.video.seconds for i in range(STILLS)]
    spread = np.linspace(0, len(times) - 1, min(STILLS, len(times))).round().astype(int)
    chosen = {times[i] for i in spread.tolist()}
    for track in tracks:
        if len(chosen) < MOST_STILLS and not any(frame.time in chosen for frame in track):
            chosen.add(track[len(track) // 2].time)
    return sorted(chosen)


def strip(extraction: "ExtractionRecord", video: OpenedVideo) -> Image.Image:
    """Draw frames with boxes side by side, their times below them, and a legend."""
    shown = stills(extraction, video, _STILL_SIDE)
    if not shown:
        raise InputError("no frame of the video could be decoded; give a whole file")
    wide, tall = shown[0].picture.size
    across, gap, line = min(_ACROSS, len(shown)), 8, 28
    rows = -(-len(shown) // across)
    width = across * (wide + gap) + gap
    legend = [
        Mark(
            entity.text,
            colour(i),
            [frame.region.box for frame in entity.track],
            note=_note(i, extraction),
        )
        for i, entity in enumerate(extraction.entities)
    ]
    foot = panel("", [], legend, max(width, 640), 18) if legend else None
    top = rows * (tall + line) + gap
    whole = Image.new("RGB", (max(width, 640), top + (foot.height if foot else 0)), "white")
    pen = ImageDraw.Draw(whole)
    for i, still in enumerate(shown):
        left, high = gap + i % across * (wide + gap), gap + i // across * (tall + line)
        whole.paste(still.picture, (left, high))
        pen.text((left, high + tall + 5), clock(still.time), fill=(26, 26, 26), font=font(16))
    if foot:
        whole.paste(foot, (0, top))
    return whole


def _note(number: int, extraction: "ExtractionRecord") -> str:
    entity = extraction.entities[number]
    if not entity.track:
        return kind_of(entity) + ", not in the video"
    return f"{kind_of(entity)}, {clock(entity.track[0].time)} to {clock(entity.track[-1].time)}"


def clip(extraction: "ExtractionRecord", video: OpenedVideo) -> Clip:
    """Draw boxes on the frames of a video, or of its part of 30 seconds from the first track on.

    Between two frames of a track that are at most a second apart its box moves evenly.

    Raises:
        InputError: no frame can be decoded.
    """
    times = [frame.time for entity in extraction.entities for frame in entity.track]
    start = max(0.0, min(times, default=0.0) - 1) if video.seconds > CLIP_SECONDS else 0.0
    try:
        import av  # noqa: F401 - what the clip is encoded with
    except ImportError:
        end = min(video.seconds, start + _SLOW_SECONDS)
        shown = _drawn(extraction, video.read(start, end, _SLOW_RATE), start)
        return Clip(_webp(shown), "webp", start, end)
    end = min(video.seconds, start + CLIP_SECONDS)
    shown = _drawn(extraction, video.read(start, end, _RATE), start)
    return Clip(
        _webm(shown, Fraction(min(_RATE, video.rate)).limit_denominator(1000)), "webm", start, end
    )


def _drawn(
    extraction: "ExtractionRecord", frames: Iterator[VideoFrame], start: float
) -> Iterator[tuple[float, Image.Image]]:
    tracks = _tracks(extraction)
    for frame in frames:
        marks = _marks(tracks, frame, exact=False)
        whole = draw_marks(frame.pixels, marks, sides=(_CLIP_SIDE, _CLIP_SIDE))
        even = whole.width // 2 * 2, whole.height // 2 * 2  # two pixels share a colour
        yield max(frame.time - start, 0.0), whole.crop((0, 0, *even))


def _tracks(extraction: "ExtractionRecord") -> "list[list[Frame]]":
    """Return the tracks of all entities in order, in which a record need not have them."""
    return [sorted(e.track, key=lambda frame: frame.index) for e in extraction.entities]


def _marks(tracks: "Sequence[Sequence[Frame]]", frame: VideoFrame, *, exact: bool) -> list[Mark]:
    """Return a mark for each entity; exact ones have the masks of this very frame."""
    marks = []
    for i, track in enumerate(tracks):
        at = bisect_left(track, frame.index, key=lambda each: each.index)
        here = next((each for each in track[at : at + 1] if each.index == frame.index), None)
        mask = here.region.mask if here and exact else None
        masks = [mask.to_array()] if mask else []
        box = here.region.box if here else None if exact else box_at(track, frame.time)
        marks.append(Mark("", colour(i), [box] if box else [], masks))
    return marks


def box_at(track: "Sequence[Frame]", time: float) -> Box | None:
    """Return where a track is between two of its frames, None where these are far apart."""
    i = bisect_left(track, time, key=lambda frame: frame.time)
    if i in (0, len(track)):
        return None
    before, after = track[i - 1], track[i]
    if not 0 < (gap := after.time - before.time) <= _HOLD:
        return None
    share = (time - before.time) / gap
    x1, y1, x2, y2 = (
        one + share * (other - one)
        for one, other in zip(before.region.box, after.region.box, strict=True)
    )
    return x1, y1, x2, y2


def _webm(frames: Iterator[tuple[float, Image.Image]], rate: Fraction) -> bytes:
    import av

    data = io.BytesIO()
    # Below 0 it is a speed; above, a share of the processor's time, and bytes hang on its load.
    options = {"deadline": "realtime", "cpu-used": "-8", "threads": "1"}
    with av.open(data, "w", format="webm", container_options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream("libvpx", rate, options)
        stream.bit_rate, stream.pix_fmt = _BITS, "yuv420p"
        last = -1
        for time, picture in frames:
            if last < 0:
                stream.width, stream.height = picture.size
                stream.codec_context.time_base = Fraction(1, 1000)
            last = max(round(time * 1000), last + 1)
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = last, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        if last < 0:
            raise InputError("no frame of the video could be decoded; give a whole file")
        file.mux(stream.encode(None))
    return data.getvalue()


def _webp(frames: Iterator[tuple[float, Image.Image]]) -> bytes:
    pictures = [picture for _, picture in frames]
    if not pictures:
        raise InputError("no frame of the video could be decoded; give a whole file")
    data = io.BytesIO()
    first, *others = pictures
    duration = round(1000 / _SLOW_RATE)
    first.save(data, "WEBP", save_all=True, append_images=others, duration=duration, quality=60)
    return data.getvalue()

"""How large the pictures and the video of an item are, from what is known of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from deixis.base.image_files import upright_size
from deixis.base.video import open_video
from deixis.errors import DeixisError
from deixis.exchange.items import Item
from deixis.formats.muie_rows import MuieEntity
from deixis.rows import RowRegion

Size = tuple[int, int]
"""``(width, height)`` in pixels."""


class VideoSize(NamedTuple):
    """What tools want to know of a video; 0 frames or seconds a frame are unknown."""

    width: int
    height: int
    frames: int = 0
    seconds: float = 0.0

    def time(self, frame: int) -> float:
        """Return when a frame, from 0, is shown; 0 if that is not known."""
        return frame * self.seconds / self.frames if self.frames else 0.0


def pictures_of(item: Item) -> tuple[str, ...]:
    """Return the paths and URLs of all pictures, in the order of `RowRegion.image`."""
    return item.row.images or ((item.row.image,) if item.row.image else ())


def picture_sizes(item: Item) -> list[Size | None]:
    """Return the size of each picture; None where nothing tells it.

    A result says it, or ``size`` of the row, a mask, or the file, which is opened if it is a local
    one: no URL is.
    """
    seen = [region for entity in item.row.entities for region in entity.regions or ()]
    infos = item.extraction.pictures if item.extraction else []
    sizes: list[Size | None] = []
    for place, source in enumerate(pictures_of(item)):
        if place < len(infos):
            sizes.append((infos[place].width, infos[place].height))
        elif place == 0 and item.row.size:
            sizes.append(item.row.size)
        else:
            masked = _of_mask(region for region in seen if region.image == place)
            local = None if masked or "://" in source else item.opened(source)
            sizes.append(masked or (upright_size(Path(local)) if local else None))
    return sizes


def video_size(item: Item) -> VideoSize | None:
    """Return the size of the video; None where nothing tells it, as `picture_sizes` does."""
    if item.row.video is None or not any(entity.track for entity in item.row.entities):
        return None
    if item.extraction and (info := item.extraction.video):
        return VideoSize(info.width, info.height, info.frames, info.seconds)
    if (opened := _opened(item, item.row.video)) is not None:
        return opened
    size = _of_mask(_followed(item.row.entities))
    return VideoSize(*size) if size else None


def _followed(entities: Iterable[MuieEntity]) -> Iterable[RowRegion]:
    tracks = (frame for entity in entities for frame in entity.track or ())
    return (region for frame in tracks for region in frame.regions)


def _opened(item: Item, source: str) -> VideoSize | None:
    if "://" in source or not Path(item.opened(source)).is_file():
        return None
    try:
        video = open_video(
            item.opened(source),
            max_seconds=86_400,
            max_bytes=1 << 34,
            max_pixels=64_000_000,
            urls="none",
        )
    except DeixisError:
        return None
    return VideoSize(video.width, video.height, video.frames, video.seconds)


def _of_mask(regions: Iterable[RowRegion]) -> Size | None:
    return next((region.mask.size[::-1] for region in regions if region.mask), None)

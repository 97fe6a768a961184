"""What comes out of a graph: plain pydantic models that round-trip through JSON.

Boxes are ``(x1, y1, x2, y2)`` in absolute pixels of the EXIF-upright picture. Offsets are
half-open, in characters of the text as given; times in seconds. Scores, confidences and
agreements run 0..1.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deixis.base.document_records import DocumentInfo, PageBox, PageInfo
from deixis.base.extraction_records import Entity, ExtractionRecord
from deixis.base.media_records import (
    Argument,
    AudioInfo,
    Event,
    Frame,
    Relation,
    Span,
    SpokenWord,
    Transcript,
    Trigger,
    VideoInfo,
)
from deixis.base.records import (
    Attribute,
    Decision,
    ImageInfo,
    Knowledge,
    Mask,
    ModelReply,
    Notice,
    Record,
    Region,
    Usage,
)
from deixis.errors import InputError
from deixis.show import detections, views
from deixis.show.film import Clip
from deixis.show.media import Media

if TYPE_CHECKING:
    import supervision
    from PIL.Image import Image

__all__ = [
    "Argument",
    "Attribute",
    "AudioInfo",
    "Decision",
    "DocumentInfo",
    "Entity",
    "Event",
    "Extraction",
    "Frame",
    "ImageInfo",
    "Knowledge",
    "Mask",
    "ModelReply",
    "Notice",
    "PageBox",
    "PageInfo",
    "Record",
    "Region",
    "Relation",
    "Span",
    "SpokenWord",
    "Transcript",
    "Trigger",
    "Usage",
    "VideoInfo",
]


class Extraction(ExtractionRecord):
    """The result of a graph for one sample.

    ``image`` is the first picture, ``images`` are all where there are several. Spans are of
    ``audio``, or else of the video's own sound. ``types`` are all types that were looked for, in
    the order of the type schema; results written before it was kept have none. ``document`` is what
    the sample was taken from. What only other media and documents have (``images`` to ``document``,
    ``relations``, ``events``) is left out of JSON while it is empty.
    """

    def overlay(self, image: Any = None, *, picture: int = 0) -> "Image":
        """Draw boxes, masks, a legend and the coloured text; return a PIL image.

        Args:
            image: the picture, in any form that the graph takes. None opens its
                ``source`` again, which works when that is a path or a URL of the public
                internet without credentials, and what is there is what was looked at.
            picture: which of several, from 0, as `Region.image` counts them.

        Raises:
            InputError: there is no such picture, it cannot be opened, or is not the one looked
                at (which the size alone tells if the graph had a file and pixels are passed).
        """
        return views.overlay(self, image, picture)

    def marks(self, image: Any = None, *, picture: int = 0) -> "Image":
        """Draw numbered boxes alone (set-of-mark), as a model that chooses is shown them.

        An entity's number is its place in ``entities``, from 1; all its boxes bear it.

        Args:
            image: as for `overlay`.
            picture: as for `overlay`.

        Raises:
            InputError: as for `overlay`; or there is no picture.
        """
        return views.marks(self, image, picture)

    def show(self, image: Any = None, *, picture: int = 0) -> None:
        """Show the overlay: inline in a notebook, else in the system's picture viewer."""
        views.show(self, image, picture)

    def film_strip(self, video: Any = None) -> "Image":
        """Draw frames of the video with the boxes of tracks, side by side, with their times.

        Args:
            video: in any form that the graph takes; None opens ``video.source`` again.

        Raises:
            InputError: there is no video, it cannot be opened, or is not the one looked at.
            MissingExtraError: it takes PyAV to decode it, which is not installed.
        """
        return views.film_strip(self, video)

    def clip(self, video: Any = None) -> Clip:
        """Draw the boxes of tracks on the video: WebM without sound, of 30 seconds at most.

        Args:
            video: as for `film_strip`.

        Returns:
            A file in its ``data``: of the ``kind`` "webm", or "webp" where PyAV is missing.

        Raises:
            InputError: as for `film_strip`.
            MissingExtraError: as for `film_strip`.
        """
        return views.clip(self, video)

    def to_html(
        self,
        image: Any = None,
        *,
        images: Sequence[Any] = (),
        audio: Any = None,
        video: Any = None,
    ) -> str:
        """Return one self-contained page with pictures, sound, text, entities and reasons.

        Args:
            image: the picture, as for `overlay`.
            images: all pictures, of several; None among them, or fewer, open the source again.
            audio: the sound, in any form that the graph takes; None opens its source again.
            video: the same of the video.

        Raises:
            InputError: a medium cannot be opened, or is not the one looked at or heard; both
                `image` and `images` are given.
        """
        if image is not None and images:
            raise InputError("give one picture as `image`, or several as `images`")
        return views.page([self], [Media(images or (image,), audio, video)])

    def to_supervision(
        self, types: Sequence[str] | None = None, *, picture: int = 0
    ) -> "supervision.Detections":
        """Return all regions as ``supervision`` detections (``data`` holds entity ids, names).

        ``class_id`` is the same for a type in all posts of a run: its place in `types`, from 0.

        Args:
            types: an order of types to use instead of that of the type schema.
            picture: which of several, from 0.

        Raises:
            MissingExtraError: the package ``supervision`` is not installed.
            InputError: `types` lacks a type of the entities, or there is no such picture.
        """
        return detections.to_supervision(self, types, picture)

    def to_coco(self, types: Sequence[str] | None = None) -> dict[str, Any]:
        """Return a COCO document: one category per type, one annotation per region.

        Each picture is an image, and each frame of a video in which something was followed.
        Of many extractions, `deixis.show.detections.to_coco` makes one document.

        Args:
            types: as for `to_supervision`; categories are numbered from 1.

        Raises:
            InputError: `types` lacks a type of the entities.
        """
        return detections.to_coco(self, types)

"""Regions as other tools count them: ``supervision`` detections and COCO documents."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from deixis.base.masks import lengths
from deixis.errors import InputError, MissingExtraError
from deixis.type_schema import FOLDER, TypeSchema

if TYPE_CHECKING:
    import supervision

    from deixis.base.boxes import Box
    from deixis.base.extraction_records import ExtractionRecord
    from deixis.base.media_records import VideoInfo
    from deixis.base.records import ImageInfo, Mask, Region


class HasShape(Protocol):
    """A region: of a result, or of a row."""

    @property
    def box(self) -> "Box":
        """The box, in pixels."""

    @property
    def mask(self) -> "Mask | None":
        """The mask, if there is one."""


def class_names(
    extractions: "Iterable[ExtractionRecord]", types: Sequence[str] | None = None
) -> list[str]:
    """Return the types in the order in which they are numbered, from 0.

    That is the order of the type schema, as the extractions have it; where they have none, for
    they were written earlier or made by hand, that of the shipped schema which has all their
    types. Types that are in neither follow, by alphabet.

    Args:
        extractions: whose entities are numbered.
        types: the order to use instead; has to have all types of the entities.

    Raises:
        InputError: `types` lacks one, or names one twice.
    """
    extractions = list(extractions)
    present = {entity.type for post in extractions for entity in post.entities}
    if types is not None:
        lacking = sorted(present - set(types))
        twice = sorted({name for name in types if list(types).count(name) > 1})
        if lacking or twice:
            problem = f"lacks {', '.join(lacking)}" if lacking else f"has {', '.join(twice)} twice"
            raise InputError(f"types {problem}; name every type of the entities once")
        return list(types)
    order = list(dict.fromkeys(name for post in extractions for name in post.types))
    if not order and present:
        order = next((list(names) for names in _shipped() if present <= set(names)), [])
    return [*order, *sorted(present - set(order))]


@lru_cache(maxsize=1)
def _shipped() -> list[tuple[str, ...]]:
    """Return the types of the shipped schemas, those with the fewest first."""
    schemas = (TypeSchema.load(path.stem) for path in sorted(FOLDER.glob("*.yaml")))
    return sorted((tuple(kind.name for kind in schema.types) for schema in schemas), key=len)


def to_supervision(
    extraction: "ExtractionRecord", types: Sequence[str] | None = None, picture: int = 0
) -> "supervision.Detections":
    """Return all regions in a picture as ``supervision`` detections, in the order of the entities.

    ``xyxy`` is float32 of shape ``(n, 4)`` in pixels, ``confidence`` holds the scores,
    ``class_id`` counts the types as `class_names` does, the same for all posts of a run, so that
    ``Detections.merge`` is right. ``data`` holds ``class_name`` (types), ``entity_id`` and
    ``entity_text``. ``mask`` is boolean of shape ``(n, H, W)``, empty for a region without a
    mask, or None when no region has one.

    Args:
        extraction: what to turn.
        types: all types in the order to count them in; None is that of the type schema.
        picture: which of several, from 0.

    Raises:
        MissingExtraError: the package ``supervision`` is not installed.
        InputError: `types` lacks a type, or there is no such picture.
    """
    pictures = extraction.pictures
    if picture and not 0 <= picture < len(pictures):
        raise InputError(f"there is no picture {picture}: the extraction looked at {len(pictures)}")
    try:
        import supervision
    except ImportError as error:
        raise MissingExtraError("supervision", "supervision") from error
    pairs = [
        (entity, region)
        for entity in extraction.entities
        for region in entity.regions
        if region.image == picture
    ]
    names = class_names([extraction], types)
    dense = None
    if any(region.mask for _, region in pairs):
        info = pictures[picture]
        dense = np.zeros((len(pairs), info.height, info.width), np.bool_)
        for i, (_, region) in enumerate(pairs):
            if region.mask is not None:
                dense[i] = region.mask.to_array()
    return supervision.Detections(
        xyxy=np.array([region.box for _, region in pairs], np.float32).reshape(-1, 4),
        mask=dense,
        confidence=np.array([region.score for _, region in pairs], np.float32),
        class_id=np.array([names.index(entity.type) for entity, _ in pairs], np.int64),
        data={
            "class_name": np.array([entity.type for entity, _ in pairs], np.str_),
            "entity_id": np.array([entity.id for entity, _ in pairs], np.str_),
            "entity_text": np.array([entity.text for entity, _ in pairs], np.str_),
        },
    )


def to_coco(
    extractions: "ExtractionRecord | Iterable[ExtractionRecord]", types: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return one COCO document: an image per picture, category per type, annotation per region.

    The first pictures are numbered from 1 as the extractions come (one without a picture has a
    number, and no image); other pictures, and frames of videos in which something was followed,
    have the numbers after these. A frame's ``file_name`` is that of the video with its number,
    ``talk.mp4#frame-000012``; it has its ``time`` in seconds as well, and its annotations the
    ``track_id`` of what was followed, one for each entity of the document. Categories are
    numbered from 1 in the order of `class_names`, annotations from 1. Boxes are
    ``[x, y, width, height]`` in pixels, masks compressed RLE; ``segmentation`` is empty for a
    region without a mask, and ``area`` is then that of the box. Images also carry ``text``,
    annotations ``score``, ``entity_id`` and ``entity_text``.

    Args:
        extractions: one, or all of a data set.
        types: all types in the order to count them in; None is that of the type schema.

    Raises:
        InputError: `types` lacks a type.
    """
    # An extraction can be iterated over as well: pydantic gives its fields.
    one = hasattr(extractions, "entities")
    posts = cast("list[ExtractionRecord]", [extractions] if one else list(extractions))
    names = class_names(posts, types)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    further, tracks = count(len(posts) + 1), count(1)
    for number, post in enumerate(posts, start=1):
        numbers = [number, *islice(further, max(0, len(post.pictures) - 1))]
        for image_id, info in zip(numbers, post.pictures, strict=False):
            images.append(_image(image_id, info.source, info, post.text))
        shown = {frame.index: frame.time for entity in post.entities for frame in entity.track}
        frames = {index: next(further) for index in sorted(shown)}
        for index, image_id in frames.items():
            assert post.video is not None
            name = f"{post.video.source}#frame-{index:06d}"
            image = _image(image_id, name, post.video, post.text)
            images.append({**image, "time": shown[index]})
        for entity in post.entities:
            places: list[tuple[int, Region, dict[str, int]]]
            places = [(numbers[region.image], region, {}) for region in entity.regions]
            if entity.track:
                track = {"track_id": next(tracks)}
                places += [(frames[each.index], each.region, track) for each in entity.track]
            for image_id, region, track in places:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image_id,
                        "category_id": names.index(entity.type) + 1,
                        **coco_shape(region),
                        "iscrowd": 0,
                        "score": region.score,
                        "entity_id": entity.id,
                        "entity_text": entity.text,
                        **track,
                    }
                )
    description = posts[0].text if len(posts) == 1 else f"{len(posts)} posts"
    return {
        "info": {"description": description},
        "images": images,
        "categories": [{"id": i, "name": name} for i, name in enumerate(names, start=1)],
        "annotations": annotations,
    }


def _image(image_id: int, name: str, info: "ImageInfo | VideoInfo", text: str) -> dict[str, Any]:
    size = {"width": info.width, "height": info.height}
    return {"id": image_id, "file_name": name, **size, "text": text}


def coco_shape(region: "HasShape") -> dict[str, Any]:
    """Return ``bbox``, ``area`` and ``segmentation`` of a region, as COCO has them.

    Raises:
        ValueError: the run lengths of the mask do not fill it.
    """
    x1, y1, x2, y2 = region.box
    area: float = max(0.0, x2 - x1) * max(0.0, y2 - y1)
    if region.mask is not None:
        area = int(lengths(region.mask)[1::2].sum())
    return {
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": area,
        "segmentation": region.mask.model_dump(mode="json") if region.mask else [],
    }

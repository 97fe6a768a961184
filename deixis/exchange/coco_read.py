"""Gold rows of a COCO document.

Of one that was exported from here, the posts come back, with the regions that the annotations now
have. Of any other, each picture is a row, its captions are the text, and each annotation is an
entity that the text does not name, called as its category is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deixis.base.json_lines import parsed
from deixis.base.masks import lengths
from deixis.base.records import Mask
from deixis.base.text_files import read_text
from deixis.errors import DataError
from deixis.exchange.checking import checked
from deixis.exchange.items import How
from deixis.exchange.shapes import bounds, mask_of_polygons, mask_of_runs, number, whole
from deixis.rows import Problem, id_of

_Thing = dict[str, Any]


def read(path: Path, how: How) -> Iterator[_Thing | Problem]:
    """Yield rows, and what is wrong with annotations.

    Raises:
        DataError: the file is no COCO document.
        InputError: it cannot be read.
    """
    wanted = f"{path}: no COCO document, which is one object with images and annotations"
    text = read_text(path)
    try:
        document = parsed(text)
    except ValueError as error:
        why = str(error).partition(": ")[0]  # what comes then is about lines
        raise DataError(f"{wanted}: {why}") from None
    if not isinstance(document, dict) or "images" not in document:
        raise DataError(wanted)
    yield from _Document(path, document).rows()


class _Document:
    def __init__(self, path: Path, document: _Thing) -> None:
        self._path = path
        self._images = self._by_id(document, "images")
        categories = self._by_id(document, "categories")
        self._names = {id_: str(each.get("name", id_)) for id_, each in categories.items()}
        self._annotations = [*self._by_id(document, "annotations").values()]
        ours = document.get("deixis")
        posts = ours.get("posts") if isinstance(ours, dict) else []
        self._posts = (
            [each for each in posts if isinstance(each, dict)] if isinstance(posts, list) else []
        )
        self._captions: dict[Any, list[str]] = {}
        self._shapes: dict[Any, list[_Thing]] = {}

    def _by_id(self, document: _Thing, name: str) -> dict[Any, _Thing]:
        given = document.get(name, [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            raise DataError(f"{self._path}: {name} is no list of objects")
        things: dict[Any, _Thing] = {}
        for place, each in enumerate(given, start=1):
            id_ = each.get("id", f"#{place}" if name == "annotations" else None)
            if isinstance(id_, bool) or not isinstance(id_, int | str):
                raise DataError(f"{self._path}: {name}: number {place} has no id")
            if id_ in things:
                raise DataError(f"{self._path}: {name}: the id {id_!r} stands twice")
            things[id_] = each
        return things

    def rows(self) -> Iterator[_Thing | Problem]:
        """Yield the rows of posts, then those of pictures that are of none."""
        for place, annotation in enumerate(self._annotations, start=1):
            problem = self._sort(annotation)
            if problem:
                yield Problem(place, None, f"annotation {annotation.get('id', place)}: {problem}")
        pictures: dict[str, list[_Thing]] = {}
        for image in self._images.values():
            post = image.get("post_id")
            pictures.setdefault(post if isinstance(post, str) else "", []).append(image)
        number_ = 0
        for post in self._posts:
            number_ += 1
            images = pictures.pop(str(post.get("id")), [])
            yield checked(_row_of_post(post, images, self._shapes), number_)
        for images in pictures.values():
            for image in images:
                number_ += 1
                yield checked(self._row_of(image), number_)

    def _sort(self, annotation: _Thing) -> str | None:
        """Put an annotation to its picture; return what is wrong with it."""
        image = annotation.get("image_id")
        if isinstance(image, bool) or not isinstance(image, int | str) or image not in self._images:
            return f"there is no image {image!r}"
        if isinstance(annotation.get("caption"), str):
            self._captions.setdefault(image, []).append(annotation["caption"])
            return None
        category = annotation.get("category_id")
        if (
            isinstance(category, bool)
            or not isinstance(category, int | str)
            or category not in self._names
        ):
            return f"there is no category {category!r}"
        try:
            region = _region(annotation, self._images[image])
        except ValueError as error:
            return str(error)
        made = annotation | {"region": region, "type": self._names[category]}
        self._shapes.setdefault(image, []).append(made)
        return None

    def _row_of(self, image: _Thing) -> _Thing:
        row: _Thing = {
            "id": id_of(image.get("id")),
            "text": "\n".join(self._captions.get(image.get("id"), [])),
            "image": image.get("file_name"),
        }
        if isinstance(image.get("width"), int) and isinstance(image.get("height"), int):
            row["size"] = [image["width"], image["height"]]
        row["entities"] = [
            _unnamed(each, "regions") for each in self._shapes.get(image.get("id"), [])
        ]
        return row


def _unnamed(annotation: _Thing, where: str) -> _Thing:
    """Return the entity of an annotation that the text does not name."""
    name = annotation.get("entity_text")
    made = {"text": name if isinstance(name, str) and name else annotation["type"]}
    made["type"] = annotation["type"]
    if isinstance(annotation.get("fine_type"), str):
        made["fine_type"] = annotation["fine_type"]
    regions: Any = [annotation["region"]]
    if where == "regions":
        return made | {"regions": regions}
    return made | {"regions": None, "track": [{"frame": int(where), "regions": regions}]}


def _row_of_post(post: _Thing, images: list[_Thing], shapes: dict[Any, list[_Thing]]) -> _Thing:
    """Return the row of a post, with the regions that its pictures and frames have now."""
    given = post.get("entities")
    entities = (
        [dict(each) for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    )
    known = {str(each.pop("id", place)): each for place, each in enumerate(entities)}
    types: dict[str, set[str]] = {}
    for entity in entities:
        entity["regions"] = [] if entity.pop("looked", False) is True else None
        frames = entity.pop("frames", None)
        if isinstance(frames, list):
            entity["track"] = [{"frame": frame, "regions": []} for frame in frames]
    for image in images:
        frame, picture = image.get("frame"), image.get("picture", 0)
        where = str(frame) if isinstance(frame, int) else "regions"
        for annotation in shapes.get(image.get("id"), []):
            region = annotation["region"]
            if where == "regions" and isinstance(picture, int) and picture > 0:
                region["image"] = picture
            id_ = str(annotation.get("entity_id"))
            if id_ not in known:
                entities.append(_unnamed(annotation, where))
                continue
            types.setdefault(id_, set()).add(annotation["type"])
            _put(known[id_], where, region)
    for id_, found in types.items():
        if len(found) == 1:  # people change the category of boxes, not the posts
            known[id_]["type"] = found.pop()
    return {"image": None} | post | {"entities": entities}


def _put(entity: _Thing, where: str, region: _Thing) -> None:
    if where == "regions":
        entity["regions"] = [*(entity["regions"] or []), region]
        return
    track = entity.setdefault("track", [])
    for frame in track:
        if str(frame["frame"]) == where:
            frame["regions"].append(region)
            return
    track.append({"frame": int(where), "regions": [region]})


def _region(annotation: _Thing, image: _Thing) -> _Thing:
    """Return the region of an annotation.

    Raises:
        ValueError: it has neither a box nor a mask, or a wrong one.
    """
    mask = _mask(annotation.get("segmentation"), image)
    box = annotation.get("bbox")
    if box is None and mask is not None:
        box = bounds(Mask.model_validate(mask).to_array())
    elif isinstance(box, list) and len(box) == 4:
        x, y, width, height = (number(edge, "an edge of bbox") for edge in box)
        box = [x, y, x + width, y + height]
    else:
        raise ValueError("bbox is no list of four numbers")
    return {"box": box} | ({"mask": mask} if mask else {})


def _mask(given: Any, image: _Thing) -> _Thing | None:
    if given is None or given == []:
        return None
    if isinstance(given, list):
        sides = [whole(image.get(side), f"{side} of the image", 1) for side in ("width", "height")]
        if not all(isinstance(each, list) for each in given):
            raise ValueError("segmentation is no list of polygons")
        polygons = [[number(edge, "a point") for edge in each] for each in given]
        return mask_of_polygons(polygons, *sides)
    size, counts = (given.get("size"), given.get("counts")) if isinstance(given, dict) else (0, 0)
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError("segmentation is neither polygons nor run lengths")
    height, width = (whole(side, "a side of the mask") for side in size)
    if isinstance(counts, list):
        return mask_of_runs([whole(run, "a run") for run in counts], width, height)
    if not isinstance(counts, str):
        raise ValueError("the run lengths of segmentation are neither a list nor a text")
    mask = Mask(size=(height, width), counts=counts)
    lengths(mask)
    return mask.model_dump(mode="json")

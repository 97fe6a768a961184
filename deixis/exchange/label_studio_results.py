"""One item as a task of Label Studio: its regions, and the arrows between them.

An entity is held by its first part that can be shown: its name in the text, else a region. What
Label Studio cannot show rides in the ``meta`` of that part, or in the data of the task.
"""

from collections.abc import Iterator
from typing import Any

from deixis.base.extraction_records import Entity
from deixis.exchange.items import How, Item
from deixis.exchange.label_studio_masks import encode_mask
from deixis.exchange.label_studio_terms import (
    KEY,
    NOBODY,
    SAME,
    UNFILMED,
    UNHEARD,
    UNSEEN,
    Result,
    percent,
    plain,
    result_of,
    said_of,
)
from deixis.exchange.labels import LeftOut
from deixis.exchange.sizes import picture_sizes, pictures_of, video_size
from deixis.formats.muie_rows import Event, MuieEntity, Trigger
from deixis.rows import RowRegion


def task_of(item: Item, how: How, left: LeftOut) -> dict[str, Any]:
    """Return the task: a prediction of what a graph has found, an annotation of a gold row."""
    results = Results(item, left)
    made = results.of_all()
    row = item.row.model_dump(
        mode="json", exclude_none=True, exclude={"text", "entities", "relations", "events"}
    )
    kept = {name: each for name, each in results.kept.items() if each}
    pictures = [_served(source, how) for source in pictures_of(item)]
    data = {
        "id": item.id,
        "text": item.row.text,
        "image": pictures[0] if pictures else "",
        "images": pictures,
        "audio": _served(item.row.audio or item.row.video, how),
        "video": _served(item.row.video, how),
        KEY: {"row": row} | results.about | kept,
    }
    if item.extraction is None:
        return {"data": data, "annotations": [{"result": made, "ground_truth": True}]}
    sure = [entity.confidence for entity in item.extraction.entities]
    score = sum(sure) / len(sure) if sure else 0.0
    prediction = {"model_version": how.model or "deixis", "score": score, "result": made}
    return {"data": data, "predictions": [prediction]}


def _served(source: str | None, how: How) -> str:
    if source is None:
        return ""
    return source if "://" in source else f"{how.pictures or ''}{source}"


class Results:
    """The results of one item, in the form of Label Studio.

    Attributes:
        kept: entities, relations and events of which nothing can be shown, by their places.
        about: what has to be known of the media to read them again.
    """

    def __init__(self, item: Item, left: LeftOut) -> None:
        self.kept: dict[str, list[Any]] = {"entities": [], "relations": [], "events": []}
        self._item, self._row, self._left = item, item.row, left
        self._sizes = picture_sizes(item)
        self._video = video_size(item)
        self.about = {"video": [*self._video[:2]]} if self._video else {}
        self._sound = bool(item.row.audio or item.row.video)
        self._anchors: dict[int, str] = {}
        self._arrows: dict[tuple[str, str], list[str]] = {}

    def of_all(self) -> list[Result]:
        """Return the results, those of entities in their order."""
        results: list[Result] = []
        found = self._item.extraction
        for place, entity in enumerate(self._row.entities):
            results += self._entity(place, entity, found.entities[place] if found else None)
        for place, event in enumerate(self._row.events):
            results += self._event(place, event)
        for each in self._row.relations:
            one, other = self._anchors.get(each.subject), self._anchors.get(each.object)
            if one and other and each.type != SAME:
                self._arrow(one, other, each.type)
            else:
                self._keep("relations", [each.subject, each.type, each.object])
        return results + [
            {"type": "relation", "from_id": one, "to_id": other, "direction": "right"}
            | {"labels": labels}
            for (one, other), labels in self._arrows.items()
        ]

    def _keep(self, what: str, thing: Any) -> None:
        self.kept[what].append(thing)
        why = f"{what} of which Label Studio can show nothing: kept in the data of their tasks"
        self._left.add(why, self._item.id)

    def _unseen(self, what: str) -> None:
        self._left.add(f"{what}: kept with the entity, and not shown", self._item.id)

    def _arrow(self, one: str, other: str, label: str) -> None:
        labels = self._arrows.setdefault((one, other), [])
        if label not in labels:
            labels.append(label)

    def _entity(self, place: int, entity: MuieEntity, record: Entity | None) -> list[Result]:
        name = f"e{place}"
        hidden: dict[str, Any] = {"place": place}
        parts: list[Result] = []
        if _stands(entity, self._row.text):
            value = {"start": entity.start, "end": entity.end, "text": entity.text}
            parts.append(result_of(name, "type", "text", value, entity.type))
            if record:
                parts[0]["score"] = record.confidence
        elif entity.start is not None:
            self._left.add("places in the text where the name does not stand", self._item.id)
        placed = bool(parts)
        for number, region in enumerate(entity.regions or ()):
            score = record.regions[number].score if record else None
            if not self._region(parts, f"{name}-r{number}", region, entity.type, score):
                hidden.setdefault("regions", []).append(plain(region))
        parts += self._heard(name, "sound", entity, entity.type)
        parts += self._tracks(name, entity, hidden)
        if not parts:
            self._keep("entities", [place, entity.model_dump(mode="json", exclude_none=True)])
            return []
        if entity.expression is not None:
            hidden["expression"] = entity.expression
        if entity.spans and not self._sound:
            hidden["spans"] = entity.spans
        first = parts[0]
        first["meta"] = {KEY: first.get("meta", {}).get(KEY, {}) | hidden}
        self._anchors[place] = first["id"]
        for part in parts[1:]:
            box = part["id"].replace("-m", "-r")
            self._arrow(box if box != part["id"] else first["id"], part["id"], SAME)
        return [*parts, *self._said_of(first, entity, placed)]

    def _said_of(self, first: Result, entity: MuieEntity, placed: bool) -> Iterator[Result]:
        """Yield what is said of the part that holds an entity: results with its id."""
        if not placed:
            yield said_of(first, "name", "textarea", "text", [entity.text])
        if entity.fine_type is not None:
            path = [[entity.type, entity.fine_type]]
            yield said_of(first, "fine", "taxonomy", "taxonomy", path)
        if flags := self._flags(entity):
            yield said_of(first, "seen", "choices", "choices", flags)

    def _flags(self, entity: MuieEntity) -> list[str]:
        """Return what has to be said, for it is not what one expects of a medium."""
        flags = []
        if entity.regions is None and pictures_of(self._item):
            flags.append(NOBODY)
        if entity.regions == () and not pictures_of(self._item):
            flags.append(UNSEEN)
        flags += [UNHEARD] if entity.spans == () else []
        flags += [UNFILMED] if entity.track == () else []
        return flags

    def _region(
        self, parts: list[Result], name: str, region: RowRegion, kind: str, score: float | None
    ) -> bool:
        """Add a box, and its mask; say whether it could be shown."""
        size = self._sizes[region.image] if region.image < len(self._sizes) else None
        value = percent(region, size)
        if value is None or size is None:
            self._unseen("boxes without an area, or in a picture of unknown size")
            return False
        about: dict[str, Any] = {
            "original_width": size[0],
            "original_height": size[1],
            "image_rotation": 0,
            "item_index": region.image,
        }
        box = about | result_of(name, "box", "image", value, kind, "rectanglelabels")
        if score is not None:
            box["score"] = score
        parts.append(box)
        if region.mask is not None:
            try:
                if region.mask.size != size[::-1]:
                    raise ValueError
                drawn = {"format": "rle", "rle": encode_mask(region.mask.to_array())}
            except ValueError:
                box["meta"] = {KEY: {"mask": plain(region)}}
                self._unseen("masks of another size than the picture")
                return True
            mask = name.replace("-r", "-m")
            parts.append(about | result_of(mask, "mask", "image", drawn, kind, "brushlabels"))
        return True

    def _heard(
        self, name: str, control: str, thing: MuieEntity | Trigger, kind: str
    ) -> list[Result]:
        if thing.spans and not self._sound:
            self._unseen("spans of time without sound")
            return []
        return [
            result_of(
                f"{name}-s{number}",
                control,
                "audio",
                {"start": start, "end": end, "channel": 0},
                kind,
            )
            for number, (start, end) in enumerate(thing.spans or ())
        ]

    def _tracks(self, name: str, entity: MuieEntity, hidden: dict[str, Any]) -> list[Result]:
        """Return a track for each region of a frame, of the first, the second and so on."""
        frames = entity.track or ()
        if not frames:
            return []
        video = self._video
        size = video and (video.width, video.height)
        shapes = [[percent(region, size) for region in frame.regions] for frame in frames]
        if video is None or any(None in shape for shape in shapes):
            self._unseen("tracks in a video of unknown size, or with boxes without an area")
            hidden["track"] = [frame.model_dump(mode="json") for frame in frames]
            return []
        hidden["frames"] = [frame.frame for frame in frames if not frame.regions]
        tracks = []
        for lane in range(max(map(len, shapes))):
            sequence, masks = [], {}
            for number, (frame, shape) in enumerate(zip(frames, shapes, strict=True)):
                if lane >= len(shape):
                    continue
                assert shape[lane] is not None
                # A track goes on between two of its frames, unless it was gone in one.
                goes_on = number + 1 < len(shapes) and lane < len(shapes[number + 1])
                at = {"frame": frame.frame + 1, "time": video.time(frame.frame), "enabled": goes_on}
                sequence.append({**(shape[lane] or {}), **at})
                if frame.regions[lane].mask is not None:
                    masks[str(frame.frame)] = plain(frame.regions[lane])
            count = video.frames or frames[-1].frame + 1
            value = {"framesCount": count, "duration": video.seconds, "sequence": sequence}
            track = result_of(f"{name}-t{lane}", "track", "video", value, entity.type, "labels")
            track["type"] = "videorectangle"
            if masks:
                track["meta"] = {KEY: {"masks": masks}}
                self._unseen("masks in frames of a video")
            tracks.append(track)
        return tracks

    def _event(self, place: int, event: Event) -> list[Result]:
        trigger, name = event.trigger, f"v{place}"
        parts: list[Result] = []
        if trigger is not None and _stands(trigger, self._row.text):
            value = {"start": trigger.start, "end": trigger.end, "text": trigger.text}
            parts.append(result_of(name, "trigger", "text", value, event.type))
        placed = bool(parts)
        if trigger is not None:
            parts += self._heard(name, "trigger-sound", trigger, event.type)
        if not parts:
            self._keep("events", [place, event.model_dump(mode="json", exclude_none=True)])
            return []
        assert trigger is not None
        first = parts[0]
        rest = []
        for part in event.arguments:
            held = self._anchors.get(part.entity)
            if held is None or part.role == SAME:
                rest.append([part.role, part.entity])
                self._unseen("arguments of events that cannot be shown")
            else:
                self._arrow(first["id"], held, part.role)
        first["meta"] = {KEY: {"event": place, "arguments": rest}}
        for other in parts[1:]:
            self._arrow(first["id"], other["id"], SAME)
        named = [] if placed else [said_of(first, "name", "textarea", "text", [trigger.text])]
        return [*parts, *named]


def _stands(thing: MuieEntity | Trigger, text: str) -> bool:
    return thing.start is not None and text[thing.start : thing.end] == thing.text

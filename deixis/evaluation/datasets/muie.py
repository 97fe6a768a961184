"""Grounded MUIE (Zhang et al., ACL Findings 2024): entities, relations, events in four media.

The authors' repository holds neither the 3,000 test instances nor their layout. What is read
here is our own: a JSON Lines file with what sections 3 and 5 say an instance has.
"""

from collections import Counter
from typing import Self

from pydantic import model_validator

from deixis.errors import DataError
from deixis.evaluation.datasets.source import Converted, Source, read_records
from deixis.formats.muie_rows import MuieEntity, MuieRow, Trigger

QUIRKS = (
    "rows of the task ner",
    "rows of the task re",
    "rows of the task ee",
    "rows without a text",
    "rows with an image",
    "rows with an audio",
    "rows with a video",
    "entities that are not in the text",
    "entities with regions in the image",
    "entities with spans in the audio",
    "entities with a track in the video",
    "relations",
    "events",
    "arguments",
)


class _Gold(MuieRow):
    """What gold must be beyond a row that is well formed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.images and self.image != self.images[0]:
            raise ValueError("image is not the first of images")
        if not (self.text or self.image or self.audio or self.video):
            raise ValueError("neither text nor image, audio or video")
        if self.relations and self.task != "re":
            raise ValueError(f"relations in a row of the task {self.task}")
        if self.events and self.task != "ee":
            raise ValueError(f"events in a row of the task {self.task}")
        for number, entity in enumerate(self.entities):
            self._check_entity(f"entities.{number}", entity)
        used = [
            (f"relations.{n}", i)
            for n, r in enumerate(self.relations)
            for i in (r.subject, r.object)
        ]
        for number, event in enumerate(self.events):
            used += [(f"events.{number}", argument.entity) for argument in event.arguments]
            if event.trigger:
                self._check_place(f"events.{number}.trigger", event.trigger)
        for place, index in used:
            if index >= len(self.entities):
                raise ValueError(f"{place}: there is no entity {index}")
        return self

    def _check_entity(self, place: str, entity: MuieEntity) -> None:
        self._check_place(place, entity)
        for name, given, medium in (
            ("regions", entity.regions, self.image),
            ("track", entity.track, self.video),
        ):
            if given and medium is None:
                raise ValueError(f"{place}: {name} in a row without such a medium")
        frames = [frame.frame for frame in entity.track or ()]
        if len(set(frames)) != len(frames):
            raise ValueError(f"{place}: a frame stands twice in the track")
        for region in entity.regions or ():
            if region.image >= len(self.images or [self.image]):
                raise ValueError(f"{place}: there is no image {region.image}")
        seen = [*(entity.regions or ()), *(r for f in entity.track or () for r in f.regions)]
        for region in seen:
            x1, y1, x2, y2 = region.box
            if x2 <= x1 or y2 <= y1:
                raise ValueError(f"{place}: a box needs x1 < x2 and y1 < y2; got {region.box}")
            if region.mask is None:
                continue
            first = region.image == 0  # whose size it is
            if self.size and first and region.mask.size != self.size[::-1]:
                raise ValueError(f"{place}: the mask's size is not [height, width] of the row's")
            region.mask.to_array()  # ValueError: the runs do not fill it

    def _check_place(self, place: str, what: MuieEntity | Trigger) -> None:
        if (what.start is None) != (what.end is None):
            raise ValueError(f"{place}: start without end, or end without start")
        if what.start is not None and self.text[what.start : what.end] != what.text:
            raise ValueError(f"{place}: text[{what.start}:{what.end}] is not {what.text!r}")
        if what.spans and self.audio is None:
            raise ValueError(f"{place}: spans in a row without an audio")
        for first, last in what.spans or ():
            if last <= first:
                raise ValueError(f"{place}: a span needs start < end; got {(first, last)}")


def read_muie(source: Source) -> Converted:
    """Read ``SPLIT.jsonl``, one instance per line.

    An instance is what `MuieRow` says: ``{"id", "task": "ner" | "re" | "ee", "dataset",
    "aligned": true | false, "text", "image", "images" (all of them, where there are several),
    "audio", "video", "size": [w, h], "entities": [{"text", "type", "start", "end", "regions":
    [{"box", "mask", "image": 0}], "spans": [[0.5, 1.2]], "track": [{"frame", "regions"}]}],
    "relations": [{"subject": 0, "type", "object": 1}], "events": [{"type", "trigger": {"text",
    "start", "end", "spans"}, "arguments": [{"role", "entity": 0}]}]}``. Paths are relative to
    the file.

    Raises:
        DataError: a line is no such instance, or an id stands twice.
        InputError: the file is not there.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    rows: dict[str, MuieRow] = {}
    for where, gold in read_records(source.file(".jsonl"), _Gold):
        if gold.id in rows:
            raise DataError(f"{where}: the id {gold.id!r} stands twice")
        paths = {name: source.media(getattr(gold, name)) for name in ("image", "audio", "video")}
        images = gold.images and tuple(str(source.media(each)) for each in gold.images)
        row = MuieRow(**{**dict(gold), **paths, "images": images})
        rows[row.id] = row
        met = (
            *(row.task == task for task in ("ner", "re", "ee")),
            not row.text,
            *(path is not None for path in paths.values()),
            sum(entity.start is None for entity in row.entities),
            sum(bool(entity.regions) for entity in row.entities),
            sum(bool(entity.spans) for entity in row.entities),
            sum(bool(entity.track) for entity in row.entities),
            len(row.relations),
            len(row.events),
            sum(len(event.arguments) for event in row.events),
        )
        counts.update(dict(zip(QUIRKS, met, strict=True)))
    return Converted(tuple(rows.values()), dict(counts))

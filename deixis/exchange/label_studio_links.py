"""What the arrows of Label Studio tie together: entities, relations and events."""

import math
from collections.abc import Iterator
from typing import Any

from deixis.exchange import kept
from deixis.exchange.kept import list_of, placed
from deixis.exchange.label_studio_parts import Part, as_region, box_of, with_mask
from deixis.exchange.label_studio_terms import NOBODY, SAME, UNFILMED, UNHEARD, UNSEEN
from deixis.exchange.shapes import is_near

_TRIGGERS = {"trigger", "trigger-sound"}
_SHAPES = {"box", "mask", "polygon"}


class Links:
    """One annotation, as the entities, relations and events of a row."""

    def __init__(
        self,
        parts: dict[str, Part],
        results: list[Any],
        unseen: dict[str, Any],
        row: dict[str, Any],
        problems: list[str],
    ) -> None:
        self._parts, self._kept, self._row, self._problems = parts, unseen, row, problems
        self._arrows = [*self._all_arrows(results)]
        self._joined = {id_: id_ for id_, part in parts.items() if part.kind != "name"}
        self._masks: dict[str, str] = {}
        self._named: dict[str, list[str]] = {id_: [] for id_ in parts if id_ not in self._joined}
        for one, label, other in self._arrows:
            if label == SAME:
                self._join(parts[one], parts[other])

    def content(self) -> dict[str, Any]:
        """Return ``entities``, ``relations`` and ``events``."""
        groups: dict[str, list[Part]] = {}
        for id_ in self._joined:
            groups.setdefault(self._root(id_), []).append(self._parts[id_])
        found = [*self._found(groups)]
        found += [
            (place, [], thing) for place, thing in placed(self._kept.get("entities")) if thing
        ]
        found.sort(key=lambda each: each[0])
        owner: dict[str, int] = {}
        places: dict[float, int] = {}
        for index, (place, members, _) in enumerate(found):
            places.setdefault(place, index)
            for part in members:
                owner.setdefault(part.id, index)
        events = self._events(groups, owner, places)
        relations = [*self._relations(owner, places)]
        return {
            "entities": [entity for _, _, entity in found],
            **({"relations": relations} if relations else {}),
            **({"events": events} if events else {}),
        }

    def _all_arrows(self, results: list[Any]) -> Iterator[tuple[str, str, str]]:
        for result in results:
            if not isinstance(result, dict) or result.get("type") != "relation":
                continue
            one, other = str(result.get("from_id")), str(result.get("to_id"))
            labels = [each for each in list_of(result.get("labels")) if isinstance(each, str)]
            if one not in self._parts or other not in self._parts:
                self._problems.append(
                    f"left out an arrow from {one!r} to {other!r}: one is not there"
                )
                continue
            kinds = {self._parts[one].kind, self._parts[other].kind}
            if not labels and kinds == {"name"}:
                self._problems.append("left out an arrow between two names: it has no label")
            turned = result.get("direction") == "left"
            for label in labels or ([SAME] if kinds != {"name"} else []):
                yield (other, label, one) if turned else (one, label, other)
                if result.get("direction") == "bi" and label != SAME:
                    yield other, label, one

    def _root(self, id_: str) -> str:
        while self._joined[id_] != id_:
            id_ = self._joined[id_]
        return id_

    def _join(self, one: Part, other: Part) -> None:
        names = [part for part in (one, other) if part.kind == "name"]
        if len(names) == 2:
            said = f"{one.content['text']!r} and {other.content['text']!r}"
            self._problems.append(f"left out an arrow: {said} are two names, and stay two entities")
        elif names:
            rest = other if names[0] is one else one
            self._named[names[0].id].append(rest.id)
        else:
            self._joined[self._root(other.id)] = self._root(one.id)
            box, mask = (one, other) if one.kind == "box" else (other, one)
            if (box.kind, mask.kind) == ("box", "mask") and box.id not in self._masks.values():
                self._masks.setdefault(mask.id, box.id)

    def _found(
        self, groups: dict[str, list[Part]]
    ) -> Iterator[tuple[float, list[Part], dict[str, Any]]]:
        """Yield entities: a place to sort them by, their regions, and what a row says of them."""
        taken: set[str] = set()
        for id_, linked in self._named.items():
            roots = dict.fromkeys(map(self._root, linked))
            taken |= roots.keys()
            members = [self._parts[id_], *(part for root in roots for part in groups[root])]
            yield self._place(members, "place"), members, self._entity(members)
        for root, members in groups.items():
            if root not in taken and not any(part.kind in _TRIGGERS for part in members):
                yield self._place(members, "place"), members, self._entity(members)

    @staticmethod
    def _place(members: list[Part], key: str) -> float:
        given = (part.hidden.get(key) for part in members)
        return next((each for each in given if isinstance(each, int)), math.inf)

    def _entity(self, members: list[Part]) -> dict[str, Any]:
        hidden: dict[str, Any] = {}
        for part in reversed(members):
            hidden |= part.hidden
        flags = {flag for part in members for flag in part.flags}
        first = members[0]
        if first.kind == "name":
            made: dict[str, Any] = dict(first.content)
        else:
            made = {"text": next((p.name for p in members if p.name), first.label)}
        made["type"] = first.label
        if fine := next((part.fine for part in members if part.fine), None):
            made["fine_type"] = fine
        if isinstance(hidden.get("expression"), str):
            made["expression"] = hidden["expression"]
        regions = self._regions(members) + list_of(hidden.get("regions"))
        pictured = bool(self._row.get("image") or self._row.get("images"))
        looked = (pictured and NOBODY not in flags) or UNSEEN in flags
        made["regions"] = regions if regions or looked else None
        spans = [part.content["span"] for part in members if part.kind == "sound"]
        spans += list_of(hidden.get("spans"))
        if spans or UNHEARD in flags:
            made["spans"] = spans
        track = self._track(members, hidden)
        if track or UNFILMED in flags:
            made["track"] = track
        return made

    def _regions(self, members: list[Part]) -> list[dict[str, Any]]:
        outlined = {box: self._parts[mask] for mask, box in self._masks.items()}
        regions = []
        for part in members:
            if part.kind not in _SHAPES or part.id in self._masks:
                continue
            try:
                region = as_region(part.content)
                if part.id in outlined:
                    region = with_mask(region, outlined[part.id].content["dense"])
                regions.append(region)
            except ValueError as error:
                self._problems.append(f"left out the region {part.id!r}: {error}")
        return regions

    def _track(self, members: list[Part], hidden: dict[str, Any]) -> list[Any]:
        lanes = [part for part in members if part.kind == "track"]
        unseen = list_of(hidden.get("track"))
        empty = [each for each in list_of(hidden.get("frames")) if isinstance(each, int)]
        frames: dict[int, list[Any]] = {index: [] for index in empty}
        size = list_of(self._kept.get("video"))
        known = len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
        if lanes and not known:
            self._problems.append("left out a track: the size of the video is not in the task")
            lanes = []
        for lane in lanes:
            masks = lane.hidden.get("masks")
            for index, shape in lane.content["frames"].items():
                region: dict[str, Any] = {"box": box_of(shape, *size)}
                was = masks.get(str(index)) if isinstance(masks, dict) else None
                if isinstance(was, dict) and is_near(region["box"], was.get("box")):
                    region["mask"] = was.get("mask")
                frames.setdefault(index, []).append(region)
        return unseen + [{"frame": index, "regions": frames[index]} for index in sorted(frames)]

    def _relations(
        self, owner: dict[str, int], places: dict[float, int]
    ) -> Iterator[dict[str, Any]]:
        for one, label, other in self._arrows:
            if label != SAME and one in owner and other in owner:
                yield {"subject": owner[one], "type": label, "object": owner[other]}
        yield from kept.relations(self._kept.get("relations"), places)

    def _events(
        self, groups: dict[str, list[Part]], owner: dict[str, int], places: dict[float, int]
    ) -> list[dict[str, Any]]:
        events: list[tuple[float, dict[str, Any]]] = []
        for members in groups.values():
            members = [part for part in members if part.kind in _TRIGGERS]
            if not members:
                continue
            first = next((part for part in members if part.kind == "trigger"), members[0])
            ids = {part.id for part in members}
            placed = first.kind == "trigger"
            trigger: dict[str, Any] = (
                dict(first.content) if placed else {"text": first.name or first.label}
            )
            if spans := [part.content["span"] for part in members if part.kind != "trigger"]:
                trigger["spans"] = spans
            pairs = [
                (label, other) for one, label, other in self._arrows if one in ids and label != SAME
            ]
            pairs += [
                (label, one) for one, label, other in self._arrows if other in ids and label != SAME
            ]
            arguments = [
                {"role": label, "entity": owner[other]} for label, other in pairs if other in owner
            ]
            for part in members:
                arguments += kept.arguments(part.hidden.get("arguments"), places)
            made = {"type": first.label, "trigger": trigger, "arguments": arguments}
            events.append((self._place(members, "event"), made))
        events += kept.events(self._kept.get("events"), places)
        events.sort(key=lambda each: each[0])
        return [event for _, event in events]

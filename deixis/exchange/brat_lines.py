"""The lines of an ``.ann`` file: names, attributes, notes, relations and events."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.json_lines import parsed
from deixis.base.text_files import lines_of
from deixis.exchange import kept
from deixis.exchange.brat_names import FINE, NOTES, UNSEEN, Names

_NAME = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)", re.ASCII)
_RELATION = re.compile(r"(\S+) Arg1:(\S+) Arg2:(\S+)")


class _Name(NamedTuple):
    """A piece of the text: an entity, or the trigger of an event."""

    line: int
    kind: str
    start: int
    end: int


class Standoff:
    """What the annotations of one text say; lines that cannot be read are told and left out."""

    def __init__(self, path: Path, text: str, names: Names, problems: list[str]) -> None:
        self._path, self._text, self._label, self._problems = path, text, names, problems
        self._names: dict[str, _Name] = {}
        self._notes: dict[str, dict[str, Any]] = {}
        self._fine: dict[str, str] = {}
        self._unseen: set[str] = set()
        self._relations: list[tuple[int, str, str, str]] = []
        self._events: dict[str, tuple[int, str, list[str]]] = {}
        readers: dict[str, Callable[[int, str, list[str]], None]] = {
            "T": self._read_name,
            "A": self._read_attribute,
            "M": self._read_attribute,
            "#": self._read_note,
            "R": self._read_relation,
            "E": self._read_event,
        }
        for number, line in lines_of(path):
            mark, *rest = line.split("\t")
            try:
                reader = readers.get(mark[:1])
                if reader is None or not rest:
                    raise ValueError(f"lines of the kind {mark[:20]!r} are not read")
                reader(number, mark, rest)
            except ValueError as error:
                self._tell(number, str(error))

    def _tell(self, line: int, problem: str) -> None:
        self._problems.append(f"{self._path.name}:{line}: {problem}")

    def _read_name(self, line: int, mark: str, rest: list[str]) -> None:
        found = _NAME.fullmatch(rest[0])
        if found is None:
            raise ValueError("a name without a type, its start and its end")
        if mark in self._names:
            raise ValueError(f"{mark} stands twice")
        edges = [int(edge) for edge in re.findall(r"\d+", found[2])]
        start, end = edges[0], edges[-1]
        between = [self._text[a:b] for a, b in zip(edges[1:-1:2], edges[2::2], strict=True)]
        if any(gap.strip() or not gap for gap in between):
            raise ValueError("a name in several pieces is not read: a row has names of one")
        if edges != sorted(edges) or not start < end <= len(self._text):
            raise ValueError(f"{start}:{end} is no place in a text of {len(self._text)} characters")
        said = rest[1] if len(rest) > 1 else ""
        if "".join(said.split()) != "".join(self._text[start:end].split()):
            raise ValueError(f"{said[:80]!r} does not stand at {start}:{end} in the text")
        self._names[mark] = _Name(line, found[1], start, end)

    def _read_attribute(self, line: int, mark: str, rest: list[str]) -> None:
        name, target, *value = [*rest[0].split(" "), ""]
        if name == FINE and value[0]:
            self._fine[target] = self._label.label(value[0])
        elif name == UNSEEN:
            self._unseen.add(target)
        else:
            raise ValueError(f"the attribute {name[:40]!r} has no place in a row")

    def _read_note(self, line: int, mark: str, rest: list[str]) -> None:
        kind, _, target = rest[0].partition(" ")
        said = "\t".join(rest[1:])
        if kind != NOTES or not said.startswith("{"):
            return  # what people have written for each other
        note = parsed(said)
        if isinstance(note, dict):
            self._notes[target] = note

    def _read_relation(self, line: int, mark: str, rest: list[str]) -> None:
        found = _RELATION.fullmatch(rest[0].strip())
        if found is None:
            raise ValueError("a relation without a type, Arg1 and Arg2")
        self._relations.append((line, found[1], found[2], found[3]))

    def _read_event(self, line: int, mark: str, rest: list[str]) -> None:
        first, *arguments = rest[0].split()
        if not all(each.count(":") == 1 for each in (first, *arguments)):
            raise ValueError("an event without a trigger, or an argument without a role")
        self._events[mark] = (line, first, arguments)

    def content(self, rest: dict[str, Any]) -> dict[str, Any]:
        """Return ``entities``, ``relations`` and ``events``.

        Args:
            rest: what stands beside the text.
        """
        triggers = {first.partition(":")[2] for _, first, _ in self._events.values()}
        found: list[tuple[float, str, dict[str, Any]]] = [
            (self._place(mark), mark, self._entity(mark))
            for mark in self._names
            if mark not in triggers
        ]
        found += [(place, "", thing) for place, thing in kept.placed(rest.get("entities"))]
        found.sort(key=lambda each: each[0])
        owner = {mark: index for index, (_, mark, _) in enumerate(found) if mark}
        places: dict[float, int] = {}
        for index, (place, _, _) in enumerate(found):
            places.setdefault(place, index)
        relations = []
        for line, kind, one, other in self._relations:
            if one in owner and other in owner:
                label = self._label.label(kind)
                relations.append({"subject": owner[one], "type": label, "object": owner[other]})
            else:
                self._tell(line, "a relation between what are not two names of entities")
        relations += kept.relations(rest.get("relations"), places)
        events: list[tuple[float, dict[str, Any] | None]] = [
            (self._place(mark), self._event(mark, owner, places)) for mark in self._events
        ]
        events += kept.events(rest.get("events"), places)
        events.sort(key=lambda each: each[0])
        happened = [event for _, event in events if event is not None]
        made = {"relations": relations, "events": happened}
        entities = [entity for _, _, entity in found]
        return {"entities": entities} | {name: each for name, each in made.items() if each}

    def _place(self, mark: str) -> float:
        place = self._notes.get(mark, {}).get("place")
        return place if isinstance(place, int) else math.inf

    def _where(self, name: _Name, note: dict[str, Any]) -> dict[str, Any]:
        """Return where a name is: with the ends of lines about it, if it had them and stays."""
        start, end = name.start, name.end
        was, until = note.get("start"), note.get("end")
        if isinstance(was, int) and isinstance(until, int) and 0 <= was <= start < end <= until:
            outside = self._text[was:start] + self._text[end:until]
            if not outside.strip():
                start, end = was, min(until, len(self._text))
        return {"text": self._text[start:end], "start": start, "end": end}

    def _entity(self, mark: str) -> dict[str, Any]:
        name, note = self._names[mark], self._notes.get(mark, {})
        made: dict[str, Any] = self._where(name, note) | {"type": self._label.label(name.kind)}
        if mark in self._fine:
            made["fine_type"] = self._fine[mark]
        made["regions"] = note.get("regions") or ([] if mark in self._unseen else None)
        rest = ("expression", "spans", "track")
        return made | {each: note[each] for each in rest if each in note}

    def _event(
        self, mark: str, owner: dict[str, int], places: dict[float, int]
    ) -> dict[str, Any] | None:
        line, first, arguments = self._events[mark]
        kind, _, trigger = first.partition(":")
        if trigger not in self._names:
            self._tell(line, f"there is no name {trigger!r}")
            return None
        note = self._notes.get(mark, {})
        named: dict[str, Any] = self._where(self._names[trigger], note)
        if "spans" in note:
            named["spans"] = note["spans"]
        made = []
        for argument in arguments:
            role, _, target = argument.partition(":")
            if target in owner:
                made.append({"role": self._label.role(role), "entity": owner[target]})
            else:
                self._tell(line, f"the argument {argument[:80]!r} is no name of an entity")
        made += kept.arguments(note.get("arguments"), places)
        return {"type": self._label.label(kind), "trigger": named, "arguments": made}

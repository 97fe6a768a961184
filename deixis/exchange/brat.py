"""brat: a folder of texts with standoff annotations, ``.txt`` and ``.ann``.

brat knows text alone. Boxes, masks and all else that an entity has ride in a note on its name, as
JSON; what the text does not name stands beside, in ``.json``, which brat leaves as it is.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deixis.base.atomic import whole_file
from deixis.errors import InputError
from deixis.exchange.brat_names import FINE, NOTES, UNSEEN, Names, file_name
from deixis.exchange.brat_read import read
from deixis.exchange.items import Exporter, How, Importer, Item, Written
from deixis.exchange.labels import Labels, LeftOut
from deixis.formats.muie_rows import Event, MuieContent, MuieEntity, Trigger

_LINES = re.compile("[^\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
"""A piece of a name: brat has none that goes over the end of a line."""


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write a text, its annotations and the rest of each item, and the configuration.

    The files of the configuration are returned; documents are counted, for there may be many.

    Raises:
        InputError: the folder cannot be written, or has annotations already.
    """
    labels, left, names = Labels(how.schema), LeftOut(), Names()
    counts = {"documents": 0, "names": 0, "relations": 0, "events": 0}
    try:
        if out.is_dir() and next(out.glob("*.ann"), None):
            raise InputError(f"{out} has annotations already; name another folder")
        with _draft_of(out) as draft:
            for number, item in enumerate(items, start=1):
                labels.add(item)
                document = _Document(item.row, names)
                lines = [*document.lines()]
                name = file_name(number, item.id)
                _put(draft / f"{name}.txt", item.row.text)
                _put(draft / f"{name}.ann", "".join(f"{line}\n" for line in lines))
                _put(draft / f"{name}.json", json.dumps(document.rest) + "\n")
                counts["documents"] += 1
                for what, letter in (("names", "T"), ("relations", "R"), ("events", "E")):
                    counts[what] += sum(line.startswith(letter) for line in lines)
                for what in ("entities", "relations", "events"):
                    if document.rest.get(what):
                        left.add(
                            f"{what} that are not in the text: kept beside, and not shown", item.id
                        )
            config = names.config(labels.types(), labels.relations(), labels.events())
            _put(draft / "annotation.conf", config)
            _put(draft / "visual.conf", names.visual())
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error.strerror}") from None
    configs = [out / "annotation.conf", out / "visual.conf"]
    return Written(configs, counts, left.lines())


@contextmanager
def _draft_of(folder: Path) -> Iterator[Path]:
    """Yield a folder inside another, whose files are moved there when all are written."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".deixis-", dir=os.path.realpath(folder)) as draft:
        yield Path(draft)
        for file in os.scandir(draft):
            os.replace(file.path, folder / file.name)


def _put(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text.encode())


class _Document:
    """One row, as lines of annotations.

    Attributes:
        rest: what no line says, for the text does not name it.
    """

    def __init__(self, row: MuieContent, names: Names) -> None:
        self._row, self._names = row, names
        self._marks: dict[int, str] = {}
        self._numbers = dict.fromkeys("TRE#A", 0)
        about = row.model_dump(
            mode="json", exclude_none=True, exclude={"text", "entities", "relations", "events"}
        )
        self.rest: dict[str, Any] = {"row": about}

    def lines(self) -> Iterator[str]:
        """Yield the lines: names, events, relations; each followed by what is said of it."""
        for place, entity in enumerate(self._row.entities):
            yield from self._entity(place, entity)
        for place, event in enumerate(self._row.events):
            yield from self._event(place, event)
        for each in self._row.relations:
            one, other = self._marks.get(each.subject), self._marks.get(each.object)
            if one and other:
                kind = self._names.of(each.type)
                yield f"{self._next('R')}\t{kind} Arg1:{one} Arg2:{other}"
            else:
                self._keep("relations", [each.subject, each.type, each.object])

    def _next(self, letter: str) -> str:
        self._numbers[letter] += 1
        return f"{letter}{self._numbers[letter]}"

    def _keep(self, what: str, thing: Any) -> None:
        self.rest.setdefault(what, []).append(thing)

    def _name(self, thing: MuieEntity | Trigger, kind: str) -> tuple[str, str] | None:
        """Return the id and the line of a name; None if it is not in the text."""
        text = self._row.text
        if thing.start is None or text[thing.start : thing.end] != thing.text:
            return None
        pieces = [*_LINES.finditer(text, thing.start, thing.end or 0)]
        if not any(piece.group().strip() for piece in pieces):
            return None
        mark = self._next("T")
        where = ";".join(f"{piece.start()} {piece.end()}" for piece in pieces)
        shown = " ".join(piece.group().replace("\t", " ") for piece in pieces)
        # What is cut off at the ends is told by the note.
        return mark, f"{mark}\t{self._names.of(kind)} {where}\t{shown}"

    def _note(self, mark: str, said: dict[str, Any]) -> str:
        return f"{self._next('#')}\t{NOTES} {mark}\t{json.dumps(said)}"

    def _entity(self, place: int, entity: MuieEntity) -> Iterator[str]:
        named = self._name(entity, entity.type)
        plain = entity.model_dump(mode="json", exclude_none=True)
        if named is None:
            self._keep("entities", [place, plain])
            return
        mark, line = named
        self._marks[place] = mark
        yield line
        if entity.fine_type is not None:
            yield f"{self._next('A')}\t{FINE} {mark} {self._names.of(entity.fine_type)}"
        if entity.regions == ():
            yield f"{self._next('A')}\t{UNSEEN} {mark}"
        said = {name: each for name, each in plain.items() if name not in {"type", "fine_type"}}
        if not said.get("regions"):
            said.pop("regions", None)
        yield self._note(mark, {"place": place} | said)

    def _event(self, place: int, event: Event) -> Iterator[str]:
        named = self._name(event.trigger, event.type) if event.trigger else None
        if named is None or event.trigger is None:
            self._keep("events", [place, event.model_dump(mode="json", exclude_none=True)])
            return
        mark, line = named
        yield line
        parts, rest = [], []
        used: dict[str, int] = {}
        for part in event.arguments:
            if part.entity not in self._marks:
                rest.append([part.role, part.entity])
                continue
            role = self._names.of(part.role)
            used[role] = used.get(role, 0) + 1
            number = str(used[role]) if used[role] > 1 else ""
            parts.append(f" {role}{number}:{self._marks[part.entity]}")
        happened = self._next("E")
        yield f"{happened}\t{self._names.of(event.type)}:{mark}{''.join(parts)}"
        said = event.trigger.model_dump(mode="json", exclude_none=True)
        yield self._note(happened, {"place": place} | said | ({"arguments": rest} if rest else {}))


EXPORTER = Exporter(
    "brat",
    "a folder of texts with standoff annotations of brat",
    write,
    folder=True,
    options=("schema",),
)
IMPORTER = Importer("brat", "a folder of texts with standoff annotations of brat", read, ("rows",))

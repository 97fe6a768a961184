"""Names as brat takes them: letters, digits, ``-`` and ``_`` alone."""

import json
import re
from collections.abc import Iterable
from typing import Any

from deixis.base.json_lines import parsed

FINE, UNSEEN, NOTES = "FineType", "NotInThePictures", "AnnotatorNotes"
_MARK = "# deixis: "
_LONGEST = 80


def file_name(number: int, id_: str) -> str:
    """Return the name of a document: safe on every system, unique, and in the order of rows."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", id_)[:_LONGEST].strip("_")
    return f"{number:07d}-{safe}" if safe else f"{number:07d}"


class Names:
    """Labels of any kind, each with the name that brat knows it by."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._labels = dict(known or {})

    def of(self, label: str) -> str:
        """Return the name of a label, the same each time, and no other's."""
        if label not in self._names:
            safe = re.sub(r"[^A-Za-z0-9_-]", "_", label)[:_LONGEST]
            # A digit at the end would be taken for the number of an argument.
            if not safe[:1].isalpha() or safe[-1].isdigit() or safe in {FINE, UNSEEN}:
                safe = f"x_{safe}_"
            name, number = safe, 0
            while name in self._labels:
                number += 1
                name = f"{safe}_{number}_"
            self._names[label], self._labels[name] = name, label
        return self._names[label]

    def label(self, name: str) -> str:
        """Return the label of a name: the name itself, if it is of somebody else."""
        return self._labels.get(name, name)

    def role(self, name: str) -> str:
        """Return the role of an argument, which brat numbers where there are several of it."""
        return self.label(name if name in self._labels else name.rstrip("0123456789") or name)

    def config(
        self,
        types: dict[str, list[str]],
        relations: Iterable[str],
        events: dict[str, list[str]],
    ) -> str:
        """Return ``annotation.conf``."""
        lines = ["[entities]", *map(self.of, types), "", "[relations]"]
        lines += [f"{self.of(name)}\tArg1:<ENTITY>, Arg2:<ENTITY>" for name in relations]
        lines += ["", "[events]"]
        for name, roles in events.items():
            lines.append(
                "\t".join([self.of(name), ", ".join(f"{self.of(r)}*:<ENTITY>" for r in roles)])
            )
        fine = dict.fromkeys(self.of(each) for several in types.values() for each in several)
        lines += ["", "[attributes]", f"{UNSEEN}\tArg:<ENTITY>"]
        if fine:
            lines.append(f"{FINE}\tArg:<ENTITY>, Value:{'|'.join(fine)}")
        return "\n".join([_MARK + json.dumps(self._labels), *lines, ""])

    def visual(self) -> str:
        """Return ``visual.conf``, in which labels are as they were."""
        shown = (
            (name, re.sub(r"[|\s]+", " ", label).strip()) for name, label in self._labels.items()
        )
        return "\n".join(
            [
                "[labels]",
                *(f"{name} | {label}" for name, label in shown if label),
                "",
                "[drawing]",
                "SPAN_DEFAULT\tfgColor:black, bgColor:lightgreen, borderColor:darken",
                "ARC_DEFAULT\tcolor:black, arrowHead:triangle-5",
                "",
            ]
        )


def names_in(config: str) -> Names:
    """Return the labels that were written into an ``annotation.conf``; none of another's."""
    first = config.partition("\n")[0]
    known: Any = None
    if first.startswith(_MARK):
        try:
            known = parsed(first.removeprefix(_MARK))
        except ValueError:
            known = None
    known = known if isinstance(known, dict) else {}
    return Names({name: label for name, label in known.items() if isinstance(label, str)})

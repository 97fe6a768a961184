"""Find the line of a value in JSON text, which the standard parser forgets."""

import json
from collections.abc import Sequence
from json import decoder, scanner
from typing import Any


class _Object(dict[str, Any]):
    """An object that knows at which character of the text it starts."""

    start = 0


class _Decoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__()
        self.parse_object = self._object
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _object(self, state: tuple[str, int], *rest: Any) -> tuple[_Object, int]:
        value, end = decoder.JSONObject(state, *rest)  # type: ignore[attr-defined]
        located = _Object(value)
        located.start = state[1]
        return located, end


def line_of(text: str, place: Sequence[int | str]) -> int:
    """Return the line, from 1, of the innermost object on the way to a value.

    Args:
        text: JSON that parses.
        place: keys and indices from the outermost value on; it may lead to nothing.
    """
    value: Any = _Decoder().decode(text)
    start = 0
    for step in (*place, None):
        if isinstance(value, _Object):
            start = value.start
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
    return text.count("\n", 0, start) + 1

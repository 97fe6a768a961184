"""Tools that give what they were given, in the place of detectors, readers and the like."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from deixis.tools import registry
from deixis.tools.base import Detection, Picture, Word

_ROLES = ("detector", "reader", "segmenter", "entailer", "embedder", "recognizer")
_playing: dict[str, Any] = {}


class Given:
    """A detector and reader that finds the same in every picture.

    It takes any phrase, and finds what is called like it.
    """

    labels: tuple[str, ...] | None = None

    def __init__(self, results: Sequence[Detection | Word]) -> None:
        self._results = results

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        """Return the detections whose label is one of the phrases."""
        return [
            result
            for result in self._results
            if isinstance(result, Detection) and result.label in phrases
        ]

    def read(self, picture: Picture) -> list[Word]:
        """Return the words."""
        return [result for result in self._results if isinstance(result, Word)]


@contextmanager
def tools(**named: Any) -> Iterator[None]:
    """Put tools of these names into the registry within a block.

    ``with tools(eyes=[Detection("person", (10, 20, 200, 300), 0.9)]):`` lets a role of a stack
    be ``eyes``. Blocks can be nested.

    Args:
        named: a list of `deixis.tools.base.Detection` (for a detector) or of
            `deixis.tools.base.Word` (for a reader), or any object with the methods of a tool:
            see the protocols in `deixis.tools.base`.
    """
    before = {name: (registry.TOOLS.get(name), _playing.get(name)) for name in named}
    for name, tool in named.items():
        _playing[name] = Given(tool) if isinstance(tool, list) else tool
        registry.TOOLS[name] = registry.Tool(
            f"{__name__}:play_{name}", _ROLES[0], "", {}, _ROLES[1:]
        )
    try:
        yield
    finally:
        for name, (entry, tool) in before.items():
            _playing[name] = tool
            if entry is None:
                del registry.TOOLS[name]
            else:
                registry.TOOLS[name] = entry


class _Current:
    """Whatever plays under a name now: the registry keeps what it has loaded for ever."""

    def __init__(self, name: str, _argument: str = "") -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "name":
            return getattr(_playing[self._name], "name", self._name)
        return getattr(_playing[self._name], attribute)


def __getattr__(name: str) -> Callable[..., Any]:
    """Return what the registry is to make for ``play_NAME``."""
    if name.removeprefix("play_") in _playing:
        return partial(_Current, name.removeprefix("play_"))
    raise AttributeError(name)

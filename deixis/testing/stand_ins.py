"""Tools that give what they were given, in the place of detectors, readers and the like."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from deixis.testing.blocks import Blocks
from deixis.tools import registry
from deixis.tools.base import Detection, Picture, Word

_ROLES = (
    *("detector", "reader", "segmenter", "entailer", "second_entailer", "embedder", "recognizer"),
    *("transcriber", "speech_segmenter", "tracker"),
)
_METHODS = (
    *("detect", "read", "segment", "entail", "shown", "embed", "recognize", "track"),
    "transcribe",
)
_blocks = Blocks(registry.TOOLS)
_PLAY = "play_"


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
    be ``eyes``. Blocks can be nested and can overlap; of each name, the block that was opened
    last counts, for all threads.

    Args:
        named: a sequence of `deixis.tools.base.Detection` (for a detector) or of
            `deixis.tools.base.Word` (for a reader), or any object with the methods of a tool:
            see the protocols in `deixis.tools.base`.

    Raises:
        TypeError: what is given is neither.
    """
    given = {name: _tool(name, tool) for name, tool in named.items()}
    with ExitStack() as blocks:
        for name, tool in given.items():
            entry = registry.Tool(f"{__name__}:{_PLAY}{name}", _ROLES[0], "", {}, _ROLES[1:])
            blocks.enter_context(_blocks.playing(name, entry, tool))
        yield


def _tool(name: str, given: Any) -> Any:
    results = isinstance(given, Sequence) and not isinstance(given, (Detection, Word))
    if results and all(isinstance(result, (Detection, Word)) for result in given):
        return Given(given)
    if not isinstance(given, type) and any(hasattr(given, method) for method in _METHODS):
        return given
    raise TypeError(
        f"tools({name}=...) takes a sequence of Detection or of Word, or an object with a method "
        f"of a tool ({', '.join(_METHODS)}), not {given!r}"
    )


class _Current:
    """Whatever plays under a name now: the registry keeps what it has loaded for ever."""

    def __init__(self, name: str, _argument: str = "") -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        tool = _blocks.now(self._name)
        if tool is None:
            raise RuntimeError(f"the tool {self._name!r} was used outside of `with tools(...)`")
        if attribute == "name":
            return getattr(tool, "name", self._name)
        return getattr(tool, attribute)


def __getattr__(name: str) -> Callable[..., Any]:
    """Return what the registry is to make for ``play_NAME``."""
    if name.startswith(_PLAY):
        return partial(_Current, name.removeprefix(_PLAY))
    raise AttributeError(name)

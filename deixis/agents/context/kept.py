"""Media in hand: decoded in this process only, never in the graph's state."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from deixis.agents.context.given import released
from deixis.base.forks import Lock
from deixis.base.images import UNNAMED
from deixis.base.urls import HIDDEN
from deixis.errors import InputError


class Opened(Protocol):
    """Something opened: what its content is known by, and where it is from."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        ...

    @property
    def source(self) -> str:
        """Path, URL without credentials, or the form in which it was given."""
        ...


Thing = TypeVar("Thing", bound=Opened)


class Shelf(Generic[Thing]):
    """What of one medium was opened, for the nodes still to come; the oldest goes first.

    Args:
        what: the medium, for messages.
        size: of one, in bytes.
        most: bytes kept in all; the last one stays however large it is.
    """

    def __init__(self, what: str, size: Callable[[Thing], int], most: int) -> None:
        self.kept: OrderedDict[str, Thing] = OrderedDict()
        self._what, self._size, self._most = what, size, most
        self._lock = Lock()

    def take_in(self, given: Any, open_: Callable[[Any], Thing]) -> Thing:
        """Open something and keep it.

        Raises:
            InputError: it cannot be used.
        """
        opened = open_(released(given))
        with self._lock:
            self.kept[opened.sha256] = opened
            self.kept.move_to_end(opened.sha256)
            while len(self.kept) > 1 and sum(map(self._size, self.kept.values())) > self._most:
                self.kept.popitem(last=False)
        return opened

    def take_again(self, record: Mapping[str, Any], open_: Callable[[Any], Thing]) -> Thing:
        """Open what an earlier result has a record of.

        Raises:
            InputError: it cannot be opened again, or is another one by now.
        """
        source = record["source"]
        kept = self.find(record["sha256"]) if source in UNNAMED else None
        if kept is not None:
            return kept
        self._check_source(source)
        opened = self.take_in(source, open_)
        if opened.sha256 != record["sha256"]:
            raise InputError(f"the {self._what} {source!r} has changed since; give it anew")
        return opened

    def of(self, record: Mapping[str, Any], given: Any, open_: Callable[[Any], Thing]) -> Thing:
        """Return what was opened before, opening it again when it is gone.

        Args:
            record: its record in the state.
            given: what the user gave; None on a thread resumed elsewhere.
            open_: opens it.

        Raises:
            InputError: it cannot be opened again, or has changed since.
        """
        kept = self.find(record["sha256"])
        if kept is not None:
            return kept
        again = given if given is not None and not isinstance(given, dict) else record["source"]
        if again is record["source"]:
            self._check_source(again)
        opened = self.take_in(again, open_)
        if opened.sha256 != record["sha256"]:
            raise InputError(f"the {self._what} {record['source']} changed while it was looked at")
        return opened

    def find(self, sha256: str) -> Thing | None:
        """Return what is kept under a hash, or None."""
        with self._lock:
            return self.kept.get(sha256)

    def _check_source(self, source: str) -> None:
        """Raise `InputError` where nothing can be opened by the source of a record."""
        if source in UNNAMED:
            how = f"as {source}"
        elif HIDDEN in source and "://" in source:
            how = f"with credentials, {source}"
        else:
            return
        raise InputError(
            f"the {self._what} was given {how}, which no checkpoint keeps, and is gone from "
            "memory; invoke the graph with it again"
        )

"""Questions of samples that run at once, asked in one call.

Whoever comes first with a question waits a moment for others like it, asks for all, and
hands out the answers.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from deixis.base.forks import Lock, in_child

Part = TypeVar("Part")
Answer = TypeVar("Answer")

WAIT = 0.2
"""Seconds that the first waits for others; nothing beside a call to a language model."""


class _Group:
    """The parts collected, and what came back for each."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.answers: Sequence[Any] = ()
        self.error: BaseException | None = None
        self.full = threading.Event()
        self.done = threading.Event()


class Together:
    """Collects questions in groups of at most `most`; with 1, every question goes alone."""

    def __init__(self, most: int, wait: float = WAIT) -> None:
        self.most = most
        self._wait = wait
        self._guard = Lock()
        self._open: dict[Hashable, _Group] = {}
        in_child(self, Together._forget)

    def _forget(self) -> None:
        """Drop the groups that threads of the parent process wait for."""
        self._open.clear()

    def ask(
        self, kind: Hashable, part: Part, ask_all: Callable[[list[Part]], Sequence[Answer]]
    ) -> Answer:
        """Return the answer to one part of a question that may be asked with others.

        Args:
            kind: questions of one kind may be asked together.
            part: this one's share.
            ask_all: asks for several parts, called once per group; returns one answer per part.

        Raises:
            Whatever `ask_all` raises, to all who were in the group.
        """
        with self._guard:
            group = self._open.get(kind)
            first = group is None
            if group is None:
                group = self._open[kind] = _Group()
            place = len(group.parts)
            group.parts.append(part)
            if len(group.parts) >= self.most:
                del self._open[kind]
                group.full.set()
        if not first:
            group.done.wait()
            if group.error is not None:
                raise group.error
        else:
            try:
                self._collect(kind, group)
                group.answers = ask_all(group.parts)
            except BaseException as error:
                group.error = error
                raise
            finally:
                group.done.set()
        answer: Answer = group.answers[place]
        return answer

    def _collect(self, kind: Hashable, group: _Group) -> None:
        """Wait until the group is full or has waited long enough, and let nobody in any more."""
        try:
            group.full.wait(self._wait)
        finally:  # also when interrupted: who joined then would wait for ever
            with self._guard:
                if self._open.get(kind) is group:
                    del self._open[kind]

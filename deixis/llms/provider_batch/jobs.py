"""Jobs of a run: handed in, looked after until they are over, and taken in."""

import math
import time
from collections.abc import Callable
from importlib import import_module
from threading import Event
from typing import Any

from deixis.errors import DeixisError, InputError
from deixis.llms import registry
from deixis.llms.provider_batch.endpoints import Endpoint
from deixis.llms.provider_batch.mailbox import Mailbox
from deixis.llms.provider_batch.records import Job, Kind
from deixis.llms.servers import faults
from deixis.settings import Spec

FIRST_PAUSE, LONGEST_PAUSE = 15.0, 300.0
"""Seconds between two looks at the jobs: they double as long as nothing changes."""
_ENDPOINTS = {
    "openai": "deixis.llms.provider_batch.openai:OpenAIBatches",
    "anthropic": "deixis.llms.provider_batch.anthropic:AnthropicBatches",
    "google_genai": "deixis.llms.provider_batch.google:GeminiBatches",
}


class Clock:
    """Tells the time, and waits; tests have another."""

    def now(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def wait(self, seconds: float, stopped: Event) -> None:
        """Wait, unless something is set meanwhile."""
        stopped.wait(seconds)


class Jobs:
    """Hands in what a mailbox needs, and brings what comes of it.

    Attributes:
        trouble: what the provider said last instead of an answer; "" when it answers.

    Args:
        mailbox: of the run.
        whole: returns a spec with the credentials that the mailbox does not have.
        clock: tells the time.
    """

    def __init__(self, mailbox: Mailbox, whole: Callable[[str], str], clock: Clock) -> None:
        self._mailbox = mailbox
        self._whole = whole
        self._clock = clock
        self._known: dict[str, Endpoint] = {}
        self._full: dict[Kind, int] = {}  # how many requests the next job may have
        self.trouble = ""
        self.stopped = Event()

    def settle(self, until: float = math.inf, tell: Callable[[], None] = lambda: None) -> bool:
        """Hand in all that is needed, and wait until all of it is answered.

        Args:
            until: waits no longer, in seconds since 1970.
            tell: is called after every look.

        Returns:
            Whether all is answered; else the time is over, or `stopped` was set.

        Raises:
            InputError: the provider refuses the jobs, or the mailbox cannot be used.
            SettingsError, MissingExtraError, MissingKeyError: as `registry.load`.
        """
        pause = FIRST_PAUSE
        for job in self._mailbox.jobs():
            if not job.remote:
                self._adopt(job)
        while not self.stopped.is_set():
            self.trouble = ""
            changed = self._hand_in()
            changed |= sum(map(self._look, self._mailbox.jobs())) > 0
            tell()
            if not self._mailbox.needed() and not self._mailbox.in_jobs():
                self._mailbox.written = 0
                return True
            pause = FIRST_PAUSE if changed else min(2 * pause, LONGEST_PAUSE)
            left = until - self._clock.now()
            if left <= 0:
                return False
            self._clock.wait(min(pause, left), self.stopped)
        return False

    def _hand_in(self) -> bool:
        """Hand in what is needed; return whether anything was."""
        handed = False
        for kind in self._mailbox.kinds():
            while not self.stopped.is_set() and self._hand_in_one(kind):
                handed = True
        return handed

    def _hand_in_one(self, kind: Kind) -> bool:
        """Hand in one job; return whether there may be room for another."""
        if kind in self._full and any(job.kind == kind for job in self._mailbox.jobs()):
            return False
        endpoint = self._endpoint(kind.spec)
        requests, size = endpoint.most
        most = (self._full.get(kind, requests), size)

        def line(key: str, body: bytes) -> bytes:
            return endpoint.line(kind, key, body)

        packed = self._mailbox.pack(kind, line, most, self._clock.now())
        if packed is None:
            return False
        job, file = packed
        remote = self._asked(lambda: endpoint.submit(job, file), kind.spec)
        file.unlink(missing_ok=True)
        if remote is None:
            self._adopt(job)  # it may have come through all the same
            return False
        self._mailbox.posted(job, remote)
        return True

    def _adopt(self, job: Job) -> None:
        """Find a job that was perhaps handed in; if it was not, its requests are needed again."""
        known = {other.remote for other in self._mailbox.jobs()}
        endpoint = self._endpoint(job.kind.spec)
        remote = self._asked(lambda: endpoint.find(job, known), job.kind.spec)
        if remote:
            self._mailbox.posted(job, remote)
        elif remote is not None:
            self._mailbox.put_back(job)

    def _look(self, job: Job) -> bool:
        """Take a job in if it is over; return whether it was."""
        if not job.remote:
            self._adopt(job)
            return False
        endpoint = self._endpoint(job.kind.spec)
        try:
            state = endpoint.state(job.remote)
            if not state.over:
                return False
            if state.full:
                self._full[job.kind] = max(1, job.requests // 2)
                self._mailbox.put_back(job)
                self.trouble = state.why
                return False
            self._mailbox.take_in(job, endpoint.outcomes(job.remote), state.why)
        except Exception as error:
            if faults.status_code(error) == 404:  # it is gone, and its answers with it
                self._mailbox.take_in(job, (), faults.one_line(error))
                return True
            self._pass_over(error, job.kind.spec)
            return False
        try:
            endpoint.forget(job.remote)
        except Exception as error:
            if faults.is_bug(error):
                raise
        return True

    def _asked(self, ask: Callable[[], str], spec: str) -> str | None:
        """Return what a provider answers, None if it may do so later."""
        try:
            return ask()
        except Exception as error:
            self._pass_over(error, spec)
            return None

    def _pass_over(self, error: Exception, spec: str) -> None:
        """Take a fault for one that passes.

        Raises:
            InputError: it is none.
        """
        if isinstance(error, DeixisError) or faults.is_bug(error):
            raise error
        self.trouble = faults.one_line(error)
        if not _passes(error):
            raise InputError(
                f"{spec}: its batches are refused: {self.trouble}; mend that and run the same line "
                "again: what was asked and answered is kept"
            ) from None

    def _endpoint(self, spec: str) -> Endpoint:
        if spec not in self._known:
            module, _, name = _ENDPOINTS[Spec.parse(spec).provider].partition(":")
            made: Any = getattr(import_module(module), name)
            self._known[spec] = made(registry.load(self._whole(spec)))
        return self._known[spec]


def _passes(error: BaseException | None) -> bool:
    """Whether an error, or one that it was made of, is transient: SDKs wrap that of HTTP."""
    if not isinstance(error, Exception):
        return False
    return faults.is_transient(error) or _passes(error.__cause__)

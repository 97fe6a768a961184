"""Rows by batches of the providers: run until they need answers, which come hours later, in rounds.

In each round every row that is not finished is run from its beginning, by the answers that have
come; what it asks besides goes into the mailbox, and with that of all other rows into batches. So
there are as many rounds as a row has questions that depend on one another, however many rows there
are. The mailbox lies beside the results, and goes when all is done.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deixis.agents.context.toolbox import Toolbox
from deixis.batch.output import beside
from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.llms.provider_batch.jobs import Clock, Jobs
from deixis.llms.provider_batch.mailbox import Mailbox
from deixis.llms.provider_batch.post import Post
from deixis.llms.servers.redaction import shown

FOLDER = ".batches"
_HOUR = 3600.0


@dataclass(frozen=True)
class ProviderBatch:
    """How a run is asked by batches.

    ``wait``: hours that answers are waited for in all; None is for as long as it takes.
    ``stragglers``: so many rows at most, the last, are asked online when all others are done.
    ``clock``: tells the time.
    """

    wait: float | None = None
    stragglers: int = 0
    clock: Clock = field(default_factory=Clock)


class Rounds:
    """The rounds of one run.

    Args:
        how: it is asked.
        toolbox: of the run, which `check` has passed.
        out: where its results go.
        settings: hash of what determines them.

    Raises:
        SettingsError: what is in the mailbox was asked with other settings.
        InputError: it cannot be used.
    """

    def __init__(self, how: ProviderBatch, toolbox: Toolbox, out: Path, settings: str) -> None:
        self._how = how
        self._asker = toolbox.asker
        self.mailbox = Mailbox(beside(out, FOLDER), settings)
        self.jobs = Jobs(self.mailbox, _whole_specs(toolbox), how.clock)
        self._post = Post(self.mailbox, self._asker.spending)
        self._asker.post = self._post

    @property
    def full(self) -> bool:
        """Whether the batches of this round should be handed in before more rows are run."""
        return self._post.full

    def run(
        self, run_rows: Callable[[], int], left: Callable[[], int], tell: Callable[[], None]
    ) -> str:
        """Run rows until all are finished, or there is a reason to stop.

        Args:
            run_rows: runs what is not finished; returns how many rows wait.
            left: says how many rows are not finished.
            tell: is called whenever the jobs were looked at.

        Returns:
            ``budget``, ``waiting`` if the time is over, or "".

        Raises:
            InputError, SettingsError, MissingExtraError, MissingKeyError: as `Jobs.settle`.
        """
        wait = self._how.wait
        until = math.inf if wait is None else self._how.clock.now() + wait * _HOUR
        while self.jobs.settle(until, tell):
            waiting = run_rows()
            if self.jobs.stopped.is_set() or not waiting:
                return ""
            if self.mailbox.needed():
                if left() > self._how.stragglers:
                    continue
                self._post.online = True
                run_rows()
                return ""
            return "budget"
        return "" if self.jobs.stopped.is_set() else "waiting"

    def close(self, *, done: bool) -> None:
        """Let go of the mailbox; remove it when all is done."""
        self._asker.post = None
        if done:
            self.mailbox.remove()
        else:
            self.mailbox.close()


def check(toolbox: Toolbox) -> None:
    """Check that batches would be asked.

    Raises:
        SettingsError: they would not.
    """
    options = toolbox.settings.options
    if options.cache == "replay":
        raise SettingsError("the cache is only replayed: no batch is asked")
    if options.posts_per_call > 1:
        raise SettingsError(
            "questions of posts that happen to run at once cannot go into batches; set "
            "options.posts_per_call to 1"
        )
    asked = [seat.spec for seat in toolbox.cast.seats() if not (seat.is_tool or seat.idle)]
    if not any(map(registry.batches, asked)):
        named = ", ".join(dict.fromkeys(asked)) or "no language model"
        raise SettingsError(
            f"no model of the stack takes batches ({named}); OpenAI, Anthropic and Gemini do, and "
            "a server that speaks their protocol if its spec says ?batch=true"
        )


def _whole_specs(toolbox: Toolbox) -> Callable[[str], str]:
    """Return what gives a spec of the mailbox its credentials back."""
    whole = {
        registry.whole_spec(seat.spec): toolbox.asker.whole(seat.spec)
        for seat in toolbox.cast.seats()
        if not seat.is_tool
    }
    whole = {shown(spec): given for spec, given in whole.items()}
    return lambda spec: whole[spec]

"""What stands between the models of a run and their servers: answers that have come, or a note."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TypeVar

from pydantic import BaseModel

from deixis.errors import ModelCallError
from deixis.llms import registry
from deixis.llms.answers.reading import read
from deixis.llms.cache.records import Request, identify
from deixis.llms.limits import Spending
from deixis.llms.provider_batch.mailbox import MOST_BYTES, Mailbox
from deixis.llms.provider_batch.records import Kind
from deixis.llms.servers.awaited import SLIP, Asked, Awaited, Kept
from deixis.llms.structured import Call, Reply
from deixis.settings import Budget

Answer = TypeVar("Answer", bound=BaseModel)


class Post:
    """Hands the requests of a run to its mailbox; may be shared by threads.

    Attributes:
        online: whether what has not come yet is asked at once, at the full price.
        spent: why nothing more was written down; "" as long as the budget lasts.

    Args:
        mailbox: where the requests lie.
        spending: what each is counted against, once.
    """

    def __init__(self, mailbox: Mailbox, spending: Spending) -> None:
        self.mailbox = mailbox
        self.spending = spending
        self.online = False
        self.spent = ""

    @property
    def full(self) -> bool:
        """Whether so much is written down that it should be handed in first."""
        return self.mailbox.written >= MOST_BYTES

    def takes(self, spec: str) -> bool:
        """Say whether a model is asked by batches."""
        return registry.batches(spec)

    def ask(
        self, spec: str, sample: int, ask: Callable[[Spending], Reply[Answer]]
    ) -> Reply[Answer]:
        """Return a reply whose requests are all answered.

        Args:
            spec: the model, without credentials.
            sample: which of several answers to one question is wanted.
            ask: asks the model, and counts against what it is given.

        Raises:
            Awaited: an answer is still to come.
        """
        slip = _Slip(self, spec, sample)
        with _given(slip):
            reply = ask(_Counted(slip))
        batched = slip.batched
        if len(batched) != len(reply.calls):  # some came to no request
            batched = [bool(batched) and all(batched)] * len(reply.calls)
        marked = zip(reply.calls, batched, strict=True)
        return reply._replace(calls=tuple(call._replace(batched=own) for call, own in marked))

    def at_once(
        self, request: Request, answer: type[Answer], ask: Callable[[], Reply[Answer]]
    ) -> Reply[Answer]:
        """Return the reply of a model that takes no batches; it is asked in one round alone.

        Args:
            request: the question.
            answer: the object asked for.
            ask: asks it.
        """
        key, _ = identify(request)
        if (kept := self.mailbox.asked_at_once(key)) is not None:
            calls = tuple(Call(**call) for call in json.loads(kept))
            return Reply(read(calls[-1].text, answer), "ok", "", calls)
        reply = ask()
        if reply.value is not None:
            self.mailbox.keep_at_once(key, json.dumps([call._asdict() for call in reply.calls]))
        return reply


class _Slip:
    """What one question asks. ``batched``: of each request, whether a batch has answered it."""

    def __init__(self, post: Post, spec: str, sample: int) -> None:
        self.post, self.spec, self.sample = post, spec, sample
        self.batched: list[bool] = []
        self.counts = True

    def reply(self, asked: Asked) -> Kept | None:
        """Return what has come for a request, or write it down."""
        mailbox = self.post.mailbox
        kind = Kind(self.spec, asked.path, asked.betas)
        key = sha256("\n".join([*kind, str(self.sample), ""]).encode() + asked.body).hexdigest()
        entry = mailbox.find(key)
        if entry is not None and entry.status is not None:
            self.counts = mailbox.first_read(key)
            self.batched.append(True)
            if not entry.status:
                raise ModelCallError("failed", entry.reply.decode("utf-8", "replace"))
            return Kept(entry.status, entry.reply)
        if entry is None and (spent := self.post.spending.begin()):
            self.post.spent = spent
            raise Awaited(spent)
        if self.post.online:
            mailbox.drop(key)
            self.counts = True
            self.batched.append(False)
            return None
        if entry is None:
            mailbox.need(key, kind, asked.body)
        raise Awaited("the answer is to come from a batch")


class _Counted(Spending):
    """Counts tokens when an answer is read first; requests were counted as they were noted."""

    def __init__(self, slip: _Slip) -> None:
        super().__init__(Budget())
        self._slip = slip

    def begin(self) -> str:
        """Let a request pass."""
        return ""

    def add(self, tokens: int) -> None:
        """Count tokens, once."""
        if self._slip.counts:
            self._slip.post.spending.add(tokens)


@contextmanager
def _given(slip: _Slip) -> Iterator[None]:
    token = SLIP.set(slip)
    try:
        yield
    finally:
        SLIP.reset(token)

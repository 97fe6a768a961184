"""What of a reply goes into the cache, and how it comes back."""

from typing import TypeVar

from pydantic import BaseModel

from deixis.llms.answers.reading import read
from deixis.llms.cache.records import Answer
from deixis.llms.structured import Call, Reply

Kind = TypeVar("Kind", bound=BaseModel)


def stored(reply: Reply[Kind]) -> Answer | None:
    """Return a validated reply as the cache keeps it, None for any other."""
    if reply.value is None:
        return None
    last = reply.calls[-1]
    return Answer(
        last.text,
        sum(call.input_tokens for call in reply.calls),
        sum(call.output_tokens for call in reply.calls),
        last.finish_reason,
        last.chances,
    )


def revived(answer: Answer, kind: type[Kind]) -> Reply[Kind]:
    """Return a reply from the cache; it counts as one call that cost nothing.

    Raises:
        ValueError: the answer does not fit `kind` (any more).
    """
    call = Call("cached", 0, 0, 0.0, answer.finish_reason, answer.text, answer.chances)
    return Reply(read(answer.text, kind), "ok", "", (call,))

"""What is asked, and what is answered: the same for the scripted model and for the server."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from inspect import iscoroutinefunction
from itertools import chain, repeat
from typing import Any, NamedTuple

from deixis.testing.filling import fill

INPUT_TOKENS, OUTPUT_TOKENS = 7, 3
"""What every answer says that it took, so that budgets can be tested."""


class Question(NamedTuple):
    """One request to a model.

    ``model`` is its name: of ``scripted:voter`` it is ``voter``. ``system`` and ``user`` are the
    prompt. ``schema`` is the JSON schema that the answer has to fit, None when any text will do.
    ``images`` are encoded as they were sent, ``sounds`` are WAV files, ``clips`` are MP4 files.
    ``messages`` are all turns as the model got them,
    the model's own answers with what was wrong with them among them: messages of LangChain, or
    the JSON of the request.
    """

    model: str
    system: str
    user: str
    schema: dict[str, Any] | None
    max_tokens: int
    images: tuple[bytes, ...]
    messages: tuple[Any, ...]
    sounds: tuple[bytes, ...] = ()
    clips: tuple[bytes, ...] = ()


class Refused(NamedTuple):
    """The model declines, and says why."""

    text: str = "I cannot help with that."


class Cut(NamedTuple):
    """The answer breaks off at the limit of tokens; the question is asked once more."""

    text: str = ""


class After(NamedTuple):
    """An answer that takes its time. A server that is closed meanwhile answers no more."""

    seconds: float
    reply: "Reply" = None


Reply = Any
"""What answers a question.

A string is the text of the answer, a dictionary the JSON of one, None whatever `fill` makes of
the schema. `Refused`, `Cut` and `After` are what they say. An exception is a crash: the model
raises it, the server hangs up. A function is given the `Question` and returns any of these; it
is not asynchronous.
"""

_KINDS = (str, dict, Refused, Cut, After, Exception)


class Replies:
    """Keeps what is asked and gives the answers; may be shared by threads.

    Args:
        replies: in the order in which questions come; the last answers all further ones. Without
            any, all are answered by what fits.
        models: answers by the name of the model; a list is given in order, as `replies`.
        prompts: answers by a piece of the prompt, for models that are not named in `models`.
        pause: how to wait.
        besides: another kind of reply that is taken.

    Raises:
        TypeError: a reply is of a kind that cannot be one.
    """

    def __init__(
        self,
        replies: tuple[Reply, ...],
        models: Mapping[str, Reply] | None,
        prompts: Mapping[str, Reply] | None,
        pause: Callable[[float], object],
        besides: type,
    ) -> None:
        self.asked: list[Question] = []
        self._kinds = (*_KINDS, besides)
        self._others = self._in_order(*replies)
        self._models = {name: self._row(reply) for name, reply in (models or {}).items()}
        self._prompts = {piece: self._row(reply) for piece, reply in (prompts or {}).items()}
        self._pause = pause
        self._guard = threading.Lock()

    def answer(self, question: Question) -> Any:
        """Keep a question and return its answer, after its delay: no function, dict or None."""
        with self._guard:
            self.asked.append(question)
            reply = next(self._answers_to(question))
        while callable(reply) or isinstance(reply, After):
            if isinstance(reply, After):
                self._pause(reply.seconds)
                reply = reply.reply
            else:
                reply = self._checked(reply(question))
        if reply is None:
            reply = fill(question.schema)
        return json.dumps(reply) if isinstance(reply, dict) else reply

    def _answers_to(self, question: Question) -> Iterator[Reply]:
        if question.model in self._models:
            return self._models[question.model]
        prompt = f"{question.system}\n{question.user}"
        fitting = (answers for piece, answers in self._prompts.items() if piece in prompt)
        return next(fitting, self._others)

    def _row(self, replies: Reply) -> Iterator[Reply]:
        return self._in_order(*(replies if isinstance(replies, list) else [replies]))

    def _in_order(self, *replies: Reply) -> Iterator[Reply]:
        """Return the replies, the last of them for ever."""
        *first, last = [self._checked(reply) for reply in replies] or [None]
        return chain(first, repeat(last))

    def _checked(self, reply: Reply) -> Reply:
        inner = reply
        while isinstance(inner, After):
            inner = inner.reply
        function = callable(inner) and not isinstance(inner, type)
        function = function and not iscoroutinefunction(inner)
        if inner is None or function or isinstance(inner, self._kinds):
            return reply
        kinds = ", ".join(kind.__name__ for kind in self._kinds)
        raise TypeError(
            f"{inner!r} is no reply; a reply is None, a function that is not asynchronous, or an "
            f"instance of one of: {kinds}. Several replies in order are several arguments, or a "
            "list as a value of `models` or `prompts`"
        )

"""What takes the place of models when it is only to be told what they would be asked."""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import takewhile
from operator import eq
from threading import Lock
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from deixis.batch.typical import typical
from deixis.errors import CacheMissError
from deixis.llms import registry
from deixis.llms.answers.reading import read, schema_of
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import Answer as Kept
from deixis.llms.cache.llm_cache import LlmCache, Request
from deixis.llms.cache.records import identify
from deixis.llms.media import Medium
from deixis.llms.schemas import Schema, for_google, for_openai
from deixis.llms.structured import Call, Reply
from deixis.llms.token_count import about_tokens
from deixis.prompts import Prompt
from deixis.settings import Options, Spec

LEAST = {"openai": 1024, "google_genai": 1024}
"""Provider to tokens below which its cache of prompts serves nothing (their guides, 2026; Gemini's
2.5 Pro wants more). Anthropic's serves what a request marks alone."""
_GRAMMARS = {"embedded", "gguf", "ollama"}
"""Providers that hold a model to a schema without showing it."""
Answer = TypeVar("Answer", bound=BaseModel)
T = TypeVar("T")
Prefix = TypeVar("Prefix", str, tuple[int, ...])


class Remembered(LlmCache):
    """Answers that are kept, which are read and never written, and those of this estimate.

    Args:
        options: of the run that is estimated.
        folder: of the cache.
    """

    def __init__(self, options: Options, folder: Any) -> None:
        super().__init__(folder, "replay")  # who replays needs no keys
        self._reads = options.cache in {"use", "replay"}
        self._replays = options.cache == "replay"
        self._keeps = options.cache != "off"
        self._asked: dict[str, Kept] = {}

    def get_or_ask(
        self,
        request: Request,
        ask: Callable[[], T],
        *,
        keep: Callable[[T], Kept | None],
        revive: Callable[[Kept], T],
    ) -> T:
        """Return what is kept, or was asked for before in this estimate, or have it made up.

        Raises:
            CacheMissError: the run only replays, and the answer is not kept.
        """
        key = identify(request)[0]
        known = self._asked.get(key) if self._keeps else None
        if known is not None:
            return revive(known)
        if self._reads:
            try:
                return super().get_or_ask(request, ask, keep=keep, revive=revive)
            except CacheMissError:
                if self._replays:
                    raise
        result = ask()
        answer = keep(result)
        if answer is not None:
            self._asked[key] = answer
        return result


class Reckoner(Asker):
    """Asks nobody: every question is counted, and answered at typical length.

    Attributes:
        begun: model to tokens of prompts with which an earlier one to it has begun as well: what
            its provider's cache of prefixes can serve. A schema stands before the prompt.
        unfit: made-up answers that were not what was asked for; what hangs on them is missing.

    Args:
        options: of the run that is estimated.
        cache: what was answered before.
        types: names of the types that entities may have.
    """

    def __init__(self, options: Options, cache: Remembered, types: Sequence[str]) -> None:
        super().__init__(options, cache)
        self._types = types
        self._guard = Lock()
        self._beginnings: dict[str, Beginnings] = defaultdict(Beginnings)
        self.begun: Counter[str] = Counter()
        self.unfit = 0

    def _ask(
        self,
        spec: str,
        sample: int,
        prompt: Prompt,
        answer: type[Answer],
        parts: int = 1,
        images: Sequence[Medium] = (),
    ) -> Reply[Answer]:
        if lack := registry.lacks(spec, {medium.kind for medium in images}):
            return Reply(None, "failed", lack, ())
        schema = schema_of(answer)
        form = "" if schema is None else _form(spec, schema)
        text = typical(schema, prompt, f"{spec}/{sample}", self._types)
        whole = f"{form}\n{prompt.system}\n{prompt.user}"
        shown = sum(medium.tokens for medium in images)
        with self._guard:
            begun = about_tokens(self._beginnings[spec].add(whole))
            self.begun[spec] += begun
        call = Call("ok", about_tokens(whole) + shown, about_tokens(text), 0.0, "stop", text)
        call = call._replace(cached_input_tokens=served(spec, begun))
        try:
            return Reply(read(text, answer), "ok", "", (call,))
        except ValidationError:
            with self._guard:
                self.unfit += 1
            call = call._replace(status="invalid")
            return Reply(None, "invalid", "made up for an estimate", (call,))


class Beginnings:
    """Prompts to one model, all texts or all tuples of tokens, and what they begin with alike."""

    def __init__(self) -> None:
        self._prompts: list[Any] = []

    def add(self, prompt: Prefix) -> Prefix:
        """Take in a prompt; return with what of it an earlier one begins."""
        place = bisect_left(self._prompts, prompt)
        beside = self._prompts[max(0, place - 1) : place + 1]
        self._prompts.insert(place, prompt)
        longest = max((_common(prompt, other) for other in beside), default=0)
        return prompt[:longest]


def served(spec: str, begun: int) -> int:
    """Return how many of the tokens that prompts begin with alike their provider's cache serves.

    None under a least number, which for those without an entry in `LEAST` is never reached.
    """
    least = LEAST.get(Spec.parse(spec).provider)
    return begun if least is not None and begun >= least else 0


def _form(spec: str, schema: Schema) -> str:
    """Return a schema as far as a provider reads it with the prompt."""
    provider = Spec.parse(spec).provider
    if provider in _GRAMMARS:
        return ""
    return json.dumps(for_google(schema) if provider == "google_genai" else for_openai(schema))


def _common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return how many characters two texts, or tokens two prompts, begin with alike."""
    return sum(takewhile(bool, map(eq, one, other)))

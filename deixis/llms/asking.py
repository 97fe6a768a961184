"""How a model is asked: from the cache, or once its limiter and the budget allow it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel

from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.llms.answers.reading import schema_of
from deixis.llms.cache.llm_cache import LlmCache, Request
from deixis.llms.cache.replies import revived, stored
from deixis.llms.limits import Limiter, Spending, limiter_of
from deixis.llms.media import Medium, identity
from deixis.llms.provider_batch.post import Post
from deixis.llms.servers.redaction import shown
from deixis.llms.structured import Call, Reply, ask
from deixis.llms.together import Together
from deixis.llms.tracing import Tracing
from deixis.prompts import Prompt
from deixis.settings import Limit, Options, Spec, entry_for

Answer = TypeVar("Answer", bound=BaseModel)
_ASKED_ALONE = {"alone", "invalid", "empty", "truncated", "refused"}
"""No company, or what one sample may have brought upon all that were asked with it."""


class Joint(NamedTuple):
    """How a question can be asked together with the same of other samples.

    ``part`` is this sample's share. ``build(parts)`` returns a prompt for all of them and
    the object asked for, in which the fields of part 0 are called ``p1_NAME``, and so on.
    """

    part: Any
    build: Callable[[Sequence[Any]], tuple[Prompt, type[BaseModel]]]


class Asker:
    """Asks on behalf of one graph; may be shared by threads.

    Attributes:
        cache: what was answered before.
        spending: what was asked so far, against the budget.
        post: what asks by batches of the providers; None is for asking at once.
        tracing: what makes spans.

    Args:
        options: budget, limits, and how many questions may share a call.
        cache: what was answered before.

    Raises:
        SettingsError: a limit or a price is for a provider that does not exist.
        MissingExtraError: what is to make spans is not installed.
    """

    def __init__(self, options: Options, cache: LlmCache) -> None:
        for option, table in (("limits", options.limits), ("prices", options.prices)):
            for name in table:
                try:
                    registry.provider_of(name)
                except SettingsError as error:
                    raise SettingsError(f"options.{option}: {error}") from None
        self.cache = cache
        self.tracing = Tracing(options.tracing)
        self._whole: dict[str, str] = {}
        self._options = options
        self.spending = Spending(options.budget)
        self.post: Post | None = None
        self._together = Together(options.posts_per_call)

    def whole(self, spec: str) -> str:
        """Return a spec as it was before `shown`, with its credentials."""
        return self._whole.get(spec, spec)

    def shown(self, spec: str) -> str:
        """Return a spec without its credentials, by which the model can be asked from now on.

        What agents know of a model ends up in results, warnings and checkpoints.
        """
        plain = shown(spec)
        if plain != spec:
            self._whole[plain] = spec
        return plain

    def ask(
        self,
        spec: str,
        prompt: Prompt,
        answer: type[Answer],
        sample: int = 0,
        joint: Joint | None = None,
        images: Sequence[Medium] = (),
    ) -> Reply[Answer]:
        """Return a model's answer, or why there is none.

        Args:
            spec: the model.
            prompt: what it is asked.
            answer: the object asked for.
            sample: which of several answers of one model to one question is wanted; each has
                a seed of its own where the model has seeds.
            joint: how to ask it together with others; None when it always goes alone.
            images: pictures to be looked at, sound to be heard, video to be watched; a question
                with any goes alone. What the model cannot take it is not sent: the reply says so.

        Raises:
            CacheMissError: the cache is only replayed, and lacks this answer.
        """
        posted = self.post is not None and self.post.takes(spec)

        def share() -> Reply[Answer]:
            # By batches, what was noted is counted: what has come of it is read in any case.
            # Who is not asked waits for no limiter, and for no company.
            if not posted and (spent := self.spending.used_up()):
                return Reply(None, "budget", spent, ())
            if joint is None or images or self._together.most == 1:
                return self._ask(spec, sample, prompt, answer, images=images)
            kind = (spec, sample, prompt.name)
            reply = self._together.ask(
                kind, joint.part, lambda parts: self._ask_all(spec, sample, joint.build, parts)
            )
            if reply.status not in _ASKED_ALONE:
                return _own(reply, answer)
            alone = self._ask(spec, sample, prompt, answer)
            return alone._replace(calls=(*reply.calls, *alone.calls))

        if registry.learns(spec):
            return share()
        request = Request(
            registry.whole_spec(spec),
            prompt.system,
            prompt.user,
            schema_of(answer),
            tuple(map(identity, images)),
            sample,
            registry.weights_of(spec),
        )

        def ask_once() -> Reply[Answer]:
            if self.post is None or posted:
                return share()
            return self.post.at_once(request, answer, share)

        return self.cache.get_or_ask(
            request,
            ask_once,
            keep=stored,
            revive=lambda stored_answer: revived(stored_answer, answer),
        )

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
        post = self.post if self.post is not None and self.post.takes(spec) else None

        def request(spending: Spending) -> Reply[Answer]:
            return ask(
                registry.load(_seeded(self.whole(spec), sample)),
                prompt,
                answer,
                max_tokens=parts * self._options.max_tokens,
                images=images,
                limiter=self._limiter(spec) if post is None or post.online else None,
                spending=spending,
                tracing=self.tracing,
            )

        if post is None:
            return request(self.spending)
        return post.ask(shown(registry.whole_spec(spec)), sample, request)

    def _ask_all(
        self,
        spec: str,
        sample: int,
        build: Callable[[Sequence[Any]], tuple[Prompt, type[BaseModel]]],
        parts: list[Any],
    ) -> list[Reply[Any]]:
        """Ask for all parts in one call, which is put down to the first of them."""
        if len(parts) == 1:
            return [Reply(None, "alone", "", ())]
        reply: Reply[Any] = self._ask(spec, sample, *build(parts), len(parts))
        if reply.status == "failed" and len(reply.calls) == 1:
            # Not tried again, so no passing fault: what is too large may do in parts.
            reply = reply._replace(status="alone")
        fields = reply.value.model_dump(mode="json") if reply.value else {}
        return [
            reply._replace(
                value={
                    name.removeprefix(f"p{number}_"): value
                    for name, value in fields.items()
                    if name.startswith(f"p{number}_")
                },
                calls=reply.calls if number == 1 else (),
            )
            for number in range(1, len(parts) + 1)
        ]

    def _limiter(self, spec: str) -> Limiter:
        entry = entry_for(spec, self._options.limits)
        if entry is not None:
            return limiter_of(*entry)
        parsed = Spec.parse(
            registry.whole_spec(spec)
        )  # one server, one limiter, for a pause that it asks for
        return limiter_of(f"{parsed.provider} {parsed.options.get('base_url', '')}", Limit())


def _seeded(spec: str, sample: int) -> str:
    """Return a spec with a seed of its own for each sample: one seed would say one thing."""
    seed = getattr(registry.load(spec).model, "seed", None) if sample else None
    if seed is None:
        return spec
    parsed = Spec.parse(spec)
    options = urlencode({**parsed.options, "seed": seed + sample})
    return f"{parsed.provider}:{parsed.name}?{options}"


def _own(reply: Reply[Any], answer: type[Answer]) -> Reply[Answer]:
    """Return one sample's share of a reply as if it had come alone."""
    if reply.status != "ok":
        return reply._replace(value=None)
    value = answer.model_validate(reply.value)
    call = Call("shared", finish_reason="shared", text=value.model_dump_json())
    return Reply(value, "ok", "", (*reply.calls, call))

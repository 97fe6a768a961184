"""Spans of OpenTelemetry: a sample, its nodes, their questions, and each request to a model.

Spans carry names, counts, digests and sizes, and the texts of prompts and replies where that is
asked for. They never carry pictures, sound, video or keys. Their names follow OpenTelemetry's
conventions for generative AI.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import BaseMessage

from deixis.errors import MissingExtraError
from deixis.llms.media import Medium
from deixis.llms.servers import faults
from deixis.llms.watched import as_told
from deixis.prompts import Prompt
from deixis.settings import Spec, TracingOption

_ROLES = {"human": "user", "ai": "assistant"}
"""What the conventions call who speaks, where it is not what LangChain calls them."""
_PROVIDERS = {"google_genai": "gcp.gemini"}
"""What the conventions call a provider, where it is not what Deixis calls it."""
Attributes = Mapping[str, Any]


class Span:
    """A span that may be none at all.

    Args:
        span: OpenTelemetry's, or None where nothing is traced.
    """

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def tell(self, attributes: Attributes) -> None:
        """Set attributes; those that are None are left out."""
        if self._span is not None:
            self._span.set_attributes({k: v for k, v in attributes.items() if v is not None})

    def fail(self, kind: str, detail: str) -> None:
        """Say that what the span is of has failed.

        Args:
            kind: what came of it, such as a status or the class of an error.
            detail: one line without keys.
        """
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_attribute("error.type", kind)
            self._span.set_status(Status(StatusCode.ERROR, detail))


_NONE = Span()


class Tracing:
    """What makes the spans of one graph, for whoever collects those of the process.

    Args:
        option: ``options.tracing``.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """

    def __init__(self, option: TracingOption = "off") -> None:
        self.on = option != "off"
        self._quotes = option == "opentelemetry-with-text"
        if self.on:
            try:
                from opentelemetry import trace  # noqa: F401
            except ImportError as error:
                raise MissingExtraError("opentelemetry-sdk", "tracing") from error

    @contextmanager
    def span(self, name: str, attributes: Attributes, *, client: bool = False) -> Iterator[Span]:
        """Make a span of what is done within a block, inside the one that is open.

        Args:
            name: what is done.
            attributes: see `Span.tell`.
            client: whether somebody else does it.
        """
        if not self.on:
            yield _NONE
            return
        span = self._begun(name, attributes, client)
        with self._inside(span):
            yield Span(span)

    def over(
        self, parts: Generator[Any, None, None], name: str, attributes: Attributes
    ) -> Iterator[Any]:
        """Make a span of all that an iterator does, and of nothing that its reader does."""
        span = self._begun(name, attributes)
        end = object()
        try:
            while True:
                with self._inside(span, end_on_exit=False):
                    part = next(parts, end)
                if part is end:
                    return
                yield part
        finally:
            with self._inside(span):  # what is left to do where the reader stops early
                parts.close()

    async def over_async(
        self, parts: AsyncGenerator[Any, None], name: str, attributes: Attributes
    ) -> AsyncIterator[Any]:
        """Make a span of all that an iterator does; see `over`."""
        span = self._begun(name, attributes)
        end = object()
        try:
            while True:
                with self._inside(span, end_on_exit=False):
                    part = await anext(parts, end)
                if part is end:
                    return
                yield part
        finally:
            with self._inside(span):
                await parts.aclose()

    def quote(self, span: Span, messages: Sequence[BaseMessage], reply: str) -> None:
        """Tell what was said in a request, if that is asked for; media by what stands for them.

        Args:
            span: that of the request.
            messages: what was sent.
            reply: what came back; empty if nothing did.
        """
        if self._quotes:
            said = [
                {"role": _ROLES.get(message.type, message.type), "parts": _parts(message.content)}
                for message in map(as_told, messages)
            ]
            answer = [{"role": "assistant", "parts": _parts(reply)}]
            span.tell(
                {
                    "gen_ai.input.messages": json.dumps(said, ensure_ascii=False),
                    "gen_ai.output.messages": json.dumps(answer, ensure_ascii=False),
                }
            )

    def _begun(self, name: str, attributes: Attributes, client: bool = False) -> Any:
        from opentelemetry import trace

        kind = trace.SpanKind.CLIENT if client else trace.SpanKind.INTERNAL
        span = trace.get_tracer("deixis").start_span(name, kind=kind)
        Span(span).tell(attributes)
        return span

    @contextmanager
    def _inside(self, span: Any, end_on_exit: bool = True) -> Iterator[None]:
        from opentelemetry import trace

        # An SDK's error may hold the request: of errors the kind and one redacted line are told.
        with trace.use_span(
            span, end_on_exit, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield
            except Exception as error:
                Span(span).fail(type(error).__name__, faults.one_line(error))
                raise


def _parts(content: str | list[Any]) -> list[dict[str, str]]:
    blocks = [{"text": content}] if isinstance(content, str) else content
    return [{"type": "text", "content": block["text"]} for block in blocks]


def request(spec: str, max_tokens: int) -> tuple[str, dict[str, Any]]:
    """Return name and attributes of the span of a request to a model."""
    parsed = Spec.parse(spec)
    return f"chat {parsed.name}".strip(), {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(parsed.provider, parsed.provider),
        "gen_ai.request.model": parsed.name,
        "gen_ai.request.max_tokens": max_tokens,
    }


def came_back(span: Span, status: str, tokens: tuple[int, int, int, int], reason: str) -> None:
    """Tell what came of a request.

    Args:
        span: that of the request.
        status: what came of it.
        tokens: those read, and those written; of those read, what the provider's cache had, and
            what was put there.
        reason: why the reply ends, as the provider calls it.
    """
    span.tell(
        {
            "deixis.status": status,
            "gen_ai.usage.input_tokens": tokens[0],
            "gen_ai.usage.output_tokens": tokens[1],
            "gen_ai.usage.cache_read.input_tokens": tokens[2],
            "gen_ai.usage.cache_creation.input_tokens": tokens[3],
            "gen_ai.response.finish_reasons": [reason] if reason else None,
        }
    )


def question(
    step: str, role: str, seat: int, spec: str, prompt: Prompt, media: Sequence[Medium]
) -> tuple[str, dict[str, Any]]:
    """Return name and attributes of the span of a question, which several requests may serve.

    Args:
        step: the node that asks.
        role: who is asked.
        seat: the place in the committee, from 0.
        spec: the model, without credentials.
        prompt: what it is asked.
        media: what it is shown.
    """
    return f"ask {prompt.name}", {
        "deixis.step": step,
        "deixis.role": role,
        "deixis.seat": seat,
        "deixis.model": spec,
        "deixis.prompt.name": prompt.name,
        "deixis.prompt.version": prompt.version,
        **shown(media),
    }


def shown(media: Sequence[Medium]) -> dict[str, Any]:
    """Return what a span tells of pictures, sound and video: kinds, digests and sizes in bytes."""
    if not media:
        return {}
    return {
        "deixis.media.kinds": [medium.kind for medium in media],
        "deixis.media.sha256": [medium.sha256 for medium in media],
        "deixis.media.bytes": [len(medium.data) for medium in media],
    }

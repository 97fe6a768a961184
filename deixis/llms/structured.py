"""One place that turns a prompt and a schema into a validated object, or says why not.

A truncated reply is asked again once with twice the tokens; a reply that is not the JSON
asked for is asked again once with the error shown; a refusal is not argued with. A
transient fault is retried here and nowhere else, after the pause that the server asks for.
Every request waits for its provider's limiter, and is counted against the budget.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ValidationError

from deixis.base.printable import one_line
from deixis.base.problems import problem_line
from deixis.base.records import Status
from deixis.errors import ModelCallError
from deixis.llms import registry
from deixis.llms.answers.chances import Chances, chances
from deixis.llms.answers.endings import finish_reason, judge
from deixis.llms.answers.reading import last_object, read, schema_of
from deixis.llms.limits import Limiter, Spending, charged, estimated
from deixis.llms.local.control_marks import KNOWN
from deixis.llms.media import NAMES, Medium
from deixis.llms.registry import Backend
from deixis.llms.schemas import for_words
from deixis.llms.servers import faults
from deixis.llms.servers.manners import FORMS, Ways
from deixis.llms.servers.prompt_caches import cached_of
from deixis.llms.servers.redaction import redacted, without_keys
from deixis.llms.tracing import Tracing, came_back, request
from deixis.llms.watched import invoke
from deixis.prompts import Prompt
from deixis.settings import Budget, Limit

Answer = TypeVar("Answer", bound=BaseModel)

ReplyStatus = Status | Literal["budget", "alone", "cached", "shared"]
"""What came of a question. Those that `Status` lacks were not asked: the budget is used up, nobody
was there to ask together with, the cache has the answer, another sample's reply brought it."""
_AS_SCHEMA = (
    "Reply with one JSON object that fits this JSON Schema, with all its properties and no others:"
)
_PAUSES = (0.5, 2.0)  # seconds before the second and the third try, unless the server says


class Call(NamedTuple):
    """One request to a model: what it cost, and what came back.

    ``chances``: see `deixis.llms.answers.chances`; empty if the model gives no probabilities.
    ``batched``: whether it was answered in a batch of its provider, which costs less.
    Of ``input_tokens``, the provider's cache of prompts had ``cached_input_tokens``, and
    ``cache_write_tokens`` were put there.
    """

    status: ReplyStatus
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    finish_reason: str = ""
    text: str = ""
    chances: Chances = {}  # noqa: RUF012 - a NamedTuple's default, never changed
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    batched: bool = False


class Reply(NamedTuple, Generic[Answer]):
    """The answer, or None with the reason; and the calls that were made for it, in order."""

    value: Answer | None
    status: ReplyStatus
    detail: str
    calls: tuple[Call, ...]

    def chance(self, place: str, option: str) -> float | None:
        """Return the probability of an option, None if the model gives none.

        Args:
            place: names of fields and numbers in lists, with ``/`` between.
            option: what the answer could hold there.
        """
        return self.calls[-1].chances.get(place, {}).get(option) if self.calls else None


def ask(
    backend: Backend,
    prompt: Prompt,
    answer: type[Answer],
    *,
    max_tokens: int,
    images: Sequence[Medium] = (),
    limiter: Limiter | None = None,
    spending: Spending | None = None,
    tracing: Tracing | None = None,
) -> Reply[Answer]:
    """Ask a model for an object of type `answer`.

    Args:
        backend: the model.
        prompt: a rendered prompt.
        answer: the pydantic model of the reply; forbids unknown keys. With `Text` the model
            writes what it likes, and every reply that is not empty is an answer.
        max_tokens: most tokens of the reply; doubled once if that cuts it off.
        images: pictures to be looked at, sound to be heard, video to be watched; the prompt may
            speak of each kind by its numbers ("Image 2", "Audio 1", "Video 1").
        limiter: what every request waits for.
        spending: what every request is counted against.
        tracing: what makes a span of every request.

    Returns:
        A reply whose ``status`` is ``ok``, ``failed``, ``refused``, ``truncated``,
        ``empty``, ``invalid`` or, when it was not asked for that reason, ``budget``. No reply
        of a model makes this function raise.
    """
    schema = schema_of(answer)
    messages = messages_of(prompt.system, prompt.user, images)
    limiter, spending = limiter or Limiter(Limit()), spending or Spending(Budget())
    line = _Line(backend, limiter, spending, images, tracing or Tracing())
    calls: list[Call] = []
    repaired = extended = False
    while True:
        status, text, detail = _call(line, messages, schema, max_tokens, calls)
        if status == "ok":
            try:
                return Reply(read(text, answer), "ok", "", tuple(calls))
            except ValidationError as error:
                # A place may be a key that the model has made up: of any length, with anything.
                status, detail = "invalid", one_line(problem_line(error), 300)
            calls[-1] = calls[-1]._replace(status=status)
        if status == "truncated" and not extended:
            extended, max_tokens = True, 2 * max_tokens
        elif status in {"invalid", "empty"} and not repaired:
            repaired = True
            complaint = f"That was not the JSON asked for: {detail}. Reply with the JSON alone."
            if schema is None:
                complaint = f"That was no answer: {detail}. Reply as asked."
            reply = AIMessage(KNOWN.plain(text) or "(nothing)")
            messages = [*messages, reply, HumanMessage(KNOWN.plain(complaint))]
        else:
            return Reply(None, status, detail, tuple(calls))


def messages_of(system: str, user: str, images: Sequence[Medium] = ()) -> list[BaseMessage]:
    """Return what a model is sent: a prompt's two parts, the media before the user's text.

    What stands in a prompt is text to the model, whatever it looks like.
    """
    plain = KNOWN.plain(system, thoughts=True)
    return [SystemMessage(plain), _question(KNOWN.plain(user), images)]


def _question(text: str, images: Sequence[Medium]) -> HumanMessage:
    """Return the user's message: each medium after its name and number, then the text."""
    if not images:
        return HumanMessage(text)
    content: list[str | dict[str, Any]] = []
    numbers: Counter[str] = Counter()
    for medium in images:
        numbers[medium.kind] += 1
        name = f"{NAMES[medium.kind]} {numbers[medium.kind]}:"
        content += [{"type": "text", "text": name}, medium.block()]
    return HumanMessage([*content, {"type": "text", "text": text}])


class _Line(NamedTuple):
    """Everything that a request passes on its way to the model.

    ``images`` are the pictures, sound and video of the question.
    """

    backend: Backend
    limiter: Limiter
    spending: Spending
    images: Sequence[Medium]
    tracing: Tracing


def _call(
    line: _Line,
    messages: list[BaseMessage],
    schema: dict[str, Any] | None,
    max_tokens: int,
    calls: list[Call],
) -> tuple[ReplyStatus, str, str]:
    """Make one request, retried when the fault is transient; return status, text, detail.

    What the server refuses to be asked in this way is asked at once in another, if there is one.
    """
    pauses = list(_PAUSES)
    manners = line.backend.manners
    while True:
        ways = manners.now() if manners else Ways()
        held = line.backend.constrain is not None and ways.form == FORMS[0]
        sent = _put(messages, None if held else schema, ways)
        call, detail, fault = _request(line, sent, schema, max_tokens)
        if call is None:
            return "budget", "", detail
        calls.append(call)
        if manners and call.output_tokens > max_tokens:
            manners.overrun(ways)
        if fault is None:
            return call.status, call.text, detail
        if manners and manners.learn(ways, fault):
            continue
        registry.learn(line.backend.spec, {medium.kind for medium in line.images}, fault)
        asked = faults.retry_after(fault)
        too_long = asked is not None and asked > faults.LONGEST_WAIT
        if not pauses or too_long or not faults.is_transient(fault):
            wait = f"; it asks for a pause of {asked:g} s" if too_long else ""
            return call.status, "", f"{detail}{wait}"
        if asked is not None:
            line.limiter.pause(asked)  # for all who ask this provider
        pause = pauses.pop(0)
        time.sleep(pause if asked is None else asked)


def _put(
    messages: list[BaseMessage], schema: dict[str, Any] | None, ways: Ways
) -> list[BaseMessage]:
    """Return messages as a server takes them, with the schema in words if there is one."""
    first, question, *rest = messages
    system = str(first.text)
    if schema is not None:
        compact = json.dumps(for_words(schema), ensure_ascii=False, separators=(",", ":"))
        written = KNOWN.plain(compact, thoughts=True)
        system += f"\n\n{_AS_SCHEMA}\n{written}"
    if ways.system:
        return [SystemMessage(system), question, *rest]
    content = question.content
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [HumanMessage([{"type": "text", "text": system}, *blocks]), *rest]


def _request(
    line: _Line, messages: list[BaseMessage], schema: dict[str, Any] | None, max_tokens: int
) -> tuple[Call | None, str, Exception | None]:
    """Return what came of one request, what is wrong with it, and the fault if it was one.

    The call is None when it was not made, for the budget is used up.
    """
    backend, limiter, spending, images, tracing = line
    shown = sum(medium.tokens for medium in images)
    model = backend.constrain(schema, max_tokens) if backend.constrain else backend.model
    length = sum(len(message.text) for message in messages)
    told = request(backend.spec, max_tokens)
    with limiter.turn(max_tokens + estimated(length, shown)) as entry:
        if spent := spending.begin():
            limiter.forget(entry)
            return None, spent, None
        fault: Exception | None = None
        started = time.perf_counter()
        provider = backend.spec.partition(":")[0]
        with tracing.span(*told, client=True) as span:
            try:
                message = invoke(model, backend.model, provider, messages)
                call, detail = _answered(message, schema, provider)
            except Exception as error:  # the SDKs' errors share no base
                if faults.is_bug(error):
                    raise
                fault, detail = error, faults.one_line(error)
                call = Call(faults.status_of(error), *faults.tokens_of(error))
            kept = call.cached_input_tokens, call.cache_write_tokens
            counted = (call.input_tokens, call.output_tokens)
            came_back(span, call.status, (*counted, *kept), call.finish_reason)
            tracing.quote(span, messages, call.text)
            if fault is not None:
                span.fail(call.status, detail)
        call = call._replace(seconds=time.perf_counter() - started)
        used = sum(counted)
        if fault is None:
            used = charged(counted, (length, len(call.text)), shown)
        limiter.correct(entry, used)
        spending.add(used)
    return call, detail, fault


def _answered(message: Any, schema: dict[str, Any] | None, provider: str) -> tuple[Call, str]:
    """Return what came back as a call, and what is wrong with it; raise if it is no answer."""
    if not isinstance(message, AIMessage):
        raise ModelCallError("failed", "the reply is no message of an assistant")
    status, detail = judge(message, provider, free=schema is None)
    usage: Any = message.usage_metadata or {}
    given, written = (faults.tokens(usage.get(f"{name}_tokens")) for name in ("input", "output"))
    # Half a surrogate pair, as JSON can escape it, is no text that could be sent on.
    text = message.text.encode("utf-8", "replace").decode("utf-8")
    shares: Chances = {}
    if schema is not None and (listed := message.response_metadata.get("logprobs")):
        # Ollama gives the list itself, of objects.
        listed = listed.get("content") if isinstance(listed, dict) else listed
        shares = chances(last_object(text), listed, schema)
    reason = redacted(finish_reason(message))[:100]
    text = KNOWN.restored(without_keys(text))
    call = Call(status, given, written, 0.0, reason, text, shares, *cached_of(usage, given))
    return call, redacted(detail)

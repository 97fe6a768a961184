"""Hugging Face models in this process, with or without eyes, as a LangChain chat model.

Text models, those that see (Qwen-VL, LLaVA and all others that transformers knows as
image-text-to-text) and those that hear (Qwen2.5-Omni) answer alike. Captioning models (BLIP-2,
Florence-2) describe the picture that they are shown, whatever is asked. The packages arrive with
the extra ``transformers`` and are imported by the first call.
"""

from collections.abc import Sequence
from typing import Any, Literal, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, model_validator

from deixis.errors import ModelCallError, SettingsError, ToolError
from deixis.llms.backends import Constrain
from deixis.llms.local.transformers_adapters import adapter_in
from deixis.llms.local.transformers_folders import only_describes, senses
from deixis.llms.local.transformers_frames import with_frames
from deixis.llms.local.transformers_inputs import tensors
from deixis.llms.local.transformers_load import Loaded, is_lent, load
from deixis.llms.options import checked
from deixis.settings import Spec
from deixis.tools.base import warn
from deixis.weights.short_memory import Done, in_halves
from deixis.weights.torch_models import files_of


def transformers(spec: Spec) -> tuple[BaseChatModel, Constrain]:
    """``transformers:FOLDER`` or ``transformers:OWNER/REPO[@REVISION]`` of the hub."""
    model = TransformersChat(weights=spec.name, **checked(spec.options, TransformersChat))

    def constrain(schema: dict[str, Any] | None, max_tokens: int) -> Runnable[Any, Any]:
        return model.bind(json_schema=schema, max_tokens=max_tokens)

    return model, constrain


def transformers_files(spec: Spec) -> list[str]:
    """Return where the weights of a model are, and its adapter's folder, if it has one.

    Raises:
        ModelFileError, MissingExtraError: as `adapter_in`.
    """
    adapter = spec.options.get("adapter")
    return files_of(spec.name) + ([] if adapter is None else [str(adapter_in(adapter).folder)])


def transformers_only_describes(spec: Spec) -> bool:
    """Say whether a model that is on this disk describes pictures and can do nothing else."""
    return only_describes(spec.name)


def transformers_learns(spec: Spec) -> bool:
    """Say whether a model is in training."""
    return "adapter" not in spec.options and is_lent(spec.name)


def transformers_senses(spec: Spec) -> tuple[str, ...]:
    """Return which of "hears" and "watches" a model can."""
    return senses(spec.name)


class TransformersChat(BaseChatModel):
    """A chat model that transformers runs, with optional JSON-schema-constrained replies.

    ``bind(json_schema=...)`` makes every reply match the schema (a grammar forbids any other
    token); ``bind(max_tokens=...)`` limits the reply. One process loads a model once. Replies
    that several threads ask for are written together, token by token; each is what it would be
    alone, but for rounding, which in 16 bits may now and then decide for another token.

    Attributes:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` on the hub; safetensors only.
        adapter: a folder with an adapter of peft (LoRA) for these weights, which changes the
            replies. In memory the weights are shared with all other adapters, and with none.
        temperature: 0 always takes the likeliest token. Above it, the ``top_k`` and ``top_p``
            that the model's makers advise hold too.
        seed: with a temperature above 0, the same one gives the same reply.
        max_tokens: most tokens of one reply.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: ``auto`` is bfloat16 on CUDA, float16 on MPS, float32 on CPU.
        attention: transformers' ``attn_implementation``; None is the model's own.
        min_pixels: pictures are made larger to have at least so many; None is the model's own.
        max_pixels: pictures are made smaller to have at most so many; None is the model's own.
        frames: most frames of a video that it is shown, at most two a second, as pictures with
            their times: nothing else of a video needs torchvision.
        timeout: seconds that one reply may take once it is its turn; None is no limit.
        logprobs: tell for every token the probabilities of the likeliest that the grammar
            allows, before a temperature (`response_metadata`, in the form of OpenAI).
    """

    weights: str
    adapter: str | None = None
    temperature: float = Field(default=0.0, ge=0.0)
    seed: int = 0
    max_tokens: int = Field(default=600, ge=1)
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    attention: str | None = None
    min_pixels: int | None = Field(default=None, ge=1)
    max_pixels: int | None = Field(default=None, ge=1)
    frames: int = Field(default=16, ge=1)
    timeout: float | None = Field(default=None, gt=0.0)
    logprobs: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError(f"min_pixels {self.min_pixels} is above max_pixels {self.max_pixels}")
        return self

    @property
    def _llm_type(self) -> str:
        return "deixis-transformers"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        own = {"weights", "adapter", "temperature", "seed", "dtype", "attention"}
        return self.model_dump(include={*own, "min_pixels", "max_pixels", "frames"})

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
        from deixis.llms.local.transformers_rows import Row, spelled, text_of  # it imports torch

        loaded = load(self.weights, self.device, self.dtype, self.attention, self.adapter)
        if not loaded.sees and "frames" in self.model_fields_set:
            raise SettingsError("option frames: the model takes no pictures; leave it out")
        if json_schema is not None and loaded.caption is not None:
            raise SettingsError(
                f"{self.weights} describes pictures and answers no questions: it can play the "
                "role captioner alone"
            )
        limits = {"min_pixels": self.min_pixels, "max_pixels": self.max_pixels}
        given_limits = {name: limit for name, limit in limits.items() if limit is not None}
        with loaded.reading:
            shown = with_frames(messages, self.frames)
            inputs = tensors(loaded, shown, given_limits, constrained=json_schema is not None)
        heard: list[dict[int, float]] | None = [] if self.logprobs else None
        row = Row(inputs, lambda: self._rules(loaded, json_schema, heard))
        given, limit = row.length, max_tokens or self.max_tokens
        if loaded.window is not None:
            if given >= loaded.window:
                raise ModelCallError(
                    "failed", f"the prompt has {given} tokens, the context {loaded.window}"
                )
            limit = min(limit, loaded.window - given)
        # What fills up a row after a stop word could not be told from what it wrote.
        kind = object() if stop else (loaded.adapter, row.shape, limit, self.timeout)
        try:
            (tokens,), warning = loaded.turn.run(
                kind, [row], lambda rows: self._written(loaded, rows, limit, stop)
            )
        except ToolError as error:
            raise ModelCallError("failed", str(error)) from error
        warn(warning)
        text = text_of(tokens, loaded.tokenizer)
        whole = min((text.find(word) for word in stop or [] if word in text), default=len(text))
        if tokens[-1] in loaded.ends or whole < len(text):
            reason = "stop"
        elif len(tokens) == limit:
            reason = "length"
        else:
            raise TimeoutError(f"no whole reply of {self.weights} within {self.timeout} seconds")
        listed = None if heard is None else {"content": spelled(tokens, heard, loaded.tokenizer)}
        message = AIMessage(
            content=text[:whole],
            response_metadata={"finish_reason": reason, "logprobs": listed},
            usage_metadata=UsageMetadata(
                input_tokens=given, output_tokens=len(tokens), total_tokens=given + len(tokens)
            ),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _written(
        self, loaded: Loaded, rows: Sequence[Any], limit: int, stop: list[str] | None
    ) -> Done:
        """Return the tokens that the model writes after each of some prompts."""
        from deixis.llms.local.transformers_rows import EachByItsRules, joined, written

        def write(some: Sequence[Any]) -> list[list[int]]:
            inputs = joined(some, loaded.ends[0])
            tokens = loaded.model.generate(
                **inputs,
                do_sample=False,  # `_Draw` samples
                max_new_tokens=limit,
                max_time=self.timeout,
                logits_processor=[EachByItsRules(some, loaded.ends)],
                **({"stop_strings": stop, "tokenizer": loaded.tokenizer} if stop else {}),
            )
            # A decoder apart from the encoder begins with a token of its own, not with the prompt.
            before = 1 if loaded.decodes_apart else inputs["input_ids"].shape[1]
            return [written(row, loaded.ends) for row in tokens[:, before:].tolist()]

        loaded.adapters.use(loaded.adapter)
        return in_halves(write, rows, self.weights)

    def _rules(
        self, loaded: Loaded, schema: dict[str, Any] | None, heard: list[dict[int, float]] | None
    ) -> list[Any]:
        """Return what changes the scores of the next token, in the order in which it does."""
        from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

        from deixis.llms.local.transformers_rows import Heard

        rules: list[Any] = []
        if schema is not None:
            rules.append(_Grammar(loaded.vocabulary, schema))
        if heard is not None:
            rules.append(Heard(heard))
        if self.temperature > 0:
            rules.append(TemperatureLogitsWarper(self.temperature))
            if loaded.top_k:
                rules.append(TopKLogitsWarper(loaded.top_k))
            if loaded.top_p is not None and loaded.top_p < 1:
                rules.append(TopPLogitsWarper(loaded.top_p))
            rules.append(_Draw(self.seed))
        return rules


def matcher(vocabulary: Any, schema: dict[str, Any]) -> Any:
    """Return the ``LLMatcher`` of llguidance that says which tokens a JSON schema allows next."""
    from llguidance import LLMatcher

    # A small model otherwise spends its limit on white space.
    grammar = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
    return LLMatcher(vocabulary, grammar, log_level=0)


class _Grammar:
    """Forbids every token that a JSON schema does not allow next, white space included."""

    def __init__(self, vocabulary: Any, schema: dict[str, Any]) -> None:
        self._matcher = matcher(vocabulary, schema)
        self._started = False

    def __call__(self, tokens: Any, scores: Any) -> Any:
        import torch

        if self._started:
            self._matcher.consume_token(int(tokens[0, -1]))
        self._started = True
        bias = bytearray(self._matcher.compute_logit_bias())
        if self._matcher.is_error():
            raise ModelCallError("failed", f"schema: {self._matcher.get_error()}")
        # A model's table of tokens is often a little longer than its tokenizer's.
        allowed = torch.zeros(scores.shape[1], dtype=torch.bool)
        width = min(len(bias), len(allowed))
        allowed[:width] = torch.frombuffer(bias, dtype=torch.uint8)[:width] > 0
        return scores.masked_fill(~allowed.to(scores.device), float("-inf"))


class _Draw:
    """Draws the next token with a generator of its own; transformers draws with the process's."""

    def __init__(self, seed: int) -> None:
        import torch

        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, _tokens: Any, scores: Any) -> Any:
        import torch

        drawn = torch.multinomial(scores.softmax(-1).cpu(), 1, generator=self._generator)
        return torch.full_like(scores, float("-inf")).scatter(1, drawn.to(scores.device), 0.0)

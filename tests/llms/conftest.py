"""A server that plays a provider, pauses not made, a tiny model on disk."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from deixis.agents.reading.phrases import phrase
from deixis.llms import limits, registry
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.testing import Request, Response, Server, serving

from .servers.protocols import PROTOCOLS, PROVIDERS, Protocol

SPECIAL = ["<|pad|>", "<|im_start|>", "<|im_end|>", "<s>"]
TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined %}no thoughts{% endif %}{% endif %}"""
PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pattern: Annotated[str, Field(min_length=2, max_length=40)]
    properties: Annotated[str, Field(pattern="^[a-z]+$")]


class Work(BaseModel):
    """Properties with the names of keywords, and keywords that some providers refuse."""

    model_config = ConfigDict(extra="forbid")

    title: Literal["poster", "cover"]
    const: Literal["one"]
    default: phrase(2)  # type: ignore[valid-type]
    items: Annotated[list[Inner], Field(min_length=1, max_length=3)]


ANSWER = {
    "title": "cover",
    "const": "one",
    "default": "blue",
    "items": [{"pattern": "dots", "properties": "ab"}],
}


class FakeProvider:
    """Says its replies one after the other, or what its rule says, and keeps every request.

    An SDK that asks once more than there are replies gets none and fails.
    """

    server: Server

    def __init__(self) -> None:
        self.replies: list[Response] = []
        self.rule: Callable[[dict[str, Any]], Response] | None = None

    def answer(self, request: Request) -> Response | None:
        if self.rule is not None:
            return self.rule(request.body)
        return self.replies.pop(0) if self.replies else None

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def requests(self) -> list[Request]:
        return self.server.requests


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A server on the loopback device that plays a provider."""
    fake = FakeProvider()
    with serving(fake.answer) as fake.server:
        yield fake


@pytest.fixture(params=PROTOCOLS, ids=PROVIDERS)
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Protocol:
    """Each provider's protocol in turn; no key is set."""
    for key in ("OPENAI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    given: Protocol = request.param
    return given


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, of this library and of every SDK, kept instead of made; time goes on."""
    kept: list[float] = []
    monotonic, gone = time.monotonic, 0.0

    def sleep(seconds: float) -> None:
        nonlocal gone
        gone += seconds
        kept.append(seconds)

    limits._made.cache_clear()  # another test's server may have had this one's address
    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + gone)
    return kept


@pytest.fixture
def asking(provider: FakeProvider, waits: list[float]) -> Callable[..., Reply[Work]]:
    """Return ``ask_for_work(spec, *replies)``; each reply is ``(status, body[, headers])``."""

    def ask_for_work(spec: str, *replies: tuple[Any, ...]) -> Reply[Work]:
        provider.requests.clear()
        waits.clear()
        provider.replies[:] = [Response(*reply) for reply in replies]
        reply = ask(registry.load(spec), PROMPT, Work, max_tokens=50)
        assert provider.replies == [], "fewer requests than replies"
        return reply

    return ask_for_work


@pytest.fixture
def work() -> dict[str, Any]:
    """An answer that fits `Work`."""
    return ANSWER


@pytest.fixture
def work_type() -> type[Work]:
    """The object that `asking` asks for."""
    return Work


def keywords(node: Any) -> set[str]:
    """Return the keywords of a schema, and not the names of its properties."""
    if isinstance(node, list):
        return set().union(*map(keywords, node))
    if not isinstance(node, dict):
        return set()
    found = set(node)
    for key, value in node.items():
        found |= keywords(list(value.values()) if key in {"properties", "$defs"} else value)
    return found


@pytest.fixture
def keywords_of() -> Callable[[Any], set[str]]:
    """The function `keywords`."""
    return keywords


def _tokenizer() -> Any:
    import transformers as hf
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer, inner.decoder = bytewise, decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=SPECIAL, initial_alphabet=bytewise.alphabet(), show_progress=False
    )
    inner.train_from_iterator(["Grace Hopper wears a dark uniform and glasses."], trainer)
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        chat_template=TEMPLATE,
        model_input_names=["input_ids", "attention_mask"],
    )


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama that can chat."""
    import torch
    import transformers as hf

    folder = tmp_path_factory.mktemp("models") / "llama"
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = hf.LlamaConfig(
        vocab_size=len(tokenizer) + 5,  # tables of tokens are often longer than tokenizers
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,  # wide, so that what comes in tells in what comes out
        eos_token_id=tokenizer.eos_token_id,
    )
    hf.LlamaForCausalLM(config).save_pretrained(folder)
    return folder

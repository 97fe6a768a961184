"""A server on the loopback device that plays a provider, pauses not made, a tiny model on disk."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict, Field

from deixis.agents.reading.phrases import phrase
from deixis.llms import limits, registry
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt

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


class Said(NamedTuple):
    """What the server says: a status, JSON (or a string as it is), headers."""

    status: int
    body: Any
    headers: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed


class Heard(NamedTuple):
    """What the server was asked; the names of the headers in small letters."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class FakeProvider(ThreadingHTTPServer):
    """Says its replies one after the other and keeps every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: list[Said] = []
        self.requests: list[Heard] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeProvider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Heard(self.path, headers, body))
        said = self.server.replies.pop(0)
        data = (said.body if isinstance(said.body, str) else json.dumps(said.body)).encode()
        self.send_response(said.status)
        for name, value in {"Content-Type": "application/json", **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """The server; an SDK that asks once more than there are replies gets none and fails."""
    with FakeProvider() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


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
        provider.replies[:] = [Said(*reply) for reply in replies]
        reply = ask(registry.load(spec), PROMPT, Work, max_tokens=50)
        assert provider.replies == [], "fewer requests than replies"
        return reply

    return ask_for_work


@pytest.fixture
def work() -> dict[str, Any]:
    """An answer that fits `Work`."""
    return ANSWER


@pytest.fixture
def work_schema() -> dict[str, Any]:
    """The JSON schema of `Work`."""
    return Work.model_json_schema()


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

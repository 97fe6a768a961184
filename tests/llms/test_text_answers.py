"""Answers that are any text: over each provider's protocol, and from models in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from deixis.llms import registry
from deixis.llms.answers.reading import Text
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.settings import Options
from deixis.testing import Response

from .servers.protocols import PROTOCOLS, Protocol, at

pytestmark = [pytest.mark.slow, pytest.mark.extra]

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
THOUGHT, SKY = "It is {not} JSON.\r\nNo.", "<answer>sky|OTHER|None</answer> \u2603\U0001f680"
SAID = f"  <think>{THOUGHT}\r\n</think>\n{SKY}"
READ = Text(text=SKY, thoughts=THOUGHT)


ENDS = {
    "openai": ("stop", "length", "content_filter"),
    "google_genai": ("STOP", "MAX_TOKENS", "SAFETY"),
    "anthropic": ("end_turn", "max_tokens", "refusal"),
    "ollama": ("stop", "length", ""),
}


def without(name: str) -> Any:
    """Leave a provider out that lacks what is tried."""
    left = [protocol for protocol in PROTOCOLS if protocol.name != name]
    return pytest.mark.parametrize(
        "protocol", left, ids=lambda protocol: protocol.name, indirect=True
    )


@pytest.fixture
def told(provider: Any, protocol: Protocol, waits: list[float]) -> Callable[..., Reply[Text]]:
    """Ask for a text: ``told((text, end), ...)``, one pair a request that is expected."""

    def ask_for_text(*said: tuple[str | None, str]) -> Reply[Text]:
        expect(provider, protocol, *said)
        backend = registry.load(protocol.spec(provider.url, "&temperature=0.5"))
        reply = ask(backend, PROMPT, Text, max_tokens=50)
        assert provider.replies == [], "fewer requests than replies"
        return reply

    return ask_for_text


def expect(provider: Any, protocol: Protocol, *said: tuple[str | None, str]) -> None:
    """Let the server give these answers."""
    reasons = dict(zip(("stop", "cut", "refused"), ENDS[protocol.name], strict=True))
    provider.replies[:] = [Response(200, protocol.says(text, reasons[end])) for text, end in said]


def test_no_schema_is_sent_and_the_limit_is(told: Any, provider: Any, protocol: Protocol) -> None:
    reply = told((SAID, "stop"))
    assert reply.status == "ok" and reply.value == READ
    assert reply.calls[0].text == SAID
    (heard,) = provider.requests
    assert at(heard.body, protocol.limit) == 50
    for place in protocol.forms:
        assert at(heard.body, place) is None, place
    asked = json.dumps(heard.body)
    assert "Be brief." in asked and PROMPT.user in asked and "JSON" not in asked
    assert "schema" not in asked.lower()


@pytest.mark.parametrize("nothing", [None, " \n"])
def test_an_empty_reply_is_asked_again_once(told: Any, provider: Any, nothing: str | None) -> None:
    reply = told((nothing, "stop"), (SAID, "stop"))
    assert reply.status == "ok" and [call.status for call in reply.calls] == ["empty", "ok"]
    again = json.dumps(provider.requests[1].body)
    assert "That was no answer" in again and "JSON" not in again
    reply = told((nothing, "stop"), (nothing, "stop"))
    assert (reply.value, reply.status) == (None, "empty")


def test_a_cut_reply_is_asked_again_once_with_twice_the_tokens(
    told: Any, provider: Any, protocol: Protocol
) -> None:
    reply = told(("<think>It", "cut"), (SAID, "stop"))
    assert reply.status == "ok" and [call.status for call in reply.calls] == ["truncated", "ok"]
    assert [at(heard.body, protocol.limit) for heard in provider.requests] == [50, 100]
    reply = told(("<think>It", "cut"), ("<think>It is", "cut"))
    assert (reply.value, reply.status) == (None, "truncated")


@without("ollama")  # it has no refusals of its own
@pytest.mark.parametrize("text", [None, "half a"])
def test_a_refusal_is_not_argued_with(told: Any, provider: Any, text: str | None) -> None:
    reply = told((text, "refused"))
    assert (reply.value, reply.status) == (None, "refused") and len(provider.requests) == 1


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(Options(), LlmCache(tmp_path / "answers", "use"))


def test_a_kept_text_comes_back_word_for_word(
    provider: Any, protocol: Protocol, asker: Asker, waits: list[float]
) -> None:
    spec = protocol.spec(provider.url, "&temperature=0.5")
    other = "<answer>None</answer>"
    expect(provider, protocol, (SAID, "stop"), (other, "stop"))
    first = asker.ask(spec, PROMPT, Text)
    assert asker.ask(spec, PROMPT, Text, sample=1).value == Text(text=other)
    kept = [asker.ask(spec, PROMPT, Text, sample=sample) for sample in (0, 1)]
    assert [each.value for each in kept] == [first.value, Text(text=other)]
    assert first.value == READ and kept[0].calls[0].status == "cached"
    assert kept[0].calls[0].text == SAID
    assert len(provider.requests) == 2


@without("anthropic")  # it has no seeds
def test_every_sample_has_a_seed_of_its_own(
    provider: Any, protocol: Protocol, asker: Asker, waits: list[float]
) -> None:
    """One seed would give one answer, however often it is asked for."""
    place = {"google_genai": ("generationConfig", "seed"), "ollama": ("options", "seed")}
    for options, wanted in (("&seed=7", [7, 9]), ("", [None, None])):
        provider.requests.clear()
        expect(provider, protocol, (SAID, "stop"), (SAID, "stop"))
        for sample in (0, 2):
            asker.ask(
                protocol.spec(provider.url, f"&temperature=0.5{options}"), PROMPT, Text, sample
            )
        seeds = [at(each.body, place.get(protocol.name, ("seed",))) for each in provider.requests]
        assert seeds == wanted


EMBEDDED = "embedded:smollm2-135m"


def test_the_embedded_model_writes_what_it_likes() -> None:
    reply = ask(registry.load(EMBEDDED), PROMPT._replace(user="Say hello"), Text, max_tokens=40)
    assert reply.status == "ok" and reply.value is not None
    assert reply.value.text.strip() and "{" not in reply.value.text
    cut = ask(
        registry.load(EMBEDDED), PROMPT._replace(user="Count from 1 to 100"), Text, max_tokens=2
    )
    assert cut.status == "truncated" and [call.output_tokens for call in cut.calls] == [2, 4]


def test_the_embedded_model_writes_another_text_for_another_sample(asker: Asker) -> None:
    prompt = PROMPT._replace(user="Tell me a story in one line")

    short = Asker(Options(max_tokens=24), asker.cache)

    def say(sample: int, temperature: int) -> str:
        spec = f"{EMBEDDED}?temperature={temperature}"
        return short.ask(spec, prompt, Text, sample).calls[0].text

    assert len({say(sample, 1) for sample in range(3)}) == 3
    assert len({say(sample, 0) for sample in range(2)}) == 1


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama with random weights; its template knows of thinking."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    inner.add_special_tokens(["<|im_end|>"])
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = hf.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        chat_template="{% for message in messages %}{{ message.content }}{% endfor %}"
        "{% if enable_thinking is defined %}no thoughts{% endif %}",
        model_input_names=["input_ids", "attention_mask"],
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = hf.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.3,
        eos_token_id=tokenizer.eos_token_id,
    )
    hf.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def test_a_model_of_transformers_writes_what_it_likes(tiny: Path) -> None:
    spec = f"transformers:{tiny}?device=cpu"
    reply = ask(registry.load(spec), PROMPT, Text, max_tokens=8)
    assert [call.output_tokens for call in reply.calls] == [8, 16]
    assert reply.status == "truncated" and not reply.calls[0].text.startswith("{")
    assert reply.calls[0].input_tokens == len(PROMPT.system + PROMPT.user), "it may think"

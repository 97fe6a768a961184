"""Probabilities of choices, from what a backend is asked for to what a call and the cache keep."""

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import transformers as hf
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict

from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.settings import Options

pytestmark = [pytest.mark.slow, pytest.mark.extra]

PROMPT = Prompt("You are brief.", "Describe Grace Hopper.", "people", 1)


class Seen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    visible: Literal["yes", "no", "unclear"]
    sure: float


class Verdicts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    e1: Seen
    kind: Literal["politician", "sports_team", "unknown"]


def listed(*pieces: dict[str, float]) -> dict[str, Any]:
    """Return tokens, each with its alternatives: text to probability, what was written first."""
    content = []
    for piece in pieces:
        top = [{"token": each, "logprob": math.log(p)} for each, p in piece.items()]
        content.append({**top[0], "bytes": None, "top_logprobs": top})
    return {"content": content, "refusal": None}


def test_openai_is_asked_for_them_and_they_come_with_the_call(
    asking: Callable[..., Reply[Any]], provider: Any, work: dict[str, Any]
) -> None:
    text = json.dumps(work)
    head, _, tail = text.partition("cover")
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    choice |= {"finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "some-model"}
    body |= {"choices": [choice], "usage": usage}
    spec = f"openai:some-model?base_url={provider.url}/v1"
    assert asking(spec, (200, body)).calls[0].chances == {}
    assert "logprobs" not in provider.requests[0].body
    choice["logprobs"] = listed({head: 1.0}, {"cover": 0.6, "post": 0.2, "p": 0.1}, {tail: 1.0})
    reply = asking(f"{spec}&logprobs=true&top_logprobs=5", (200, body))
    sent = provider.requests[0].body
    assert sent["logprobs"] is True and sent["top_logprobs"] == 5
    assert sent["response_format"]["type"] == "json_schema"
    (call,) = reply.calls
    assert call.chances == {"title": pytest.approx({"cover": 2 / 3, "poster": 1 / 3})}
    assert reply.chance("title", "cover") == call.chances["title"]["cover"]
    assert reply.chance("title", "song") is reply.chance("default", "blue") is None


@pytest.mark.parametrize("query", ["temperature=0", "temperature=1.5&seed=3"])
def test_the_probabilities_of_what_it_chose_come_with_the_call(saved: Path, query: str) -> None:
    plain = ask(registry.load(f"transformers:{saved}?{query}"), PROMPT, Verdicts, max_tokens=300)
    assert plain.calls[0].chances == {}
    backend = registry.load(f"transformers:{saved}?logprobs=true&{query}")
    with ThreadPoolExecutor(2) as pool:  # shares its passes with a reply of another length
        other = pool.submit(backend.model.invoke, "Hi", max_tokens=300)
        reply = ask(backend, PROMPT, Verdicts, max_tokens=300)
        other.result()
    assert plain.value is not None and reply.value == plain.value
    chances = reply.calls[0].chances
    assert {place: set(shares) for place, shares in chances.items()} == {
        "e1/visible": {"yes", "no", "unclear"},
        "kind": {"politician", "sports_team", "unknown"},
    }
    said = {"e1/visible": plain.value.e1.visible, "kind": plain.value.kind}
    for place, shares in chances.items():
        assert sum(shares.values()) == pytest.approx(1.0)
        assert query != "temperature=0" or max(shares, key=shares.__getitem__) == said[place]


def test_the_probabilities_are_those_of_the_model_before_a_temperature(saved: Path) -> None:
    """Against a pass of the model itself over the prompt."""
    hot = registry.load(f"transformers:{saved}?logprobs=true&temperature=3&seed=5").model
    reply = hot.invoke(PROMPT.user, max_tokens=2)
    first = reply.response_metadata["logprobs"]["content"][0]
    tokenizer = hf.AutoTokenizer.from_pretrained(saved)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPT.user}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=False,
    )
    with torch.inference_mode():
        scores = hf.AutoModelForCausalLM.from_pretrained(saved)(prompt).logits[0, -1]
    wanted = scores.log_softmax(-1)
    (token,) = tokenizer.encode(first["token"], add_special_tokens=False)
    assert first["logprob"] == pytest.approx(float(wanted[token]), abs=1e-4)
    top = [each["logprob"] for each in first["top_logprobs"]]
    assert top[:5] == pytest.approx(wanted.topk(5).values.tolist(), abs=1e-4)
    assert first["logprob"] in top


@pytest.fixture
def asker(tmp_path: Path) -> Callable[..., Asker]:
    def make(**options: Any) -> Asker:
        chosen = Options(**options)
        return Asker(chosen, LlmCache(tmp_path / "kept", chosen.cache))

    return make


def test_an_answer_from_the_cache_is_as_sure_as_it_was(
    asker: Callable[..., Asker], scripted: Any
) -> None:
    tokens = listed({'{"visible": "': 1.0}, {"yes": 0.4, "no": 0.1}, {'", "sure": 1.0}': 1.0})
    text = "".join(each["token"] for each in tokens["content"])
    scripted(lambda *_: AIMessage(text, response_metadata={"logprobs": tokens}))
    first = asker().ask("scripted:any", PROMPT, Seen)
    again = asker(cache="replay").ask("scripted:any", PROMPT, Seen)
    assert again.calls[-1].status == "cached"
    assert first.chance("visible", "yes") == again.chance("visible", "yes") == pytest.approx(0.8)


def test_without_an_answer_there_is_no_probability(asker: Any, scripted: Any) -> None:
    scripted(lambda *_: ValueError("down"))
    reply = asker().ask("scripted:any", PROMPT, Seen)
    assert reply.value is None and reply.chance("visible", "yes") is None
    spent = asker(budget={"calls": 0}).ask("scripted:any", PROMPT, Seen)
    assert spent.calls == () and spent.chance("visible", "yes") is None

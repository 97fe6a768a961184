"""A model with eyes that tells the probabilities of its tokens: they say how sure it is."""

import json
import math
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from deixis.agents.main.ask_model import MODEL_POINTS
from deixis.agents.main.entail import entail


def with_tokens(reply: str, *said: dict[str, float]) -> AIMessage:
    """Return a reply with the probabilities of its verdicts, those written first."""
    pieces: list[dict[str, float]] = []
    for shares in said:
        before, _, reply = reply.partition(f'"{next(iter(shares))}"')
        pieces += [{before + '"': 1.0}, shares, {'"': 1.0}]
    content = []
    for shares in [*pieces, {reply: 1.0}]:
        top = [{"token": each, "logprob": math.log(p)} for each, p in shares.items()]
        content.append({**top[0], "top_logprobs": top})
    text = "".join(each["token"] for each in content)
    return AIMessage(text, response_metadata={"logprobs": {"content": content}})


def test_tokens_say_how_sure_a_model_is_whatever_it_states(
    described: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    point = {"confidence": 1.0, "box": [500, 0, 700, 1000]}
    reply = json.dumps({"e1": {"visible": "yes", **point}, "e2": {"visible": "no", **point}})
    tokens = with_tokens(reply, {"yes": 0.5, "no": 0.4, "unc": 0.1}, {"no": 0.75, "maybe": 0.25})
    toolbox = toolbox_of(lambda *_: tokens, entailer="scripted:qwen3-vl")
    update = run(entail, described, toolbox)
    assert update["verdicts"]["e1"]["probability"] == pytest.approx(5 / 9), "0.5 against 0.4"
    (candidate,) = update["verdicts"]["e1"]["candidates"]
    assert candidate["strength"] == pytest.approx(0.5 * MODEL_POINTS)
    assert candidate["what"] == "what scripted:qwen3-vl points at (token probability 0.50)"
    said = [update["decisions"][f"{e}/entail/groundable"]["evidence"][0] for e in ("e1", "e2")]
    assert said[0].startswith("scripted:qwen3-vl says yes (token probability 0.50) (odds x 1.25)")
    said_no = "scripted:qwen3-vl says no (token probability 1.00) (odds x 0.0833333)"
    assert said[1].startswith(said_no), "as sure as a model can be: 1 to 12"
    (call,) = update["calls"].values()
    assert call["chances"]["e1/visible"] == pytest.approx({"yes": 0.5, "no": 0.4, "unclear": 0.1})


def test_without_the_tokens_of_a_verdict_its_own_confidence_counts(
    described: dict[str, Any], toolbox_of: Any, run: Any
) -> None:
    reply = json.dumps({e: {"visible": "yes", "confidence": 0.25} for e in ("e1", "e2")})
    tokens = with_tokens(reply, {"yes": 0.5, "no": 0.5})
    update = run(entail, described, toolbox_of(lambda *_: tokens, entailer="scripted:eyes"))
    said = [update["decisions"][f"{e}/entail/groundable"]["evidence"][0] for e in ("e1", "e2")]
    assert "(token probability 0.50)" in said[0]
    assert "(confidence 0.25)" in said[1]

"""Servers that nearly speak OpenAI's protocol, as they refuse in public reports."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.limits import Spending
from deixis.llms.servers.manners import Manners, Ways
from deixis.llms.structured import ask
from deixis.settings import Budget, Options
from deixis.testing import Response

from .near import BLUE, PROMPT, Colour, Rule, answer, refusing


def mistral(body: dict[str, Any]) -> Response | None:
    wrong = {
        "type": "extra_forbidden",
        "loc": ["body", "max_completion_tokens"],
        "msg": "Extra inputs are not permitted",
        "input": 50,
    }
    return answer({"detail": [wrong]}, 422) if "max_completion_tokens" in body else None


def mistral_nested(body: dict[str, Any]) -> Response | None:
    refused = mistral(body)
    return refused and answer(
        {"object": "error", "message": refused.body, "type": "invalid_request_error"}, 422
    )


def deepseek(body: dict[str, Any]) -> Response | None:
    if body.get("response_format", {}).get("type") != "json_schema":
        return None
    message = "This response_format type is unavailable now"
    return answer({"error": {"message": message, "type": "invalid_request_error"}}, 400)


def without_json_mode(body: dict[str, Any]) -> Response | None:
    asked = body.get("response_format", {}).get("type", "text")
    message = "'response_format.type' must be 'text'"
    return None if asked == "text" else answer({"error": message}, 400)


def vllm(body: dict[str, Any]) -> Response | None:
    if "response_format" not in body:
        return None
    message = "The provided JSON schema contains features not supported by xgrammar."
    return answer({"object": "error", "message": message, "code": 400}, 400)


def llama_cpp(body: dict[str, Any]) -> Response | None:
    if body.get("response_format", {}).get("type") != "json_schema":
        return None
    return answer({"error": {"code": 500, "message": "Failed to parse grammar"}}, 500)


def not_implemented(body: dict[str, Any]) -> Response | None:
    return answer("response_format: not implemented", 501) if "response_format" in body else None


def openrouter(body: dict[str, Any]) -> Response | None:
    if "response_format" not in body:
        return None
    message = "No endpoints found that support the requested parameters."
    return answer({"error": {"message": message, "code": 404}}, 404)


def openrouter_inside(body: dict[str, Any]) -> Response | None:
    refused = openrouter(body)
    return refused and answer(refused.body)


def gemma(body: dict[str, Any]) -> Response | None:
    if body["messages"][0]["role"] != "system":
        return None
    return answer({"error": {"message": "System role not supported"}}, 400)


def everything(body: dict[str, Any]) -> Response | None:
    return mistral(body) or without_json_mode(body) or gemma(body)


def both_at_once(body: dict[str, Any]) -> Response | None:
    names = [name for name in ("max_completion_tokens", "response_format") if name in body]
    wrong = [{"loc": ["body", name], "msg": "Extra inputs are not permitted"} for name in names]
    return answer({"detail": wrong}, 422) if wrong else None


RULES: list[tuple[Rule, int, str, str, str]] = [
    # the rule, refusals, the limit's name, the format, the first role: as it is asked in the end
    (mistral, 1, "max_tokens", "json_schema", "system"),
    (mistral_nested, 1, "max_tokens", "json_schema", "system"),
    (deepseek, 1, "max_completion_tokens", "json_object", "system"),
    (without_json_mode, 2, "max_completion_tokens", "text", "system"),
    (vllm, 2, "max_completion_tokens", "text", "system"),
    (llama_cpp, 1, "max_completion_tokens", "json_object", "system"),
    (not_implemented, 2, "max_completion_tokens", "text", "system"),
    (openrouter, 2, "max_completion_tokens", "text", "system"),
    (openrouter_inside, 2, "max_completion_tokens", "text", "system"),
    (gemma, 1, "max_completion_tokens", "json_schema", "user"),
    (everything, 4, "max_tokens", "text", "user"),
    (both_at_once, 2, "max_tokens", "text", "system"),
]


@pytest.mark.extra
@pytest.mark.parametrize("rule, refusals, limit, form, role", RULES)
def test_what_a_server_refuses_is_learnt_once_and_done_without(
    provider: Any, waits: list[float], rule: Rule, refusals: int, limit: str, form: str, role: str
) -> None:
    provider.rule = refusing(rule)
    spec = f"openai:{rule.__name__}?base_url={provider.url}/v1"
    spending = Spending(Budget(calls=refusals + 2))
    reply = ask(registry.load(spec), PROMPT, Colour, max_tokens=50, spending=spending)
    assert reply.value == BLUE and waits == []
    assert [call.status for call in reply.calls] == ["failed"] * refusals + ["ok"]
    other = f"{spec}&temperature=0.5"  # is the same model of the same server
    reply = ask(registry.load(other), PROMPT, Colour, max_tokens=50, spending=spending)
    assert reply.value == BLUE and len(reply.calls) == 1
    assert spending.used_up(), "every request was counted"
    body = provider.requests[-1].body
    assert body[limit] == 50 and len({"max_tokens", "max_completion_tokens"} & set(body)) == 1
    assert body.get("response_format", {"type": "text"})["type"] == form
    assert body["messages"][0]["role"] == role
    sent = json.dumps(body["messages"])
    assert PROMPT.system in sent and PROMPT.user in sent
    assert ("JSON Schema" in sent) == (form != "json_schema")


LIMIT = "max_completion_tokens"
NOT_THE_LIMIT: list[Any] = [
    {"error": {"message": "Unknown parameter: maxCompletionTokens"}},
    {"error": {"message": "Unsupported parameter", "param": LIMIT}},
    {"error": {"message": "Validation failed", "details": [{"field": LIMIT, "message": "?"}]}},
    {"error": {"message": "Bad", "innererror": {"message": f"{LIMIT} is unknown"}}},
    {"error": "invalid_request", "error_description": f"{LIMIT} is unknown"},
    {"errors": {LIMIT: ["is unknown"]}},
    {"detail": {LIMIT: "is unknown"}},
    {"reason": f"{LIMIT} is unknown"},
    [{"error": {"message": f"{LIMIT} is unknown"}}],
    {"error": {"message": "`max_tokens` field required"}},
]
NOT_THE_FORM = ["response format not supported", "unknown field responseFormat", "unknown: strict"]
NO_SYSTEM = [
    "messages.0.role: system not allowed",
    "Unexpected role 'system'",
    "'messages[0].role' does not support 'system' with this model.",
]


@pytest.mark.parametrize(
    ("words", "learnt"),
    [
        *((words, Ways(limit="max_tokens")) for words in NOT_THE_LIMIT),
        *(({"message": words}, Ways(form="json_object")) for words in NOT_THE_FORM),
        *(({"message": words}, Ways(system=False)) for words in NO_SYSTEM),
        ({"message": "Extra inputs are not permitted"}, Ways(form="json_object")),
        ({"message": "no: [{'role': 'system', 'content': 'Be brief.'}]"}, Ways()),
        ({"message": "unknown parameter: temperature"}, Ways()),
    ],
)
def test_a_refusal_is_understood_in_many_words(words: Any, learnt: Ways) -> None:
    request = httpx.Request("POST", "http://x")
    response = httpx.Response(400, json=words, request=request)
    manners = Manners()
    fault = httpx.HTTPStatusError("refused", request=request, response=response)
    fault.status_code = 400  # type: ignore[attr-defined]
    assert manners.learn(Ways(), fault) == (learnt != Ways())
    assert manners.now() == learnt


@pytest.mark.extra
def test_what_a_refusal_does_not_name_is_found_out(provider: Any, waits: Any) -> None:
    refused = answer({"detail": "Unexpected keyword arguments"}, 422)
    provider.rule = refusing(lambda body: refused if LIMIT in body else None)
    spec = f"openai:unnamed?base_url={provider.url}/v1"
    reply = ask(registry.load(spec), PROMPT, Colour, max_tokens=50)
    assert reply.value == BLUE and provider.requests[-1].body["max_tokens"] == 50


@pytest.mark.extra
@pytest.mark.parametrize(
    ("status", "message", "tries"),
    [
        (400, "max_completion_tokens is too large: 50. This model supports at most 10", 1),
        (400, "maximum context length is 8 tokens; reduce max_completion_tokens", 1),
        (401, "your plan has no response_format", 1),
        (429, "too many requests with response_format", 3),
        (503, "overloaded", 3),
    ],
)
def test_other_faults_teach_nothing(
    provider: Any, waits: list[float], status: int, message: str, tries: int
) -> None:
    provider.rule = refusing(lambda _: answer({"error": {"message": message}}, status))
    spec = f"openai:faulty?base_url={provider.url}/v1"
    reply = ask(registry.load(spec), PROMPT, Colour, max_tokens=50)
    assert reply.status == "failed" and message[:40] in reply.detail
    assert len(reply.calls) == tries
    body = provider.requests[-1].body
    assert "max_completion_tokens" in body and body["response_format"]["type"] == "json_schema"


@pytest.mark.extra
@pytest.mark.parametrize("form", ["json_schema", "json_object", "none"])
def test_what_the_settings_say_is_not_unlearnt(provider: Any, waits: Any, form: str) -> None:
    provider.rule = refusing(everything)
    options = f"limit_name=max_completion_tokens&response_format={form}"
    spec = f"openai:given?base_url={provider.url}/v1&{options}"
    reply = ask(registry.load(spec), PROMPT, Colour, max_tokens=50)
    assert reply.status == "failed" and len(provider.requests) == 1
    assert "max_completion_tokens: Extra inputs are not permitted" in reply.detail
    asked = provider.requests[0].body.get("response_format", {"type": "none"})
    assert asked["type"] == form


@pytest.mark.extra
def test_a_server_that_ignores_the_limit_is_told_it_by_its_other_name(
    provider: Any, waits: Any
) -> None:
    provider.rule = refusing(lambda _: None)
    backend = registry.load(f"openai:old?base_url={provider.url}/v1")
    for _ in range(2):
        assert ask(backend, PROMPT, Colour, max_tokens=2).value == BLUE
    names = [[name for name in each.body if "tokens" in name] for each in provider.requests]
    assert names == [["max_completion_tokens"], ["max_tokens"]]


@pytest.mark.extra
def test_what_is_learnt_does_not_part_the_answers_that_are_kept(
    provider: Any, waits: Any, tmp_path: Path
) -> None:
    provider.rule = refusing(everything)
    asker = Asker(Options(), LlmCache(tmp_path, "use"))
    spec = f"openai:kept?base_url={provider.url}/v1"
    first = asker.ask(spec, PROMPT, Colour)
    asked = len(provider.requests)
    again = asker.ask(spec, PROMPT, Colour)
    assert first.value == again.value == BLUE and len(provider.requests) == asked
    assert again.calls[0].status == "cached"


@pytest.mark.extra
def test_an_object_as_an_option_is_sent(provider: Any, waits: Any) -> None:
    provider.rule = refusing(lambda _: None)
    body = '{"chat_template_kwargs": {"enable_thinking": false}, "top_k": 20}'
    headers = '{"X-Title": "Deixis", "HTTP-Referer": "https://example.org"}'
    spec = f"openai:q?base_url={provider.url}/v1&extra_body={body}&default_headers={headers}"
    reply = ask(registry.load(spec), PROMPT, Colour, max_tokens=50)
    assert reply.value == BLUE
    (heard,) = provider.requests
    assert heard.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert heard.body["top_k"] == 20 and heard.body["max_completion_tokens"] == 50
    assert heard.headers["x-title"] == "Deixis"

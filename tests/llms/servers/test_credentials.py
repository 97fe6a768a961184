"""Credentials in the URL of a model's server: the server gets them, nothing else does."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.batch.settings import identity
from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.cache.records import clean_spec
from deixis.llms.servers.redaction import shown, without_keys

from .wire import reply, serving

SECRETS = ("pass-word", "SECRET-KEY", "cGFzcy13b3Jk")


def settings(spec: str, folder: Path) -> Settings:
    roles: Any = {"recognizer": spec, "committee": [spec], "voter": spec, "expander": spec}
    given = Settings.load("starter").with_roles(
        {**dict.fromkeys(("detector", "reader", "segmenter", "entailer")), **roles}
    )
    return given.with_options(cache_folder=folder)


@pytest.mark.extra
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
def test_they_are_in_nothing_that_comes_out(
    tmp_path: Path, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.dumps({"entities": [{"text": "Grace Hopper", "type": "PER"}]})
    body: Any = {"error": {"message": "pass-word and SECRET-KEY are wrong"}}
    if status.startswith("200"):
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "created": 1, "choices": [choice]}
    sent = reply(json.dumps(body).encode(), status=status)
    with serving(lambda connection: connection.sendall(sent)) as wire:
        spec = wire.spec("openai", before="grace:pass-word@", after="?key=SECRET-KEY")
        given = settings(spec, tmp_path / "cache")
        seen = list(
            build_graph(given).stream({"text": "Grace Hopper spoke."}, stream_mode="values")
        )
    assert all("key=SECRET-KEY" in heard for heard in wire.heard) and wire.heard
    assert all("authorization: basic" in heard.lower() for heard in wire.heard)
    known = (*SECRETS, "grace:")
    kept = json.dumps(seen, default=str) + json.dumps(identity(given))
    kept += "".join(record.model_dump_json() for record in LlmCache(tmp_path / "cache").entries())
    kept += "".join(capsys.readouterr())
    assert "***" in kept and not [secret for secret in known if secret in kept]


@pytest.mark.parametrize(
    ("spec", "plain"),
    [
        ("openai:m", "openai:m"),
        ("openai:m?max_tokens=9&base_url=http://h/v1", "openai:m?max_tokens=9&base_url=http://h/v1"),
        ("openai:m?base_url=http://u:p%2Fw@h/v1", "openai:m?base_url=http://***@h/v1"),
        ("ollama:m?base_url=u:pw@h:11434", "ollama:m?base_url=***@h:11434"),
        ("openai:m?base_url=http://h/v1?token=S", "openai:m?base_url=http://h/v1?token=***"),
        ("openai:m?base_url=http://h/v1?a%3D1%26token%3DS", "openai:m?base_url=http://h/v1?a=1%26token=***"),
        ("openai:m?openai_api_key=S", "openai:m?openai_api_key=***"),
        ('openai:m?extra_body={"a": [{"api_key": "S"}]}', "openai:m?extra_body=***"),
        ('openai:m?extra_body={"api_key": "SECRET-1"', "openai:m?extra_body=***"),
        2 * ('openai:m?extra_body={"a": {"max_tokens": 5}}',),
    ],
)  # fmt: skip
def test_a_spec_is_shown_as_it_is_without_them(spec: str, plain: str) -> None:
    assert shown(spec) == plain == shown(plain)


@pytest.mark.extra
@pytest.mark.parametrize(
    "value", ['{"Authorization": "SECRET-1"}', '{"a": [{"api_key": "SECRET-1"}]}']
)
def test_no_option_takes_a_key_or_shows_it(value: str) -> None:
    with pytest.raises(SettingsError, match="keys stay out of settings") as caught:
        registry.load(f"openai:m?base_url=http://127.0.0.1:9&extra_body={value}")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "openai:m?base_url=http://u:pw@h/v1",
        "openai:m?base_url=http://u:p/w@h/v1",
        "openai:m?base_url=http://h/v1?token=S",
        "openai:m?base_url=http://h/v1?accessToken=S",
    ],
)
def test_the_cache_finds_answers_whatever_they_are(spec: str) -> None:
    assert clean_spec(spec) == clean_spec(shown(spec)) == "openai:m?base_url=http://h/v1"
    assert clean_spec("ollama:m?base_url=u:pw@h:1") == "ollama:m?base_url=h:1"


def test_a_key_of_the_environment_is_taken_out_as_soon_as_it_is_there_and_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "the keys are first-secret and second-secret"
    assert without_keys(said) == said
    monkeypatch.setenv("SOME_API_KEY", "first-secret")
    assert without_keys(said) == "the keys are *** and second-secret"
    monkeypatch.setenv("SOME_API_KEY", "second-secret")
    assert without_keys(said) == "the keys are first-secret and ***"
    monkeypatch.setenv("SOME_SERVER", "https://me:first-secret@host")
    assert without_keys(said) == "the keys are *** and ***"
    monkeypatch.delenv("SOME_API_KEY")
    assert without_keys(said) == "the keys are *** and second-secret"

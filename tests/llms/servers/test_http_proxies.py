"""Proxies on the way to servers of models, as the environment names them."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deixis.errors import SettingsError
from deixis.llms import registry, structured
from deixis.llms.answers.reading import Text
from deixis.llms.structured import ask
from deixis.prompts import Prompt

from .protocols import ANSWERS, PROVIDERS
from .wire import Wire, reply, serving

pytestmark = pytest.mark.slow

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
VARIABLES = [
    name
    for each in ("http", "https", "all", "no")
    for name in (f"{each}_proxy", f"{each}_PROXY".upper())
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(structured, "_PAUSES", ())
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    registry._load.cache_clear()
    yield
    registry._load.cache_clear()


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def proxy(provider: str) -> Iterator[Wire]:
    """Something that answers as the model's server would, whatever host it is asked for."""
    sent = reply(json.dumps(ANSWERS[provider]).encode())
    with serving(lambda connection: connection.sendall(sent)) as wire:
        yield wire


def spec(provider: str, host: str = "models.example") -> str:
    return f"{provider}:some-model?base_url=http://{host}/v1"


@pytest.mark.extra
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(
    provider: str, proxy: Wire, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"http://me:pass-word@127.0.0.1:{proxy.port}")
    got = ask(registry.load(spec(provider)), PROMPT, Text, max_tokens=9)
    assert got.value == Text(text="blue")
    (heard,) = proxy.heard
    assert (
        heard.startswith("POST http://models.example/v1") and "proxy-authorization" in heard.lower()
    )


@pytest.mark.extra
def test_https_is_asked_for_through_a_tunnel(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = reply(b"", status="403 Forbidden")
    with serving(lambda connection: connection.sendall(sent)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        whole = spec(provider).replace("http://", "https://")
        got = ask(registry.load(whole), PROMPT, Text, max_tokens=9)
    assert got.status == "failed"
    assert proxy.heard[0].startswith("CONNECT models.example:443")


@pytest.mark.extra
@pytest.mark.parametrize("no", [None, "[::1]", "a.example, b.example", "fe11::/16"])
@pytest.mark.parametrize("named", ["socks5://127.0.0.1:1", "socks://x", "http://[", "no url"])
def test_a_server_on_this_machine_is_asked_without_a_proxy(
    provider: str, proxy: Wire, named: str, no: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, named)
    if no is not None:
        monkeypatch.setenv("NO_PROXY", no)
    got = ask(registry.load(proxy.spec(provider)), PROMPT, Text, max_tokens=9)
    assert got.value == Text(text="blue")


@pytest.mark.extra
@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("socks5://me:pass-word@127.0.0.1:7891", r'pip install "httpx\[socks\]"'),
        ("socks://127.0.0.1:7891", "socks5://"),
        ("http://127.0.0.1:pass-word", "ALL_PROXY"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_asked(
    provider: str, named: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", named)
    with pytest.raises(SettingsError, match=said) as caught:
        registry.load(spec(provider))
    assert "pass-word" not in str(caught.value) and "\n" not in str(caught.value)


IMPORTED = """
from deixis.llms import registry
registry.load("ollama:m?base_url=http://127.0.0.1:9")
"""


@pytest.mark.process
def test_an_sdk_that_looks_for_proxies_as_it_is_imported_finds_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.extra
@pytest.mark.parametrize("no", ["models.example", " a.example , .example ", "*"])
def test_hosts_are_excepted(provider: str, no: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:7891")
    monkeypatch.setenv("NO_PROXY", no)
    assert registry.load(spec(provider)).model is not None

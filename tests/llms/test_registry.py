"""Providers: what is missing is told before anything is asked."""

import sys
from pathlib import Path

import pytest

from deixis.errors import MissingExtraError, MissingKeyError, SettingsError
from deixis.llms import registry
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.llms.registry import (
    PROVIDERS,
    Provider,
    check,
    load,
    provider_of,
    weights_of,
    whole_spec,
)
from deixis.settings import Spec

PLUGIN = """
from langchain_core.language_models import FakeListChatModel

def make(spec):
    if spec.name == "refused":
        raise ValueError("refused has\\nno model")
    if spec.name == "silent":
        raise ValueError
    return FakeListChatModel(responses=[f"{spec.name} {spec.options}"]), None

def make_files(spec):
    return [f"hub:friends/{spec.name}#transformers"]
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package whose module is not called as its distribution is."""
    (tmp_path / "parrot_module.py").write_text(PLUGIN)
    info = tmp_path / "deixis_plugin_of_a_friend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: deixis-plugin-of-a-friend\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[deixis.llms]\nparrot = parrot_module:make\nbroken = parrot_module:take\n"
        "absent = no_such_module:make\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("parrot_module", None)
    registry._load.cache_clear()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("opnai:gpt", "'opnai:gpt': there is no language-model provider 'opnai' (did you mean 'op"),
        ("gpt-5-mini", "there is no language-model provider 'gpt-5-mini'"),
        ("google:gemini", "did you mean 'google_genai'"),
        (" openai:gpt", "did you mean 'openai'"),
        ("zzz:x", "known: anthropic, embedded, gguf, google_genai, ollama, openai"),
        ("", "names no provider"),
        ("openai:m?seed", "must read ?name=value"),
    ],
)
def test_an_unknown_provider_is_told_with_the_nearest(spec: str, said: str) -> None:
    for function in (provider_of, check, load):
        with pytest.raises(SettingsError) as caught:
            function(spec)
        assert said in str(caught.value)


@pytest.mark.parametrize("spec", ["openai", "openai:", "embedded:?seed=1"])
def test_a_missing_model_name_is_told(spec: str) -> None:
    with pytest.raises(SettingsError, match=r"names no model; write (openai|embedded):MODEL"):
        check(spec)


def test_a_missing_package_is_told_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = Provider("deixis.llms.backends:openai", "no-such-package-at-all", "some-extra")
    monkeypatch.setitem(PROVIDERS, "absent", there)
    for function in (check, load):
        with pytest.raises(MissingExtraError) as caught:
            function("absent:model")
        assert 'python -m pip install "deixis[some-extra]"' in str(caught.value)
        assert caught.value.package == "no-such-package-at-all"


@pytest.mark.extra
def test_a_missing_key_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for function in (check, load):
        with pytest.raises(MissingKeyError, match="set the environment variable OPENAI_API_KEY"):
            function("openai:gpt-5-mini")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(MissingKeyError):
        check("openai:gpt-5-mini")
    monkeypatch.setenv("OPENAI_API_KEY", "something")
    check("openai:gpt-5-mini")


@pytest.mark.extra
def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    spec = "openai:any?base_url=http://127.0.0.1:1/v1"
    check(spec)
    assert load(spec).constrain is not None


@pytest.mark.extra
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("temprature=0", "there is no option 'temprature' (did you mean 'temperature'"),
        ("max_retries=5", "there is no option 'max_retries'"),
        ("temperature=warm", "option temperature: Input should be a valid number"),
    ],
)
def test_a_wrong_option_of_a_wrapper_is_told(query: str, said: str) -> None:
    spec = f"openai:any?base_url=http://127.0.0.1:1/v1&{query}"
    with pytest.raises(SettingsError) as caught:
        load(spec)
    assert said in str(caught.value) and spec in str(caught.value)


@pytest.mark.extra
def test_a_backend_is_made_once() -> None:
    spec = "openai:any?base_url=http://127.0.0.1:1/v1&temperature=0.25"
    assert load(spec) is load(spec)
    assert load(spec) is not load(spec.replace("0.25", "0.5"))


@pytest.mark.usefixtures("plugin")
def test_another_package_brings_a_provider() -> None:
    check("parrot:polly")
    backend = load("parrot:polly?volume=11")
    assert backend.model.invoke("hi").text == "polly {'volume': '11'}"
    assert backend.constrain is None
    with pytest.raises(SettingsError, match="did you mean 'parrot'"):
        check("parot:polly")


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("spec", "files"),
    [
        ("embedded:smollm2-135m", [EMBEDDED["smollm2-135m"]]),
        ("gguf:/my/model.gguf?context=512", ["/my/model.gguf"]),
        ("transformers:a/b@v1?device=cpu", ["hub:a/b@v1#transformers"]),
        ("transformers:/my/folder", ["/my/folder"]),
        ("openai:any", []),
        ("ollama:any", []),
        ("parrot:polly", ["hub:friends/polly#transformers"]),
    ],
)
def test_a_provider_tells_which_weights_a_model_needs(spec: str, files: list[str]) -> None:
    assert provider_of(spec).files(spec) == files


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("embedded:smollm3", "no embedded model 'smollm3' .did you mean 'smollm2-135m'"),
        ("absent:x", "'absent:x': its provider cannot be imported"),
    ],
)
def test_who_cannot_tell_says_why(spec: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        provider_of(spec).files(spec)


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("parrot:refused", "'parrot:refused': refused has no model"),
        ("parrot:silent", "'parrot:silent': "),
        ("broken:x", "'broken:x': its provider cannot be imported: module 'parrot_module' has no"),
        ("absent:x", "'absent:x': its provider cannot be imported: No module named"),
    ],
)
def test_a_provider_that_does_not_work_is_told(spec: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(spec)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("variable", "spec"),
    [
        ("OPENAI_BASE_URL", "openai:m"),
        ("OPENAI_API_BASE", "openai:m?temperature=0"),
        ("ANTHROPIC_BASE_URL", "anthropic:m"),
        ("GOOGLE_GEMINI_BASE_URL", "google_genai:m"),
        ("OLLAMA_HOST", "ollama:m"),
    ],
)
def test_a_server_named_by_the_environment_is_another_model(
    monkeypatch: pytest.MonkeyPatch, variable: str, spec: str
) -> None:
    assert whole_spec(spec) == spec
    monkeypatch.setenv(variable, "http://127.0.0.1:1/v1?a=b&c")
    whole = Spec.parse(whole_spec(spec))
    assert whole.options["base_url"] == "http://127.0.0.1:1/v1?a=b&c"
    assert {**whole.options, **Spec.parse(spec).options} == whole.options
    own = "openai:m?base_url=http://127.0.0.1:2/v1"
    assert whole_spec(own) == own and whole_spec("embedded:x") == "embedded:x"


@pytest.mark.usefixtures("plugin")
def test_no_provider_is_told_of_a_family() -> None:
    said = load("parrot:polly?family=qwen2.5-vl&colour=blue").model.invoke("Hi")
    assert said.content == "polly {'colour': 'blue'}"
    assert load("parrot:polly?family=gemini").model.invoke("Hi").content == "polly {}"


def test_a_family_makes_no_other_question() -> None:
    """So answers that were asked for without it, or with another, are found again."""
    for spec, whole in [
        ("transformers:/my/weights?family=gemini", "transformers:/my/weights"),
        ("transformers:/w?seed=1&family=gemini&top=%2F", "transformers:/w?seed=1&top=%2F"),
        ("openai:m?family=gpt&base_url=http://127.0.0.1:1", "openai:m?base_url=http://127.0.0.1:1"),
    ]:
        assert whole_spec(spec) == whole


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("embedded:smollm2-135m?family=gemini", "option family has no effect, for the model takes"),
        ("openai:m?family=gemni&base_url=http://127.0.0.1:1", "(did you mean 'gemini'?); known: q"),
        ("openai:m?family=&base_url=http://127.0.0.1:1", "there is no family ''"),
    ],
)
def test_a_family_that_cannot_be_is_told(spec: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check(spec)
    assert said in str(caught.value)


def test_weights_on_this_disk_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    spec = f"gguf:{file}?seed=1"
    assert weights_of("ollama:qwen") == weights_of(spec) == weights_of("gguf:pypi:x") == ""
    file.write_bytes(b"first")
    first = weights_of(spec)
    eyes = tmp_path / "eyes.gguf"
    eyes.write_bytes(b"eyes")
    assert first and weights_of(f"{spec}&mmproj={eyes}") not in ("", first)
    file.write_bytes(b"other")
    assert weights_of(spec) not in ("", first)
    assert weights_of("embedded:smollm2-135m") == "", "its wheel is of one version"

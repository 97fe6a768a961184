"""Which models are sent sound and video: by their names, by their spec, or never."""

import pytest

from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.llms.senses import refused

NEITHER, BOTH, SOUND, VIDEO = (False, False), (True, True), (True, False), (False, True)


@pytest.mark.parametrize(
    ("spec", "senses"),
    [
        ("google_genai:gemini-2.5-flash", BOTH),
        ("google_genai:gemini-2.5-flash?hears=false", VIDEO),
        ("google_genai:gemma-3-27b-it", NEITHER),
        ("openai:gpt-audio-mini", SOUND),
        ("openai:gpt-4o-audio-preview", SOUND),
        ("openai:gpt-5-mini", NEITHER),
        ("openai:Qwen/Qwen2.5-Omni-7B?base_url=http://127.0.0.1:8000/v1", BOTH),
        ("openai:omni-team/plain-7b", NEITHER),
        ("openai:plain?base_url=http://127.0.0.1:8000/v1&watches=true", VIDEO),
        ("openai:plain?hears=true&watches=true", BOTH),
        ("anthropic:claude-haiku-4-5", NEITHER),
        ("ollama:gemma3n", NEITHER),
        ("embedded:smollm2-135m", NEITHER),
        ("gguf:/qwen2.5-omni.gguf?mmproj=/eyes.gguf", NEITHER),
    ],
)
def test_names_and_specs_tell(spec: str, senses: tuple[bool, bool]) -> None:
    assert (registry.hears(spec), registry.watches(spec)) == senses


def test_openais_audio_models_are_shown_no_pictures() -> None:
    for name in ("gpt-audio", "gpt-audio-mini", "gpt-4o-audio-preview"):
        assert not registry.sees(f"openai:{name}")
    for name in ("gpt-5-mini", "Qwen/Qwen2.5-Omni-7B", "my-audio-visual-model"):
        assert registry.sees(f"openai:{name}")


@pytest.mark.parametrize("sense", ["hears", "watches"])
def test_an_option_that_says_nothing_is_an_error(sense: str) -> None:
    with pytest.raises(SettingsError, match=f"option {sense} is 'yes'; write true or false"):
        registry.check(f"openai:any?base_url=http://127.0.0.1:1/v1&{sense}=yes")
    for provider in ("embedded:smollm2-135m", "gguf:/m.gguf", "ollama:m", "anthropic:m"):
        with pytest.raises(SettingsError, match=f"option {sense} has no effect, for models of"):
            registry.check(f"{provider}?{sense}=true")


def test_another_answer_is_not_asked_for_because_a_model_is_said_to_hear() -> None:
    spec = "openai:any?base_url=http://127.0.0.1:1/v1&seed=1"
    assert registry.whole_spec(f"{spec}&hears=true&watches=false") == spec


def test_a_plugin_can_say_what_its_models_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    from deixis.llms import backends

    listens = registry.Provider("deixis.llms.backends:ollama", "", "")
    monkeypatch.setitem(registry.PROVIDERS, "listens", listens)
    assert not registry.hears("listens:a") and registry.hears("listens:a?hears=true")
    told = {"a": ["hears"]}
    monkeypatch.setattr(
        backends, "ollama_senses", lambda spec: told.get(spec.name, []), raising=False
    )
    assert registry.hears("listens:a") and not registry.watches("listens:a")
    assert not registry.hears("listens:b") and not registry.hears("listens:a?hears=false")


class _Fault(Exception):
    def __init__(self, status_code: int, words: str) -> None:
        super().__init__(words)
        self.status_code = status_code


@pytest.mark.parametrize(
    ("code", "words", "senses"),
    [
        (400, "At most 0 audio(s) may be provided in one prompt.", {"hears"}),
        (400, "Audio input modality is not enabled for models/some-model", {"hears"}),
        (500, "video input is not supported", {"watches"}),
        (
            400,
            "Invalid 'messages[1]'. Content blocks are expected to be either text or image_url",
            {"hears", "watches"},
        ),
        (400, "Some-model is not a multimodal model", {"hears", "watches"}),
        # Of this recording alone, of something else, or nothing that lasts:
        (400, "Failed to decode the audio file", set()),
        (400, "the audio is too long", set()),
        (400, "This model's maximum context length is 4096 tokens; audio has 9000", set()),
        (400, "max_tokens is required", set()),
        (429, "audio requests are limited", set()),
        (401, "no access to audio models", set()),
    ],
)
def test_what_a_server_refuses_is_learnt_from_its_words(
    code: int, words: str, senses: set[str]
) -> None:
    assert refused(_Fault(code, words), {"image", "audio", "video"}) == senses
    assert refused(_Fault(code, words), {"image"}) == set()


def test_what_is_learnt_is_of_one_model_of_one_server() -> None:
    here = "openai:learns?base_url=http://ann:secret@127.0.0.1:1/v1&hears=true&seed=2"
    there = "openai:learns?base_url=http://127.0.0.1:2/v1&hears=true"
    registry.learn(here, {"audio"}, _Fault(400, "audio is not supported"))
    assert not registry.hears(here) and registry.hears(there)
    assert not registry.hears(here.replace("ann:secret", "***").replace("seed=2", "seed=3"))

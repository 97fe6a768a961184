"""Options of models: what is given as JSON arrives, what is wrong is told by name."""

from typing import Any

import pytest

from deixis.errors import SettingsError
from deixis.llms import registry

pytestmark = pytest.mark.extra

OPENAI, GEMINI = "openai:m?base_url=http://127.0.0.1:1/v1", "google_genai:m?base_url=http://h:1"
CLAUDE, OLLAMA = "anthropic:m?base_url=http://h:1", "ollama:m?base_url=http://h:1"


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        (f'{OPENAI}&model_kwargs={{"x": 1}}', "model_kwargs", {"x": 1}),
        (f'{OPENAI}&extra_body={{"a": {{"b": [1, null]}}}}', "extra_body", {"a": {"b": [1, None]}}),
        (f'{OPENAI}&extra_body={{"a": "1%262%2B3"}}', "extra_body", {"a": "1&2+3"}),
        (f'{OPENAI}&default_headers={{"X-Title": "a"}}', "default_headers", {"X-Title": "a"}),
        (f'{OPENAI}&disabled_params={{"x": null}}', "disabled_params", {"x": None}),
        (f'{OPENAI}&stop=["a", "b"]', "stop", ["a", "b"]),
        (f"{OPENAI}&stop=END", "stop", "END"),
        (f"{OPENAI}&stop=[END", "stop", "[END"),
        (f'{CLAUDE}&thinking={{"type": "disabled"}}', "thinking", {"type": "disabled"}),
        (f'{OLLAMA}&stop=["a"]', "stop", ["a"]),
        (f"{OLLAMA}&reasoning=false", "reasoning", False),
    ],
)
def test_objects_and_lists_are_given_as_json(spec: str, field: str, value: Any) -> None:
    assert getattr(registry.load(spec).model, field) == value


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (f"{OPENAI}&model_kwargs=5", 'option model_kwargs takes JSON, such as {"name": "value"}'),
        (f"{OPENAI}&model_kwargs=[1]", "option model_kwargs takes JSON"),
        (f'{OPENAI}&model_kwargs={{"x"', "option model_kwargs takes JSON"),
        (f'{OPENAI}&model_kwargs={{"model": "x"}}', "model supplied twice"),
        (f'{OPENAI}&extra_body={{"x": NaN}}', "option extra_body takes JSON"),
        (f"{OPENAI}&extra_body={'[' * 5000}", "option extra_body takes JSON"),
        (f"{OPENAI}&extra_body=", "option extra_body takes JSON"),
        (
            f'{OPENAI}&default_headers={{"X": 1}}',
            "option default_headers.X: Input should be a valid",
        ),
        (f'{OPENAI}&default_headers={{"Authorization": "x"}}', "leave out 'Authorization'"),
        (f'{OPENAI}&extra_body={{"api_key": "x"}}', "keys stay out of settings"),
        (f"{OPENAI}&limit_name=500", "option limit_name: Input should be 'max_completion_tokens'"),
        (f"{OPENAI}&response_format=json", "option response_format: Input should be"),
        (f"{OPENAI}&max_tokens=50", "option max_tokens would have no effect; options.max_tokens"),
        (f"{OPENAI}&root_client=x", "there is no option 'root_client'"),
        (f"{OPENAI}&n=3", "there is no option 'n'"),
        (f"{GEMINI}&safety_settings=x", "option safety_settings takes JSON"),
        (f"{CLAUDE}&thinking=on", "option thinking takes JSON"),
        (f"{OLLAMA}&client_kwargs=3", "option client_kwargs takes JSON"),
        (f"{OLLAMA}&stop=a", 'option stop takes JSON, such as ["value"]'),
        (f"{OLLAMA}&num_predict=5", "option num_predict would have no effect"),
        ("embedded:smollm2-135m?temperature=[1]", "option temperature: Input should be"),
    ],
)
def test_a_wrong_value_is_told_with_its_option(spec: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        registry.load(spec)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"), [("300", 300), ("-1", -1), ("10m", "10m"), ("0", 0), ("-1m", "-1m")]
)
def test_a_number_is_one_where_words_may_stand_too(text: str, value: object) -> None:
    """Ollama takes seconds as a number, and "300" without a unit for a mistake."""
    model = registry.load(f"{OLLAMA}&keep_alive={text}").model
    assert model.keep_alive == value and type(model.keep_alive) is type(value)

"""Options of models that would have no effect in a role."""

import pytest

from deixis import Settings, build_graph
from deixis.errors import SettingsError


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("family=qwen3-vl", "points at nothing"),
        ("hears=true", "is sent no sound"),
        ("watches=false", "is sent no video"),
    ],
)
def test_an_option_without_effect_in_its_role_is_told(option: str, why: str) -> None:
    spec = f"openai:any?base_url=http://127.0.0.1:1/v1&{option}"
    settings = Settings.load("starter").with_roles({"expander": spec})
    name = option.partition("=")[0]
    with pytest.raises(SettingsError, match=rf"expander: option {name} of .* this role {why}"):
        build_graph(settings)

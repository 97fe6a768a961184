"""What the README shows is what the code takes."""

import re
from pathlib import Path

import yaml

from deixis.settings import Options, Settings, entry_for

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_options_shown_are_options() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    options = Options.model_validate(yaml.safe_load(shown)["options"])
    assert entry_for("openai:gpt-5-mini?temperature=0", options.prices) is not None
    assert entry_for("openai:gpt-5-mini", options.limits) is not None
    assert options.gate == Options().gate, "the gate shown is the default"


def test_files_linked_are_there() -> None:
    links = re.findall(r"\]\(([\w./-]+)\)", README)
    assert len(links) > 10
    for link in links:
        assert (Path(__file__).parents[1] / link).exists(), link


def test_roles_and_providers_named_exist() -> None:
    from deixis.llms.registry import PROVIDERS

    for provider in PROVIDERS:
        assert f"`{provider}:" in README, provider
    assert set(Settings.load().roles.model_dump()) >= {"corrector", "voter"}

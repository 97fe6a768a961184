"""The stacks that come with Deixis: every model they name could be had with keys and a hub."""

import json
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.graphs.build import toolbox_of
from deixis.llms import registry
from deixis.settings import stack_names

pytestmark = pytest.mark.slow

KEYS = ("OPENAI_API_KEY", "GOOGLE_API_KEY", "ANTHROPIC_API_KEY")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.setenv(key, "some-key")


SYSTEMS = ["e2e", "mmre", "muie", "riveg", "vkel"]


def test_there_is_one_for_each_system_of_a_paper() -> None:
    assert stack_names() == sorted(["cloud", "fast", "gpu", "laptop", "starter", *SYSTEMS])
    for name in stack_names():
        assert Settings.load(name).graph == (name if name in SYSTEMS else "main")


@pytest.mark.extra
@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", stack_names())
def test_a_stack_can_be_built_and_all_its_models_are_known(name: str) -> None:
    settings = Settings.load(name)
    assert settings.description
    toolbox = toolbox_of(settings)
    toolbox.check()  # packages are there, keys are set
    models = [seat.spec for seat in toolbox.cast.seats() if not seat.is_tool]
    fewest = {"fast": 0, "cloud": 6, "gpu": 6, "starter": 5}
    assert len(models) >= fewest.get(name, 1)
    for spec in models:
        assert registry.load(spec).spec == spec, "its options are options"
    build_graph(name)


@pytest.mark.extra("starter", "langchain_openai", "transformers")
@pytest.mark.parametrize(("name", "missing"), [("cloud", KEYS), ("gpu", ())])
def test_the_doctor_names_what_is_missing(
    deixis: Any, monkeypatch: pytest.MonkeyPatch, name: str, missing: tuple[str, ...]
) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    code, printed, _ = deixis("doctor", "--stack", name, "--json")
    fixes = " ".join(each["fix"] for each in json.loads(printed))
    assert code == (2 if missing else 0), fixes
    for key in missing:
        assert key in fixes

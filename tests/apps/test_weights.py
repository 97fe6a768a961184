"""Weights are fetched before a run, whoever needs them, and whoever watches sees them come."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from deixis import Settings
from deixis.apps import terminal, weights
from deixis.apps.doctor import examine
from deixis.graphs.build import toolbox_of
from deixis.testing import Request

pytestmark = [pytest.mark.slow, pytest.mark.extra]

LATER, READY = "ready; fetched on first use: 768.0 kB", "ready"


@pytest.fixture
def settings(
    hub: list[Request],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scripted: Callable[..., None],
) -> Settings:
    """A stack whose entailer and voter are models of the hub."""
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    scripted()
    roles: dict[str, Any] = dict.fromkeys(("detector", "reader", "segmenter"))
    roles |= dict.fromkeys(("expander", "templater"), "scripted:a")
    roles |= {"committee": ["scripted:a"], "entailer": "siglip:owner/toy"}
    return Settings.load().with_roles({**roles, "voter": "transformers:owner/toy"})


def states(settings: Settings) -> dict[str, str]:
    return {finding.part: finding.state for finding in examine(settings)}


def test_the_doctor_and_the_fetching_know_models_of_the_hub(
    settings: Settings, hub: list[Request], capfd: pytest.CaptureFixture[str]
) -> None:
    assert (states(settings)["entailer"], states(settings)["voter"]) == (LATER, LATER)
    assert {request.path.partition("?")[0] for request in hub} == {"/api/models/owner/toy"}
    assert states(settings)["weights"] == "to be fetched: 768.0 kB", "two roles share them"
    toolbox = toolbox_of(settings)
    weights.fetch(toolbox)
    fetched = [request.path for request in hub if request.method == "GET"]
    assert sum(path.endswith("/model.safetensors") for path in fetched) == 1
    assert (states(settings)["entailer"], states(settings)["voter"]) == (READY, READY)
    asked = len(hub)
    weights.fetch(toolbox)
    assert len(hub) == asked, "what is there is not asked for"
    assert capfd.readouterr().err == "", "nobody watches"


def test_what_only_looks_is_not_fetched_without_pictures(
    settings: Settings, hub: list[Request]
) -> None:
    weights.fetch(toolbox_of(settings.with_roles({"voter": "scripted:a"})), given={"text": "Ada"})
    assert hub == []


@pytest.mark.parametrize("shown", [True, False])
def test_a_bar_counts_the_bytes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    screen = io.StringIO()
    counted: list[tuple[int, int]] = []
    update = Progress.update

    def note(bar: Progress, task: Any, **changes: Any) -> None:
        counted.append((changes["completed"], changes["total"]))
        update(bar, task, **changes)
        bar.refresh()

    monkeypatch.setattr(Progress, "update", note)
    monkeypatch.setattr(terminal, "is_live", lambda: True)
    monkeypatch.setattr(terminal, "err", Console(file=screen, force_terminal=True, width=100))
    weights.fetch(toolbox_of(settings), shown=shown)
    come, total = counted[-1]
    assert come == total > 700_000
    assert ("weights of the entailer" in screen.getvalue()) == shown
    assert ("768.0/768.0 kB" in screen.getvalue()) == shown

"""What only sound needs is asked for where there is sound."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from deixis import build_graph
from deixis.errors import MissingExtraError

pytestmark = pytest.mark.extra("starter")

SPEECH = Path(__file__).parents[2] / "sounds" / "grace_hopper.wav"


def test_a_text_needs_no_package_that_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "deixis.tools.registry.find_spec",
        lambda module: None if module == "faster_whisper" else find_spec(module),
    )
    graph = build_graph("fast", graph="muie")
    (entity,) = graph.invoke({"text": "Ada Lovelace wrote it"})["entities"]
    assert entity["text"] == "Ada Lovelace"
    with pytest.raises(MissingExtraError, match=r"faster-whisper.*deixis\[media\]"):
        graph.invoke({"audio": str(SPEECH)})

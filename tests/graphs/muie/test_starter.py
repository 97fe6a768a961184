"""The graph muie with the starter's own tools: recognition, speech, tracks, things; no model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import Extraction, Settings, build_graph
from deixis.base.boxes import as_box, box_iou
from deixis.graphs.build import Graph
from deixis.testing import media
from tests.sounds.flite import Spoken

pytestmark = [
    *(pytest.mark.slow, pytest.mark.extra("av")),
    *(pytest.mark.extra("starter"), pytest.mark.extra("faster_whisper")),
]

TEXT = "Grace Hopper joined the United States Navy in nineteen forty three."
SHE = (16.0, 5.0, 361.0, 510.0)
"""Where Eileen Collins is in her photograph, as the detector sees it whole."""
WINDOW, SIZE = (390, 360), (320, 240)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return build_graph(Settings.load(), graph="muie")


@pytest.fixture(scope="module")
def frames(collins: Path) -> Any:
    """A camera goes over the photograph of Collins: four seconds, ten frames each."""
    with Image.open(collins) as photo:
        whole = photo.convert("RGB")
    windows = [(3 * n, 2 * n, 3 * n + WINDOW[0], 2 * n + WINDOW[1]) for n in range(40)]
    return np.stack([np.asarray(whole.crop(window).resize(SIZE)) for window in windows])


@pytest.fixture
def sample(hopper: Path, hopper_speech: Spoken, frames: Any) -> Callable[[str], dict[str, Any]]:
    """Return ``sample("TIA")``: a text, a picture, speech that says the text, a film."""

    def make(inputs: str) -> dict[str, Any]:
        known: dict[str, dict[str, Any]] = {
            "T": {"text": TEXT},
            "I": {"image": str(hopper)},
            "A": {"audio": str(hopper_speech.path)},
            "V": {"video": media.film(frames, 10)},
        }
        return {name: value for own in inputs for name, value in known[own].items()}

    return make


def she_at(index: int) -> tuple[float, float, float, float]:
    """Return where she is in a frame."""
    across, down = SIZE[0] / WINDOW[0], SIZE[1] / WINDOW[1]
    left, top = 3 * index, 2 * index
    return (
        max(SHE[0] - left, 0.0) * across,
        max(SHE[1] - top, 0.0) * down,
        min(SHE[2] - left, WINDOW[0]) * across,
        min(SHE[3] - top, WINDOW[1]) * down,
    )


def check_heard(found: Extraction, spoken: Spoken) -> None:
    """The two names are heard about when they are said."""
    assert found.transcript is not None and found.transcript.source == "faster-whisper"
    names = [own for own in found.entities if own.spans]
    assert [own.type for own in names] == ["PER", "ORG"]
    for own, said in zip(names, spoken.names, strict=True):
        (span,) = own.spans
        assert own.groundable and spoken.overlap(*said, (span.start, span.end)) >= 0.6


def check_tracked(found: Extraction) -> None:
    """One person is followed through the film."""
    (person,) = [own for own in found.entities if own.track]
    assert (person.text, person.type, person.start) == ("person", "PER", None)
    assert len(person.track) >= 15 and {own.region.source for own in person.track} == {
        "nanodet",
        "optical-flow",
    }
    overlaps = [box_iou(as_box(own.region.box), she_at(own.index)) for own in person.track]
    assert np.mean(overlaps) >= 0.8 and min(overlaps) >= 0.5


@pytest.mark.parametrize("inputs", ["T", "I", "A", "V", "TI", "TA", "VA"])
def test_the_starter_reads_every_medium(
    graph: Graph,
    sample: Callable[[str], dict[str, Any]],
    hopper_speech: Spoken,
    inputs: str,
) -> None:
    found = Extraction.model_validate(graph.invoke(sample(inputs)))
    assert found.warnings == [] and found.replies == [] and found.entities
    if "T" in inputs:
        spans = [(own.text, own.start, own.end, own.type) for own in found.entities]
        assert spans == [
            ("Grace Hopper", 0, 12, "PER"),
            ("United States Navy", 24, 42, "ORG"),
        ]
    if "A" in inputs:
        check_heard(found, hopper_speech)
    if inputs == "V":
        check_tracked(found)
    if inputs == "T":
        assert all(own.groundable is None for own in found.entities)
    if "I" in inputs:
        person = found.entities[0]
        assert person.text == ("Grace Hopper" if "T" in inputs else "person")
        (region,) = person.regions
        assert region.mask is not None and box_iou(as_box(region.box), (4, 19, 510, 600)) > 0.9


def test_a_film_that_speaks_is_heard(graph: Graph, frames: Any, hopper_speech: Spoken) -> None:
    film = media.film(frames, 10, sound=hopper_speech.samples)
    found = Extraction.model_validate(graph.invoke({"video": film, "task": "ner,re,ee"}))
    check_heard(found, hopper_speech)
    (told,) = [own.message for own in found.warnings]
    assert told.startswith("no relations and no events")

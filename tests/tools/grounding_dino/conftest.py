"""A tiny Grounding DINO, with options."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.tools import registry
from deixis.tools.grounding_dino.detector import GroundingDino


@pytest.fixture
def detector(tiny_dino: Path) -> Callable[..., GroundingDino]:
    """Make the detector with some options."""
    return lambda query="": registry.load(f"grounding-dino:{tiny_dino}?{query}", "detector")

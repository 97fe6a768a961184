"""Real weights on real photographs, for those who can reach a model hub."""

import os
from pathlib import Path

import numpy as np
import pytest

from deixis.base.boxes import box_iou
from deixis.base.images import open_image
from deixis.tools import registry
from deixis.tools.base import Detector, Segmenter

pytestmark = [
    pytest.mark.hub,
    pytest.mark.enable_socket,
    pytest.mark.skipif(
        not os.environ.get("DEIXIS_HUB"), reason="set DEIXIS_HUB=1 where a model hub is reached"
    ),
]

ASTRONAUT = (76.0, 5.0, 375.0, 512.0)
"""Eileen Collins in her photograph, about."""


@pytest.mark.parametrize(
    "spec",
    [
        "grounding-dino:IDEA-Research/grounding-dino-tiny",
        "grounding-dino:IDEA-Research/grounding-dino-tiny?mode=fast",
        "owlv2:google/owlv2-base-patch16-ensemble",
    ],
)
def test_a_detector_finds_what_is_described(collins: Path, spec: str) -> None:
    detector: Detector = registry.load(spec, "detector")
    picture = open_image(collins).pixels
    found = detector.detect(picture, ["an astronaut in an orange suit", "an elephant"])
    best = max(found, key=lambda each: each.score)
    assert best.label.startswith("an astronaut") and box_iou(best.box, ASTRONAUT) > 0.6
    others = [each.score for each in found if each.label == "an elephant"]
    assert max(others, default=0.0) < best.score


@pytest.mark.parametrize("spec", ["sam:facebook/sam-vit-base", "sam2:facebook/sam2.1-hiera-tiny"])
def test_a_segmenter_outlines_what_is_in_a_box(collins: Path, spec: str) -> None:
    segmenter: Segmenter = registry.load(spec, "segmenter")
    picture = open_image(collins).pixels
    (mask,) = segmenter.segment(picture, [ASTRONAUT])
    assert mask is not None
    shape = mask.to_array()
    x1, y1, x2, y2 = map(int, ASTRONAUT)
    inside = shape[y1:y2, x1:x2]
    assert 0.4 < inside.mean() < 0.95, "a person fills a part of her box"
    assert inside.sum() / shape.sum() > 0.9 and shape[150, 225], "her face is hers"
    assert np.count_nonzero(shape[:40, 420:]) == 0, "and the wall is not"

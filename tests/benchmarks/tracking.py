"""How well trackers follow two objects that cross, and how long a frame takes.

Run with ``python -m tests.benchmarks.tracking [SPEC ...]`` in the repository; prints Markdown. The
clips are made, 480 x 270 pixels, 40 frames; nothing was tuned on these seeds. A place counts where
at least half of the object is visible; where there is none, its IoU is 0. A switch is a frame in
which one object's place is that of the other.
"""

import sys
import time

import numpy as np

from deixis.base.boxes import as_box
from deixis.tools import registry
from tests.tools.tracking.crossing import crossing, score

SEEDS = range(1000, 1040)
STEPS = {"3 to 9 pixels a frame": None, "15": 15.0, "35 (5 frames a second)": 35.0}


def measure(spec: str) -> None:
    """Print a row for each speed."""
    tracker = registry.load(spec, "tracker")
    for name, step in STEPS.items():
        scores, seconds = [], []
        for seed in SEEDS:
            clip = crossing(seed, step=step)
            start = time.perf_counter()
            tracks = tracker.track(clip.frames, [as_box(box) for box in clip.boxes[0]])
            seconds.append((time.perf_counter() - start) / len(clip.frames))
            scores.append(score(clip, tracks))
        ious = [each.iou for each in scores]
        print(
            f"| {spec} | {name} | {np.mean(ious):.3f} | {min(ious):.2f} | "
            f"{sum(iou < 0.8 for iou in ious)} of {len(ious)} | "
            f"{sum(each.switches for each in scores)} | {1000 * np.median(seconds):.0f} |"
        )


if __name__ == "__main__":
    print("| tracker | speed | mean IoU | worst clip | below 0.8 | switches | ms a frame |")
    print("|-|-|-|-|-|-|-|")
    for given in sys.argv[1:] or ["optical-flow"]:
        measure(given)

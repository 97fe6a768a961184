"""Compare samples that run at once through a detector and a segmenter with one after the other.

Run with ``python tests/benchmarks/micro_batch.py [DEVICE [SAMPLES [PHRASES]]]``; prints Markdown.
The models are a Grounding DINO of the size of Swin-T (exact mode, float32) and a SAM ViT-B, both
with random weights, on which speed does not depend. Every sample is a picture of 640 x 480 with two
phrases to find and four boxes to mask. Half of the samples that go one after the other are run
before those that run at once and half after, so that a machine that gets slower says so of both.

On a GPU passes are shared, and at least 3 times the throughput is wanted. On a CPU no pass is
shared, for it would be slower; at most 1.05 times the time is wanted. On 2 cores, 4 samples with
one phrase each take a few minutes.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import detectors
import numpy as np
import segmenters
import torch
import transformers as hf
from PIL import Image

from deixis.base.boxes import Box
from deixis.schema import Mask
from deixis.tools.base import Detection, Picture
from deixis.tools.grounding_dino.detector import GroundingDino
from deixis.tools.sam import Sam
from deixis.weights import micro_batch

SAMPLES, PHRASES, BOXES = 16, 2, 4
HEIGHT, WIDTH = 480, 640


class Sample(NamedTuple):
    picture: Picture
    phrases: Sequence[str]
    boxes: list[Box]


class Result(NamedTuple):
    found: list[Detection]
    masks: list[Mask | None]


class Spent(NamedTuple):
    wall: float
    processors: float

    def __add__(self, other: Any) -> "Spent":
        return Spent(self.wall + other.wall, self.processors + other.processors)


def draw(seed: int) -> Picture:
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((WIDTH, HEIGHT)))


def samples_of(count: int, phrases: int) -> list[Sample]:
    known, boxes = detectors.PHRASES * 2, segmenters.boxes_in(HEIGHT, WIDTH, BOXES)
    starts = [seed % len(detectors.PHRASES) for seed in range(count)]
    return [
        Sample(draw(seed), known[start : start + phrases], boxes)
        for seed, start in enumerate(starts)
    ]


def count_passes() -> list[int]:
    """Return a list to which every pass adds how many requests it serves."""
    served: list[int] = []
    serve = micro_batch._serve

    def counted(group: Any, run_all: Any) -> None:
        served.append(len(group))
        serve(group, run_all)

    micro_batch._serve = counted
    return served


def differences(one: list[Result], other: list[Result]) -> tuple[float, int]:
    """Return the largest difference of scores, and how many pixels of masks differ."""
    score, pixels = 0.0, 0
    for a, b in zip(one, other, strict=True):
        # Both are sorted by score; rounding may leave one out at the edge of the picture.
        for of_a, of_b in zip(a.found, b.found, strict=False):
            score = max(score, abs(of_a.score - of_b.score))
        for of_a, of_b in zip(a.masks, b.masks, strict=True):
            arrays = [
                each.to_array() if each else np.zeros((HEIGHT, WIDTH)) for each in (of_a, of_b)
            ]
            pixels += int((arrays[0] != arrays[1]).sum())
    return score, pixels


def main(folder: Path, device: str, count: int, phrases: int) -> None:
    torch.set_flush_denormal(True)
    hf.utils.logging.disable_progress_bar()
    detectors.save(folder / "dino")
    segmenters.save(str(folder / "sam"))
    everything = dict.fromkeys(("box_threshold", "text_threshold"), 0.0)
    detector = GroundingDino(str(folder / "dino"), nms=1.0, limit=900, device=device, **everything)
    segmenter = Sam(str(folder / "sam"), device)

    def run(sample: Sample) -> Result:
        found = detector.detect(sample.picture, sample.phrases)
        return Result(found, segmenter.segment(sample.picture, sample.boxes))

    def alone(some: Sequence[Sample]) -> list[Result]:
        return [run(sample) for sample in some]

    def at_once(some: Sequence[Sample]) -> list[Result]:
        with ThreadPoolExecutor(max(1, len(some))) as pool:
            return list(pool.map(run, some))

    def timed(work: Any, some: Sequence[Sample]) -> tuple[list[Result], Spent]:
        started, used = time.perf_counter(), time.process_time()
        done = work(some)
        return done, Spent(time.perf_counter() - started, time.process_time() - used)

    samples = samples_of(count, phrases)
    warm = samples[:1] if device == "cpu" else samples
    alone(warm[:1])  # loads
    at_once(warm)
    served = count_passes()
    first, before = timed(alone, samples[: count // 2])
    served.clear()
    together, all_at_once = timed(at_once, samples)
    passes = list(served)
    last, after = timed(alone, samples[count // 2 :])
    one_by_one = before + after

    print("| | seconds | processor seconds | samples a second |\n|-|-|-|-|")
    for name, spent in {"one after the other": one_by_one, "at once": all_at_once}.items():
        rate = count / spent.wall
        print(f"| {name} | {spent.wall:.1f} | {spent.processors:.1f} | {rate:.2f} |")
    ratio, busy = (b / a for a, b in zip(one_by_one, all_at_once, strict=True))
    print(f"\nAt once {count} samples take {ratio:.3f} of the time ({1 / ratio:.2f} times the")
    print(f"throughput), and {busy:.3f} of the processor time, on {device}.")
    print(f"{len(passes)} passes, of {max(passes)} requests at most.")
    score, pixels = differences(first + last, together)
    total = HEIGHT * WIDTH * BOXES * count
    print(f"Scores differ by at most {score:.1e}, masks in {pixels} of {total} pixels.")


if __name__ == "__main__":
    given = sys.argv[1:]
    numbers = [int(each) for each in given[1:]]
    with tempfile.TemporaryDirectory() as made:
        main(Path(made), *(given[:1] or ["cpu"]), *numbers, *[SAMPLES, PHRASES][len(numbers) :])

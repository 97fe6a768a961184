"""Time the scoring: a whole command on 1,500 posts, and posts with 20 entities.

Run with ``python tests/benchmarks/scoring.py``; prints two ratios. The posts are invented. The
first ratio is the time that ``deixis eval`` takes, start of Python and 1,000 bootstrap draws
included, to the 3 seconds that it may. The second is the time of a matcher that E2E-GMNER's
released evaluator describes, written anew here, to that of ours: for each prediction in turn
it tries every gold mention that is left, and none, and remembers the best for every set of used
ones, of which there are up to two to the number of entities.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.matching import best_iou
from deixis.evaluation.metrics.mentions import Mention, Sample, align
from deixis.evaluation.metrics.tables import compare, count
from deixis.evaluation.metrics.tasks import task
from deixis.rows import Row, RowEntity, RowRegion, write_rows

POSTS, SECONDS, ENTITIES = 1500, 3.0, 20
TYPES = ("PER", "LOC", "ORG", "OTHER")
GMNER, DEFAULT = task("gmner"), convention("deixis")


def post(dice: random.Random, number: int, entities: int, right: float) -> tuple[Row, Row]:
    """Make up a post and what is predicted of it, a share of which is right."""
    gold, predicted = [], []
    for index in range(entities):
        x, y = dice.randrange(500), dice.randrange(500)
        box = RowRegion(box=(x, y, x + 80, y + 90))
        regions = (box,) if dice.random() < 0.4 else ()
        name = RowEntity(text=f"name {index}", type=dice.choice(TYPES), regions=regions)
        gold.append(name)
        ok = dice.random() < right
        predicted.append(name if ok else name.model_copy(update={"text": f"wrong {index}"}))
    return Row(id=str(number), entities=gold), Row(id=str(number), entities=predicted)


def exponential(sample: Sample) -> int:
    """Count the correct predictions by trying all ways to pair them."""
    edges = [
        [j for j, gold in enumerate(sample.gold) if fits(guess, gold)] for guess in sample.predicted
    ]

    @cache
    def best(index: int, used: int) -> int:
        if index == len(edges):
            return 0
        tried = [1 + best(index + 1, used | 1 << j) for j in edges[index] if not used >> j & 1]
        return max([best(index + 1, used), *tried])

    return best(0, 0)


def fits(guess: Mention, gold: Mention) -> bool:
    if guess.key != gold.key or bool(guess.regions) != bool(gold.regions):
        return False
    return not gold.regions or best_iou(guess.regions or (), gold.regions, masks=False) >= 0.5


def ours(sample: Sample) -> int:
    return int(count(compare([sample], GMNER), DEFAULT, 0.5)[0, 0])


def seconds(work: Callable[[Sample], int], samples: Sequence[Sample]) -> tuple[float, list[int]]:
    start = time.perf_counter()
    found = [work(each) for each in samples]
    return time.perf_counter() - start, found


def command(folder: Path) -> float:
    dice = random.Random(0)
    rows = [post(dice, number, dice.randrange(4), 0.75) for number in range(POSTS)]
    for name, side in zip(("gold", "predicted"), zip(*rows, strict=True), strict=True):
        write_rows(folder / name, side)
    run = [sys.executable, "-c", "from deixis.apps.cli import main; main()", "eval"]
    start = time.perf_counter()
    subprocess.run(
        [*run, folder / "gold", folder / "predicted", "--task", "gmner", "--by", "type"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        took = min(command(Path(folder)) for _ in range(3))
    print(f"deixis eval, {POSTS} posts: {took:.2f} s, {took / SECONDS:.2f} of what it may take")
    dice = random.Random(0)
    rows = [post(dice, number, ENTITIES, 0.75) for number in range(5)]
    samples = align(*zip(*rows, strict=True), GMNER, DEFAULT).samples
    (slow, theirs), (fast, mine) = seconds(exponential, samples), seconds(ours, samples)
    if theirs != mine:
        raise SystemExit(f"the matchers disagree: {theirs} and {mine}")
    print(
        f"matching {ENTITIES} entities, {len(samples)} posts: {1000 * fast:.1f} ms, "
        f"exponential {slow:.2f} s, {slow / fast:.0f} times as long"
    )


if __name__ == "__main__":
    main()

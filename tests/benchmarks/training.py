"""Measure training: tokens a second, memory, and what our batches cost beside TRL's own.

Run with ``python tests/benchmarks/training.py cpu [STEPS]`` or ``... cuda [STEPS]``, with the extra
``train``; prints Markdown. Weights are random, on which speed does not depend.

``cpu``: a tiny Qwen2.5-VL learns 8 lessons of E2E-GMNER, with LoRA. Batches of the same lessons are
made by Deixis and by TRL's ``DataCollatorForVisionLanguageModeling``, in turns, of the same files.

``cuda``: a Qwen2.5-VL of the shape of the 3B, in bfloat16, LoRA of rank 32 on the language layers,
two lessons a batch with pictures of about 1,000 tokens: tokens a second and peak memory, with and
without gradient checkpointing. Without a GPU that is said in a line, and the exit code is 2.
"""

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
import transformers as hf
from PIL import Image
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

from deixis.llms.local.transformers_load import around
from deixis.settings import Settings
from deixis.training.courses import course_named
from deixis.training.exports.registry import export
from deixis.training.fine_tuning.inputs import Batches
from deixis.training.fine_tuning.learner import Learner
from deixis.training.fine_tuning.parts import adapted
from deixis.training.fine_tuning.sft import LessonTrainer
from deixis.training.lessons.records import Lessons
from deixis.training.lessons.rehearsal import rehearse
from deixis.training.recipes import Lora, Rates, Recipe

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.llms.local.tiny_seeing import END, IMAGE, VIDEO, VISION, save_seeing

POSTS, ROUNDS = 8, 40
LIMITS = {"min_pixels": 200_704, "max_pixels": 802_816}
TEXT_3B = {
    "hidden_size": 2048,
    "intermediate_size": 11008,
    "num_hidden_layers": 36,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": True,
    "bos_token_id": None,
    "eos_token_id": END,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 1_000_000.0,
        "mrope_section": [16, 24, 24],
    },
}
EYES_3B = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "out_hidden_size": 2048,
}


class Spent(NamedTuple):
    """A run: tokens a second, seconds a step, gigabytes at most (None where nobody counts)."""

    tokens: float
    seconds: float
    gigabytes: float | None


class Counting:
    """Makes batches and counts their tokens, those that fill up left out."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self.tokens: list[int] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "epoch":  # the trainer sets it
            self._batches.epoch = value
        else:
            super().__setattr__(name, value)

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        batch = self._batches(rows)
        self.tokens.append(int(batch["attention_mask"].sum()))
        return batch


def write_posts(folder: Path, size: tuple[int, int]) -> Path:
    """Write rows with pictures of a size, each with one box; return the file."""
    width, height = size
    rows = []
    for number in range(POSTS):
        shade = torch.randint(0, 256, (9, 16, 3), generator=torch.Generator().manual_seed(number))
        picture = Image.fromarray(shade.byte().numpy()).resize(size)
        picture.save(folder / f"{number}.jpg")
        name = f"Grace {number}"
        box = [width * 0.1, height * 0.2, width * 0.6, height * 0.9]
        grace = {"text": name, "start": 0, "end": len(name), "type": "PER"}
        rows.append(
            {
                "id": str(number),
                "text": f"{name} speaks in the hall of the house at the sea " + "today " * number,
                "image": f"{number}.jpg",
                "entities": [{**grace, "regions": [{"box": box}]}],
                "thought": "The post names a woman, who stands left of the middle. " * 4,
            }
        )
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lessons_of(folder: Path, base: str, size: tuple[int, int]) -> Lessons:
    rows = write_posts(folder, size)
    return rehearse(course_named("e2e"), rows, Settings.load("e2e"), base, folder / "lessons")


def unmoved(epoch: int, lesson: str) -> None:
    """Leave boxes where they are, so that both collators write the same."""


def recipe(steps: int, checkpointing: bool) -> Recipe:
    return Recipe(
        lora=Lora(rank=32, alpha=64),
        learning_rate=Rates(language=1e-4),
        steps=steps,
        batch_size=2,
        checkpointing=checkpointing,
    )


def trained(learner: Learner, lessons: Lessons, steps: int, checkpointing: bool) -> Spent:
    """Train for some steps; the first two are not counted, nor what is saved between epochs."""
    how = recipe(steps + 2, checkpointing)
    times: list[float] = []
    device = learner.model.device.type

    def told(entry: Any, _: int) -> None:
        if "loss" in entry:
            times.append(time.perf_counter())

    learner = learner._replace(model=adapted(learner.model, how.lora, learner.name))
    counting: Any = Counting(Batches(learner, lessons, unmoved))
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        trainer = LessonTrainer(
            learner.model,
            how,
            Path(folder),
            counting,
            len(lessons.lessons),
            learner.loaded.tokenizer,
            None,
            told,
        )
        trainer.train()
    seconds = median(after - before for before, after in pairwise(times[1:]))
    tokens = sum(counting.tokens) / len(counting.tokens)
    peak = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else None
    return Spent(tokens / seconds, seconds, peak)


def processor_of(learner: Learner) -> Any:
    """Return a processor of its own for TRL, which fills up with what ends a reply."""
    processor = around(learner.name, learner.model).processor
    processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def of_trl(lessons: Lessons, processor: Any) -> Callable[[Sequence[int]], dict[str, Any]]:
    """Return what makes batches as TRL does of our files for it."""
    folder = lessons.folder
    export(lessons, "trl", folder)
    rows = [json.loads(line) for line in (folder / "trl.jsonl").read_text("utf-8").splitlines()]
    collator = DataCollatorForVisionLanguageModeling(processor, completion_only_loss=True)

    def batch(numbers: Sequence[int]) -> dict[str, Any]:
        chosen = [rows[number] for number in numbers]
        opened = [[Image.open(folder / file) for file in row["images"]] for row in chosen]
        made: dict[str, Any] = collator(
            [{**row, "images": images} for row, images in zip(chosen, opened, strict=True)]
        )
        return made

    return batch


def compared(learner: Learner, lessons: Lessons) -> tuple[float, float]:
    """Return the median of seconds that a batch takes, ours and TRL's, made in turns."""
    batches, theirs = Batches(learner, lessons, unmoved), of_trl(lessons, processor_of(learner))

    def ours(numbers: Sequence[int]) -> dict[str, Any]:
        return batches([{"lesson": number} for number in numbers])

    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(-2, ROUNDS):
        for place, make in enumerate((ours, theirs)):
            began = time.perf_counter()
            make([number % POSTS, (number + 3) % POSTS])
            if number >= 0:
                spent[place].append(time.perf_counter() - began)
    return median(spent[0]), median(spent[1])


def tiny(folder: Path) -> tuple[Learner, Lessons]:
    weights = folder / "qwen2.5-vl"
    lessons = lessons_of(folder, str(weights), (560, 420))
    texts = [text for each in lessons.lessons for text in (each.system, each.user)]
    save_seeing(weights, "qwen2.5-vl", hidden=64, window=4096, texts=texts, pieces=400)
    model = hf.Qwen2_5_VLForConditionalGeneration.from_pretrained(weights)
    return Learner(str(weights), model, around(str(weights), model), {}, 8, END), lessons


def of_3b(folder: Path, device: str = "cuda") -> tuple[Learner, Lessons]:
    weights = folder / "qwen2.5-vl"
    base = f"{weights}?" + "&".join(f"{name}={limit}" for name, limit in LIMITS.items())
    lessons = lessons_of(folder, base, (1200, 675))
    texts = [text for each in lessons.lessons for text in (each.system, each.user)]
    save_seeing(weights, "qwen2.5-vl", hidden=64, texts=texts, pieces=400)  # for its tokenizer
    config = hf.Qwen2_5_VLConfig(
        text_config=TEXT_3B,
        vision_config=EYES_3B,
        tie_word_embeddings=True,
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        vision_start_token_id=VISION,
    )
    with torch.device(device):
        model = hf.Qwen2_5_VLForConditionalGeneration._from_config(config, dtype=torch.bfloat16)
    return Learner(str(weights), model, around(str(weights), model), LIMITS, 8, END), lessons


def cpu(steps: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        learner, lessons = tiny(Path(folder))
        ours, theirs = compared(learner, lessons)
        spent = trained(learner, lessons, steps, checkpointing=False)
    print("| a batch of 2 lessons | seconds | |\n|-|-|-|")
    print(f"| Deixis | {ours:.4f} | {ours / theirs:.2f} times TRL's |\n| TRL | {theirs:.4f} | |")
    print(
        f"\nA tiny model learns {spent.tokens:,.0f} tokens a second; {spent.seconds:.3f} s a step"
    )


def cuda(steps: int) -> None:
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print("| checkpointing | tokens a second | seconds a step | GB at most |\n|-|-|-|-|")
    for checkpointing in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            spent = trained(*of_3b(Path(folder)), steps, checkpointing)
        row = f"{spent.tokens:,.0f} | {spent.seconds:.2f} | {spent.gigabytes:.1f}"
        print(f"| {'yes' if checkpointing else 'no'} | {row} |", flush=True)
        torch.cuda.empty_cache()


def main() -> None:
    mode, *rest = sys.argv[1:] or [""]
    steps = int(rest[0]) if rest else 10
    if mode not in {"cpu", "cuda"}:
        raise SystemExit("give cpu or cuda, and maybe a number of steps")
    if mode == "cuda" and not torch.cuda.is_available():
        print(
            "this machine has no CUDA GPU that torch can use; run: training.py cpu", file=sys.stderr
        )
        raise SystemExit(2)
    hf.logging.set_verbosity_error()
    hf.logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)  # libraries, of each other
    {"cpu": cpu, "cuda": cuda}[mode](steps)


if __name__ == "__main__":
    main()

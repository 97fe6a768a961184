"""Compare Grounding DINO here with transformers' processor and model, one phrase a call.

Run with ``python tests/benchmarks/detectors.py [DEVICE]``; prints Markdown. The model is of the
size of Swin-T with random weights, on which speed does not depend: one picture of 640 x 480
(the model looks at 1066 x 800) and eight phrases. All 900 boxes of every phrase are compared.

Each of the 900 queries starts from a proposal, in the order of the proposals' scores. Where two
of these are equal but for rounding, they may change places, and their two boxes differ: so they
do in transformers too, between one phrase alone and the same phrase in a batch.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment

from deixis.tools.base import Detection, Picture
from deixis.tools.grounding_dino.detector import GroundingDino

HEIGHT, WIDTH = 480, 640
PHRASES = (
    *("a woman in uniform", "the flag", "a red car", "two men on a stage", "the dog on the left"),
    *("a logo on a shirt", "a crowd", "the tall building"),
)
NEAR = 1e-3  # of scores, and of boxes in shares of the picture


def save(folder: Path) -> None:
    """Write a model of full size whose random weights tell things apart."""
    ends = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012}
    words = dict.fromkeys(" ".join(PHRASES).split())
    known = ends | {"?": 1029} | {word: 2000 + number for number, word in enumerate(words)}
    names = {number: word for word, number in known.items()}
    vocabulary = {names.get(number, f"[unused{number}]"): number for number in range(30522)}
    tokenizer = hf.BertTokenizer(vocab=vocabulary)
    hf.GroundingDinoProcessor(hf.GroundingDinoImageProcessorPil(), tokenizer).save_pretrained(
        folder
    )
    torch.manual_seed(0)
    backbone = hf.SwinConfig(
        embed_dim=96,
        depths=[2, 2, 6, 2],
        num_heads=[3, 6, 12, 24],
        window_size=7,
        out_indices=[2, 3, 4],
        initializer_range=0.02,
    )
    config = hf.GroundingDinoConfig(backbone_config=backbone, text_config=hf.BertConfig())
    model = hf.GroundingDinoForObjectDetection(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "bbox_embed" in name or "sampling_offsets.weight" in name:
                weight.normal_(std=0.02)  # at first they are zero, and boxes what was proposed
        model.model.decoder.layer_norm.weight.fill_(0.02)  # else all scores are 0 or 1
    model.save_pretrained(folder)


def draw() -> Picture:
    small = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((WIDTH, HEIGHT)))


def one_call(model: Any, processor: Any, picture: Picture, phrase: str) -> list[Detection]:
    image = Image.fromarray(picture)
    inputs = processor(images=image, text=[[phrase]], return_tensors="pt").to(model.device)
    with torch.inference_mode():
        out = model(**inputs)
    (found,) = processor.post_process_grounded_object_detection(
        out, inputs["input_ids"], threshold=0.0, target_sizes=[picture.shape[:2]]
    )
    edges = np.array([WIDTH, HEIGHT] * 2)
    boxes = found["boxes"].cpu().numpy().clip(0, edges).tolist()
    both = zip(boxes, found["scores"].tolist(), strict=True)
    return [Detection(phrase, tuple(box), score) for box, score in both]


def table(found: list[Detection]) -> NDArray[np.float64]:
    """Return ``(x1, y1, x2, y2, score)`` of each, boxes in shares of the picture."""
    return np.array([[*np.divide(each.box, [WIDTH, HEIGHT] * 2), each.score] for each in found])


def paired(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the differences ``(box, score)`` of the pairs that lie nearest, shape ``(N, 2)``."""
    apart = np.abs(one[:, None] - other[None])
    far = np.stack([apart[..., :4].max(axis=-1), apart[..., 4]], axis=-1)
    rows, columns = linear_sum_assignment(far.max(axis=-1))
    return far[rows, columns]


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Return how scores of boxes at the same place correlate, and how far apart they are."""
    apart = np.abs(one[:, None, :4] - other[None, :, :4]).max(axis=-1)
    nearest = apart.argmin(axis=1)
    same = apart.min(axis=1) < 0.01
    scores = one[same, 4], other[nearest[same], 4]
    return float(np.corrcoef(*scores)[0, 1]), float(np.abs(scores[0] - scores[1]).mean())


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what `work` returned, the seconds it took and those of all processors."""
    started, used = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - started, time.process_time() - used


def main(folder: Path, device: str) -> None:
    torch.set_flush_denormal(True)
    save(folder)
    picture = draw()
    options: dict[str, Any] = {"nms": 1.0, "limit": 900, "device": device}
    options |= dict.fromkeys(("box_threshold", "text_threshold"), 0.0)
    modes = {mode: GroundingDino(str(folder), mode, **options) for mode in ("exact", "fast")}
    model = hf.GroundingDinoForObjectDetection.from_pretrained(folder).eval().to(device)
    processor = hf.GroundingDinoProcessor.from_pretrained(folder)
    one_call(model, processor, picture, PHRASES[0])
    for detector in modes.values():
        detector.detect(picture, PHRASES[:1])  # loads
    runs = {"eight calls": lambda: [one_call(model, processor, picture, one) for one in PHRASES]}
    runs |= {mode: lambda it=it: it.detect(picture, PHRASES) for mode, it in modes.items()}
    results = {name: timed(run) for name, run in runs.items()}
    _, whole, used = results["eight calls"]
    print("| | seconds | ratio | processor seconds | ratio |\n|---|---|---|---|---|")
    for name, (_, seconds, busy) in results.items():
        print(
            f"| {name} | {seconds:.1f} | {seconds / whole:.3f} | {busy:.1f} | {busy / used:.3f} |"
        )
    for number, phrase in enumerate(PHRASES):
        exact, fast = (
            table([each for each in results[mode][0] if each.label == phrase]) for mode in modes
        )
        wanted = table(results["eight calls"][0][number])
        inside = (wanted[:, 2] > wanted[:, 0]) & (wanted[:, 3] > wanted[:, 1])
        far = paired(exact, wanted[inside])
        alike, apart = correlation(exact, fast)
        print(
            f"- {phrase}: {len(far)} boxes; exact differs by at most {far[:, 0].max():.1e} (boxes) "
            f"and {far[:, 1].max():.1e} (scores), {(far.max(axis=1) > NEAR).sum()} by more than "
            f"{NEAR}; fast against exact: correlation {alike:.2f}, mean difference {apart:.3f}"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), sys.argv[1] if len(sys.argv) > 1 else "cpu")

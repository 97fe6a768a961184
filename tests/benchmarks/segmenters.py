"""Compare SAM with eight boxes at once with eight calls, and measure the memory it takes.

Run with ``python tests/benchmarks/segmenters.py [DEVICE]``; prints Markdown. The model is a SAM
ViT-B of full size with random weights, on which speed and memory do not depend. The eight calls go
through the processor and the model of transformers, from the picture to the best mask.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box
from deixis.tools.base import Picture
from deixis.tools.sam import Found, Sam

LARGE = (3000, 4000)
MANY = 50


def save(folder: str) -> None:
    torch.manual_seed(0)
    # The default range of the vision part is so narrow that its numbers are denormal, and slow.
    config = hf.SamConfig(vision_config={"initializer_range": 0.02})
    hf.SamModel(config).save_pretrained(folder)
    hf.SamProcessor(hf.SamImageProcessorPil()).save_pretrained(folder)


def draw(height: int, width: int) -> Picture:
    small = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height)))


def boxes_in(height: int, width: int, count: int) -> list[Box]:
    corners = np.random.default_rng(1).random((count, 2, 2))
    shares = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return [tuple(box) for box in (shares * [width, height, width, height]).tolist()]


def one_call(model: Any, processor: Any, picture: Picture, box: Box) -> tuple[Any, float]:
    """Return the logits of the best mask, shape ``(H, W)``, and its predicted IoU."""
    inputs = processor(Image.fromarray(picture), input_boxes=[[list(box)]], return_tensors="pt")
    sizes = inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes")
    prompts = inputs["input_boxes"].float().to(model.device)
    with torch.inference_mode():
        out = model(pixel_values=inputs["pixel_values"].to(model.device), input_boxes=prompts)
        best = int(out.iou_scores[0, 0].argmax())
        masks = [out.pred_masks[:, 0, best : best + 1]]
        (large,) = processor.post_process_masks(masks, *sizes, binarize=False)
        return large[0, 0].cpu().numpy(), float(out.iou_scores[0, 0, best])


def differences(
    found: list[Found | None], separate: list[tuple[NDArray[np.float32], float]]
) -> tuple[float, int, int]:
    """Return the largest difference of IoUs, pixels that differ, and those of them not near 0."""
    iou, pixels, clear = 0.0, 0, 0
    for each, (logits, score) in zip(found, separate, strict=True):
        mask = np.zeros(logits.shape, dtype=np.bool_) if each is None else each.mask.to_array()
        other = mask != (logits > 0)
        iou = max(iou, abs(each.iou - score)) if each else iou
        pixels, clear = pixels + int(other.sum()), clear + int((other & (abs(logits) > 1e-4)).sum())
    return iou, pixels, clear


def measure_time(folder: str, device: str) -> None:
    picture, boxes = draw(768, 1024), boxes_in(768, 1024, 8)
    sam = Sam(folder, device, "float32")
    model = hf.SamModel.from_pretrained(folder).eval().to(device)
    processor = hf.SamProcessor.from_pretrained(folder)
    sam.find(picture, boxes[:1])  # loads
    separate, apart, start = [], 0.0, time.perf_counter()
    for box in boxes[:4]:
        separate.append(one_call(model, processor, picture, box))
    apart, start = apart + time.perf_counter() - start, time.perf_counter()
    found = sam.find(picture, boxes)
    together, start = time.perf_counter() - start, time.perf_counter()
    for box in boxes[4:]:
        separate.append(one_call(model, processor, picture, box))
    apart += time.perf_counter() - start
    iou, pixels, clear = differences(found, separate)
    print("| | seconds |\n|-|-|")
    print(f"| 8 calls, one box each | {apart:.2f} |\n| 8 boxes together | {together:.2f} |")
    print(f"\n{apart / together:.1f} times as fast (at least 5 are wanted).")
    print(
        f"IoUs differ by at most {iou:.1e}; {pixels} of {8 * picture[..., 0].size} pixels differ,"
    )
    print(f"{clear} of them where the logit is farther than 1e-4 from the cut.\n")


def peak() -> int:
    """Return MiB. The system's ``getrusage`` would count what the parent held when it forked."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


def measure_memory(folder: str, device: str, count: int) -> None:
    """Print the peaks of this process, which has done nothing else."""
    sam = Sam(folder, device)
    sam._load()
    loaded = peak()
    picture, boxes = draw(*LARGE), boxes_in(*LARGE, count)
    assert len(sam.segment(picture, boxes)) == count
    print(f"| {count} | {loaded} | {peak()} |", flush=True)


def main() -> None:
    torch.set_flush_denormal(True)
    hf.utils.logging.disable_progress_bar()
    if len(sys.argv) == 4:
        measure_memory(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        return
    device = sys.argv[1] if len(sys.argv) == 2 else "cpu"
    with tempfile.TemporaryDirectory() as folder:
        save(folder)
        measure_time(folder, device)
        print(f"A picture of {LARGE[1]} x {LARGE[0]}; peak memory of the process in MiB:\n")
        print("| boxes | when loaded | with masks |\n|-|-|-|", flush=True)
        for count in (1, MANY):
            subprocess.run([sys.executable, __file__, folder, device, str(count)], check=True)


if __name__ == "__main__":
    main()

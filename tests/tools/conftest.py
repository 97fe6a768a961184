"""What tests of tools share: tiny models, saved as real ones are, and a crowd of threads."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deixis.weights import micro_batch
from deixis.weights.micro_batch import MicroBatch

from .tiny_image_text import save_models

# The model knows the ends of phrases by these numbers.
ENDS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
WORDS = ["a", "cat", "dog", "the", "red", "flag", "woman", "in", "uniform", "##s", "[", "]", "sep"]


@pytest.fixture(scope="session")
def tiny_dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Grounding DINO."""
    import torch
    import transformers as hf

    folder = tmp_path_factory.mktemp("models") / "dino"
    known = ENDS | {word: 200 + number for number, word in enumerate(WORDS)}
    by_number = {number: word for word, number in known.items()}
    vocabulary = {by_number.get(number, f"[unused{number}]"): number for number in range(1100)}
    image = hf.GroundingDinoImageProcessor(size={"shortest_edge": 96, "longest_edge": 160})
    hf.GroundingDinoProcessor(image, hf.BertTokenizer(vocab=vocabulary)).save_pretrained(folder)
    config = hf.GroundingDinoConfig(
        backbone_config=hf.SwinConfig(
            image_size=32,
            embed_dim=16,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 2, 2],
            window_size=3,
            out_indices=[2, 3, 4],
        ),
        text_config=hf.BertConfig(
            vocab_size=1100,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        ),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        num_queries=30,
        max_text_len=40,
    )
    torch.manual_seed(5)
    model = hf.GroundingDinoForObjectDetection(config)
    with torch.no_grad():  # wide weights let what comes in tell in what comes out
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed" not in name:
                weight.normal_(std=1.2 * weight.shape[-1] ** -0.5)
            if name.endswith(("vision_param", "text_param")):
                weight.fill_(0.3)
            if "bbox_embed" in name:
                weight.normal_(std=0.3)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def image_text(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of a tiny model of each kind."""
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[Any], list[int]]]:
    """Use a tool from many threads at once: ``crowded(turns, calls)``.

    The first pass begins when all have come, and no pass has more than four items. Returns what
    the calls returned, and how many requests each pass served.
    """

    def run(turns: MicroBatch, calls: Sequence[Callable[[], Any]]) -> tuple[list[Any], list[int]]:
        monkeypatch.setitem(micro_batch.AT_ONCE, "cpu", 4)
        monkeypatch.setattr(turns, "most", 4)
        served: list[int] = []
        serve = micro_batch._serve

        def gated(group: list[Any], run_all: Any) -> None:
            end = time.monotonic() + 60
            while not served and len(turns._requests) < len(calls):
                assert time.monotonic() < end
                time.sleep(0.001)
            served.append(len(group))
            serve(group, run_all)

        monkeypatch.setattr(micro_batch, "_serve", gated)
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda call: call(), calls, timeout=120)), served

    return run

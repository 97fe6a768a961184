"""The sums of the page on training: what its code prints is what it shows."""

import io
from contextlib import redirect_stdout
from itertools import pairwise
from typing import Any

import pytest

from .blocks import ROOT, Block, blocks_of

PAGE = ROOT / "docs" / "training.md"
SHAPES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    # As config.json of each model has it: of the language model, of the vision tower.
    "Qwen2.5-VL-3B": (
        {
            "hidden_size": 2048,
            "intermediate_size": 11008,
            "num_hidden_layers": 36,
            "num_attention_heads": 16,
            "num_key_value_heads": 2,
            "vocab_size": 151936,
            "tie_word_embeddings": True,
        },
        {"intermediate_size": 3420},
    ),
    "Qwen2.5-VL-7B": (
        {
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "vocab_size": 152064,
        },
        {"intermediate_size": 3420},
    ),
    "Qwen2.5-VL-72B": (
        {
            "hidden_size": 8192,
            "intermediate_size": 29568,
            "num_hidden_layers": 80,
            "num_attention_heads": 64,
            "num_key_value_heads": 8,
            "vocab_size": 152064,
        },
        {"intermediate_size": 3456},
    ),
}


def printing() -> list[tuple[Block, Block]]:
    """Return the blocks that print, each with the block after it, which shows what."""
    blocks = blocks_of(PAGE)
    return [
        (block, shown)
        for block, shown in pairwise(blocks)
        if block.language == "python" and "print(" in block.code and block.needs is None
    ]


@pytest.mark.parametrize("pair", printing(), ids=lambda pair: str(pair[0].line))
def test_what_the_code_prints_is_what_the_page_shows(pair: tuple[Block, Block]) -> None:
    block, shown = pair
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(block.code, str(PAGE), "exec"), {})
    assert shown.language == "text" and shown.code == printed.getvalue()


def counted(name: str, layers: int) -> tuple[int, int]:
    """Count the weights of a model with so many layers, and those of LoRA with rank 32."""
    import torch
    import transformers as hf

    text, eyes = SHAPES[name]
    tied = text.get("tie_word_embeddings", False)
    eyes = {"depth": 32, "hidden_size": 1280, "out_hidden_size": text["hidden_size"], **eyes}
    config = hf.Qwen2_5_VLConfig(
        text_config={**text, "num_hidden_layers": layers},
        vision_config=eyes,
        tie_word_embeddings=tied,
    )
    with torch.device("meta"):
        model = hf.Qwen2_5_VLForConditionalGeneration(config)
    model.tie_weights()
    linear = [
        each
        for part, each in model.named_modules()
        if isinstance(each, torch.nn.Linear) and "language_model" in part
    ]
    added = sum(32 * (each.in_features + each.out_features) for each in linear)
    return sum(each.numel() for each in model.parameters()), added


@pytest.mark.slow
@pytest.mark.extra("transformers")
@pytest.mark.parametrize("name", SHAPES)
def test_the_weights_of_the_page_are_those_of_the_shapes(name: str) -> None:
    names: dict[str, Any] = {}
    (block,) = (block for block, _ in printing() if "MODELS" in block.code)
    with redirect_stdout(io.StringIO()):
        exec(compile(block.code, str(PAGE), "exec"), names)
    layers, width = names["MODELS"][name][2:]
    assert (layers, width) == tuple(
        SHAPES[name][0][key] for key in ("num_hidden_layers", "hidden_size")
    )
    one, two = counted(name, 1), counted(name, 2)  # every layer more is the same
    whole = tuple(a + (layers - 1) * (b - a) for a, b in zip(one, two, strict=True))
    assert whole == names["MODELS"][name][:2]

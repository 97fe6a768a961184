"""SigLIP, SigLIP 2 and CLIP, tiny and with random weights, saved as real ones are."""

import math
from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz<>|/[]!,"
SMALL = dict.fromkeys(("hidden_size", "intermediate_size"), 32)
SMALL |= dict.fromkeys(("num_hidden_layers", "num_attention_heads"), 2)


def _save(folder: Path, model: Any, *parts: Any) -> Path:
    """Save a model with weights that let what comes in tell in what comes out."""
    import torch

    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(std=1.5 * weight.shape[-1] ** -0.5)
        if hasattr(model, "logit_bias"):  # those of a trained model would round all off to 0
            model.logit_scale.fill_(math.log(8.0))
            model.logit_bias.fill_(-1.0)
    for each in (model, *parts):
        each.save_pretrained(folder)
    return folder


def save_models(folder: Path) -> dict[str, Path]:
    """Save a model of each kind, and return where each is."""
    import transformers as hf

    known = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS]
    tokenizer, gemma = (  # the second is that of most SigLIP 2, and leaves upper case as it is
        kind(
            vocab={piece: number for number, piece in enumerate([*known, *LETTERS.upper()[:26]])},
            merges=[],
            model_max_length=24,
            padding_side="right",
        )
        for kind in (hf.Siglip2Tokenizer, hf.GemmaTokenizer)
    )
    text = {**SMALL, "vocab_size": len(known) + 26, "max_position_embeddings": 24}
    patches = {**SMALL, "patch_size": 16, "num_patches": 256}
    pieces = ["!", *(end for each in LETTERS if each != "!" for end in (each, f"{each}</w>"))]
    pieces += ["!</w>", "<|startoftext|>", "<|endoftext|>"]
    words = hf.CLIPTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)},
        merges=[],
        pad_token="!",
        model_max_length=24,
    )
    ends = {"bos_token_id": len(pieces) - 2, "eos_token_id": len(pieces) - 1}
    clip = hf.CLIPConfig(
        text_config={**text, "vocab_size": len(pieces), **ends},
        vision_config={**SMALL, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    one = hf.SiglipConfig(
        text_config={**text, "projection_size": 32},
        vision_config={**SMALL, "image_size": 64, "patch_size": 16},
    )
    two = hf.Siglip2Config(text_config={**text, "projection_size": 32}, vision_config=patches)
    square, cut = {"height": 64, "width": 64}, {"shortest_edge": 64}
    return {
        "siglip": _save(
            folder / "one",
            hf.SiglipModel(one),
            hf.SiglipProcessor(hf.SiglipImageProcessorPil(size=square), gemma),
        ),
        "siglip2": _save(
            folder / "two",
            hf.Siglip2Model(two),
            hf.Siglip2Processor(hf.Siglip2ImageProcessorPil(), tokenizer),
        ),
        "clip": _save(
            folder / "clip",
            hf.CLIPModel(clip),
            hf.CLIPProcessor(hf.CLIPImageProcessorPil(size=cut, crop_size=square), words),
        ),
    }

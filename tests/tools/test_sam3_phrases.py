"""SAM 3 asked by phrase: a tiny one with random weights, saved as real ones are.

What it finds means nothing, but it must be what transformers' own model finds with the same
weights, given the whole picture and one phrase.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from safetensors.torch import load_file, save_file

from deixis.errors import ModelFileError
from deixis.tools import registry
from deixis.tools.base import Detection, Picture
from deixis.tools.sam3_phrases import Sam3Phrases

pytestmark = [pytest.mark.slow, pytest.mark.extra]

LETTERS = "abcdefghijklmnopqrstuvwxyz<>|[]!"
SIDE = 56
OPEN = "threshold=0&nms=1&limit=900&device=cpu"


def _config(words: int) -> Any:
    backbone = {
        "model_type": "sam3_vit_model", "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 14,
        "window_size": 2, "global_attn_indexes": [1], "pretrain_image_size": 28,
    }  # fmt: skip
    small = {"hidden_size": 32, "num_attention_heads": 2}
    layers = {**small, "intermediate_size": 32, "num_layers": 2, "dropout": 0.0}
    return hf.Sam3Config(
        vision_config={
            "model_type": "sam3_vision_model", "backbone_config": backbone, "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        },
        text_config={
            "model_type": "clip_text_model", **small, "intermediate_size": 32,
            "num_hidden_layers": 2, "projection_dim": 32, "max_position_embeddings": 16,
            "vocab_size": words, "bos_token_id": words - 2, "eos_token_id": words - 1,
        },
        geometry_encoder_config=layers, detr_encoder_config=layers,
        detr_decoder_config={**layers, "num_queries": 30}, mask_decoder_config=small,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "sam3"
    pieces = ["!", *(end for each in LETTERS[:-1] for end in (each, f"{each}</w>")), "!</w>"]
    known = [*pieces, "<|startoftext|>", "<|endoftext|>"]
    numbers = {piece: number for number, piece in enumerate(known)}
    hf.CLIPTokenizer(vocab=numbers, merges=[], pad_token="!").save_pretrained(path)
    torch.manual_seed(1)
    model = hf.Sam3Model(_config(len(known)))
    with torch.no_grad():  # wide weights let what comes in tell in what comes out
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(std=1.2 * weight.shape[-1] ** -0.5)
    model.save_pretrained(path)
    settings = {
        "image_processor_type": "Sam3ImageProcessor", "size": {"height": SIDE, "width": SIDE},
        "do_resize": True, "do_rescale": True, "do_normalize": True, "resample": 2,
        "rescale_factor": 1 / 255, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }  # fmt: skip
    (path / "preprocessor_config.json").write_text(json.dumps(settings))
    return path


def load(folder: Path, query: str = OPEN) -> Sam3Phrases:
    tool: Sam3Phrases = registry.load(f"sam3-phrases:{folder}?{query}", "detector")
    return tool


def draw(height: int, width: int) -> Picture:
    random = np.random.default_rng(height)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def reference(folder: Path, picture: Picture, phrase: str) -> list[tuple[float, list[float]]]:
    model = hf.Sam3Model.from_pretrained(folder).eval()
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.asarray(small, np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    words = hf.CLIPTokenizer.from_pretrained(folder)(
        [phrase], padding="max_length", max_length=16, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        out = model(pixel_values=pixels, **words)
    scores = out.pred_logits.sigmoid() * out.presence_logits.sigmoid()
    height, width = picture.shape[:2]
    edges = torch.tensor([width, height] * 2)
    boxes = (out.pred_boxes[0] * edges).clamp(torch.zeros(4), edges)
    found = zip(scores[0].tolist(), boxes.tolist(), strict=True)
    return sorted((one for one in found if one[1][0] < one[1][2]), reverse=True)


def values(found: list[Detection]) -> list[float]:
    return [number for one in found for number in (one.score, *one.box)]


def test_phrases_find_what_the_model_finds(folder: Path) -> None:
    tool, picture = load(folder), draw(60, 90)
    assert tool.labels is None
    found = tool.detect(picture, ["a red flag", "cat", "cat", " "])
    assert {one.label for one in found} == {"a red flag", "cat"}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    answers = {}
    for phrase in ("a red flag", "cat"):
        wanted = reference(folder, picture, phrase)
        answers[phrase] = values([one for one in found if one.label == phrase])
        flat = [number for score, box in wanted for number in (score, *box)]
        assert answers[phrase] == pytest.approx(flat, abs=0.01)
    assert answers["cat"] != pytest.approx(answers["a red flag"], abs=0.01)


def test_what_is_doubtful_or_too_much_is_left_out(folder: Path) -> None:
    picture = draw(60, 90)
    scores = [one.score for one in load(folder).detect(picture, ["cat"])]
    least = scores[4]
    some = load(folder, f"threshold={least}&nms=1&device=cpu").detect(picture, ["cat"])
    assert [one.score for one in some] == scores[:4]
    assert len(load(folder, f"{OPEN.replace('900', '2')}").detect(picture, ["cat"])) == 2


def test_odd_phrases_and_pictures_find_boxes_inside(folder: Path) -> None:
    for picture in (draw(1, 1), draw(3, 200)):
        for one in load(folder).detect(picture, ["猫 <|endoftext|> cat", "a" * 500]):
            assert 0 <= one.box[0] < one.box[2] <= picture.shape[1]
            assert 0 <= one.box[1] < one.box[3] <= picture.shape[0]
    assert Sam3Phrases("nowhere").detect(draw(4, 4), ["", " "]) == []


def test_the_detector_inside_a_whole_sam_3_is_found(folder: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(folder, tmp_path / "whole")
    weights = load_file(folder / "model.safetensors")
    inside = {f"detector_model.{name}": weight for name, weight in weights.items()}
    save_file(inside, whole / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (whole / "config.json").write_text(
        json.dumps({"model_type": "sam3_video", "detector_config": config})
    )
    picture = draw(60, 90)
    assert load(whole).detect(picture, ["cat"]) == load(folder).detect(picture, ["cat"])


@pytest.mark.parametrize("kind", ["sam3_tracker", "owlv2"])
def test_a_model_of_another_kind_is_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(ModelFileError, match=r"tracker of SAM 3|is needed here"):
        load(other).detect(draw(4, 4), ["cat"])

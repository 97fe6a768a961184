"""Cosines of pictures and texts: those of the model's own features (VKEL, equation 2)."""

import json
from pathlib import Path

import pytest
import torch
import transformers as hf
from PIL import Image

from deixis.base.images import open_image
from deixis.tools.siglip import Clip
from deixis.training.pairs import Rules, make_pairs, of_row

pytestmark = [pytest.mark.slow, pytest.mark.extra]

TEXT = "Ann paints"


def test_the_pair_of_a_text_has_the_largest_cosine(
    image_text: dict[str, Path], tmp_path: Path
) -> None:
    paths = [tmp_path / f"{name}.png" for name in ("one", "two", "three")]
    for shade, path in enumerate(paths, start=1):
        Image.linear_gradient("L").rotate(shade * 90).convert("RGB").save(path)
    model = hf.CLIPModel.from_pretrained(image_text["clip"])
    processor = hf.CLIPProcessor.from_pretrained(image_text["clip"])
    given = processor(text=[TEXT], images=[Image.open(path) for path in paths], return_tensors="pt")
    with torch.inference_mode():
        read = model.get_text_features(given["input_ids"], given["attention_mask"]).pooler_output
        seen = model.get_image_features(given["pixel_values"]).pooler_output
    cosines = [float(read[0] @ each / (read[0].norm() * each.norm())) for each in seen]

    clip = Clip(str(image_text["clip"]))
    for path, cosine in zip(paths, cosines, strict=True):
        found = clip.similarities(open_image(path).pixels, [TEXT, TEXT])
        assert found == pytest.approx([cosine] * 2, abs=1e-5)
    assert clip.similarities(open_image(paths[0]).pixels, []) == []

    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "a", "text": TEXT, "images": [p.name for p in paths]}) + "\n")
    (pair,) = make_pairs(
        rows,
        lambda sample: of_row(tmp_path, sample),
        lambda path: open_image(path).pixels,
        clip,
        Rules(least=-1.0),
    ).samples
    assert Path(pair.data["image"]) == paths[cosines.index(max(cosines))]
    assert pair.data["similarity"] == pytest.approx(max(cosines), abs=1e-4)

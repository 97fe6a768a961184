"""SAM, SAM 2 and SAM 3: tiny ones with random weights, saved as real ones are.

What they draw means nothing, but it must be what the same weights draw when transformers is asked
for one box at a time, from the picture to the mask.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from numpy.typing import NDArray
from PIL import Image

from deixis.base.boxes import Box
from deixis.errors import ModelFileError, ToolError
from deixis.tools import registry
from deixis.tools.base import Picture
from deixis.tools.sam import Found, Sam, Sam2, Sam3

pytestmark = [pytest.mark.slow, pytest.mark.extra]

DECODER = {"hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
LEVELS = {"fpn_hidden_size": 16, "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]]}
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

Folders = dict[type[Sam], Path]
Reference = list[tuple[NDArray[np.float32], float, int]]
"""For each box: the logits of the best mask, shape ``(H, W)``, its IoU, which mask it was."""


def _parts(vision: dict[str, Any], side: int, patch: int) -> dict[str, Any]:
    prompts = {"hidden_size": 16, "mask_input_channels": 4, "image_size": side, "patch_size": patch}
    return {
        "vision_config": vision,
        "prompt_encoder_config": prompts,
        "mask_decoder_config": DECODER,
        "initializer_range": 0.3,
    }


def _sam(folder: Path) -> None:
    vision = {
        "hidden_size": 16, "output_channels": 16, "num_hidden_layers": 2, "mlp_dim": 32,
        "num_attention_heads": 2, "image_size": 64, "patch_size": 8, "window_size": 3,
        "global_attn_indexes": [1], "num_pos_feats": 8, "initializer_range": 0.3,
    }  # fmt: skip
    hf.SamModel(hf.SamConfig(**_parts(vision, 64, 8))).save_pretrained(folder)
    sizes = {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}}
    hf.SamProcessor(hf.SamImageProcessorPil(**sizes)).save_pretrained(folder)


def _sam2(folder: Path) -> None:
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [64, 64],
        "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "window_size_per_stage": [4, 4, 4, 4], "global_attention_blocks": [3],
    }  # fmt: skip
    vision = {"backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8], **LEVELS}
    hf.Sam2Model(hf.Sam2Config(**_parts(vision, 64, 16))).save_pretrained(folder)
    _save_square_processor(folder, "Sam2ImageProcessorFast", 64)


def _sam3(folder: Path) -> None:
    backbone = {
        "model_type": "sam3_vit_model", "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
        "window_size": 2, "global_attn_indexes": [1], "pretrain_image_size": 28,
    }  # fmt: skip
    vision = {"model_type": "sam3_vision_model", "backbone_config": backbone, **LEVELS}
    config = hf.Sam3TrackerConfig(**_parts(vision, 56, 14))
    hf.Sam3TrackerModel(config).save_pretrained(folder)
    _save_square_processor(folder, "Sam3ImageProcessor", 56)


def _save_square_processor(folder: Path, kind: str, side: int) -> None:
    """Write what the processors of SAM 2 and 3 write; they themselves need torchvision."""
    settings = {
        "image_processor_type": kind, "size": {"height": side, "width": side},
        "do_resize": True, "do_rescale": True, "do_normalize": True, "resample": 2,
        "rescale_factor": 1 / 255, "image_mean": MEAN, "image_std": DEVIATION,
        "mask_size": {"height": 16, "width": 16},
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


MAKERS: dict[type[Sam], Callable[[Path], None]] = {Sam: _sam, Sam2: _sam2, Sam3: _sam3}
SEEDS = {Sam: 2, Sam2: 1, Sam3: 0}
"""Of which the weights differ on which of the masks is the best."""
CLASSES = {Sam: hf.SamModel, Sam2: hf.Sam2Model, Sam3: hf.Sam3TrackerModel}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("models")
    for family, make in MAKERS.items():
        torch.manual_seed(SEEDS[family])
        make(root / family.name)
    return {family: root / family.name for family in MAKERS}


@pytest.fixture(params=[Sam, Sam2, Sam3])
def family(request: pytest.FixtureRequest) -> type[Sam]:
    kind: type[Sam] = request.param
    return kind


def draw(height: int, width: int) -> Picture:
    random = np.random.default_rng(height * width)
    small = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height)))


def eight_boxes(height: int, width: int) -> list[Box]:
    corners = np.random.default_rng(8).random((8, 2, 2))
    low, high = corners.min(axis=1), corners.max(axis=1)
    shares = np.concatenate([low, high], axis=1) * [width, height, width, height]
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in shares.tolist()]


def reference(family: type[Sam], folder: Path, picture: Picture, boxes: list[Box]) -> Reference:
    """Ask transformers for one box at a time, each time from the picture on."""
    model = CLASSES[family].from_pretrained(folder).eval()
    processor = hf.SamProcessor.from_pretrained(folder) if family is Sam else None
    result: Reference = []
    for box in boxes:
        if processor is not None:
            image = Image.fromarray(picture)
            inputs = processor(image, input_boxes=[[list(box)]], return_tensors="pt")
            sizes = inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes")
        else:
            inputs = _square_inputs(picture, box, model.config.prompt_encoder_config.image_size)
        with torch.no_grad():
            out = model(**inputs)
        best = int(out.iou_scores[0, 0].argmax())
        logits = out.pred_masks[:, 0, best : best + 1]
        if processor is not None:
            (large,) = processor.post_process_masks([logits], *sizes, binarize=False)
        else:
            large = torch.nn.functional.interpolate(logits, picture.shape[:2], mode="bilinear")
        result.append((large[0, 0].numpy(), float(out.iou_scores[0, 0, best]), best))
    return result


def _square_inputs(picture: Picture, box: Box, side: int) -> dict[str, torch.Tensor]:
    """Do what the processors of SAM 2 and 3 do."""
    small = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
    pixels = (small / 255 - MEAN) / DEVIATION
    height, width = picture.shape[:2]
    scaled = [number * side / total for number, total in zip(box, [width, height] * 2, strict=True)]
    return {
        "pixel_values": torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)[None],
        "input_boxes": torch.tensor([[scaled]], dtype=torch.float32),
    }


def assert_same(found: list[Found | None], expected: Reference) -> None:
    for each, (logits, iou, _) in zip(found, expected, strict=True):
        clear = np.abs(logits) > 1e-5  # nearer to the cut, rounding may decide
        assert clear.mean() > 0.9
        if each is None:
            assert not (logits > 1e-5).any()
            continue
        assert each.iou == pytest.approx(iou, abs=1e-4)
        assert (each.mask.to_array() == (logits > 0))[clear].all()


@pytest.mark.parametrize(
    ("height", "width"), [(64, 64), (48, 90), (90, 48), (3, 50), (1300, 700), (1, 1)]
)
def test_masks_are_those_of_one_box_at_a_time(
    folders: Folders, family: type[Sam], height: int, width: int
) -> None:
    picture, boxes = draw(height, width), eight_boxes(height, width)
    expected = reference(family, folders[family], picture, boxes)
    assert_same(family(str(folders[family])).find(picture, boxes), expected)
    if min(height, width) > 40:
        assert len({best for _, _, best in expected}) > 1, "it matters which mask is the best"


@pytest.mark.parametrize("at_once", [1, 3, 7])
def test_it_does_not_matter_how_many_boxes_are_decoded_together(
    folders: Folders, family: type[Sam], at_once: int
) -> None:
    picture, boxes = draw(48, 90), eight_boxes(48, 90)
    spec = f"{family.name}:{folders[family]}?boxes_at_once={at_once}"
    few = registry.load(spec, "segmenter").find(picture, boxes)
    together = family(str(folders[family])).find(picture, boxes)
    assert [each.mask for each in few] == [each.mask for each in together if each]
    assert [each.iou for each in few] == pytest.approx([each.iou for each in together if each])


def test_threads_share_passes_and_find_what_each_finds_alone(
    folders: Folders, family: type[Sam], crowded: Any
) -> None:
    tool, sizes = family(str(folders[family])), [(48, 90), (90, 48), (64, 64), (50, 70)] * 2
    asked = [(draw(*size), eight_boxes(*size)[number:]) for number, size in enumerate(sizes)]
    calls = [lambda it=it: tool.find(*it) for it in asked]
    together, served = crowded(tool._load().turn, calls)
    assert served == [1, 4, 3, *[1] * 8], "boxes are decoded picture by picture"
    for found, each in zip(together, asked, strict=True):
        assert_same(found, reference(family, folders[family], *each))


def test_boxes_are_cut_at_the_edges_of_the_picture(folders: Folders, family: type[Sam]) -> None:
    picture = draw(60, 80)
    boxes = [
        (-1e6, -1e6, 1e6, 1e6),
        (0.0, 0.0, 80.0, 60.0),
        (200.0, 10.0, 300.0, 50.0),  # outside
        (70.0, 50.0, 99.0, 99.0),
        (70.0, 50.0, 80.0, 60.0),
        (-9.0, 0.0, 0.0, 60.0),  # beside
        (40.0, 30.0, 41.0, 31.0),  # a pixel
        (40.0, 30.0, 40.0, 31.0),  # nothing
    ]
    masks = family(str(folders[family])).segment(picture, boxes)
    assert [mask is None for mask in masks] == [n in (2, 5, 7) for n in range(8)]
    assert masks[0] == masks[1] and masks[3] == masks[4] != masks[0]
    assert {mask.size for mask in masks if mask} == {(60, 80)}


def test_without_a_box_in_the_picture_no_model_is_loaded(family: type[Sam]) -> None:
    nowhere = family("/no/such/folder")
    assert nowhere.segment(draw(60, 80), []) == []
    assert nowhere.segment(draw(60, 80), [(90.0, 10.0, 99.0, 50.0)]) == [None]
    with pytest.raises(ModelFileError, match=r"no config\.json in the folder /no/such/folder"):
        nowhere.segment(draw(60, 80), [(10.0, 10.0, 50.0, 50.0)])


def test_only_the_encoder_computes_in_half_precision(folders: Folders, family: type[Sam]) -> None:
    picture, boxes = draw(48, 90), eight_boxes(48, 90)
    half = family(str(folders[family]), dtype="bfloat16").find(picture, boxes)
    full = family(str(folders[family])).find(picture, boxes)
    differences = [abs(a.iou - b.iou) for a, b in zip(half, full, strict=True) if a and b]
    assert 0 < max(differences) < 0.1


def test_a_picture_too_narrow_is_one_that_the_tool_fails_on(folders: Folders) -> None:
    picture, box = draw(1, 200), (0.0, 0.0, 100.0, 1.0)
    with pytest.raises(ToolError, match="sam: a picture of 200 x 1 pixels is too narrow"):
        Sam(str(folders[Sam])).segment(picture, [box])
    assert len(Sam2(str(folders[Sam2])).segment(picture, [box])) == 1


def test_a_checkpoint_of_the_model_for_videos_is_taken_for_pictures(
    folders: Folders, tmp_path: Path
) -> None:
    folder = shutil.copytree(folders[Sam2], tmp_path / "video")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "sam2_video"}))
    picture, boxes = draw(48, 90), eight_boxes(48, 90)
    assert Sam2(str(folder)).find(picture, boxes) == Sam2(str(folders[Sam2])).find(picture, boxes)

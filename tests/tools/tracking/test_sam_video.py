"""SAM 2, SAM 3 and EdgeTAM for video: tiny ones with random weights, saved as real ones are.

What they draw means nothing, but it must be what the same weights draw when transformers follows
one object at a time through a video that is given whole.
"""

import json
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from safetensors.torch import load_file, save_file

from deixis.base.boxes import Box
from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools import registry
from deixis.tools.base import Picture, Tracked
from deixis.tools.tracking.sam_video import EdgeTam, Sam2Video, Sam3Video

pytestmark = [pytest.mark.slow, pytest.mark.extra]

SIDES = {Sam2Video: 64, Sam3Video: 56, EdgeTam: 64}
SEEDS = {Sam2Video: 5, Sam3Video: 0, EdgeTam: 1}
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
BOXES: list[Box] = [(5.0, 8.0, 40.0, 40.0), (30.5, 20.0, 79.0, 47.5), (0.0, 0.0, 90.0, 60.0)]

Folders = dict[type[Sam2Video], Path]


def _config(family: type[Sam2Video]) -> Any:
    side = SIDES[family]
    wide = {"hidden_size": 128, "num_attention_heads": 2}
    levels = {"fpn_hidden_size": 128, "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]]}
    hiera = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [64, 64],
        "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "window_size_per_stage": [4, 4, 4, 4], "global_attention_blocks": [3],
    }  # fmt: skip
    vit = {
        "model_type": "sam3_vit_model", "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
        "window_size": 2, "global_attn_indexes": [1], "pretrain_image_size": 28,
    }  # fmt: skip
    if family is Sam3Video:
        vision = {"model_type": "sam3_vision_model", "backbone_config": vit, **levels}
    else:
        channels = [64, 32, 16, 8]
        vision = {"model_type": "sam2_vision_model", "backbone_config": hiera, **levels}
        vision["backbone_channel_list"] = channels
    kinds = {
        Sam2Video: (hf.Sam2VideoConfig, {"memory_attention_feed_forward_hidden_size": 32}),
        Sam3Video: (hf.Sam3TrackerVideoConfig, {"memory_attention_feed_forward_hidden_size": 32}),
        EdgeTam: (
            hf.EdgeTamVideoConfig,
            {
                "memory_attention_mlp_hidden_size": 32, "memory_attention_rope_k_sizes": [2, 2],
                "perceiver_resampler_num_latents": 4, "perceiver_resampler_num_latents_2d": 4,
                "perceiver_resampler_mlp_intermediate_size": 16,
            },
        ),
    }  # fmt: skip
    kind, own = kinds[family]
    return kind(
        vision_config=vision,
        prompt_encoder_config={
            "hidden_size": 128, "mask_input_channels": 4, "image_size": side,
            "patch_size": side // 4,
        },
        mask_decoder_config={**wide, "mlp_dim": 32, "iou_head_hidden_dim": 16},
        image_size=side, initializer_range=0.3, memory_attention_hidden_size=128,
        memory_attention_num_layers=1, memory_encoder_hidden_size=128,
        mask_downsampler_embed_dim=128, memory_fuser_embed_dim=128, memory_fuser_num_layers=1,
        memory_fuser_intermediate_dim=32, memory_attention_rope_feat_sizes=[4, 4], **own,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("models")
    for family, seed in SEEDS.items():
        torch.manual_seed(seed)
        folder = root / family.name
        model = getattr(hf, family.family.model)(_config(family))
        last = model.mask_decoder.pred_obj_score_head.proj_out
        with torch.no_grad():  # else nothing is ever in sight, or all is
            last.weight.mul_(0.05)
            last.bias.fill_(1.5)
        model.save_pretrained(folder)
        side = SIDES[family]
        settings = {
            "image_processor_type": "Sam2ImageProcessorFast", "resample": 2,
            "size": {"height": side, "width": side}, "do_resize": True, "do_rescale": True,
            "do_normalize": True, "rescale_factor": 1 / 255, "image_mean": MEAN,
            "image_std": DEVIATION,
        }  # fmt: skip
        (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return {family: root / family.name for family in SEEDS}


@pytest.fixture(params=[Sam2Video, Sam3Video, EdgeTam])
def family(request: pytest.FixtureRequest) -> type[Sam2Video]:
    kind: type[Sam2Video] = request.param
    return kind


def draw(count: int, height: int = 60, width: int = 90) -> list[Picture]:
    random = np.random.default_rng(7)
    small = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    large = np.asarray(Image.fromarray(small).resize((2 * width, height)))
    return [np.ascontiguousarray(large[:, 2 * n : 2 * n + width]) for n in range(count)]


def reference(
    family: type[Sam2Video], folder: Path, frames: list[Picture], box: Box
) -> list[tuple[Any, float]]:
    """Let transformers follow one object through a whole video: logits and score in each frame."""
    model = getattr(hf, family.family.model).from_pretrained(folder).eval()
    side, (height, width) = SIDES[family], frames[0].shape[:2]
    small = [
        np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR))
        for frame in frames
    ]
    pixels = torch.tensor((np.array(small) / 255 - MEAN) / DEVIATION, dtype=torch.float32)
    session = getattr(hf, family.family.session)(
        video=pixels.permute(0, 3, 1, 2), video_height=height, video_width=width,
        dtype=torch.float32,
    )  # fmt: skip
    scale = torch.tensor([side / width, side / height] * 2)
    corners = (torch.tensor(box) * scale).reshape(1, 1, 2, 2)
    labels = torch.tensor([2, 3], dtype=torch.int32).reshape(1, 1, 2)
    points = {"point_coords": corners, "point_labels": labels}
    session.add_point_inputs(session.obj_id_to_idx(0), 0, points)
    session.obj_with_new_inputs = [0]
    result = []
    for out in model.propagate_in_video_iterator(session, start_frame_idx=0):
        large = torch.nn.functional.interpolate(out.pred_masks, (height, width), mode="bilinear")
        result.append((large[0, 0].numpy(), float(torch.sigmoid(out.object_score_logits))))
    return result


def test_masks_are_those_of_one_object_at_a_time(folders: Folders, family: type[Sam2Video]) -> None:
    frames = draw(20)  # a model looks back at sixteen
    tracks = family(str(folders[family])).track(frames, BOXES)
    seen = 0
    for own, box in zip(tracks, BOXES, strict=True):
        expected = reference(family, folders[family], frames, box)
        # Further on, random weights make much of how numbers are rounded.
        for place, (logits, score) in zip(own[:4], expected[:4], strict=True):
            if place is None:
                assert score <= 0.501 or not (logits > 1e-4).any()
                continue
            seen += 1
            assert place.mask is not None
            assert place.score == pytest.approx(score, abs=1e-3)
            clear = np.abs(logits) > 1e-2  # nearer to the cut, rounding may decide
            assert (place.mask.to_array() == (logits > 0))[clear].mean() > 0.99
            rows, columns = np.nonzero(place.mask.to_array())
            edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert place.box == pytest.approx(edges)
    assert seen > 5, "the test compares masks"


def test_memory_does_not_grow_with_frames(
    folders: Folders, family: type[Sam2Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = []
    make = Sam2Video._session

    def kept(*given: Any) -> Any:
        sessions.append(make(*given))
        return sessions[-1]

    monkeypatch.setattr(family, "_session", kept)
    tracks = family(str(folders[family])).track(draw(40), BOXES[:1])
    (session,) = sessions
    outputs = session.output_dict_per_obj[0]["non_cond_frame_outputs"]
    assert len(outputs) <= 16
    assert all("high_res_masks" not in output for output in outputs.values())
    assert sum(frame.nelement() for frame in session.processed_frames.values()) == 0
    monkeypatch.setattr("deixis.tools.tracking.sam_video._drop_old", lambda *_: None)
    assert family(str(folders[family])).track(draw(40), BOXES[:1]) == tracks


def test_a_spec_names_it_and_half_precision_is_of_the_encoder(
    folders: Folders, family: type[Sam2Video]
) -> None:
    spec = f"{family.name}:{folders[family]}"
    frames = draw(3)
    full = registry.load(spec, "tracker").track(frames, BOXES)
    half = registry.load(f"{spec}?dtype=bfloat16", "tracker").track(frames, BOXES)
    assert full != half
    pairs = [(one, other) for one, other in zip(full[2], half[2], strict=True) if one and other]
    assert all(abs(one.score - other.score) < 0.2 for one, other in pairs)


def test_without_boxes_or_frames_no_model_is_loaded(family: type[Sam2Video]) -> None:
    nowhere = family("/no/such/folder")
    assert nowhere.track(draw(2), []) == []
    assert nowhere.track([], BOXES) == [[], [], []]
    with pytest.raises(ModelFileError, match=r"no config\.json in the folder /no/such/folder"):
        nowhere.track(draw(2), BOXES)


def test_a_model_of_another_family_is_refused(folders: Folders) -> None:
    with pytest.raises(
        ModelFileError, match="of the type sam2_video, not edgetam_video; write sam2"
    ):
        EdgeTam(str(folders[Sam2Video])).track(draw(2), BOXES)


def test_weights_of_edgetam_say_which_package_they_need(folders: Folders, tmp_path: Path) -> None:
    folder = shutil.copytree(folders[EdgeTam], tmp_path / "published")
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"] = {"model_type": "edgetam_vision_model"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(MissingExtraError, match=r"timm is not installed.*deixis\[edgetam\]"):
        EdgeTam(str(folder)).track(draw(2), BOXES)


def _in_whole(name: str) -> str:
    own = name.removeprefix("tracker_model.")
    return own if own.startswith(("detector_model.", "tracker_neck.")) else f"tracker_model.{own}"


def test_the_tracker_inside_a_whole_sam_3_is_found(folders: Folders, tmp_path: Path) -> None:
    """As published, SAM 3 has a detector too, whose encoder the tracker shares."""
    folder = shutil.copytree(folders[Sam3Video], tmp_path / "whole")
    weights = load_file(folder / "model.safetensors")
    save_file({_in_whole(name): own for name, own in weights.items()}, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    whole = {"model_type": "sam3_video", "tracker_config": config}
    (folder / "config.json").write_text(json.dumps(whole))
    frames = draw(3)
    alone: list[list[Tracked | None]] = Sam3Video(str(folders[Sam3Video])).track(frames, BOXES)
    inside = Sam3Video(str(folder)).track(frames, BOXES)
    for one, other in zip(chain(*alone), chain(*inside), strict=True):
        assert (one is None) == (other is None)
        assert one is None or other is None or abs(one.score - other.score) < 1e-3

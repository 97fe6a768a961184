"""SAM when something is wrong: files, memory, two threads at once."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from deixis.base.boxes import Box
from deixis.errors import ModelFileError, SettingsError, ToolError
from deixis.tools.base import Picture, listening
from deixis.tools.sam import Sam, Sam3

pytestmark = [pytest.mark.slow, pytest.mark.extra]

PICTURE: Picture = np.random.default_rng(0).integers(0, 256, (48, 90, 3), dtype=np.uint8)
BOXES: list[Box] = [(5.0 * n, 3.0 * n, 5.0 * n + 40, 45.0) for n in range(8)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny SAM with random weights."""
    torch.manual_seed(2)
    small = {"hidden_size": 16, "num_attention_heads": 2, "mlp_dim": 32}
    size = {"image_size": 64, "patch_size": 8}
    few = {"num_hidden_layers": 2, "global_attn_indexes": [1], "num_pos_feats": 8}
    config = hf.SamConfig(
        vision_config={**small, **size, **few, "output_channels": 16, "initializer_range": 0.3},
        prompt_encoder_config={**size, "hidden_size": 16, "mask_input_channels": 4},
        mask_decoder_config={**small, "iou_head_hidden_dim": 16},
        initializer_range=0.3,
    )
    path = tmp_path_factory.mktemp("models") / "sam"
    hf.SamModel(config).save_pretrained(path)
    sizes = {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}}
    hf.SamProcessor(hf.SamImageProcessorPil(**sizes)).save_pretrained(path)
    return path


def said(folder: Path, kind: type[Sam] = Sam) -> str:
    with pytest.raises(ModelFileError) as caught:
        kind(str(folder)).segment(PICTURE, BOXES)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "kind", "advice"),
    [
        ("sam2", Sam, "of the type sam2, not sam; write sam2:"),
        ("sam3_video", Sam, "of the type sam3_video, not sam; write sam3:"),
        ("sam", Sam3, "of the type sam, not sam3_tracker; write sam:"),
        ("owlv2", Sam, "of the type owlv2, not sam; name a model of the SAM family"),
    ],
)
def test_a_model_of_another_type_is_told_with_how_to_name_it(
    tmp_path: Path, given: str, kind: type[Sam], advice: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": given}))
    assert advice in said(tmp_path, kind)


def test_a_pickle_is_not_read(folder: Path, tmp_path: Path) -> None:
    pickled = shutil.copytree(folder, tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    weights = hf.SamModel.from_pretrained(folder).state_dict()
    torch.save(weights, pickled / "pytorch_model.bin")
    assert "only weights in .safetensors files are read" in said(pickled)


def test_a_missing_processor_is_told(folder: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(folder, tmp_path / "bare")
    (bare / "processor_config.json").unlink()
    assert "preprocessor_config.json" in said(bare)


def test_a_missing_device_is_told(folder: Path) -> None:
    with pytest.raises(SettingsError, match="torch finds no device cuda:99 here"):
        Sam(str(folder), device="cuda:99").segment(PICTURE, BOXES)


def test_two_threads_share_one_load(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(folder, tmp_path / "sam")  # one that is not loaded yet
    loads: list[Any] = []
    read = hf.SamModel.from_pretrained

    def counted(*args: Any, **kwargs: Any) -> Any:
        loads.append(args)
        return read(*args, **kwargs)

    monkeypatch.setattr(hf.SamModel, "from_pretrained", counted)
    start = Barrier(2)

    def run(at_once: int) -> list[Any]:
        start.wait()
        return Sam(str(folder), boxes_at_once=at_once).segment(PICTURE, BOXES)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, (8, 16))
    assert first == second and len(loads) == 1


def test_out_of_memory_halves_the_boxes_and_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = Sam(str(folder), boxes_at_once=4)
    expected = sam.segment(PICTURE, BOXES)
    decode, most, asked = hf.SamModel.forward, 2, []

    def short(self: Any, *args: Any, input_boxes: Any, **kwargs: Any) -> Any:
        asked.append(input_boxes.shape[1])
        if input_boxes.shape[1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return decode(self, *args, input_boxes=input_boxes, **kwargs)

    monkeypatch.setattr(hf.SamModel, "forward", short)
    with listening() as warned:
        assert sam.segment(PICTURE, BOXES) == expected
    assert warned == ["sam: out of memory with 4 items; went on with 2"]
    assert asked == [4, 2, 2, 2, 2], "and what is left is not tried in fours"
    most = 1
    with pytest.raises(ToolError, match="sam: out of memory, also with 2 items"):
        sam.segment(PICTURE, BOXES)


def test_what_torch_says_of_a_picture_is_a_tool_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA error: an illegal access\nCompile with ...")

    monkeypatch.setattr(hf.SamModel, "get_image_embeddings", broken)
    with pytest.raises(ToolError, match="sam failed: CUDA error: an illegal access"):
        Sam(str(folder)).segment(PICTURE, BOXES)

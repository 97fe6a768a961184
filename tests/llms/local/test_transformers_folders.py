"""What the files of a model's folder tell of boxes, without loading it."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from deixis.llms.box_conventions import FAMILIES, THOUSANDTHS, convention_of, why_unknown
from deixis.llms.picture_frames import Resize

pytestmark = [pytest.mark.slow, pytest.mark.extra]


def _folder(folder: Path, kind: str, **files: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, settings in {"config": {"model_type": kind}, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(settings))
    return folder


def _frame(folder: Path, query: str = "") -> Resize:
    found = convention_of(f"transformers:{folder}{query}")
    assert found is not None and isinstance(found.resize, Resize)
    return found.resize


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("qwen2_vl", "qwen2vl"),
        ("qwen2_5_vl", "qwen25vl"),
        ("qwen3_vl", "qwen3vl"),
        ("qwen3_vl_moe", "qwen3vl"),
        ("internvl", "internvl"),
        ("florence2", "florence2"),
        ("paligemma", "paligemma"),
        ("llava", None),
        ("llama", None),
    ],
)
def test_the_settings_of_a_folder_tell_the_family(
    tmp_path: Path, kind: str, family: str | None
) -> None:
    spec = f"transformers:{_folder(tmp_path / 'merged', kind)}"
    assert convention_of(spec) == (FAMILIES[family].convention if family else None)
    if kind == "llava":
        assert "if it pads, say so: ?family=llava" in why_unknown(spec)
        assert convention_of(f"{spec}?family=llava") == FAMILIES["llava"].convention


def test_the_settings_go_before_the_name_and_what_is_said_before_both(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "qwen2.5-vl-like", "qwen3_vl")
    assert convention_of(f"transformers:{folder}") == THOUSANDTHS
    assert convention_of(f"transformers:{folder}?family=gemini") == FAMILIES["gemini"].convention
    (folder / "config.json").write_text("not JSON")
    assert convention_of(f"transformers:{folder}") == FAMILIES["qwen25vl"].convention


def _drawn(draw: random.Random) -> tuple[int, int]:
    least = round(2 ** draw.uniform(8, 18))
    return least, round(least * 2 ** draw.uniform(1, 5))


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("form", ["size", "limits", "both", "nested", "none"])
def test_the_frame_is_what_the_folders_processor_makes_of_a_picture(
    tmp_path: Path, patch: int, form: str
) -> None:
    draw = random.Random(f"{patch} {form}")
    for number in range(40):
        least, most = _drawn(draw)
        limits = {"min_pixels": least, "max_pixels": most}
        size = {"shortest_edge": least, "longest_edge": most}
        settings: dict[str, Any] = {
            "image_processor_type": "Qwen2VLImageProcessor",
            "patch_size": patch,
            **({} if form in ("limits", "none") else {"size": size}),
            **(limits if form == "limits" else {}),
            **({"max_pixels": most // 2} if form == "both" else {}),
        }
        files = {"preprocessor_config": settings}
        if form == "nested":  # as transformers 5 writes it, beside what an older one has left
            files = {
                "processor_config": {"image_processor": settings},
                "preprocessor_config": {**settings, "size": {k: v * 3 for k, v in size.items()}},
            }
        folder = _folder(tmp_path / str(number), "qwen2_5_vl", **files)
        eyes: Any = Qwen2VLImageProcessorPil.from_pretrained(folder)
        resize, shape = _frame(folder), [round(2 ** draw.uniform(3, 9)) for _ in range(2)]
        made = eyes(np.zeros((*shape, 3), np.uint8), return_tensors="np")
        _, rows, columns = made["image_grid_thw"][0].tolist()
        assert resize.frame((shape[1], shape[0])) == (columns * patch, rows * patch)
        if form == "none":
            break  # one setting


def test_limits_of_the_spec_go_before_those_of_the_folder(tmp_path: Path) -> None:
    settings = {"min_pixels": 5000, "max_pixels": 70_000, "patch_size": 16}
    folder = _folder(tmp_path / "a", "qwen2_5_vl", preprocessor_config=settings)
    assert _frame(folder) == Resize(32, 5000, 70_000)
    assert _frame(folder, "?max_pixels=90000") == Resize(32, 5000, 90_000)
    assert _frame(folder, "?min_pixels=100&max_pixels=90000") == Resize(32, 100, 90_000)


@pytest.mark.parametrize("settings", [None, {"patch_size": 0}, {"patch_size": "x"}, [1]])
def test_a_folder_that_tells_nothing_is_taken_for_one_as_published(
    tmp_path: Path, settings: Any
) -> None:
    files = {} if settings is None else {"preprocessor_config": settings}
    assert _frame(_folder(tmp_path / "a", "qwen2_5_vl", **files)) == Resize()


def test_a_model_of_the_hub_tells_once_it_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert convention_of("transformers:owner/tuned@v1") is None
    home = tmp_path / "models--owner--tuned"
    snapshot = _folder(
        home / "snapshots" / ("0123456789" * 4),
        "qwen2_5_vl",
        preprocessor_config={"max_pixels": 70_000},
    )
    (snapshot / "model.safetensors").touch()
    (home / "refs").mkdir()
    (home / "refs" / "v1").write_text(snapshot.name)
    found = convention_of("transformers:owner/tuned@v1")
    assert found is not None and found.resize == Resize(most_pixels=70_000)
    shutil.rmtree(home)
    assert convention_of("openai:owner/tuned") is None


def test_neither_torch_nor_transformers_is_imported_for_it(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", "qwen2_5_vl", preprocessor_config={"max_pixels": 70_000})
    program = (
        "import sys; from deixis.llms.box_conventions import convention_of; "
        f"print(convention_of('transformers:{folder}').resize.most_pixels); "
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[:2] == ["70000", "set()"]

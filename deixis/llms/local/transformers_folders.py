"""Models in Hugging Face format, known by the files of their folder, without torch."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from deixis.errors import ModelFileError
from deixis.llms.picture_frames import Resize
from deixis.weights.model_files import is_cached, resolve
from deixis.weights.torch_models import files_of, reading

CAPTION = {"blip-2": "", "florence2": "<MORE_DETAILED_CAPTION>"}
"""Kinds of models without a chat template that describe a picture, and what they are prompted with.
The task is one of those that Florence-2 was trained on, which has no other way to be asked."""
SENSES = {
    "qwen2_vl": ("watches",),
    "qwen2_5_vl": ("watches",),
    "qwen3_vl": ("watches",),
    "qwen3_vl_moe": ("watches",),
    "qwen2_5_omni": ("hears", "watches"),
}
"""Kinds of models that were trained on sound and video. Of Qwen's Omni the thinker is loaded, which
writes; the talker, which would speak, stays on the disk."""
_EYES = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}
"""Least and most pixels of Qwen-VL's image processor in transformers, where a folder has none."""


def only_describes(name: str) -> bool:
    """Say whether a model is of a kind in `CAPTION`, without loading it.

    Args:
        name: a folder, or ``OWNER/REPO[@REVISION]``; what is not on this disk is not known of.
    """
    with suppress(ModelFileError), reading(name):  # what is wrong is told when it is loaded
        folder = folder_on_disk(name)
        if folder is None:
            return False
        beside = folder / "tokenizer_config.json"
        told = beside.is_file() and "chat_template" in beside.read_text(encoding="utf-8")
        described = _kind_in(folder) in CAPTION
        return described and not told and not (folder / "chat_template.jinja").is_file()
    return False


def senses(name: str) -> tuple[str, ...]:
    """Return which of "hears" and "watches" a model can, without loading it.

    Args:
        name: as for `only_describes`; of what is not on this disk the name tells.
    """
    if kind := kind_of(name):
        return SENSES.get(kind, ())
    plain = name.rstrip("/").rpartition("/")[2].casefold().replace(".", "_").replace("-", "_")
    return next((can for kind, can in SENSES.items() if kind in plain), ())


def kind_of(name: str) -> str | None:
    """Return the ``model_type`` of a model, None of one that is not on this disk, or damaged.

    Args:
        name: as for `only_describes`.
    """
    with suppress(ModelFileError), reading(name):
        if folder := folder_on_disk(name):
            return _kind_in(folder)
    return None


def resize_of(name: str) -> Resize | None:
    """Return how the processor of a Qwen-VL brings pictures to a size; None where that is not told.

    Args:
        name: as for `only_describes`.
    """
    with suppress(ModelFileError), reading(name):
        folder = folder_on_disk(name)
        if folder is None:
            return None
        # In the order in which transformers reads them.
        told = _settings(folder, "processor_config.json").get("image_processor")
        told = told or _settings(folder, "preprocessor_config.json")
        if not told:
            return None
        size = {**_EYES, **(told.get("size") or {})}
        resize = Resize(
            int(told.get("patch_size", 14)) * int(told.get("merge_size", 2)),
            int(told.get("min_pixels") or size["shortest_edge"]),
            int(told.get("max_pixels") or size["longest_edge"]),
        )
        return resize if min(resize) > 0 else None
    return None


def stored_dtype(name: str) -> str:
    """Return the precision of a model's weights as they are stored, or float32 if none is told.

    Args:
        name: as for `only_describes`; it is on this disk.
    """
    told: dict[str, Any] = {}
    with suppress(ModelFileError), reading(name):
        if folder := folder_on_disk(name):
            told = _settings(folder, "config.json")
            told = {**told.get("text_config", {}), **told}
    dtype = told.get("dtype") or told.get("torch_dtype")
    return dtype if dtype in ("bfloat16", "float16") else "float32"


def folder_on_disk(name: str) -> Path | None:
    """Return where a model is, None of one that is not on this disk.

    Args:
        name: as for `only_describes`.

    Raises:
        ModelFileError: a folder holds no model.
    """
    (where,) = files_of(name)
    if not is_cached(where):
        return None
    if where.startswith("hub:"):
        return resolve(f"hub:{name}/config.json").parent
    return Path(name).expanduser()


def _kind_in(folder: Path) -> str:
    return str(_settings(folder, "config.json").get("model_type"))


def _settings(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    settings: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return settings

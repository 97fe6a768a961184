"""Models in Hugging Face format, known by the files of their folder, without torch."""

import json
from contextlib import suppress
from pathlib import Path

from deixis.errors import ModelFileError
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


def only_describes(name: str) -> bool:
    """Say whether a model is of a kind in `CAPTION`, without loading it.

    Args:
        name: a folder, or ``OWNER/REPO[@REVISION]``; what is not on this disk is not known of.
    """
    with suppress(ModelFileError), reading(name):  # what is wrong is told when it is loaded
        folder = _on_disk(name)
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
    with suppress(ModelFileError), reading(name):
        if folder := _on_disk(name):
            return SENSES.get(_kind_in(folder), ())
    plain = name.rstrip("/").rpartition("/")[2].casefold().replace(".", "_").replace("-", "_")
    return next((can for kind, can in SENSES.items() if kind in plain), ())


def _on_disk(name: str) -> Path | None:
    (where,) = files_of(name)
    if not is_cached(where):
        return None
    if where.startswith("hub:"):
        return resolve(f"hub:{name}/config.json").parent
    return Path(name).expanduser()


def _kind_in(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return str(config.get("model_type"))

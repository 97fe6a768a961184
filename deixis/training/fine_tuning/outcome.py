"""What a run leaves to be used: an adapter; or, of a model trained in full, a model of its own."""

import json
import shutil
from pathlib import Path
from typing import Any

from deixis.training.fine_tuning.checkpoints import put_folder

ADAPTER, MODEL = "adapter", "model"
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_MODEL_FILES = ("config.json", "generation_config.json", "model.safetensors.index.json")


def put_adapter(checkpoint: Path, out: Path) -> Path:
    """Put the adapter of a checkpoint into the folder of a run; return where."""
    with put_folder(out / ADAPTER) as draft:
        _copy(checkpoint, draft, _ADAPTER_FILES)
    return out / ADAPTER


def put_model(checkpoint: Path, out: Path, processor: Any, *, half: bool) -> Path:
    """Put the weights of a checkpoint and what turns posts into tensors into the folder of a run.

    Args:
        checkpoint: of a model that was trained in full, in 32 bits.
        out: folder of the run.
        processor: of the model, or its tokenizer.
        half: write them in bfloat16, in which they were reckoned with.

    Returns:
        The folder, as one of the hub is.
    """
    with put_folder(out / MODEL) as draft:
        _copy(checkpoint, draft, _MODEL_FILES)
        processor.save_pretrained(draft)
        for shard in sorted(checkpoint.glob("*.safetensors")):
            _put_weights(shard, draft / shard.name, half=half)
        config = json.loads((draft / "config.json").read_bytes())
        (draft / "config.json").write_text(json.dumps(_config(config, half=half), indent=2))
    return out / MODEL


def _config(config: dict[str, Any], *, half: bool) -> dict[str, Any]:
    """Return the settings of a model or of a part of it without those of its training."""
    kept = {name: value for name, value in config.items() if name != "use_cache"}
    if half and "dtype" in kept:
        kept["dtype"] = "bfloat16"
    return {
        name: _config(value, half=half) if isinstance(value, dict) else value
        for name, value in kept.items()
    }


def _put_weights(source: Path, place: Path, *, half: bool) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    if not half:
        shutil.copyfile(source, place)
        return
    weights = {
        name: weight.to(torch.bfloat16) if weight.is_floating_point() else weight
        for name, weight in load_file(source).items()
    }
    save_file(weights, place, metadata={"format": "pt"})


def _copy(source: Path, place: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, place / name)

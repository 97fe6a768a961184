"""Adapters with random weights, as peft writes them, for tiny models."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.functional import get_peft_model_state_dict, inject_adapter_in_model
from safetensors.torch import save_file

from deixis.llms.local.transformers_adapters import CONFIG, WEIGHTS
from deixis.llms.local.transformers_load import weights


def save_adapter(base: Path, folder: Path, seed: int, **options: Any) -> Path:
    """Write an adapter for the model in a folder, as peft's ``save_pretrained`` does.

    Args:
        base: the model.
        folder: where to.
        seed: of the random weights, which are large enough to tell in what the model says.
        options: of `LoraConfig`.
    """
    torch.manual_seed(seed)
    model = weights(str(base), "cpu", "float32", None)
    config = LoraConfig(**{"target_modules": r".*language_model.*\.[qkvo]_proj", **options})
    inject_adapter_in_model(config, model)
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    folder.mkdir()
    save_file(
        {f"base_model.model.{key}": torch.randn(value.shape) / 4 for key, value in state.items()},
        folder / WEIGHTS,
    )
    config.base_model_name_or_path = str(base)
    config.save_pretrained(folder)
    assert (folder / CONFIG).is_file()
    return folder

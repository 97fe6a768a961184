"""Which weights of a model are trained: adapters of the language model, or its own, part by part.

Import this only where torch and peft are known to be installed.
"""

import re
from typing import Any, Literal

import torch
from peft import LoraConfig, get_peft_model

from deixis.errors import SettingsError
from deixis.training.recipes import Lora, Rates

Part = Literal["language", "vision", "projector"]

_PROJECTORS = ("multi_modal_projector", "projector", "merger", "deepstack_merger_list", "connector")
"""Modules that bring pictures and sound to the language model, by their names in transformers."""


def language_of(model: Any) -> str:
    """Return the name of the language model within a model; "" if it is the whole."""
    language = model.get_decoder()
    names = (name for name, module in model.named_modules() if module is language)
    return str(next(names))


def part_of(parameter: str, language: str) -> Part:
    """Return to which part a parameter belongs.

    Args:
        parameter: its name in the model of transformers.
        language: of `language_of`.
    """
    if parameter.startswith((f"{language}.", "lm_head.")):
        return "language"
    names = parameter.split(".")
    return "projector" if any(name in _PROJECTORS for name in names) else "vision"


def adapted(model: Any, lora: Lora, name: str) -> Any:
    """Return a model of peft: adapters on the linear layers of the language model are trained.

    Args:
        model: of transformers; it is changed.
        lora: how large they are.
        name: of its weights, which stands in the adapter.

    Raises:
        SettingsError: an adapter would stand in another part, or nowhere.
    """
    language = language_of(model)
    layers = {
        module.rpartition(".")[2]
        for module, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and part_of(f"{module}.", language) == "language"
    } - {"lm_head"}
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=rf"{re.escape(language)}\..*\.({'|'.join(sorted(layers))})",
        task_type="CAUSAL_LM",
    )
    wrapped = get_peft_model(model, config)
    wrapped.peft_config["default"].base_model_name_or_path = name
    check_trained(model, {"language"})
    return wrapped


def freed(model: Any, rates: Rates) -> None:
    """Train a model's own weights, in the parts that have a learning rate."""
    language = language_of(model)
    for parameter, weight in model.named_parameters():
        weight.requires_grad = getattr(rates, part_of(parameter, language)) > 0
    check_trained(model, {part for part, rate in rates if rate > 0})


def check_trained(model: Any, parts: set[str]) -> None:
    """Refuse a model in which anything else is trained than some parts, or one of them is not.

    Raises:
        SettingsError: so it is.
    """
    language = language_of(model)
    trained: dict[str, str] = {}
    for parameter, weight in model.named_parameters():
        if weight.requires_grad:
            trained.setdefault(part_of(parameter, language), parameter)
    if wrong := trained.keys() - parts:
        part = wrong.pop()
        raise SettingsError(f"{trained[part]} of the {part} part would be trained, and shall not")
    if missing := parts - trained.keys():
        raise SettingsError(f"the model has no weights to train in the {missing.pop()} part")

"""A model and an adapter made one: a whole folder in Hugging Face format, for vLLM and others."""

import hashlib
import json
import secrets
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deixis import __version__
from deixis.errors import InputError, SettingsError
from deixis.llms.local.transformers_adapters import CONFIG, WEIGHTS, Adapters, adapter_in
from deixis.llms.local.transformers_folders import folder_on_disk, stored_dtype
from deixis.llms.local.transformers_load import weights

_SHARD = "5GB"
_NOT_BESIDE = {"config.json", "adapter_config.json", "model.safetensors.index.json"}
_BESIDE = ("*.json", "*.txt", "*.model", "*.jinja", "LICEN[CS]E*", "NOTICE*", "USE_POLICY*")
"""What goes with weights: vocabulary, chat template, settings of processor and generation."""


def merge(base: str, adapter: str, out: Path) -> None:
    """Write a model with an adapter's changes in its weights, whole or not at all.

    The weights are in the precision in which the model's own are stored, rounded to it once.

    Args:
        base: a folder, or ``OWNER/REPO[@REVISION]`` on the hub.
        adapter: folder of an adapter of peft (LoRA) that was trained on it.
        out: the folder to make; nothing, or an empty folder, is there.

    Raises:
        InputError: something is there, or it cannot be written.
        ModelFileError, MissingExtraError: the model or the adapter cannot be had, or they do not
            fit.
        SettingsError: of the model only a part is read here.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there; name another folder")
    chosen = adapter_in(adapter)
    model = weights(base, "cpu", stored_dtype(base), None)
    if model.config.model_type.endswith("_thinker"):
        raise SettingsError(
            f"{base}: of this model the part that speaks is not read here, and would be lost; "
            "use the adapter as it is, with ?adapter="
        )
    draft = out.absolute().with_name(f".deixis-{secrets.token_hex(8)}.part")
    try:
        draft.mkdir(parents=True)
        write_whole(Adapters(model).merge(chosen), base, draft)
        card = "\n".join(_card(base, chosen.folder, out))
        (draft / "README.md").write_text(f"{card}\n", encoding="utf-8")
        draft.replace(out)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_whole(model: Any, base: str, folder: Path) -> None:
    """Write a model's weights, and all that goes with them as it is beside those of its base.

    Args:
        model: of transformers.
        base: what it was made of, which is on this disk.
        folder: where to; it is there.

    Raises:
        OSError: it cannot be written.
    """
    model.save_pretrained(folder, max_shard_size=_SHARD)
    beside = folder_on_disk(base)
    assert beside is not None, "its weights were read"
    for pattern in _BESIDE:
        for file in beside.glob(pattern):
            if file.is_file() and file.name not in _NOT_BESIDE:
                shutil.copyfile(file, folder / file.name)


def _card(base: str, adapter: Path, out: Path) -> list[str]:
    with (adapter / WEIGHTS).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    named = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    trained_on = str(named.get("base_model_name_or_path") or base)
    packages = ", ".join(f"{name} {version(name)}" for name in ("peft", "transformers", "torch"))
    return [
        "---",
        "library_name: transformers",
        f"base_model: {json.dumps(base)}",
        "base_model_relation: finetune",
        "---",
        "",
        f"# {out.name}",
        "",
        f"An adapter (LoRA) merged into the weights of its base model by Deixis {__version__}.",
        "",
        f"- Base model: {json.dumps(base)}",
        f"- Adapter: {json.dumps(adapter.name)}, trained on {json.dumps(trained_on)}; sha256 of "
        f"its weights `{digest}`",
        f"- Made with {packages}",
        "",
        "The licence of the base model holds for these weights too; so may that of the data on "
        "which the adapter was trained.",
        "",
        "## Use",
        "",
        f"`transformers:{out.name}` in any role of Deixis; or `vllm serve {out.name}`, and "
        f"`openai:{out.name}?base_url=http://127.0.0.1:8000/v1&family=...`.",
    ]

"""A model and its adapter made one folder, which answers as the two do."""

import base64
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.messages import HumanMessage
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageTextToText

from deixis.errors import InputError, ModelFileError, SettingsError
from deixis.llms import registry
from deixis.llms.box_conventions import convention_of
from deixis.llms.local.transformers_adapters import CONFIG, WEIGHTS
from deixis.training.fine_tuning.merging import merge
from tests.llms.local.tiny_adapters import save_adapter
from tests.llms.local.tiny_omni import save_omni
from tests.llms.local.tiny_seeing import save_seeing

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """Return the folders of a model that sees and of an adapter for it."""
    root = tmp_path_factory.mktemp("merging")

    def made(kind: str) -> tuple[Path, Path]:
        base, adapter = root / kind, root / f"{kind}-adapter"
        if not base.exists():
            save_seeing(base, kind)
            (base / "LICENSE.txt").write_text("as is")
            (base / "vocab.notes").write_text("nothing that a model is read from")
            save_adapter(base, adapter, 1, use_dora=kind == "llava")
        return base, adapter

    return made


def _say(spec: str, colour: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (112, 84), colour).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    picture = {"type": "image", "base64": data, "mime_type": "image/png"}
    asked = [HumanMessage([picture, {"type": "text", "text": "Who is it?"}])]
    return registry.load(spec).model.invoke(asked, max_tokens=12).text


@pytest.mark.parametrize("kind", ["qwen2.5-vl", "qwen3-vl", "llava"])
def test_the_merged_model_answers_as_the_two_do(folders: Any, tmp_path: Path, kind: str) -> None:
    base, adapter = folders(kind)
    merge(str(base), str(adapter), tmp_path / "merged")
    for colour in ("red", "blue", "green"):
        said = _say(f"transformers:{tmp_path / 'merged'}", colour)
        assert said == _say(f"transformers:{base}?adapter={adapter}", colour)
        assert said != _say(f"transformers:{base}", colour)


def test_the_folder_is_a_whole_one_with_a_card_and_nothing_else(
    folders: Any, tmp_path: Path
) -> None:
    base, adapter = folders("qwen2.5-vl")
    out = tmp_path / "made" / "merged"
    merge(str(base), str(adapter), out)
    names = {file.name for file in base.iterdir()} - {"vocab.notes"}
    assert {file.name for file in out.iterdir()} == names | {"README.md"}
    assert list(out.parent.iterdir()) == [out]
    for name in names - {"config.json", "model.safetensors"}:
        assert (out / name).read_bytes() == (base / name).read_bytes()
    card = (out / "README.md").read_text()
    assert str(base) in card and "licence of the base model" in card
    assert hashlib.sha256((adapter / WEIGHTS).read_bytes()).hexdigest() in card
    found, own = load_file(out / "model.safetensors"), load_file(base / "model.safetensors")
    assert found.keys() == own.keys(), "under the names that servers know"
    changed = {name for name in own if not torch.equal(own[name], found[name])}
    assert changed and all("self_attn" in name for name in changed)
    assert convention_of(f"transformers:{out}") == convention_of(f"transformers:{base}")


def test_weights_stay_in_the_precision_in_which_they_are_stored(
    folders: Any, tmp_path: Path
) -> None:
    base, adapter = folders("qwen2.5-vl")
    half = shutil.copytree(base, tmp_path / "half")
    model = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.bfloat16)
    model.save_pretrained(half)
    merge(str(half), str(adapter), tmp_path / "merged")
    found = load_file(tmp_path / "merged" / "model.safetensors")
    assert {tensor.dtype for tensor in found.values()} == {torch.bfloat16}
    assert AutoConfig.from_pretrained(tmp_path / "merged").dtype == torch.bfloat16


def test_what_cannot_be_merged_is_told_and_leaves_nothing(folders: Any, tmp_path: Path) -> None:
    base, adapter = folders("llava")
    out = tmp_path / "out" / "merged"
    other = shutil.copytree(adapter, tmp_path / "other")
    settings = json.loads((other / CONFIG).read_text())
    (other / CONFIG).write_text(json.dumps(settings | {"r": 3}))
    with pytest.raises(ModelFileError, match=r"does not fit .*llava: size mismatch"):
        merge(str(base), str(other), out)
    broken = shutil.copytree(adapter, tmp_path / "broken")
    state = load_file(broken / WEIGHTS)
    save_file({name: tensor * float("nan") for name, tensor in state.items()}, broken / WEIGHTS)
    with pytest.raises(ModelFileError, match=r"cannot be merged: NaNs detected"):
        merge(str(base), str(broken), out)
    assert not out.exists() and not list(out.parent.iterdir())
    out.mkdir()
    (out / "mine").touch()
    with pytest.raises(InputError, match="is there; name another folder"):
        merge(str(base), str(adapter), out)
    assert [file.name for file in out.iterdir()] == ["mine"]


@pytest.mark.filterwarnings(r"ignore:Model (has|with) `tie_word_embeddings=True`:UserWarning")
def test_vectors_of_words_that_are_used_twice_are_not_changed_once(
    folders: Any, tmp_path: Path
) -> None:
    tied, adapter = tmp_path / "tied", tmp_path / "adapter"
    shutil.copytree(folders("qwen2.5-vl")[0], tied)
    config = json.loads((tied / "config.json").read_text())
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = True
    (tied / "config.json").write_text(json.dumps(config))
    state = load_file(tied / "model.safetensors")
    del state["lm_head.weight"]
    save_file(state, tied / "model.safetensors", {"format": "pt"})
    save_adapter(tied, adapter, 1, target_modules=["q_proj", "lm_head"])
    with pytest.raises(ModelFileError, match="reads and writes, in one of these places: it cannot"):
        merge(str(tied), str(adapter), tmp_path / "merged")
    save_adapter(tied, tmp_path / "other", 1)
    merge(str(tied), str(tmp_path / "other"), tmp_path / "merged")
    spec = f"transformers:{tied}?adapter={tmp_path / 'other'}"
    assert _say(f"transformers:{tmp_path / 'merged'}", "red") == _say(spec, "red")


def test_a_model_of_which_a_part_is_read_is_not_merged(tmp_path: Path) -> None:
    save_omni(tmp_path / "omni")
    save_adapter(tmp_path / "omni", tmp_path / "adapter", 1, target_modules=["q_proj"])
    with pytest.raises(SettingsError, match="the part that speaks is not read here"):
        merge(str(tmp_path / "omni"), str(tmp_path / "adapter"), tmp_path / "merged")

"""What a run leaves: files of an adapter alone, or a model that is loaded as one of the hub."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deixis.training.fine_tuning.card import use
from deixis.training.fine_tuning.checkpoints import put_folder
from deixis.training.fine_tuning.outcome import put_adapter, put_model
from deixis.training.fine_tuning.run_folder import STACK, write_stack
from deixis.training.recipes import Evaluation, Recipe

pytestmark = pytest.mark.extra("transformers", "train")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, save_seeing: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "checkpoint-3"
    save_seeing(folder, "qwen2.5-vl")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "use_cache": False}))
    (folder / "optimizer.pt").write_bytes(b"large")
    return folder


@pytest.mark.parametrize("half", [False, True])
def test_a_model_of_its_own_is_loaded_as_one_of_the_hub(
    trained: Path, tmp_path: Path, half: bool
) -> None:
    import torch
    from safetensors.torch import load_file

    from deixis.llms.local.transformers_load import load

    before = load(str(trained), "cpu", "auto", None)
    place = put_model(trained, tmp_path, before.processor, half=half)
    after = load(str(place), "cpu", "auto", None)
    assert place.name == "model"
    assert "optimizer.pt" not in {path.name for path in place.iterdir()}
    written = load_file(place / "model.safetensors").values()
    dtype = torch.bfloat16 if half else torch.float32
    assert {weight.dtype for weight in written} == {dtype}
    assert json.loads((place / "config.json").read_text())["dtype"] == str(dtype)[6:]
    assert "use_cache" not in json.loads((place / "config.json").read_text())
    assert after.ends == before.ends
    assert after.processor.chat_template == before.processor.chat_template
    weights: dict[str, Any] = dict(before.model.named_parameters())
    for name, weight in after.model.named_parameters():
        assert torch.equal(weight, weights[name].to(dtype).to(weight.dtype))


def test_an_adapter_is_its_two_files(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint-3"
    checkpoint.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "optimizer.pt"):
        (checkpoint / name).write_text("{}")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "of-before").touch()
    place = put_adapter(checkpoint, tmp_path)
    names = sorted(path.name for path in place.iterdir())
    assert names == ["adapter_config.json", "adapter_model.safetensors"]


def test_a_folder_that_is_not_written_to_its_end_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "whole").touch()
    with pytest.raises(OSError, match="full"), put_folder(place) as draft:
        (draft / "half").touch()
        raise OSError("the disk is full")
    assert [path.name for path in place.iterdir()] == ["whole"]


@pytest.mark.parametrize(
    ("base", "weights", "spec"),
    [
        ("transformers:o/m", "adapter", "transformers:o/m?adapter=OUT/adapter"),
        (
            "transformers:o/m?family=llava&min_pixels=9",
            "adapter",
            "transformers:o/m?family=llava&min_pixels=9&adapter=OUT/adapter",
        ),
        ("transformers:o/m", "model", "transformers:OUT/model"),
        ("transformers:o/m?family=llava", "model", "transformers:OUT/model?family=llava"),
    ],
)
def test_the_stack_names_what_was_trained(
    tmp_path: Path, base: str, weights: str, spec: str
) -> None:
    settings = {"name": "x", "schema": "gmner", "roles": {"vlm": base, "detector": "nanodet"}}
    write_stack(tmp_path, settings, "vlm", base, tmp_path / weights)
    roles = yaml.safe_load((tmp_path / STACK).read_text())["roles"]
    assert roles == {"vlm": spec.replace("OUT", str(tmp_path)), "detector": "nanodet"}


def test_what_lies_here_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny").mkdir()
    played = "transformers:tiny?adapter=one/adapter&max_tokens=9"
    roles = {"sketcher": played, "committee": [played, "openai:gpt-5-mini"], "voter": None}
    settings = {"name": "x", "schema": "gmner", "roles": roles}
    write_stack(Path("run"), settings, "vlm", "transformers:tiny", Path("run/adapter"))
    whole = f"transformers:{tmp_path}/tiny?adapter={tmp_path}/one/adapter&max_tokens=9"
    assert yaml.safe_load((tmp_path / "run" / STACK).read_text())["roles"] == {
        "sketcher": whole,
        "committee": [whole, "openai:gpt-5-mini"],
        "vlm": f"transformers:{tmp_path}/tiny?adapter={tmp_path}/run/adapter",
    }


@pytest.mark.parametrize(
    ("task", "segmenter", "more"),
    [("gmner", "sam", " --role segmenter=none"), ("gmner", None, ""), ("smner", "sam", "")],
)
def test_masks_are_made_for_a_score_that_counts_them(
    task: str, segmenter: str | None, more: str
) -> None:
    recipe = Recipe.load("e2e").model_copy(update={"evaluate": Evaluation(task=task)})
    (line,) = use(Path("run/stack.yaml"), {"segmenter": segmenter}, recipe)
    assert line == (
        f"deixis batch test.jsonl --stack run/stack.yaml{more} --out run/results.jsonl && "
        f"deixis eval test.jsonl run/results.jsonl --task {task}"
    )

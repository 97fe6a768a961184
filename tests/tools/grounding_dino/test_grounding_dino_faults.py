"""Grounding DINO where something is amiss: memory, files, options, threads."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from deixis.errors import ModelFileError, SettingsError, ToolError
from deixis.tools.grounding_dino import detector as grounding_dino
from deixis.tools.grounding_dino import model as grounding_dino_model
from deixis.tools.grounding_dino.detector import GroundingDino
from deixis.tools.grounding_dino.model import load

from .shown import picture

pytestmark = [pytest.mark.slow, pytest.mark.extra]

OPEN = "box_threshold=0&text_threshold=0&nms=1&limit=900"


def test_threads_load_a_model_once_and_find_the_same(tiny_dino: Path) -> None:
    detectors = [GroundingDino(str(tiny_dino), limit=number + 1) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load(str(tiny_dino), "cpu", "auto"), range(4)))
        found = list(pool.map(lambda each: each.detect(picture(), ["a cat"]), detectors))
    assert len({id(each.model) for each in loaded}) == 1
    assert [each[0] for each in found] == [found[0][0]] * 4


def test_it_runs_in_16_bits(detector: Any) -> None:
    shown = picture()
    for each in detector(f"{OPEN}&dtype=bfloat16").detect(shown, ["a cat"]):
        x1, y1, x2, y2 = each.box
        assert 0 <= x1 < x2 <= 80 and 0 <= y1 < y2 <= 60 and 0 <= each.score <= 1


@pytest.mark.parametrize("fails", [1, 2])
def test_short_memory_halves_the_batch_once(
    detector: Any, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    monkeypatch.setitem(grounding_dino.AT_ONCE, "cpu", 4)
    phrases, shown, runs = ["a cat", "a dog", "the red flag"], picture(), []
    made = detector(OPEN)
    whole = made.detect(shown, phrases)

    def short(*args: Any) -> Any:
        runs.append(len(args[2]))
        if len(runs) <= fails:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return grounding_dino_model.answer(*args)

    monkeypatch.setattr(grounding_dino, "answer", short)
    if fails == 2:
        with pytest.raises(ToolError, match="grounding-dino: out of memory, also with 2 items"):
            made.detect_all([shown], [phrases])
        return
    (found,), warning = made.detect_all([shown], [phrases])
    assert runs == [3, 2, 1]
    assert warning == "grounding-dino: out of memory with 3 items; went on with 2"
    assert [each.score for each in found] == pytest.approx([each.score for each in whole], abs=1e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model.safetensors": None}, r"no file named model\.safetensors.*; only weights in \.s"),
        ({"model.safetensors": b"<html>not found</html>"}, "cannot load .*eader"),
        ({"config.json": None}, r"no config\.json in the folder"),
        ({"config.json": b"{"}, "cannot load .* not a valid JSON file"),
        ({"config.json": b'{"model_type": "owlv2"}'}, "of the type owlv2, and grounding-dino is n"),
        ({"tokenizer.json": b"{"}, "cannot load .*Expecting property"),
        ({"processor_config.json": b"{"}, "cannot load "),
    ],
)
def test_a_folder_that_is_no_grounding_dino_is_told(
    tiny_dino: Path, tmp_path: Path, change: dict[str, bytes | None], said: str
) -> None:
    folder = shutil.copytree(tiny_dino, tmp_path / "model")
    torch.save({}, folder / "pytorch_model.bin")  # pickles are never read
    for name, content in change.items():
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=f"(?s){said}"):
        GroundingDino(str(folder)).detect(picture(), ["a cat"])


def test_weights_with_holes_are_not_filled_with_random_numbers(
    tiny_dino: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_dino, tmp_path / "model")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"encoder_layers": 3}))
    with pytest.raises(ModelFileError, match=r"weights are missing, the first is model\.encoder"):
        GroundingDino(str(folder)).detect(picture(), ["a cat"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("box_treshold=0.3", "no option 'box_treshold' (did you mean 'box_threshold'?"),
        ("mode=quick", "option mode: Input should be 'exact' or 'fast'"),
        ("box_threshold=2", "option box_threshold: Input should be less than or equal to 1"),
        ("limit=0", "option limit: Input should be greater than or equal to 1"),
        ("dtype=int8", "option dtype: Input should be 'auto'"),
        ("device=gpu", "there is no device 'gpu'"),
        ("device=cuda:99", "torch finds no device cuda:99 here"),
    ],
)
def test_a_wrong_option_is_told(detector: Any, query: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        detector(query).detect(picture(), ["a cat"])
    assert said in str(caught.value)

"""A model that another part of the program holds, such as one in training, answers for a name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import peft
import pytest
import torch
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

from deixis.errors import ModelFileError
from deixis.llms import registry
from deixis.llms.asking import Asker
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.local.transformers_load import Loaded, around, lent, load, weights
from deixis.prompts import Prompt
from deixis.settings import Options

from .tiny_seeing import save_seeing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.extra,
    # peft asks a model of transformers by an old name
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "qwen2.5-vl"
    save_seeing(folder, "qwen2.5-vl")
    return folder


@pytest.fixture
def in_training(folder: Path) -> Iterator[Loaded]:
    """Return a model with an adapter whose weights are random, in training mode."""
    torch.manual_seed(3)
    config = peft.LoraConfig(target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    model: Any = peft.get_peft_model(weights(str(folder), "cpu", "auto", None), config)
    yield around(str(folder), model.train())


def _said(folder: Path) -> str:
    model = registry.load(f"transformers:{folder}").model
    return model.invoke([HumanMessage("Who is it?")], max_tokens=12).text


def test_a_lent_model_answers_in_every_thread_until_it_is_given_back(
    folder: Path, in_training: Loaded
) -> None:
    own, before = _said(folder), in_training.model.generation_config
    with lent(str(folder), in_training):
        with ThreadPoolExecutor(2) as pool:
            assert len({_said(folder), *pool.map(_said, [folder] * 2)} - {own}) == 1
        assert not in_training.model.training
    assert _said(folder) == own
    assert in_training.model.training and in_training.model.generation_config is before


def test_each_part_is_afterwards_in_the_mode_in_which_it_was(
    folder: Path, in_training: Loaded
) -> None:
    in_training.model.model.visual.eval()
    with pytest.raises(KeyError), lent(str(folder), in_training):
        raise KeyError
    assert in_training.model.model.language_model.training
    assert not in_training.model.model.visual.training
    assert load(str(folder), "auto", "auto", None) is not in_training


def test_weights_are_read_anew_and_what_goes_with_them_is_told_when_it_is_missing(
    folder: Path, tmp_path: Path
) -> None:
    first, second = (weights(str(folder), "cpu", "float32", None) for _ in range(2))
    assert first is not second
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(ModelFileError, match=str(tmp_path)):
        around(str(tmp_path), first)


class Choice(BaseModel):
    """What any model can say."""

    model_config = ConfigDict(extra="forbid")
    choice: Literal["a", "b"]


def test_nothing_that_a_model_in_training_says_is_kept(
    folder: Path, in_training: Loaded, tmp_path: Path
) -> None:
    cache = LlmCache(tmp_path / "answers", "use")
    asker = Asker(Options(max_tokens=16), cache)

    def asked() -> tuple[str, int]:
        prompt = Prompt("", "Which?", "any", 1)
        reply = asker.ask(f"transformers:{folder}", prompt, Choice)
        return reply.calls[-1].status, len(list(cache.entries()))

    with lent(str(folder), in_training):
        assert asked() == ("ok", 0)
    assert asked() == ("ok", 1)
    with lent(str(folder), in_training):
        assert asked() == ("ok", 1)
    assert asked() == ("cached", 1)

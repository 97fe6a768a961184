import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from deixis.errors import MissingExtraError, ModelFileError, SettingsError, ToolError
from deixis.weights.short_memory import Done, in_batches, in_halves
from deixis.weights.torch_models import (
    files_of,
    once,
    packages,
    part,
    place_of,
    precision_of,
    pretrained,
    reading,
    source_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.extra]


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_missing_package_is_named_with_the_line_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError) as caught:
        packages()
    assert caught.value.package == missing
    assert 'pip install "deixis[transformers]"' in str(caught.value)


def test_auto_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert place_of("auto") == place_of("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert place_of("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert place_of("auto") == torch.device("cuda")
    assert place_of("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(SettingsError, match="no device cuda:2 here; write device=auto or cpu"):
        place_of("cuda:2")


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:x", "CPU", "meta", "cpu:0"])
def test_what_is_no_device_is_told(device: str) -> None:
    with pytest.raises(SettingsError, match="there is no device"):
        place_of(device)


@pytest.mark.parametrize(
    ("dtype", "kind", "wanted"),
    [
        ("auto", "cpu", torch.float32),
        ("auto", "cuda", torch.bfloat16),
        ("auto", "mps", torch.float16),
        ("float16", "cpu", torch.float16),
        ("float32", "cuda", torch.float32),
    ],
)
def test_precision_follows_the_device(dtype: str, kind: str, wanted: torch.dtype) -> None:
    assert precision_of(dtype, torch.device(kind)) is wanted


def test_what_is_no_precision_is_told() -> None:
    with pytest.raises(SettingsError, match="there is no dtype 'int8'"):
        precision_of("int8", torch.device("cpu"))


def test_a_folder_goes_before_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert files_of("owner/tiny@v1") == ["hub:owner/tiny@v1#transformers"]
    assert files_of("owner/tiny") == ["hub:owner/tiny#transformers"]
    (tmp_path / "owner/tiny").mkdir(parents=True)
    for function in (files_of, source_of):
        with pytest.raises(ModelFileError, match=r"no config\.json in the folder owner/tiny"):
            function("owner/tiny")
    (tmp_path / "owner/tiny/config.json").write_text("{}")
    assert files_of("owner/tiny") == ["owner/tiny"]
    assert source_of("owner/tiny") == ("owner/tiny", {"trust_remote_code": False})


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny BERT that knows one word."""
    folder = tmp_path_factory.mktemp("models") / "bert"
    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cat")
    hf.BertTokenizer(vocab={word: number for number, word in enumerate(words)}).save_pretrained(
        folder
    )
    sizes = dict.fromkeys(("hidden_size", "intermediate_size"), 8)
    layers = dict.fromkeys(("num_hidden_layers", "num_attention_heads"), 1)
    config = hf.BertConfig(vocab_size=len(words), **sizes, **layers)
    hf.BertModel(config).save_pretrained(folder)
    return folder


def test_a_model_is_ready_to_be_asked(tiny_bert: Path) -> None:
    model = pretrained(hf.BertModel, str(tiny_bert), "cpu", "bfloat16")
    assert not model.training and model.dtype is torch.bfloat16


def test_parts_of_a_model_are_read_or_told(tiny_bert: Path, tmp_path: Path) -> None:
    assert part(hf.AutoTokenizer, str(tiny_bert)).convert_tokens_to_ids("cat") > 0
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelFileError, match=f"cannot load {tmp_path}: "):
        part(hf.AutoTokenizer, str(tmp_path))


def test_code_that_a_model_brings_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"model_type": "odd", "auto_map": {"AutoConfig": "odd.Odd"}}'
    )
    (tmp_path / "odd.py").write_text("open('ran', 'w')")
    with pytest.raises(ModelFileError, match="cannot load "):
        pretrained(hf.AutoModel, str(tmp_path), "cpu", "auto")
    assert not Path("ran").exists() and not (tmp_path / "ran").exists()


def test_failures_are_one_line() -> None:
    with pytest.raises(ModelFileError) as caught, reading("it"):
        raise ValueError("\n  first\nsecond")
    assert str(caught.value) == "cannot load it: first"
    with pytest.raises(SettingsError, match="as it is"), reading("it"):
        raise SettingsError("as it is")


def test_threads_load_once() -> None:
    made: list[int] = []

    @once
    def load(number: int) -> object:
        made.append(number)
        return object()

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda turn: load(turn % 2), range(40)))
    assert sorted(made) == [0, 1] and len({id(each) for each in got}) == 2


class Memory:
    """A run that has room for so many items, and says so in one of torch's ways."""

    def __init__(self, room: int, error: Exception) -> None:
        self.room, self.error = room, error
        self.asked: list[int] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.asked.append(len(items))
        if len(items) > self.room:
            raise self.error
        return [10 * item for item in items]


SHORT = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    MemoryError(),
]


@pytest.mark.parametrize("error", SHORT)
def test_a_batch_is_halved_once(error: Exception) -> None:
    run = Memory(3, error)
    done = in_halves(run, range(5), "owl")
    assert done == Done([0, 10, 20, 30, 40], "owl: out of memory with 5 items; went on with 3")
    assert run.asked == [5, 3, 2]
    with pytest.raises(ToolError, match="owl: out of memory, also with 4 items; give a smaller"):
        in_halves(Memory(3, error), range(8), "owl")
    with pytest.raises(ToolError, match="owl: out of memory with one item"):
        in_halves(Memory(0, error), [1], "owl")


def test_batches_are_of_the_size_asked_for_until_memory_is_short() -> None:
    run = Memory(2, SHORT[0])
    done = in_batches(run, range(7), 3, "owl")
    assert done.results == [0, 10, 20, 30, 40, 50, 60]
    assert done.warning == "owl: out of memory with 3 items; went on with 2"
    assert run.asked == [3, 2, 1, 2, 2], "and what is left is not tried in threes"
    assert in_batches(Memory(3, SHORT[0]), range(7), 3, "owl") == Done(done.results, None)
    assert in_batches(run, [], 3, "owl") == Done([], None)


def test_what_fits_is_not_halved() -> None:
    assert in_halves(Memory(5, SHORT[0]), range(3), "owl") == Done([0, 10, 20], None)
    empty = Memory(-1, SHORT[0])
    assert in_halves(empty, [], "owl") == Done([], None) and empty.asked == []


def test_other_failures_are_not_taken_for_short_memory() -> None:
    with pytest.raises(ToolError, match="owl failed: CUDA error: an illegal access"):
        in_halves(Memory(0, RuntimeError("CUDA error: an illegal access\nmore")), [1, 2], "owl")
    with pytest.raises(KeyError):
        in_halves(Memory(0, KeyError("a bug")), [1, 2], "owl")


class Big:
    """What a run holds while it lasts."""


def test_what_the_failed_run_held_is_free_before_the_halves_run() -> None:
    alive: list[bool] = []

    held: list[weakref.ref[Big]] = []

    def run(items: Sequence[int]) -> list[int]:
        if len(items) == 4:
            big = Big()
            held.append(weakref.ref(big))
            raise torch.OutOfMemoryError("out of memory")
        alive.append(held[0]() is not None)
        return list(items)

    in_halves(run, range(4), "owl")
    assert alive == [False, False]


def test_what_goes_with_weights_is_asked_for_where_it_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program may have fetched the weights alone."""
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    home, commit = tmp_path / "models--owner--tiny", "0123456789" * 4
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    (home / "snapshots" / commit).mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (home / "snapshots" / commit / name).touch()

    class Tokenizer:
        @classmethod
        def from_pretrained(cls, where: str, *, local_files_only: bool, **source: Any) -> Any:
            assert where == "owner/tiny" and source["revision"] == commit
            if local_files_only:
                raise OSError("no tokenizer.json")
            return "the hub's"

    assert part(Tokenizer, "owner/tiny") == "the hub's"

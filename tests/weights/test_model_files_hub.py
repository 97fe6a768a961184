"""``hub:`` specs against a server that speaks the endpoints that huggingface_hub asks."""

import json
import sys
from pathlib import Path

import pytest

from deixis.errors import MissingExtraError, ModelFileError
from deixis.testing import Request
from deixis.weights.model_files import is_cached, resolve

from .hub import HUB_FILES

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DEIXIS_CACHE", str(folder))
    return folder


@pytest.mark.extra
def test_file_of_the_hub_is_fetched_once(hub: list[Request], cache: Path) -> None:
    spec = "hub:owner/toy/weights/model.bin"
    assert not is_cached(spec, cache=cache)
    path = resolve(spec, cache=cache)
    assert path.read_bytes() == HUB_FILES["weights/model.bin"]
    assert is_cached(spec, cache=cache)
    asked = len(hub)
    assert resolve(spec, cache=cache) == path
    assert len(hub) == asked


@pytest.mark.extra
def test_snapshot_of_the_hub_is_fetched_once(hub: list[Request], cache: Path) -> None:
    spec = "hub:owner/toy@main"
    assert not is_cached(spec, cache=cache)
    folder = resolve(spec, cache=cache)
    assert all((folder / name).read_bytes() == HUB_FILES[name] for name in HUB_FILES)
    assert is_cached(spec, cache=cache)
    assert not is_cached("hub:owner/toy@other", cache=cache)
    asked = len(hub)
    assert resolve(spec, cache=cache) == folder
    assert len(hub) == asked


@pytest.mark.extra
def test_of_a_model_only_what_transformers_reads_is_fetched(
    hub: list[Request], cache: Path
) -> None:
    spec = "hub:owner/toy@main#transformers"
    resolve("hub:owner/toy@main/config.json", cache=cache)
    assert not is_cached(spec, cache=cache), "its weights are not there"
    folder = resolve(spec, cache=cache)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}
    assert is_cached(spec, cache=cache) and is_cached(spec.replace("@main", ""), cache=cache)


@pytest.mark.extra
def test_weights_in_shards_are_there_when_all_shards_are(hub: list[Request], cache: Path) -> None:
    spec = "hub:owner/toy@main#transformers"
    folder = resolve(spec, cache=cache)
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index.write_text(json.dumps({"weight_map": {"a": shards[0], "b": shards[1], "c": shards[1]}}))
    (folder / shards[0]).write_bytes(b"x")
    assert not is_cached(spec, cache=cache)
    (folder / shards[1]).write_bytes(b"x")
    assert is_cached(spec, cache=cache)
    index.write_text("{}")
    assert not is_cached(spec, cache=cache)


@pytest.mark.extra
@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("hub:owner/toy#transformers", ["config.json", "model.safetensors"]),
        ("hub:owner/toy", list(HUB_FILES)),
        ("hub:owner/toy/weights/model.bin", ["weights/model.bin"]),
    ],
)
def test_the_bytes_that_come_are_told(
    hub: list[Request],
    cache: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    spec: str,
    names: list[str],
) -> None:
    monkeypatch.setenv("TQDM_POSITION", "-1")  # the library shows its bars, terminal or not
    told: list[tuple[int, int | None]] = []
    resolve(spec, cache=cache, tell=lambda come, most: told.append((come, most)))
    size = sum(len(HUB_FILES[name]) for name in names)
    assert told[-1] == (size, size) and told == sorted(told)
    assert capfd.readouterr() == ("", ""), "the hub's library shows no bars of its own"


@pytest.mark.extra
@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("hub:owner/gated/config.json", "is gated: accept its terms"),
        ("hub:owner/gated", "is gated: accept its terms"),
        ("hub:owner/none/config.json", "owner/none does not exist or is private"),
        ("hub:owner/none", "owner/none does not exist or is private"),
        ("hub:owner/toy/no.bin", r"no file no\.bin in the hub repository owner/toy"),
        ("hub:owner/toy@no-such-tag/config.json", "no revision no-such-tag in owner/toy"),
        ("hub:owner/none#transformers", "owner/none does not exist or is private"),
        ("hub:owner/toy..toy", "cannot fetch owner/toy..toy"),
    ],
)
def test_what_the_hub_refuses_is_said(
    hub: list[Request], cache: Path, spec: str, reason: str
) -> None:
    with pytest.raises(ModelFileError, match=reason) as caught:
        resolve(spec, cache=cache, tell=lambda come, most: None)
    assert "\n" not in str(caught.value)
    assert not is_cached(spec, cache=cache)


@pytest.mark.extra
@pytest.mark.parametrize("spec", ["hub:owner/toy", "hub:owner/toy/weights/model.bin"])
def test_unreachable_hub_is_said_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], spec: str
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelFileError, match="the hub cannot be reached"):
        resolve(spec, cache=cache)
    assert capfd.readouterr() == ("", ""), "the hub's library tells of no attempts"


def test_hub_without_its_package(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert not is_cached("hub:owner/toy/config.json")
    with pytest.raises(MissingExtraError, match=r"deixis\[hub\]"):
        resolve("hub:owner/toy")

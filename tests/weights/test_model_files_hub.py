"""``hub:`` specs against a server that speaks the endpoints that huggingface_hub asks."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deixis.errors import MissingExtraError, ModelFileError
from deixis.testing import Request, Response, serving
from deixis.weights.model_files import is_cached, resolve

pytestmark = pytest.mark.slow

COMMIT = "a" * 40
HUB_FILES = {"config.json": b'{"kind": "toy"}', "weights/model.bin": bytes(range(256)) * 4000}


def answer(request: Request) -> Response:
    """Answer as a hub does."""
    path = request.path.partition("?")[0]
    refused = {"/gated": (403, "GatedRepo"), "/none": (404, "RepoNotFound")}
    refused["/no-such-tag"] = (404, "RevisionNotFound")
    for piece, (status, code) in refused.items():
        if piece in path:
            return Response(status, {}, {"X-Error-Code": code})
    if path.startswith("/api/models/owner/toy/tree/"):
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": _oid(content)}
            for name, content in HUB_FILES.items()
        ]
        return Response(200, entries)
    if path.startswith("/api/models/owner/toy"):
        siblings = [{"rfilename": name} for name in HUB_FILES]
        about = {"id": "owner/toy", "modelId": "owner/toy", "sha": COMMIT, "siblings": siblings}
        return Response(200, about)
    content = HUB_FILES.get("/".join(path.split("/")[5:]))
    if content is None:
        return Response(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
    return Response(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DEIXIS_CACHE", str(folder))
    return folder


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    """Serve a hub on loopback; yields the requests it got."""
    pytest.importorskip("huggingface_hub")
    with serving(answer) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server.requests


def test_file_of_the_hub_is_fetched_once(hub: list[Request], cache: Path) -> None:
    spec = "hub:owner/toy/weights/model.bin"
    assert not is_cached(spec, cache=cache)
    path = resolve(spec, cache=cache)
    assert path.read_bytes() == HUB_FILES["weights/model.bin"]
    assert is_cached(spec, cache=cache)
    asked = len(hub)
    assert resolve(spec, cache=cache) == path
    assert len(hub) == asked


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


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("hub:owner/gated/config.json", "is gated: accept its terms"),
        ("hub:owner/gated", "is gated: accept its terms"),
        ("hub:owner/none/config.json", "owner/none does not exist or is private"),
        ("hub:owner/none", "owner/none does not exist or is private"),
        ("hub:owner/toy/no.bin", r"no file no\.bin in the hub repository owner/toy"),
        ("hub:owner/toy@no-such-tag/config.json", "no revision no-such-tag in owner/toy"),
        ("hub:owner/toy..toy", "cannot fetch owner/toy..toy"),
    ],
)
def test_what_the_hub_refuses_is_said(
    hub: list[Request], cache: Path, spec: str, reason: str
) -> None:
    with pytest.raises(ModelFileError, match=reason) as caught:
        resolve(spec, cache=cache)
    assert "\n" not in str(caught.value)
    assert not is_cached(spec, cache=cache)


def test_unreachable_hub_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelFileError, match="the hub cannot be reached"):
        resolve("hub:owner/toy", cache=cache)  # a single file is retried for 20 s before


def test_hub_without_its_package(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert not is_cached("hub:owner/toy/config.json")
    with pytest.raises(MissingExtraError, match=r"deixis\[hub\]"):
        resolve("hub:owner/toy")

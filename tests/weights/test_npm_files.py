"""Files of npm packages, from a registry on loopback."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import ModelFileError
from deixis.testing import Request, Response, serving
from deixis.weights import npm_files
from deixis.weights.model_files import is_cached, resolve
from deixis.weights.npm_files import REGISTRY, registry_of

GRAPH, WEIGHTS = b'{"node": []}', bytes(range(256)) * 4000
HASHES = hashlib.sha256(GRAPH).hexdigest(), hashlib.sha256(WEIGHTS).hexdigest()
SPEC = f"npm:@toys/nets@1.0.0/models/net.bin#sha256={HASHES[1]}"
PAIR = f"npm:@toys/nets@1.0.0/models/net.json,net.bin#sha256={HASHES[0]},{HASHES[1]}"
PATH = "/@toys/nets/-/nets-1.0.0.tgz"


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Any:
    about = tarfile.TarInfo(name)
    about.size, about.type, about.linkname = len(content), kind, link
    return about, content


def pack(*members: Any, **options: Any) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", **options) as package:
        for about, content in members:
            package.addfile(about, io.BytesIO(content))
    return archive.getvalue()


FILES = [
    member("package/index.js", b"throw new Error('a package is never run')"),
    member("package/models/net.bin", WEIGHTS),
    member("package/models/net.json", GRAPH),
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEIXIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read no settings of npm that this machine has."""
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "npmrc"))
    monkeypatch.delenv("npm_config_registry", raising=False)
    return tmp_path / "npmrc"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Request]]]:
    """Let a server on loopback be the registry; it answers with what the test gives it."""
    answers: list[Callable[[Request], Response | None]] = []
    with serving(lambda request: answers[-1](request)) as server:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{server.url}/")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

        def install(
            archive: bytes = b"", answer: Callable[[Request], Response | None] | None = None
        ) -> list[Request]:
            answers.append(answer or (lambda _: Response(200, archive)))
            return server.requests

        yield install


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_of_a_package_is_fetched_once(registry: Any, cache: Path) -> None:
    requests = registry(pack(*FILES))
    assert not is_cached(SPEC)
    path = resolve(SPEC)
    assert path == cache / "npm" / HASHES[1] / "net.bin" and path.read_bytes() == WEIGHTS
    assert is_cached(SPEC) and resolve(SPEC) == path
    assert [request.path for request in requests] == [PATH]
    assert files_in(cache) == [f"npm/{HASHES[1]}/net.bin"]


def test_files_that_belong_together_come_in_one_archive(registry: Any, cache: Path) -> None:
    requests = registry(pack(*FILES))
    path = resolve(PAIR)
    assert path.read_bytes() == GRAPH and path.with_name("net.bin").read_bytes() == WEIGHTS
    assert len(requests) == 1
    path.with_name("net.bin").unlink()
    assert not is_cached(PAIR)
    same, _, hashes = PAIR.partition("=")
    assert resolve(f"{same}={hashes.upper()}") == path
    assert len(requests) == 2


def test_the_bytes_that_come_are_told(registry: Any, cache: Path) -> None:
    archive = pack(*FILES)
    registry(archive)
    told: list[tuple[int, int | None]] = []
    resolve(SPEC, tell=lambda come, most: told.append((come, most)))
    assert told[-1] == (len(archive), len(archive))


def test_redirects_are_followed(registry: Any, cache: Path) -> None:
    def answer(request: Request) -> Response:
        if request.path == PATH:
            return Response(302, b"", {"Location": "/store/1?token=x"})
        return Response(200, pack(*FILES), {"Content-Encoding": "gzip"})

    registry(answer=answer)
    assert resolve(SPEC).read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: Response(404), r"the registry answers 404; npm's setting registry \(NPM_"),
        (lambda _: Response(200, b"", {"Content-Length": "99"}), "(?i)peer closed|length"),
        (lambda _: Response(302, b"", {"Location": PATH}), "more than 5 redirects"),
        (lambda _: None, "cannot fetch @toys/nets@1.0.0 from http://127.0.0.1:.*nets-1.0.0.tgz: "),
        (lambda _: Response(200, b"<html>a page to log in</html>"), "is damaged: .*gzip"),
        (lambda _: Response(200, pack(*FILES)[:3000]), "is damaged"),
        (lambda _: Response(200, gzip.compress(b"no archive" * 99)), "is damaged"),
    ],
)
def test_what_is_no_package_is_told(registry: Any, cache: Path, answer: Any, reason: str) -> None:
    registry(answer=answer)
    with pytest.raises(ModelFileError, match=reason) as caught:
        resolve(SPEC)
    assert "\n" not in str(caught.value) and files_in(cache) == []


def test_an_endless_archive_is_cut_off(
    registry: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm_files, "_LARGEST", 1 << 20)

    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 16)

    registry(answer=lambda _: Response(200, endless()))
    with pytest.raises(ModelFileError, match=r"larger than 1,048,576 bytes"):
        resolve(SPEC)


def test_an_archive_that_swells_is_not_unpacked(
    registry: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm_files, "_LARGEST", 1 << 20)
    registry(pack(member("package/bomb", bytes(1 << 22)), *FILES))
    with pytest.raises(ModelFileError, match=r"unpacks to more than 1,048,576 bytes"):
        resolve(SPEC)


def test_a_header_that_swells_is_not_read(registry: Any, cache: Path) -> None:
    comment = {"comment": "a" * (1 << 22)}
    registry(pack(*FILES, format=tarfile.PAX_FORMAT, pax_headers=comment))
    with pytest.raises(ModelFileError, match=r"a header of 4,194,816 bytes"):
        resolve(SPEC)


def test_a_wrong_hash_keeps_nothing(registry: Any, cache: Path) -> None:
    registry(pack(*FILES))
    with pytest.raises(ModelFileError, match=f"expected {'0' * 64}, got {HASHES[1]}"):
        resolve(SPEC.replace(HASHES[1], "0" * 64))
    assert files_in(cache) == []


@pytest.mark.parametrize(
    "other",
    [
        member("package/models/net.bin", kind=tarfile.SYMTYPE, link="/etc/hostname"),
        member("package/models/net.bin", kind=tarfile.LNKTYPE, link="package/index.js"),
        member("package/models/net.bin", kind=tarfile.CHRTYPE),
        member("package/models/net.bin", kind=tarfile.DIRTYPE),
        member("package/models/../models/net.bin", WEIGHTS),
        member("../package/models/net.bin", WEIGHTS),
    ],
)
def test_only_a_plain_file_of_that_name_is_taken(registry: Any, cache: Path, other: Any) -> None:
    registry(pack(FILES[0], other))
    with pytest.raises(ModelFileError, match=r"no file models/net\.bin in the package"):
        resolve(SPEC)
    assert files_in(cache) == []
    registry(pack(FILES[0], other, FILES[1]))
    assert resolve(SPEC).read_bytes() == WEIGHTS


def test_a_missing_file_names_close_ones(registry: Any, cache: Path) -> None:
    registry(pack(*FILES))
    with pytest.raises(ModelFileError, match=r"no file data/net\.bin .*it has models/net\.bin"):
        resolve(SPEC.replace("models/", "data/"))


def test_a_damaged_file_in_the_cache_is_told(registry: Any, cache: Path) -> None:
    registry(pack(*FILES))
    resolve(PAIR).with_name("net.bin").write_bytes(WEIGHTS[:-1] + b"x")
    with pytest.raises(ModelFileError, match=r"net\.bin is not what was fetched from @toys/nets@"):
        resolve(PAIR)


@pytest.mark.parametrize(
    "spec",
    [
        "npm:@toys/nets@1.0.0/models/net.bin",
        SPEC.replace("@1.0.0", ""),
        SPEC.replace("@1.0.0", "@latest"),
        SPEC.replace("models/", "../"),
        SPEC.replace("models/", "models/../"),
        SPEC.replace("net.bin", "net.bin,.."),
        SPEC.replace("net.bin", "net.bin,net.json"),
        PAIR.replace("net.json", "net.bin"),
        PAIR + "," + HASHES[0],
        SPEC.replace("@toys/nets", "@toys/../nets"),
        SPEC.replace("@toys/nets", "-x"),
        SPEC.replace("@toys/nets", ".x"),
    ],
)
def test_a_malformed_spec_names_the_forms(spec: str) -> None:
    with pytest.raises(ModelFileError, match="npm:NAME@VERSION/path"):
        is_cached(spec)


def test_the_registry_is_the_one_of_npm(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    assert registry_of("nets") == registry_of("@toys/nets") == REGISTRY
    monkeypatch.setenv("TOYS", "toys.example")
    no_settings.write_text("# mine\n@toys:registry = https://${TOYS}/npm\nregistry=https://a/\n")
    assert registry_of("nets") == "https://a/"
    assert registry_of("@toys/nets") == "https://toys.example/npm/"
    assert registry_of("@others/nets") == "https://a/"
    monkeypatch.setenv("npm_config_registry", "https://b")
    assert registry_of("nets") == "https://b/"
    assert registry_of("@toys/nets") == "https://toys.example/npm/"


def test_credentials_reach_the_registry_and_no_message(
    registry: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = registry(answer=lambda _: Response(403))
    resolve_url = npm_files.registry_of("x").replace("http://", "http://me:S3CRET@")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", resolve_url)
    with pytest.raises(ModelFileError, match="answers 403") as caught:
        resolve(SPEC)
    assert "authorization" in requests[0].headers and "S3CRET" not in str(caught.value)
